package line

import (
	"bytes"
	"fmt"
	"time"
)

// Risk says what a run now has at risk for each of a group of records: the most that all its
// attempts at the record can cost, the earlier ones and the next. It is written before the requests
// are sent. So if the process is killed, the next run knows what it may have spent.
type Risk struct {
	Run       string // the run's id, which names the lock that shows whether it is alive
	Time      time.Time
	Simulated bool
	Lifted    []AtRisk // records with no attempt in flight, and what the earlier attempts can have cost; they come before Records
	Records   []AtRisk // if a key is there twice, the last one counts
}

// AtRisk is a record that is being asked about, and what that can cost.
type AtRisk struct {
	Key
	Nanos int64 // billionths of a US dollar, at most; 0 where no price is known
	Known bool  // a price is known
}

// ValidRunID reports whether a run's id can be part of the name of a lock's file.
func ValidRunID[T string | []byte](id T) bool { return ValidShardID(id) }

// AppendRisk appends the line of what is at risk.
func AppendRisk(dst []byte, r *Risk) ([]byte, error) {
	if !ValidRunID(r.Run) {
		return dst, fmt.Errorf("%w: run %q: its id cannot be part of a file name", ErrUnwritable, r.Run)
	}
	from := len(dst)
	dst = append(dst, riskStart...)
	dst = append(dst, r.Run...)
	dst = append(dst, timeStart...)
	dst = r.Time.UTC().AppendFormat(dst, TimeLayout)
	dst = append(dst, '"')
	if r.Simulated {
		dst = append(dst, simulatedFlag...)
	}
	if len(r.Lifted) > 0 {
		dst = appendCosts(appendAtRisk(dst, liftedStart, r.Lifted), keptStart, r.Lifted, func(a AtRisk) bool { return a.Nanos == 0 })
	}
	dst = appendCosts(appendAtRisk(dst, keysStart, r.Records), worstStart, r.Records, func(a AtRisk) bool { return !a.Known })
	return Seal(dst, from), nil
}

func appendAtRisk(dst []byte, start string, records []AtRisk) []byte {
	return appendKeyList(append(dst, start...), len(records), func(i int) Key { return records[i].Key })
}

// appendCosts writes the costs, without those at the end that have the default value.
func appendCosts(dst []byte, start string, records []AtRisk, unsaid func(AtRisk) bool) []byte {
	n := len(records)
	for n > 0 && unsaid(records[n-1]) {
		n--
	}
	dst = append(dst, start...)
	for i := range records[:n] {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendCost(dst, records[i].Nanos, records[i].Known)
	}
	return append(dst, ']')
}

// EachRisk calls lifted and then at with the records of a risk line, and reports whether the line
// was whole.
func (h *Head) EachRisk(lifted, at func(AtRisk)) bool {
	return (len(h.lifted) == 0 || eachCost(h.lifted, keptStart, lifted)) && eachCost(h.keys, worstStart, at)
}

// eachCost iterates over a list of keys and the list of costs after it, which may be shorter.
func eachCost(list []byte, start string, f func(AtRisk)) bool {
	end := bytes.IndexByte(list, ']')
	costs := cursor{rest: list[end+1:]}
	costs.must(start)
	whole := eachKey(list, func(k Key) {
		nanos, known := costs.amount()
		f(AtRisk{Key: k, Nanos: nanos, Known: known})
	})
	return whole && end >= 0 && costs.take("]") && !costs.bad
}

// Decode fills r from the head of a risk line. It reuses the memory of the lists.
func (r *Risk) Decode(h *Head) error {
	*r = Risk{Run: string(h.Run), Simulated: h.Simulated, Lifted: r.Lifted[:0], Records: r.Records[:0]}
	var err error
	if r.Time, err = time.Parse(TimeLayout, string(h.Time)); err != nil {
		return ErrMalformed
	}
	whole := h.EachRisk(func(a AtRisk) { r.Lifted = append(r.Lifted, a) }, func(a AtRisk) { r.Records = append(r.Records, a) })
	if !whole {
		return ErrMalformed
	}
	return nil
}
