package line

import (
	"bytes"

	"llmpipe/ledger/disk"
)

// Head is the beginning of a line: what the index and the summary need, at fixed places. Its slices
// are parts of the line.
type Head struct {
	Kind      Kind // "" for one that this version does not know
	Key       Key
	Time      []byte // as in the line, in TimeLayout
	CostNanos int64
	CostKnown bool
	MayCost   int64  // billionths of a US dollar
	Run       []byte // of a result, a failure or a risk line: the id of the run that wrote it
	Simulated bool
	Format    int       // of a run line: the format's version
	File      disk.ID   // of an emitted line
	Size      int64     // of an emitted line: the file's, in bytes
	Empty     bool      // of an emitted line: earlier ones of the file are void
	Step      ShardStep // of a batch line
	Shard     []byte    // of a batch line: the id

	// keys is the rest of the line from the first key's quote on, for an emitted line, a risk line,
	// and an intent once it is decoded. lifted is the same for the keys before them.
	keys, lifted []byte
}

const (
	resultStart  = lineStart + string(KindResult) + `","i":"`
	failureStart = lineStart + string(KindFailure) + `","i":"`
	runStart     = lineStart + string(KindRun) + `","format":`
	emittedStart = lineStart + string(KindEmitted) + `","file":"`
	batchStart   = lineStart + string(KindBatch) + `","step":"`
	riskStart    = lineStart + string(KindRisk) + `","run":"`
	endStart     = lineStart + string(KindEnd) + `","run":"`

	requestStart  = `","r":"`
	timeStart     = `","time":"`
	costStart     = `"` + costMember
	costMember    = `,"cost_usd":`
	shardStart    = `","shard":"`
	simulatedFlag = `,"simulated":true`
	mayCostMember = `,"may_cost_usd":`
	runMember     = `,"run":"`
	liftedStart   = `,"lifted":[`
	keptStart     = `,"kept_usd":[`
	worstStart    = `,"worst_usd":[`
	sizeStart     = `,"size":`
	emptyFlag     = `,"empty":true`
	fromStart     = `,"from":`
	proofSumStart = `,"sum":"`
	withinFlag    = `,"within":true`
	keysStart     = `,"keys":[`
	keyLen        = len(`"",`) + 2*16 // of a key in a list of them
)

// ParseHead reads the beginning of a line that [Verify] has passed. An unknown kind is not an
// error: a later version of the same format may have more kinds.
func ParseHead(line []byte) (Head, bool) {
	c := cursor{rest: line}
	var h Head
	switch {
	case c.take(resultStart):
		h.Kind = KindResult
		c.record(&h)
	case c.take(failureStart):
		h.Kind = KindFailure
		c.record(&h)
	case c.take(emittedStart):
		h.Kind = KindEmitted
		c.emitted(&h)
	case c.take(batchStart):
		c.batch(&h)
	case c.take(riskStart):
		h.Kind = KindRisk
		c.risk(&h)
	case c.take(endStart):
		h.Kind = KindEnd
	case c.take(shareStart):
		h.Kind = KindShare
	case c.take(runStart):
		h.Kind = KindRun
		h.Format = int(c.integer())
	}
	return h, !c.bad
}

// EachKey calls f with every key of an emitted line or a decoded intent, and reports whether the
// list was whole.
func (h *Head) EachKey(f func(Key)) bool {
	return eachKey(h.keys, f)
}

func eachKey(list []byte, f func(Key)) bool {
	c := cursor{rest: list}
	if c.take("]") {
		return true
	}
	for !c.bad {
		c.must(`"`)
		k := Key{ID: c.hex(16), Request: c.hex(16)}
		c.must(`"`)
		if c.bad {
			break
		}
		f(k)
		if c.take("]") {
			return true
		}
		c.must(",")
	}
	return false
}

// Keys is how many keys [Head.EachKey] will find if the list is whole.
func (h *Head) Keys() int { return bytes.IndexByte(h.keys, ']') / keyLen }
