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

// Replay says whether answers that the ledger holds are written again.
type Replay uint8

// The ways to replay.
const (
	// ReplayAuto writes them, except those that stdout's file got before, where the run appends to
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

// Config says what a run remembers, and how.
type Config struct {
	// Path is the file; empty for a run that remembers nothing.
	Path   string
	Replay Replay
	// Seen are patterns of names, as in a shell: the answers in these ledgers count as recorded.
	Seen []string
	// Dedupe reuses an answer to an equal request under another id.
	Dedupe bool
	// MatchID reuses an answer to another request under the same id.
	MatchID bool
	Fsync   ledger.Fsync
	// Folder is where the files are that records name; nil where none do. An answer that is recorded
	// about other contents than they have now does not count.
	Folder *folder.Folder
	// Shape is what a recorded answer is to fit, or its record is asked again.
	Shape flow.Shape
	// Job is the name of the job that the ledger's money is shared with; empty for none.
	Job string
	// Version is the program's, for the record.
	Version string
	// FS is the file system, nil for the machine's.
	FS disk.FS
}

// Hint adds what to do about a ledger that cannot be used.
func Hint(err error) error {
	var damage *ledger.DamageError
	var other *ledger.OtherError
	switch {
	case errors.As(err, &damage):
		return ui.WithHint("llmpipe repair "+damage.Path+" writes a clean copy beside it, without the damaged line", err)
	case errors.As(err, &other):
		return ui.WithHint("--seen takes ledgers as they are written, uncompressed: name others, or decompress them", err)
	case errors.Is(err, ledger.ErrCompressed):
		return ui.WithHint("decompress it first: gzip -d or zstd -d; report and export read it as it is", err)
	case errors.Is(err, ledger.ErrNotLedger):
		return ui.WithHint("name another file with --ledger: this one is not llmpipe's, and was left as it is", err)
	case errors.Is(err, disk.ErrNotRegular):
		return ui.WithHint("a ledger is a file: what comes through a pipe can be saved in one", err)
	case errors.Is(err, disk.ErrNoLocks):
		return ui.WithHint("name a ledger on a disk of this machine with --ledger, or mount that file system with locks "+
			"(NFS: lock, and rpc.statd running; Lustre: -o flock)", err)
	case ui.IsErrno(err, syscall.EMFILE):
		return ui.WithHint(ui.MoreFiles, err)
	case errors.Is(err, ledger.ErrChanged):
		return ui.WithHint("leave the ledger alone while llmpipe runs; the same command goes on with what it holds now", err)
	}
	return err
}

// DefaultPath is the ledger of runs at baseURL unless --ledger names one. Simulated answers are
// kept apart from paid ones.
func DefaultPath(baseURL string) string {
	if provider.IsSim(baseURL) {
		return "llmpipe.sim.jsonl"
	}
	return "llmpipe.ledger.jsonl"
}
