package line

import "bytes"

// cursor parses the beginning of a line. It is bad from the first thing on that is not where it
// should be.
type cursor struct {
	rest []byte
	bad  bool
}

func (c *cursor) record(h *Head) {
	h.Key.ID = c.hex(16)
	c.must(requestStart)
	h.Key.Request = c.hex(16)
	c.skip(64 - 16)
	c.must(timeStart)
	h.Time = c.skip(len(TimeLayout))
	c.must(costStart)
	h.CostNanos, h.CostKnown = c.cost()
	h.Simulated = c.take(simulatedFlag)
	if c.take(mayCostMember) {
		h.MayCost, _ = c.cost()
	}
	if c.take(runMember) {
		h.Run = c.text()
		c.must(`"`)
	}
}

func (c *cursor) risk(h *Head) {
	h.Run = c.text()
	c.bad = c.bad || !ValidRunID(h.Run)
	c.must(timeStart)
	h.Time = c.skip(len(TimeLayout))
	c.must(`"`)
	h.Simulated = c.take(simulatedFlag)
	if c.take(liftedStart) {
		h.lifted = c.rest
		c.skip(bytes.IndexByte(c.rest, ']') + 1)
		c.must(keptStart)
		c.skip(bytes.IndexByte(c.rest, ']') + 1)
	}
	c.must(keysStart)
	h.keys = c.rest
}

func (c *cursor) emitted(h *Head) {
	h.File.Device = c.hex(16)
	c.must(":")
	h.File.Inode = c.hex(16)
	c.must(`"`)
	h.Simulated = c.take(simulatedFlag)
	c.must(sizeStart)
	h.Size = c.integer()
	h.Empty = c.take(emptyFlag)
	c.must(keysStart)
	h.keys = c.rest
}

// batch treats a step of a later version like an unknown kind: the line is to be skipped.
func (c *cursor) batch(h *Head) {
	step, known := parseShardStep(c.text())
	if !known {
		return
	}
	h.Kind, h.Step = KindBatch, step
	c.must(shardStart)
	h.Shard = c.text()
	c.bad = c.bad || !ValidShardID(h.Shard)
	c.must(timeStart)
	h.Time = c.skip(len(TimeLayout))
	c.must(`"`)
	h.Simulated = c.take(simulatedFlag)
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
	return c.costTo(end)
}

// amount returns the next of a list of costs; after the end of the list it is unknown.
func (c *cursor) amount() (nanos int64, known bool) {
	if len(c.rest) > 0 && c.rest[0] == ']' {
		return 0, false
	}
	nanos, known = c.costTo(bytes.IndexAny(c.rest, ",]"))
	c.take(",")
	return nanos, known
}

func (c *cursor) costTo(end int) (nanos int64, known bool) {
	nanos, known, ok := parseCost(c.rest[:max(end, 0)])
	if !ok {
		c.bad = true
		return 0, false
	}
	c.rest = c.rest[end:]
	return nanos, known
}
