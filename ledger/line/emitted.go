package line

import (
	"strconv"

	"llmpipe/ledger/disk"
)

// Emitted is a group of marks: that the results of Keys were written to the file File.
type Emitted struct {
	File      disk.ID
	Size      int64 // the file's behind what was written, in bytes
	Empty     bool  // the file was empty when the run began: its earlier marks mean nothing any more
	Keys      []Key
	Simulated bool // written by a run that asks the simulated provider
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
	dst = strconv.AppendInt(dst, e.Size, 10)
	if e.Empty {
		dst = append(dst, emptyFlag...)
	}
	dst = appendKeys(dst, len(e.Keys), func(i int) Key { return e.Keys[i] })
	return Seal(dst, from)
}

// Decode fills in what the head of an emitted line says. The memory of Keys is used again.
func (e *Emitted) Decode(h *Head) error {
	*e = Emitted{File: h.File, Size: h.Size, Empty: h.Empty, Keys: e.Keys[:0], Simulated: h.Simulated}
	if !h.EachKey(func(k Key) { e.Keys = append(e.Keys, k) }) {
		return ErrMalformed
	}
	return nil
}
