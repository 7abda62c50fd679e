package line

import "bytes"

// Decode fills a step from its line, without the records; [Head.EachKey] then finds the keys. An
// error is [ErrMalformed].
func (e *ShardEntry) Decode(line []byte, h *Head) error {
	m, err := membersOf(line)
	if err != nil {
		return err
	}
	*e = ShardEntry{Step: h.Step, Shard: string(h.Shard)}
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
				return ErrMalformed
			}
			h.keys = keys
			break
		}
		if m.value, err = m.read(); err != nil {
			return err
		}
		if !e.set(m) {
			return ErrMalformed
		}
	}
	if (e.Step == ShardIntent) != (h.keys != nil) {
		return ErrMalformed
	}
	return nil
}

// set takes over the member that m is at. It is false if the value is not valid.
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
	case "reask":
		return m.count(&e.Reask)
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
	case "may_cost_usd":
		return m.cost(&e.MayCostNanos, &known) && known
	}
	return true
}

// shardRecords iterates over the records of an intent.
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
			return nil, ErrMalformed
		}
		if string(m.name) == "records" {
			break
		}
		if err := m.json.SkipValue(); err != nil {
			return nil, ErrMalformed
		}
	}
	if token, err := m.json.ReadToken(); err != nil || token.Kind() != '[' {
		return nil, ErrMalformed
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
		return false, ErrMalformed
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
		case attachmentsName:
			ok = m.attachments(&s.record.Attachments)
		}
		if !ok {
			return false, ErrMalformed
		}
	}
	if _, err := m.json.ReadToken(); err != nil || len(s.record.ID) == 0 {
		return false, ErrMalformed
	}
	return true, nil
}

// EachRecord calls f with the records in the line of an intent. If they cannot be read, the error
// is [ErrMalformed]; an error of f ends the reading and is returned unchanged.
func EachRecord(line []byte, f func(ShardRecord) error) error {
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
