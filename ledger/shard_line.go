package ledger

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
)

// appendShard writes a step down. Of an intent, keys and records come last, so that what is before them is read without them.
func appendShard(dst []byte, e *ShardEntry, simulated bool) ([]byte, error) {
	start := len(dst)
	size, err := e.check()
	if err != nil {
		return dst, err
	}
	dst = slices.Grow(dst, size)
	dst = append(dst, batchStart...)
	dst = append(dst, e.Step.String()...)
	dst = append(dst, shardStart...)
	dst = append(dst, e.Shard...)
	dst = append(dst, timeStart...)
	dst = e.Time.UTC().AppendFormat(dst, timeLayout)
	dst = append(dst, '"')
	if simulated {
		dst = append(dst, simulatedFlag...)
	}
	dst = appendText(dst, "provider", e.Provider)
	dst = appendText(dst, "endpoint", e.Endpoint)
	dst = appendText(dst, "model", e.Model)
	dst = appendNumber(dst, "round", int64(e.Round))
	dst = appendNumber(dst, "bytes", e.Bytes)
	if e.ReservedNanos > 0 {
		dst = appendCost(append(dst, `,"reserved_usd":`...), e.ReservedNanos, true)
	}
	dst = appendText(dst, "window", e.Window)
	dst = appendText(dst, "file_id", e.FileID)
	dst = appendText(dst, "batch_id", e.BatchID)
	if e.Step == ShardCollected {
		dst = appendText(dst, "state", e.State)
		dst = appendNumber(dst, "answered", e.Answered)
		dst = appendNumber(dst, "failed", e.Failed)
		dst = appendNumber(dst, "missing", e.Missing)
		dst = appendCost(append(dst, costMember...), e.CostNanos, e.CostKnown)
	}
	if e.Step == ShardIntent {
		dst = appendShardRecords(dst, e.Records)
	}
	if len(dst)-start > maxLine-sumLen {
		return dst[:start], e.refuse(errTooLong)
	}
	return seal(dst, start), nil
}

func appendShardRecords(dst []byte, records []ShardRecord) []byte {
	dst = append(dst, keysStart...)
	for i := range records {
		if i > 0 {
			dst = append(dst, ',')
		}
		k := KeyOf(records[i].ID, &records[i].Request)
		dst = append(dst, '"')
		dst = appendHex(dst, k.ID)
		dst = appendHex(dst, k.Request)
		dst = append(dst, '"')
	}
	dst = append(dst, `],"records":[`...)
	for i := range records {
		r := &records[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"id":`...)
		dst = append(dst, r.ID...)
		dst = append(dst, `,"r":"`...)
		dst = hex.AppendEncode(dst, r.Request[:])
		dst = append(dst, '"')
		dst = appendText(dst, "custom_id", r.CustomID)
		dst = appendText(dst, "downgraded_from", r.DowngradedFrom)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

func (e *ShardEntry) refuse(err error) error {
	return fmt.Errorf("%w: shard %q: %w", ErrUnwritable, e.Shard, err)
}

// check refuses what could not be read back, and returns about how long the line will be.
func (e *ShardEntry) check() (size int, err error) {
	switch {
	case !validShardID(e.Shard):
		return 0, e.refuse(fmt.Errorf("its id is not 1 to %d of A-Z a-z 0-9 _ -", maxShardID))
	case int(e.Step) >= len(shardSteps):
		return 0, e.refuse(fmt.Errorf("step %d is none", e.Step))
	case e.Step == ShardIntent && len(e.Records) == 0:
		return 0, e.refuse(fmt.Errorf("it has no records"))
	case e.ReservedNanos < 0:
		return 0, e.refuse(fmt.Errorf("its reservation is negative"))
	case e.CostNanos < 0:
		return 0, e.refuse(fmt.Errorf("its cost is negative"))
	}
	if year := e.Time.UTC().Year(); year < 0 || year > 9999 {
		return 0, e.refuse(fmt.Errorf("its time is in the year %d", year))
	}
	if e.Step != ShardIntent {
		return 0, nil
	}
	const recordLen = len(`{"id":,"r":"","custom_id":""},`) + 2*32
	size = 4 << 10
	for i := range e.Records {
		r := &e.Records[i]
		size += keyLen + recordLen + len(r.ID) + len(r.CustomID)
		if r.DowngradedFrom != "" {
			size += len(`,"downgraded_from":""`) + len(r.DowngradedFrom)
		}
		if size > maxLine {
			return 0, e.refuse(errTooLong)
		}
	}
	for i := range e.Records {
		if id := e.Records[i].ID; !oneLineOfJSON(id) {
			return 0, e.refuse(fmt.Errorf("the id %q of a record is not JSON on one line", id))
		}
	}
	return size, nil
}

// decode fills a step from its line, the records left out: h.keys is then what h.eachKey goes through.
func (e *ShardEntry) decode(line []byte, h *head) error {
	m, err := membersOf(line)
	if err != nil {
		return err
	}
	*e = ShardEntry{Step: h.step, Shard: string(h.shard)}
	for {
		more, err := m.nextName()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if string(m.name) == "keys" {
			keys, ok := bytes.CutPrefix(line[m.json.InputOffset():], []byte(":["))
			if !ok {
				return errMalformed
			}
			h.keys = keys
			break
		}
		if m.value, err = m.read(); err != nil {
			return err
		}
		if !e.set(m) {
			return errMalformed
		}
	}
	if (e.Step == ShardIntent) != (h.keys != nil) {
		return errMalformed
	}
	return nil
}

// set takes over the member that m is at, and is false where it is not what it must be.
func (e *ShardEntry) set(m *memberReader) bool {
	known := true
	switch string(m.name) {
	case "time":
		return m.time(&e.Time)
	case "provider":
		return m.string(&e.Provider, "")
	case "endpoint":
		return m.string(&e.Endpoint, "")
	case "model":
		return m.string(&e.Model, "")
	case "round":
		return m.count(&e.Round)
	case "bytes":
		return m.integer(&e.Bytes)
	case "reserved_usd":
		return m.cost(&e.ReservedNanos, &known) && known
	case "window":
		return m.string(&e.Window, "")
	case "file_id":
		return m.string(&e.FileID, "")
	case "batch_id":
		return m.string(&e.BatchID, "")
	case "state":
		return m.string(&e.State, "")
	case "answered":
		return m.integer(&e.Answered)
	case "failed":
		return m.integer(&e.Failed)
	case "missing":
		return m.integer(&e.Missing)
	case "cost_usd":
		return m.cost(&e.CostNanos, &e.CostKnown)
	}
	return true
}

// shardRecords goes through the records of an intent.
type shardRecords struct {
	m      *memberReader
	record ShardRecord
}

// recordsOf finds the records in the line of an intent.
func recordsOf(line []byte) (*shardRecords, error) {
	m, err := membersOf(line)
	if err != nil {
		return nil, err
	}
	for {
		more, err := m.nextName()
		if err != nil || !more {
			return nil, errMalformed
		}
		if string(m.name) == "records" {
			break
		}
		if err := m.json.SkipValue(); err != nil {
			return nil, errMalformed
		}
	}
	if token, err := m.json.ReadToken(); err != nil || token.Kind() != '[' {
		return nil, errMalformed
	}
	return &shardRecords{m: m}, nil
}

// next reads the next record, and is false after the last.
func (s *shardRecords) next() (bool, error) {
	m := s.m
	if m.json.PeekKind() == ']' {
		return false, nil
	}
	if token, err := m.json.ReadToken(); err != nil || token.Kind() != '{' {
		return false, errMalformed
	}
	before := s.record
	s.record = ShardRecord{}
	for {
		more, err := m.next()
		if err != nil {
			return false, err
		}
		if !more {
			break
		}
		ok := true
		switch string(m.name) {
		case "id":
			s.record.ID = m.value
		case "r":
			ok = m.request(&s.record.Request)
		case "custom_id":
			ok = m.string(&s.record.CustomID, "")
		case "downgraded_from":
			ok = m.string(&s.record.DowngradedFrom, before.DowngradedFrom)
		}
		if !ok {
			return false, errMalformed
		}
	}
	if _, err := m.json.ReadToken(); err != nil || len(s.record.ID) == 0 {
		return false, errMalformed
	}
	return true, nil
}

// eachRecord calls f with the records in the line of an intent. What is wrong with them is errMalformed; an error of f ends it and is
// returned as it is.
func eachRecord(line []byte, f func(ShardRecord) error) error {
	records, err := recordsOf(line)
	if err != nil {
		return err
	}
	for {
		if more, err := records.next(); err != nil || !more {
			return err
		}
		if err := f(records.record); err != nil {
			return err
		}
	}
}
