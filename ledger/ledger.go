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

	// Simulated says that this run asks the simulated provider. Its results are marked as simulated. A
	// run that is not simulated ignores such results; a simulated run uses real ones too.
	Simulated bool
	// Rehearsal says that this run asks a simulator over the network. It uses results that are marked
	// as simulated, but its own batches and marks are those of a real run. See [Ledger.Rehearse].
	Rehearsal bool

	// Since is the time from which Summary.SpentSince counts; zero for never.
	Since time.Time
	// Run is written before the first record that this run appends.
	Run RunInfo

	// Emitted identifies the regular file that results are written to; nil if they go elsewhere.
	// Found.Emitted reports what this file's marks say.
	Emitted *disk.ID
	// EmittedSize is the size of that file, in bytes, when the run began. If it is 0, the first commit
	// records that the file was empty, even if the commit holds nothing else.
	EmittedSize int64
	// EmittedFile reads that file; nil if it cannot be read. A mark counts only if the file still has
	// the bytes that prove it. Earlier versions wrote marks without a proof: those are claims, and
	// they are dropped if the file has since been cut.
	EmittedFile io.ReaderAt

	// Warn, if not nil, gets messages for a person: one line each, without a newline. It is called on
	// the goroutine that calls Commit.
	Warn func(string)

	// Requests says that answers can also be looked up by their requests: see [Ledger.Same].
	Requests bool

	// Others are ledgers whose answers count as recorded here. Open reads them; nothing writes to
	// them.
	Others []string

	// Job is the name of a job that shares its money with other ledgers, empty for none: see
	// [Ledger.Join] and [Ledger.Borrow].
	Job string

	// FS is the file system; nil for the operating system's.
	FS disk.FS
}

// Ledger is an open ledger: its index is in memory, its lines are on disk.
//
// Every method except Close may be called from any goroutine, also while others commit.
type Ledger struct {
	path    string
	options Options
	since   string // Options.Since in the format of the lines

	durable durable

	// committing is held while the file is written or searched, but not while it is synced. It guards
	// the fields that follow.
	committing sync.Mutex
	out        []byte
	atRisk     []AtRisk
	announced  bool  // the run line is written
	refused    error // why commits are refused from now on
	reserved   bool  // space is reserved behind the end of the file
	inHand     inHand
	alive      *disk.LockFile // this run's lock, nil until it has something at risk
	lastRun    string         // the run of the line that was verified last
	left       leftLines
	lent       func() Bounds // nil: no limit except the bounds; see Borrow

	others   *others // nil without Options.Others
	readOnly error   // why the file may only be read, nil if it may be written
	opened   int64   // where the index ended when Open returned
	loaded   bool    // Open has finished

	// mu guards the rest. It is held only for steps in memory. Only a holder of committing changes
	// file, shards and end, so such a holder may read them without mu.
	mu      sync.Mutex
	file    disk.File // nil until the ledger exists
	index   index.Index
	answers *index.Index // of the answers by their requests; nil without Options.Requests
	shards  shards
	risks   risks
	shared  shared
	summary Summary
	written written // what is known of the file of Options.Emitted
	leftOut bool    // there are simulated results, which this run ignores
	end     int64   // the offset where the index ends
}

// Summary is what a ledger holds, as far as it counts for this run: a real run leaves simulated
// answers out.
type Summary struct {
	Results     int64 // records with a result
	Others      int64 // records with a result in one of Options.Others
	SpentNanos  int64 // billionths of a US dollar, billed failures included
	Simulated   int64 // the part of SpentNanos that is simulated, which nobody is billed for
	SpentSince  int64 // the part of SpentNanos since Options.Since, by the records' times
	UnknownCost int64 // answers whose cost is unknown: it is not in SpentNanos, nor bounded in KeptNanos
	KeptNanos   int64 // the most that attempts with an unknown outcome can have cost, as far as that is known
	KeptSince   int64 // the part of KeptNanos since Options.Since

	// OwnNanos is the part of SpentNanos and KeptNanos that this run has committed.
	OwnNanos int64

	// Lost is what runs that are gone had at risk. KeptNanos includes it.
	Lost Exposure
}

// Open reads a ledger's index. A file that does not exist is an empty ledger, and the first commit
// creates it. Open ignores a last line without a newline, as its writer may not have finished; the
// next commit deals with it.
//
// Damage is a *[DamageError], a file of another kind ErrNotLedger, and one in a later format
// ErrVersion. None of these files is ever written to.
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

// openExisting opens a ledger that may not be written for reading alone, as its answers can still
// be recalled. readOnly is then the reason.
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

// lookAgain reads damage again under the lock, where nobody cuts or writes. What looked like damage
// may be a line that was cut off and written over between two reads, or a torn line that another
// ledger was appended to. The index ends before the line.
func (l *Ledger) lookAgain(damage *DamageError) (err error) {
	if err := l.file.Lock(); err != nil {
		return fmt.Errorf("%w (cannot lock the file to read it again: %w)", damage, err)
	}
	defer func() { err = disk.Both(err, l.file.Unlock()) }()
	info, err := l.file.Stat()
	if err != nil {
		return fmt.Errorf("opening ledger: %w", err)
	}
	_, err = l.absorb(info.Size(), true)
	return err
}

// LeftOut reports whether the ledger has simulated records, which this run ignores.
func (l *Ledger) LeftOut() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.leftOut
}

// Rehearse sets Options.Rehearsal in a run that learns later that it asks a simulator. It takes in
// the simulated lines that other processes have written since the ledger was opened. What was left
// out before stays out.
func (l *Ledger) Rehearse() error {
	l.committing.Lock()
	defer l.committing.Unlock()
	l.mu.Lock()
	l.options.Rehearsal = true
	l.mu.Unlock()
	return l.enterLeft()
}

// IsReal says that this run asks no simulator, even if other processes on the ledger do: see
// ErrUndecided.
func (l *Ledger) IsReal() {
	l.committing.Lock()
	defer l.committing.Unlock()
	l.left.decided = true
}

// rehearses reports whether this run asks a simulator, built in or over the network: what it has at
// risk is then no money.
func (l *Ledger) rehearses() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.options.Simulated || l.options.Rehearsal
}

// Summary returns what is known now. Lines of other processes are included up to this run's last
// commit, claim or refresh.
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

// End records how this run ends, for the reports, if the run has written anything else. Without it
// only a report loses something, so it is not synced, and a full disk is not an error of the run.
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

// Close makes what was written durable, unless Fsync is FsyncNever, and closes the file. What this
// run still has at risk then counts as possibly spent. No other call may be in progress or follow,
// except Summary.
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
		if given := l.giveBack(); given != nil { // nothing else is lost
			l.options.Warn(fmt.Sprintf("ledger %s: cannot release its reserved disk space: %v", l.path, given))
		}
		err = disk.Both(err, l.file.Close())
	}
	err = disk.Both(err, l.others.close())
	if err != nil {
		return fmt.Errorf("closing ledger %s: %w", l.path, err)
	}
	return nil
}

// giveBack releases the space that is reserved behind the end of the file.
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
