package ledger

import (
	"errors"
	"fmt"
)

var (
	// ErrMismatch is what [Ledger.ReadMatch] returns where the hashes of two records are the same
	// and the records are not: there is no recorded result for this one.
	ErrMismatch = errors.New("recorded for another id or request")

	// ErrNotLedger is in the error of a file that is something else. It is never written to.
	ErrNotLedger = errors.New("not a ledger")

	// ErrCompressed is in the error of a ledger that is compressed, where it would be added to. It is
	// an ErrNotLedger.
	ErrCompressed = fmt.Errorf("%w that can be added to", ErrNotLedger)

	// ErrChanged is in the error of a commit that finds the file replaced, removed or shorter than
	// it was: what the index says of it no longer holds.
	ErrChanged = errors.New("changed by something other than llmpipe")

	// ErrTaken is in the error of a commit with an intent of which a record is answered by now, in
	// another pending shard, or at risk by another process. Nothing of the group is written then, and
	// the ledger goes on: [Ledger.Look] and [Ledger.Asked] tell where each record is.
	ErrTaken = errors.New("records are in another shard, asked about, or answered")

	// ErrNoRoom is in the error of a commit whose answers have not all found space: the first of them
	// have, and what the others cost is written down. The ledger goes on.
	ErrNoRoom = errors.New("no room for an answer")

	// ErrUndecided is in the error of a claim where other processes have written down what a simulator
	// answered, and this run has not been told whether it asks one too: by [Ledger.Rehearse] or
	// [Ledger.IsReal]. What they spent is the budget's, or is not.
	ErrUndecided = errors.New("simulated answers of other processes")

	// ErrClosed is in the error of a commit after Close.
	ErrClosed = errors.New("ledger is closed")

	// ErrVersion is in the error of a ledger that a newer llmpipe wrote in a newer format.
	ErrVersion = errors.New("written by a newer llmpipe")
)

// OverBoundsError is in the error of a commit with an intent whose worst case does not fit
// Group.Bounds beside all that is spent and at risk by now. Nothing of the group is written then, and
// the ledger goes on.
type OverBoundsError struct{ Room Room }

func (e *OverBoundsError) Error() string {
	return "no room in the budget beside what other processes have at risk"
}

// DamageError is a line in the middle of a ledger that is not what was written. [Repair] writes the
// ledger again without it.
type DamageError struct {
	Path   string
	Offset int64 // of the line's first byte
	Err    error // what is wrong with it
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("reading ledger %s at byte %d: %v", e.Path, e.Offset, e.Err)
}

func (e *DamageError) Unwrap() error { return e.Err }

// OtherError is one of Options.Others that cannot be used.
type OtherError struct{ Err error }

func (e *OtherError) Error() string { return e.Err.Error() }

func (e *OtherError) Unwrap() error { return e.Err }

// WriteError is a [Ledger.Commit] that did not do all it was asked to. Unless the group itself was
// refused, as ErrUnwritable, ErrTaken and [OverBoundsError] say, the ledger takes no commit after
// it.
type WriteError struct {
	Path     string
	Results  int // so many of the group's first results are safe on disk
	Failures int // and so many of its first failures
	Err      error
}

func (e *WriteError) Error() string {
	return fmt.Sprintf("writing ledger %s: %v", e.Path, e.Err)
}

func (e *WriteError) Unwrap() error { return e.Err }
