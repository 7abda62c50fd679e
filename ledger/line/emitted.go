package line

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"strconv"

	"llmpipe/ledger/disk"
)

// Emitted is a group of marks, which say that the results of Keys were written to the file File.
type Emitted struct {
	File      disk.ID
	Proof     Proof
	Empty     bool // the file was empty when the run began
	Keys      []Key
	Simulated bool // written by a run that asks the simulated provider
}

// Proof shows that marks are of a file: the bytes between two offsets have this checksum.
type Proof struct {
	From, To int64
	Sum      uint32 // CRC-32C

	// Within says that the lines are somewhere between the offsets, among other lines that have no
	// mark.
	Within bool
	// Missing says that there is no proof, as in the marks of earlier versions. To is then the size
	// that the file had after the write.
	Missing bool
}

// AppendEmitted appends the line of some marks.
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

// Decode fills e from the head of an emitted line. It reuses the memory of Keys.
func (e *Emitted) Decode(h *Head) error {
	proof, ok := h.Proof()
	*e = Emitted{File: h.File, Proof: proof, Empty: h.Empty, Keys: e.Keys[:0], Simulated: h.Simulated}
	if !ok || !h.EachKey(func(k Key) { e.Keys = append(e.Keys, k) }) {
		return ErrMalformed
	}
	return nil
}

// Proof returns the proof that follows the keys of an emitted line. It is false if that cannot be
// read.
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

// Add extends the proof by text, which follows To.
func (p *Proof) Add(text []byte) {
	p.Sum = crc32.Update(p.Sum, castagnoli, text)
	p.To += int64(len(text))
}
