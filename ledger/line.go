package ledger

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
)

// Every line begins and ends like this; what is between is in doc.go.
const (
	lineStart = `{"kind":"`
	sumStart  = `,"crc":"`
	sumEnd    = `"}`
	sumLen    = len(sumStart) + 8 + len(sumEnd)

	// maxLine is more than any answer makes: a body has at most 64 MiB. Without a bound a file without
	// newlines would be read into memory whole.
	maxLine = 256 << 20

	formatVersion = 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seal ends the line that begins at start: the checksum, and the newline.
func seal(dst []byte, start int) []byte {
	var sum [4]byte
	binary.BigEndian.PutUint32(sum[:], crc32.Checksum(dst[start:], castagnoli))
	dst = append(dst, sumStart...)
	dst = hex.AppendEncode(dst, sum[:])
	return append(dst, sumEnd+"\n"...)
}

// verify says what is wrong with a line as a whole, nil if nothing is. The line is without its newline.
func verify(line []byte) error {
	body := len(line) - sumLen
	if body < len(lineStart) || !endsInSum(line) {
		return errNoSum
	}
	sum, ok := parseHex(line[body+len(sumStart) : len(line)-len(sumEnd)])
	if !ok || uint32(sum) != crc32.Checksum(line[:body], castagnoli) {
		return errChecksum
	}
	if string(line[:len(lineStart)]) != lineStart {
		return errMalformed
	}
	return nil
}

// endsInSum says whether a line ends as a line of a ledger does, be the sum right or wrong.
func endsInSum(line []byte) bool {
	body := len(line) - sumLen
	return body >= 0 && string(line[body:body+len(sumStart)]) == sumStart && string(line[len(line)-len(sumEnd):]) == sumEnd
}

// foreign says that a file's first line is of something that is no ledger, damaged or not. A ledger's
// line with one bad byte still has a beginning or an end of its own.
func foreign(line []byte) bool {
	return !bytes.HasPrefix(line, []byte(lineStart)) && !endsInSum(line)
}

// foreignTail is foreign for a file without any newline: what is cut off may be a ledger's first line.
func foreignTail(tail []byte) bool {
	n := min(len(tail), len(lineStart))
	return string(tail[:n]) != lineStart[:n]
}

// head is the beginning of a line: what the index and the summary need, at fixed places.
type head struct {
	kind      Kind
	key       Key
	time      []byte // as it stands in the line, which sorts as time does
	costNanos int64
	costKnown bool
	mayCost   int64
	simulated bool
	run       int    // the format version of a run line
	file      FileID // of an emitted line
	size      int64  // of an emitted line: the file's, in bytes
	empty     bool   // of an emitted line: earlier ones of the file mean nothing any more
	keys      []byte // of an emitted line: the rest of the line, from the first key's quote; of an intent, once it is decoded, too
	step      ShardStep
	shard     []byte // of a batch line: the id
}

const (
	resultStart  = lineStart + string(KindResult) + `","i":"`
	failureStart = lineStart + string(KindFailure) + `","i":"`
	runStart     = lineStart + string(KindRun) + `","format":`
	emittedStart = lineStart + string(KindEmitted) + `","file":"`

	batchStart = lineStart + string(KindBatch) + `","step":"`

	requestStart  = `","r":"`
	timeStart     = `","time":"`
	costStart     = `"` + costMember
	costMember    = `,"cost_usd":`
	shardStart    = `","shard":"`
	simulatedFlag = `,"simulated":true`
	mayCostMember = `,"may_cost_usd":`
	sizeStart     = `,"size":`
	emptyFlag     = `,"empty":true`
	keysStart     = `,"keys":[`
	keyLen        = len(`"",`) + 2*16 // of a key in a list of them

	timeLayout = "2006-01-02T15:04:05.000Z" // always 24 bytes
)

// parseHead reads the beginning of a line that verify has passed. A kind that is not known is not an
// error: a later version of the same format may have more of them.
func parseHead(line []byte) (head, bool) {
	c := cursor{rest: line}
	var h head
	switch {
	case c.take(resultStart):
		h.kind = KindResult
		c.record(&h)
	case c.take(failureStart):
		h.kind = KindFailure
		c.record(&h)
	case c.take(emittedStart):
		h.kind = KindEmitted
		h.file.Device = c.hex(16)
		c.must(":")
		h.file.Inode = c.hex(16)
		c.must(`"`)
		h.simulated = c.take(simulatedFlag)
		c.must(sizeStart)
		h.size = c.integer()
		h.empty = c.take(emptyFlag)
		c.must(keysStart)
		h.keys = c.rest
	case c.take(batchStart):
		c.batch(&h)
	case c.take(runStart):
		h.kind = KindRun
		h.run = int(c.integer())
	}
	return h, !c.bad
}

// cursor takes a line's beginning apart. After the first thing that is not there it is bad.
type cursor struct {
	rest []byte
	bad  bool
}

func (c *cursor) record(h *head) {
	h.key.ID = c.hex(16)
	c.must(requestStart)
	h.key.Request = c.hex(16)
	c.skip(64 - 16)
	c.must(timeStart)
	h.time = c.skip(len(timeLayout))
	c.must(costStart)
	h.costNanos, h.costKnown = c.cost()
	h.simulated = c.take(simulatedFlag)
	if c.take(mayCostMember) {
		h.mayCost, _ = c.cost()
	}
}

// batch leaves a step of a later version to be skipped, as a kind that is not known.
func (c *cursor) batch(h *head) {
	step, known := parseShardStep(c.text())
	if !known {
		return
	}
	h.kind, h.step = KindBatch, step
	c.must(shardStart)
	h.shard = c.text()
	c.bad = c.bad || !validShardID(h.shard)
	c.must(timeStart)
	h.time = c.skip(len(timeLayout))
	c.must(`"`)
	h.simulated = c.take(simulatedFlag)
}

func (c *cursor) take(s string) bool {
	if len(c.rest) < len(s) || string(c.rest[:len(s)]) != s {
		return false
	}
	c.rest = c.rest[len(s):]
	return true
}

func (c *cursor) must(s string) {
	if !c.take(s) {
		c.bad = true
	}
}

// skip returns what it skips.
func (c *cursor) skip(n int) []byte {
	if len(c.rest) < n {
		c.bad = true
		return nil
	}
	skipped := c.rest[:n]
	c.rest = c.rest[n:]
	return skipped
}

// text returns what is before the next quote.
func (c *cursor) text() []byte {
	end := bytes.IndexByte(c.rest, '"')
	if end < 0 {
		c.bad = true
		return nil
	}
	return c.skip(end)
}

func (c *cursor) hex(digits int) uint64 {
	if len(c.rest) < digits {
		c.bad = true
		return 0
	}
	v, ok := parseHex(c.rest[:digits])
	if !ok {
		c.bad = true
	}
	c.rest = c.rest[digits:]
	return v
}

func (c *cursor) integer() int64 {
	end := bytes.IndexByte(c.rest, ',')
	v, ok := parseInt(c.rest[:max(end, 0)])
	if !ok {
		c.bad = true
		return 0
	}
	c.rest = c.rest[end:]
	return v
}

func (c *cursor) cost() (nanos int64, known bool) {
	end := bytes.IndexByte(c.rest, ',')
	nanos, known, ok := parseCost(c.rest[:max(end, 0)])
	if !ok {
		c.bad = true
		return 0, false
	}
	c.rest = c.rest[end:]
	return nanos, known
}

// eachKey calls f with every key of an emitted line or of an intent, and says whether the list was whole.
func (h *head) eachKey(f func(Key)) bool {
	c := cursor{rest: h.keys}
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
