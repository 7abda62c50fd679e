package ledger

import (
	"errors"
	"fmt"
)

var (
	// ErrMismatch is returned by [Ledger.ReadMatch] if two records have the same hashes but are not
	// the same: there is no recorded result for this one.
	ErrMismatch = errors.New("recorded for another id or request")

	// ErrNotLedger is in the error for a file that is not a ledger. It is never written to.
	ErrNotLedger = errors.New("not a ledger")

	// ErrCompressed is in the error for a compressed ledger that was to be appended to. It is an
	// ErrNotLedger.
	ErrCompressed = fmt.Errorf("%w that can be appended to", ErrNotLedger)

	// ErrChanged is in the error of a commit that finds the file replaced, removed or shorter than
	// before: the index no longer describes it.
	ErrChanged = errors.New("changed by something other than llmpipe")

	// ErrTaken is in the error of a commit with an intent if one of its records is answered by now, in
	// another pending shard, or at risk by another process. Nothing of the group is then written, and
	// the ledger goes on: [Ledger.Look] and [Ledger.Asked] tell where each record is.
	ErrTaken = errors.New("records were answered, put into another shard or sent by another process")

	// ErrNoRoom is in the error of a commit with more answers than there is space for. The first of
	// them are written, and the costs of the others. The ledger goes on.
	ErrNoRoom = errors.New("no disk space for an answer")

	// ErrUndecided is in the error of a claim if other processes have written a simulator's answers,
	// and neither [Ledger.Rehearse] nor [Ledger.IsReal] has told this run whether it asks a simulator
	// too. Until then it is not known whether those answers count against the budget.
	ErrUndecided = errors.New("other processes have recorded simulated answers")

	// ErrClosed is in the error of a commit after Close.
	ErrClosed = errors.New("ledger is closed")

	// ErrVersion is in the error for a ledger in a newer format, written by a newer llmpipe.
	ErrVersion = errors.New("written by a newer llmpipe")
)

// OverBoundsError is in the error of a commit with an intent whose worst case does not fit
// Group.Bounds, given all that is spent and at risk by now. Nothing of the group is then written,
// and the ledger goes on.
type OverBoundsError struct{ Room Room }

func (e *OverBoundsError) Error() string {
	return "no room left in the budget beside what other processes have at risk"
}

// DamageError is a line in the middle of a ledger that is not what was written. [Repair] writes a
// copy of the ledger without it.
type DamageError struct {
	Path   string
	Offset int64 // of the line's first byte
	Err    error // what is wrong with it
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("reading ledger %s at byte %d: %v", e.Path, e.Offset, e.Err)
}

func (e *DamageError) Unwrap() error { return e.Err }

// OtherError is about a ledger of Options.Others that cannot be used.
type OtherError struct{ Err error }

func (e *OtherError) Error() string { return e.Err.Error() }

func (e *OtherError) Unwrap() error { return e.Err }

// WriteError is a write to the ledger that failed or was not complete. After it the ledger takes no
// more commits, except after ErrUnwritable, ErrTaken, [OverBoundsError] and ErrNoRoom, and after a
// claim that left the file unchanged.
type WriteError struct {
	Path     string
	Results  int // how many of the group's first results are safe on disk
	Failures int // how many of its first failures are
	Err      error
}

func (e *WriteError) Error() string {
	return fmt.Sprintf("writing ledger %s: %v", e.Path, e.Err)
}

func (e *WriteError) Unwrap() error { return e.Err }
