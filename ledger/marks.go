package ledger

import (
	"cmp"
	"io"
	"slices"

	"llmpipe/ledger/line"
)

// Proof is what shows that marks are of the file of Options.Emitted; see package line.
type Proof = line.Proof

// Mark says that results were written to the file of Options.Emitted.
type Mark struct {
	Keys  []Key // of the records; none if the lines are not results
	Proof Proof
}

// Extent is a part of a file, in bytes.
type Extent struct{ From, To int64 }

// Written is what a ledger's marks say of the file of Options.Emitted.
type Written struct {
	// Proven are the parts that marks cover and the file's own bytes prove, in order and without
	// overlap.
	Proven []Extent
	// Own are those of them that are known to be lines of results, and other lines of the same runs.
	Own []Extent
	// Claimed says that some records have only marks without a proof, as earlier versions wrote them:
	// Found.Claimed is for those. The marks are of the file up to ClaimedTo.
	Claimed   bool
	ClaimedTo int64
	// Began says that a run began when the file was empty.
	Began bool
}

// written is what is known of the file of Options.Emitted.
type written struct {
	proven  extents // as they were marked
	own     extents // with results' lines
	claimed int64   // the file's size at the last mark without a proof, -1 for none
	began   bool

	within Proof  // the last proof of that kind, which many marks share
	held   bool   // whether it holds
	window []byte // what was read of the file last
	from   int64  // where in the file that begins
}

// windowSize is how many bytes of the file are read at once: proofs follow one another.
const windowSize = 256 << 10

// enterMarks takes in an emitted line about the file that this run writes to. The caller holds mu.
func (l *Ledger) enterMarks(v *verified) error {
	h, w := &v.head, &l.written
	proof, whole := h.Proof()
	if w.claimed >= 0 && (h.Empty || proof.To < w.claimed) {
		l.index.ForgetClaimed()
		w.claimed = -1
	}
	w.began = w.began || h.Empty
	note := func(Key) {}
	switch counts := !l.leavesOut(h); {
	case proof.Missing:
		w.claimed = proof.To
		if counts {
			note = l.index.Claim
		}
	case v.own || w.holds(l.options.EmittedFile, proof):
		if !proof.Within {
			w.proven.add(proof)
		}
		if !proof.Within && h.Keys() > 0 {
			w.own.add(proof)
		}
		if counts {
			note = l.index.MarkEmitted
		}
	}
	if !whole || !h.EachKey(note) {
		return &DamageError{Path: l.path, Offset: v.at, Err: line.ErrMalformed}
	}
	return nil
}

// extents are parts of a file, in any order.
type extents []Extent

// add adds a proven part, which mostly follows the one before.
func (x *extents) add(p Proof) {
	if n := len(*x); n > 0 && (*x)[n-1].To == p.From {
		(*x)[n-1].To = p.To
	} else if p.From < p.To {
		*x = append(*x, Extent{p.From, p.To})
	}
}

// merged returns the parts in order and without overlap.
func (x extents) merged() (apart []Extent) {
	inOrder := slices.SortedFunc(slices.Values(x), func(a, b Extent) int { return cmp.Compare(a.From, b.From) })
	for _, e := range inOrder {
		if n := len(apart); n > 0 && apart[n-1].To >= e.From {
			apart[n-1].To = max(apart[n-1].To, e.To)
		} else {
			apart = append(apart, e)
		}
	}
	return apart
}

// holds reports whether the file's bytes match the proof.
func (w *written) holds(file io.ReaderAt, p Proof) bool {
	if p.Within && p == w.within {
		return w.held
	}
	found := Proof{From: p.From, To: p.From, Within: p.Within}
	for found.To < p.To {
		text := w.read(file, found.To)
		if len(text) == 0 {
			break
		}
		found.Add(text[:min(int64(len(text)), p.To-found.To)])
	}
	held := found == p
	if p.Within {
		w.within, w.held = p, held
	}
	return held
}

// read returns some bytes of the file from offset at on. It returns none at the end, or if the file
// cannot be read: the marks then do not hold, and lines are written again.
func (w *written) read(file io.ReaderAt, at int64) []byte {
	if at < w.from || at >= w.from+int64(len(w.window)) {
		if file == nil {
			return nil
		}
		if w.window == nil {
			w.window = make([]byte, windowSize)
		}
		n, _ := file.ReadAt(w.window[:windowSize], at)
		w.window, w.from = w.window[:n], at
	}
	return w.window[at-w.from:]
}

// forget drops what was read of the file, which may be written to from now on.
func (w *written) forget() {
	w.window, w.within, w.held = nil, Proof{}, false
}

// Written returns what marks say of the file of Options.Emitted.
func (l *Ledger) Written() Written {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := &l.written
	return Written{
		Proven: w.proven.merged(), Own: w.own.merged(),
		Claimed: w.claimed >= 0 && l.index.HasClaims(), ClaimedTo: max(0, w.claimed), Began: w.began,
	}
}
