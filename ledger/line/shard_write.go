package line

import (
	"encoding/hex"
	"fmt"
	"slices"
)

// AppendShard appends the line of a step. The keys and records of an intent come last, so that the
// members before them can be read without them.
func AppendShard(dst []byte, e *ShardEntry, simulated bool) ([]byte, error) {
	if err := e.check(); err != nil {
		return dst, err
	}
	size, err := e.size()
	if err != nil {
		return dst, err
	}
	from := len(dst)
	dst = slices.Grow(dst, size)
	dst = append(dst, batchStart...)
	dst = append(dst, e.Step.String()...)
	dst = append(dst, shardStart...)
	dst = append(dst, e.Shard...)
	dst = append(dst, timeStart...)
	dst = e.Time.UTC().AppendFormat(dst, TimeLayout)
	dst = append(dst, '"')
	if simulated {
		dst = append(dst, simulatedFlag...)
	}
	dst = appendText(dst, "provider", e.Provider)
	dst = appendText(dst, "endpoint", e.Endpoint)
	dst = appendText(dst, "model", e.Model)
	dst = appendNumber(dst, "round", int64(e.Round))
	dst = appendNumber(dst, "reask", int64(e.Reask))
	dst = appendNumber(dst, "bytes", e.Bytes)
	dst = appendAmount(dst, "reserved_usd", e.ReservedNanos)
	dst = appendText(dst, "window", e.Window)
	dst = appendText(dst, "file_id", e.FileID)
	dst = appendText(dst, "batch_id", e.BatchID)
	if e.Step == ShardCollected {
		dst = appendText(dst, "state", e.State)
		dst = appendNumber(dst, "answered", e.Answered)
		dst = appendNumber(dst, "failed", e.Failed)
		dst = appendNumber(dst, "missing", e.Missing)
		dst = appendCost(append(dst, costMember...), e.CostNanos, e.CostKnown)
		if e.MayCostNanos > 0 {
			dst = appendCost(append(dst, mayCostMember...), e.MayCostNanos, true)
		}
	}
	if e.Step == ShardIntent {
		dst = appendShardRecords(dst, e.Records)
	}
	if len(dst)-from > MaxLen-SumLen {
		return dst[:from], e.Refuse(ErrTooLong)
	}
	return Seal(dst, from), nil
}

func appendShardRecords(dst []byte, records []ShardRecord) []byte {
	dst = appendKeys(dst, len(records), func(i int) Key { return KeyOf(records[i].ID, &records[i].Request) })
	dst = append(dst, `,"records":[`...)
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
		dst = appendAttachments(dst, r.Attachments)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// Refuse returns the error for a step that cannot be written, for the reason err.
func (e *ShardEntry) Refuse(err error) error {
	return fmt.Errorf("%w: shard %q: %w", ErrUnwritable, e.Shard, err)
}

// check refuses a step that could not be read back.
func (e *ShardEntry) check() error {
	year := e.Time.UTC().Year()
	switch {
	case !ValidShardID(e.Shard):
		return e.Refuse(fmt.Errorf("its id is not 1 to %d characters of A-Z a-z 0-9 _ -", maxShardID))
	case int(e.Step) >= len(shardSteps):
		return e.Refuse(fmt.Errorf("there is no step %d", e.Step))
	case e.Step == ShardIntent && len(e.Records) == 0:
		return e.Refuse(fmt.Errorf("it has no records"))
	case e.ReservedNanos < 0:
		return e.Refuse(fmt.Errorf("its reservation is negative"))
	case e.CostNanos < 0, e.MayCostNanos < 0:
		return e.Refuse(fmt.Errorf("its cost is negative"))
	case year < 0 || year > 9999:
		return e.Refuse(fmt.Errorf("its time is in the year %d", year))
	}
	return nil
}

// size is roughly how long the line of an intent will be; 0 for another step. An intent that would
// be too long, or has an id that could not be read back, is refused before any of it is written.
func (e *ShardEntry) size() (size int, err error) {
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
		for j := range r.Attachments {
			size += attachmentLen + len(r.Attachments[j].Path)
		}
		if size > MaxLen {
			return 0, e.Refuse(ErrTooLong)
		}
	}
	for i := range e.Records {
		if id := e.Records[i].ID; !oneLineOfJSON(id) {
			return 0, e.Refuse(fmt.Errorf("the record id %q is not JSON on one line", id))
		}
	}
	return size, nil
}
