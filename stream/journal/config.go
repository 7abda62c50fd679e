package journal

import (
	"errors"
	"fmt"
	"syscall"

	"llmpipe/ledger"
	"llmpipe/ledger/disk"
	"llmpipe/stream/flow"
	"llmpipe/stream/folder"
	"llmpipe/stream/provider"
	"llmpipe/stream/ui"
)

// Replay says whether recorded answers are written again.
type Replay uint8

// The ways to replay.
const (
	// ReplayAuto writes them, except for those that are in stdout's file already if the run appends to
	// it.
	ReplayAuto Replay = iota
	// ReplayAlways writes all of them.
	ReplayAlways
	// ReplayNever writes none.
	ReplayNever
)

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *Replay) UnmarshalText(text []byte) error {
	for i, known := range [...]string{"auto", "always", "never"} {
		if string(text) == known {
			*r = Replay(i)
			return nil
		}
	}
	return fmt.Errorf("%q is not one of auto, always, never", text)
}

// Config says what a run remembers and how.
type Config struct {
	// Path is the ledger's file. It is empty for a run that remembers nothing.
	Path   string
	Replay Replay
	// Seen are patterns of file names, as in a shell. Answers in the ledgers that they match count as
	// recorded.
	Seen []string
	// Dedupe reuses an answer to an equal request under another id.
	Dedupe bool
	// MatchID reuses an answer to another request under the same id.
	MatchID bool
	Fsync   ledger.Fsync
	// Folder holds the files that records name, and is nil if no record names any. A recorded answer
	// does not count if its files have changed since.
	Folder *folder.Folder
	// Shape is what recorded answers must fit. A record whose answer does not fit is asked again.
	Shape flow.Shape
	// Job is the name of the job that shares the ledger's money, and empty for none.
	Job string
	// Version is the program's version, for the ledger.
	Version string
	// FS is the file system, and nil for the machine's.
	FS disk.FS
}

// Hint adds advice to the error of a ledger that cannot be used.
func Hint(err error) error {
	var damage *ledger.DamageError
	var other *ledger.OtherError
	switch {
	case errors.As(err, &damage):
		return ui.WithHint("run llmpipe repair "+damage.Path+" to write a clean copy beside it, without the damaged line", err)
	case errors.As(err, &other):
		return ui.WithHint("decompress the ledgers that --seen names, or name others", err)
	case errors.Is(err, ledger.ErrCompressed):
		return ui.WithHint("decompress it first with gzip -d or zstd -d; report and export can read it compressed", err)
	case errors.Is(err, ledger.ErrNotLedger):
		return ui.WithHint("name another file with --ledger: this one is not a ledger, and was not changed", err)
	case errors.Is(err, disk.ErrNotRegular):
		return ui.WithHint("name a file: a ledger cannot be read from a pipe", err)
	case errors.Is(err, disk.ErrNoLocks):
		return ui.WithHint("name a ledger on a disk of this machine with --ledger, or mount that file system with locks "+
			"(NFS: lock, and rpc.statd running; Lustre: -o flock)", err)
	case ui.IsErrno(err, syscall.EMFILE):
		return ui.WithHint(ui.MoreFiles, err)
	case errors.Is(err, ledger.ErrChanged):
		return ui.WithHint("leave the ledger alone while llmpipe runs, and run the same command again: "+
			"it continues with what the ledger holds now", err)
	}
	return err
}

// DefaultPath returns the ledger of runs at baseURL unless --ledger names one. Simulated answers
// have a file of their own, apart from paid ones.
func DefaultPath(baseURL string) string {
	if provider.IsSim(baseURL) {
		return "llmpipe.sim.jsonl"
	}
	return "llmpipe.ledger.jsonl"
}
