package ledger

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"

	"llmpipe/ledger/disk"
	"llmpipe/ledger/index"
	"llmpipe/ledger/line"
)

// Options says how a ledger is opened. The zero value is a real run that syncs every commit.
type Options struct {
	Fsync Fsync

	// Simulated says that this run asks the simulated provider. Its results are marked, and results
	// marked so do not exist for a run that is not simulated; real ones exist for both.
	Simulated bool
	// Rehearsal says that this run asks a simulator that is served over the network: results marked
	// as simulated exist for it, its own batches and marks are as a real run's. See
	// [Ledger.Rehearse].
	Rehearsal bool

	// Since is from when Summary.SpentSince counts; zero for never.
	Since time.Time
	// Run is written down before the first record that this run appends.
	Run RunInfo

	// Emitted is the regular file that results are written to, nil where it is none: its marks are
	// what Found.Emitted tells of.
	Emitted *disk.ID
	// EmittedSize is the size of that file, in bytes, when the run began. Where it is 0 the first
	// commit, with or without anything in it, says so.
	EmittedSize int64
	// EmittedFile reads that file, nil where that is not possible: a mark holds where the bytes
	// that prove it are there. One without a proof, as earlier versions wrote them, is a claim;
	// those of a file that was cut since are forgotten.
	EmittedFile io.ReaderAt

	// Warn, if there is one, gets what a person should read: one line, without a newline. It is
	// called by whoever calls Commit.
	Warn func(string)

	// Requests says that answers are looked for by their requests, too: see [Ledger.Same].
	Requests bool

	// Others are ledgers whose answers count as recorded here. They are read by Open, and never
	// written.
	Others []string

	// Job is the name of a job that shares its money with other ledgers, empty for none: see [Shared].
	Job string

	// FS is the file system, nil for the machine's.
	FS disk.FS
}

// Ledger is an open ledger: its index in memory, its lines on disk.
//
// All but Close may be called from any goroutine, also while others commit.
type Ledger struct {
	path    string
	options Options
	since   string // Options.Since as the lines have it

	durable durable

	// committing is held while something is written or looked for in the file, but not while that is
	// synced. What follows is its holder's.
	committing sync.Mutex
	out        []byte
	atRisk     []AtRisk
	announced  bool  // the run line is written
	refused    error // why no commit is taken any more
	reserved   bool  // space is kept in hand behind the file's end
	inHand     inHand
	alive      *disk.LockFile // this run's lock, nil before it has anything at risk
	lastRun    string         // whose line was verified last
	left       leftLines
	lent       func() Bounds // nil: all that the bounds allow; see Borrow

	others   *others // nil without Options.Others
	readOnly error   // why the file may only be read, nil if it may be written
	opened   int64   // the end of what Open indexed
	loaded   bool    // Open has

	// mu guards the rest, for as long as a step in memory takes. Only a holder of committing
	// changes file, shards and end, which therefore reads them without mu.
	mu      sync.Mutex
	file    disk.File // nil until the ledger exists
	index   index.Index
	answers *index.Index // of the answers by their requests; nil unless Options.Requests says so
	shards  shards
	risks   risks
	shared  shared
	summary Summary
	written written // to the file of Options.Emitted
	leftOut bool    // there are simulated results, which do not exist for this run
	end     int64   // of what is indexed
}

// Summary is what a ledger holds, as far as it counts for this run: for a real one, simulated
// answers do not.
type Summary struct {
	Results     int64 // records with a result
	Others      int64 // records with a result in one of Options.Others
	SpentNanos  int64 // billionths of a US dollar, billed failures included
	Simulated   int64 // the part of SpentNanos that is simulated, and billed to nobody
	SpentSince  int64 // the part of SpentNanos since Options.Since, by the records' times
	UnknownCost int64 // answers of unknown cost, which is not in SpentNanos, and without a bound in KeptNanos
	KeptNanos   int64 // the most that attempts whose outcome nobody knows can have cost, where that is known
	KeptSince   int64 // the part of KeptNanos since Options.Since

	// OwnNanos is the part of SpentNanos and KeptNanos that this run has committed.
	OwnNanos int64

	// Lost is what runs that are gone had at risk. It is in KeptNanos.
	Lost Exposure
}

// Open reads a ledger's index. A file that does not exist is an empty ledger, and is made by the
// first commit. A last line without a newline is not there for a reader, since its writer may be at
// it; the next commit deals with it.
//
// Damage is a *[DamageError]; a file of another kind is ErrNotLedger, one of a later format
// ErrVersion. None of them is ever written to.
func Open(path string, o Options) (*Ledger, error) {
	if o.FS == nil {
		o.FS = disk.OS{}
	}
	if o.Warn == nil {
		o.Warn = func(string) {}
	}
	l := &Ledger{path: path, options: o, written: written{claimed: -1}}
	if o.Requests {
		l.answers = new(index.Index)
	}
	if !o.Since.IsZero() {
		l.since = o.Since.UTC().Format(line.TimeLayout)
	}
	if err := l.openOthers(); err != nil {
		return nil, err
	}
	file, readOnly, err := openExisting(o.FS, path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		l.loaded = true
		return l, nil
	case err != nil:
		return nil, disk.Both(fmt.Errorf("opening ledger: %w", err), l.others.close())
	}
	l.file, l.readOnly = file, readOnly
	if err := l.load(); err != nil {
		return nil, disk.Both(disk.Both(err, file.Close()), l.others.close())
	}
	err = l.buryGone(func() error {
		info, err := file.Stat()
		if err != nil {
			return fmt.Errorf("opening ledger: %w", err)
		}
		return l.absorbUnlocked(info.Size())
	})
	if err != nil {
		return nil, disk.Both(disk.Both(err, file.Close()), l.others.close())
	}
	l.opened, l.loaded = l.end, true
	if o.EmittedSize < l.written.claimed {
		l.index.ForgetClaimed()
		l.written.claimed = -1
	}
	return l, nil
}

// openExisting falls back to reading, for the reason that readOnly says: a ledger that may not be
// written still knows its answers.
func openExisting(fsys disk.FS, path string) (file disk.File, readOnly, err error) {
	if err := disk.CheckRegular(fsys, path); err != nil {
		return nil, nil, err
	}
	file, err = fsys.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		readOnly = err
		file, err = fsys.OpenFile(path, os.O_RDONLY, 0)
	}
	return file, readOnly, err
}

func (l *Ledger) load() error {
	info, err := l.file.Stat()
	if err != nil {
		return fmt.Errorf("opening ledger: %w", err)
	}
	return l.absorbUnlocked(info.Size())
}

// absorbUnlocked is absorb without the lock.
func (l *Ledger) absorbUnlocked(size int64) error {
	_, err := l.absorb(size, false)
	if damage := (*DamageError)(nil); errors.As(err, &damage) {
		return l.lookAgain(damage)
	}
	return err
}

// lookAgain tells damage from a line that was cut off and written over between two reads of it, and
// from a torn one that another ledger was added behind: under the lock nobody cuts or writes. The
// index ends before the line.
func (l *Ledger) lookAgain(damage *DamageError) (err error) {
	if err := l.file.Lock(); err != nil {
		return fmt.Errorf("%w (and not read again: locking: %w)", damage, err)
	}
	defer func() { err = disk.Both(err, l.file.Unlock()) }()
	info, err := l.file.Stat()
	if err != nil {
		return fmt.Errorf("opening ledger: %w", err)
	}
	_, err = l.absorb(info.Size(), true)
	return err
}

// LeftOut reports whether there are simulated records, which do not exist for this run.
func (l *Ledger) LeftOut() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.leftOut
}

// Rehearse sets Options.Rehearsal in a run that learns later that it asks a simulator, and takes in
// what other processes have written since the ledger was opened. What was left out before stays
// out.
func (l *Ledger) Rehearse() error {
	l.committing.Lock()
	defer l.committing.Unlock()
	l.mu.Lock()
	l.options.Rehearsal = true
	l.mu.Unlock()
	return l.enterLeft()
}

// IsReal says that this run asks no simulator, whatever others on the ledger do: see ErrUndecided.
func (l *Ledger) IsReal() {
	l.committing.Lock()
	defer l.committing.Unlock()
	l.left.decided = true
}

// rehearses reports whether this run asks a simulator, of whatever kind: what it has at risk is
// no money then.
func (l *Ledger) rehearses() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.options.Simulated || l.options.Rehearsal
}

// Summary returns what is known by now, other processes' part up to this run's last commit.
func (l *Ledger) Summary() Summary {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.summary
	s.Results = int64(l.index.Results())
	if l.others != nil {
		s.Others = int64(l.others.index.Results())
	}
	return s
}

// End writes down how this run ends, for the reports, where it has written anything else. Nothing
// but a report is lost without it, so it is not synced, and a disk without room for it is no error
// of the run.
func (l *Ledger) End(e RunEnd) error {
	l.committing.Lock()
	defer l.committing.Unlock()
	if l.refused != nil || !l.announced || l.readOnly != nil {
		return l.refused
	}
	e.Run = l.options.Run.ID
	l.out = line.AppendEnd(l.out[:0], &e, l.rehearses())
	_, err := l.append(func() error { return nil }, 0)
	return err
}

// Close makes what is written durable, unless Fsync is FsyncNever, and closes the file. What this
// run has at risk then may have been spent. No other call may be under way or follow, Summary
// excepted.
func (l *Ledger) Close() error {
	l.durable.running.Lock()
	defer l.durable.running.Unlock()
	l.committing.Lock()
	defer l.committing.Unlock()
	if errors.Is(l.refused, ErrClosed) {
		return nil
	}
	err := disk.Both(l.durable.late, l.syncDue())
	l.refused = ErrClosed
	if l.alive != nil {
		err = disk.Both(err, l.alive.Release(true))
	}
	if l.file != nil {
		if given := l.giveBack(); given != nil { // which costs nothing but that
			l.options.Warn(fmt.Sprintf("ledger %s: the room that was kept for it is not given back: %v", l.path, given))
		}
		err = disk.Both(err, l.file.Close())
	}
	err = disk.Both(err, l.others.close())
	if err != nil {
		return fmt.Errorf("closing ledger %s: %w", l.path, err)
	}
	return nil
}

// giveBack gives up the space that is kept in hand, behind whatever is in the file by now.
func (l *Ledger) giveBack() (err error) {
	if !l.reserved {
		return nil
	}
	if err := l.file.Lock(); err != nil {
		return fmt.Errorf("locking: %w", err)
	}
	defer func() { err = disk.Both(err, l.file.Unlock()) }()
	info, err := l.file.Stat()
	if err != nil {
		return err
	}
	return l.file.Reserve(info.Size(), 0)
}
