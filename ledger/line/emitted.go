package line

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"strconv"

	"llmpipe/ledger/disk"
)

// Emitted is a group of marks: that the results of Keys were written to the file File.
type Emitted struct {
	File      disk.ID
	Proof     Proof
	Empty     bool // the file was empty when the run began
	Keys      []Key
	Simulated bool // written by a run that asks the simulated provider
}

// Proof is what of a file proves that marks are of it: the bytes between two offsets have this
// checksum.
type Proof struct {
	From, To int64
	Sum      uint32 // CRC-32C

	// Within says that the lines are somewhere between the offsets, beside others that no mark
	// tells of.
	Within bool
	// Missing says that there is none, as in the marks of earlier versions: To is the size that the
	// file had behind what was written.
	Missing bool
}

// AppendEmitted writes marks down.
func AppendEmitted(dst []byte, e *Emitted) []byte {
	from := len(dst)
	dst = append(dst, emittedStart...)
	dst = appendHex(dst, e.File.Device)
	dst = append(dst, ':')
	dst = appendHex(dst, e.File.Inode)
	dst = append(dst, '"')
	if e.Simulated {
		dst = append(dst, simulatedFlag...)
	}
	dst = append(dst, sizeStart...)
	dst = strconv.AppendInt(dst, e.Proof.To, 10)
	if e.Empty {
		dst = append(dst, emptyFlag...)
	}
	dst = appendKeys(dst, len(e.Keys), func(i int) Key { return e.Keys[i] })
	if !e.Proof.Missing {
		dst = append(dst, fromStart...)
		dst = strconv.AppendInt(dst, e.Proof.From, 10)
		dst = append(dst, proofSumStart...)
		var sum [4]byte
		binary.BigEndian.PutUint32(sum[:], e.Proof.Sum)
		dst = hex.AppendEncode(dst, sum[:])
		dst = append(dst, '"')
		if e.Proof.Within {
			dst = append(dst, withinFlag...)
		}
	}
	return Seal(dst, from)
}

// Decode fills in what the head of an emitted line says. The memory of Keys is used again.
func (e *Emitted) Decode(h *Head) error {
	proof, ok := h.Proof()
	*e = Emitted{File: h.File, Proof: proof, Empty: h.Empty, Keys: e.Keys[:0], Simulated: h.Simulated}
	if !ok || !h.EachKey(func(k Key) { e.Keys = append(e.Keys, k) }) {
		return ErrMalformed
	}
	return nil
}

// Proof returns what stands behind the keys of an emitted line, and is false where that is nothing
// that can be read.
func (h *Head) Proof() (Proof, bool) {
	p := Proof{To: h.Size}
	c := cursor{rest: h.keys}
	c.skip(max(0, bytes.IndexByte(c.rest, ']')))
	c.must("]")
	if p.Missing = !c.take(fromStart); p.Missing {
		return p, !c.bad
	}
	p.From = c.integer()
	c.must(proofSumStart)
	p.Sum = uint32(c.hex(8))
	c.must(`"`)
	p.Within = c.take(withinFlag)
	return p, !c.bad && 0 <= p.From && p.From <= p.To
}

// Add makes text, which stands behind To, a part of what the proof is of.
func (p *Proof) Add(text []byte) {
	p.Sum = crc32.Update(p.Sum, castagnoli, text)
	p.To += int64(len(text))
}
