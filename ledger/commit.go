package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"llmpipe/ledger/disk"
	"llmpipe/ledger/line"
)

// filePerm is for the owner alone: prompts and answers are nobody else's business.
const filePerm = 0o600

// Prepare finds out whether commits can be taken at all, makes the file if there is none yet, and
// writes the run's line. Answers are paid for before they are committed, so it is for the moment
// before the first request. An error is a *[WriteError].
func (l *Ledger) Prepare() error {
	if err := l.prepare(); err != nil {
		return &WriteError{Path: l.path, Err: err}
	}
	return nil
}

func (l *Ledger) prepare() error {
	l.committing.Lock()
	defer l.committing.Unlock()
	if l.refused != nil {
		return l.refused
	}
	_, err := l.append(func() error { return l.encode(&Group{}, !l.announced) }, room)
	if err != nil {
		return err
	}
	l.announced = true
	return l.sync(false)
}

// Commit appends a group: results first, then failures, steps of shards, what is at risk no more,
// and emitted marks, by one write, under the lock that other processes wait for; before that, it
// indexes what they have appended. Then, as Fsync says, it syncs, for which nobody else waits. When
// it returns nil the whole group is safe. Look and Admit may find a result before it is: see
// [Ledger.SyncTo].
//
// A record is in one pending shard at most, whoever makes them, and in none while another process
// asks about it: an intent that would ask again is refused with ErrTaken, and one for which
// Group.Bounds leave no room with a *[OverBoundsError], under that same lock.
//
// A ledger that may only be read drops marks, and refuses all else. An error is a *[WriteError].
//
// Commits of several goroutines follow one another.
func (l *Ledger) Commit(g *Group) error {
	done, err := l.commit(g)
	if done.any {
		if syncErr := l.sync(len(g.Shards) > 0); syncErr != nil {
			done, err = committed{}, disk.Both(err, syncErr)
			l.refuse(err)
		}
	}
	if err != nil {
		return &WriteError{Path: l.path, Results: done.results, Failures: done.failures, Err: err}
	}
	return nil
}

// committed is what of a group is in the file: anything at all, and so many of its first results
// and failures.
type committed struct {
	any               bool
	results, failures int
}

// commit is Commit without the sync.
func (l *Ledger) commit(g *Group) (done committed, err error) {
	l.committing.Lock()
	defer l.committing.Unlock()
	if l.refused != nil {
		return done, l.refused
	}
	defer l.shrink()
	if err := l.encode(g, false); err != nil || len(l.out) == 0 {
		return done, err
	}
	l.inHand.leaveFor(len(g.Results))
	if g.Bounds != (Bounds{}) {
		l.renew(time.Now())
	}
	kept, err := l.append(func() error { return l.admitIntents(g) }, 0)
	switch {
	case err == nil:
		l.announced = true
	case Refused(err):
		return done, err
	case errors.Is(err, ErrNoRoom) && len(g.Shards) == 0:
		return l.commitLess(g, err)
	default:
		l.refused = refusal(err)
	}
	done.any = len(kept) > 0
	done.results, done.failures = line.CountRecords(kept)
	return done, err
}

// Refused reports whether a commit was refused for what other processes have written: by ErrTaken or
// a *[OverBoundsError].
func Refused(err error) bool {
	var full *OverBoundsError
	return errors.Is(err, ErrTaken) || errors.As(err, &full)
}

// refuse takes no more commits because of an error.
func (l *Ledger) refuse(err error) {
	l.committing.Lock()
	defer l.committing.Unlock()
	if l.refused == nil {
		l.refused = refusal(err)
	}
}

func refusal(err error) error {
	return fmt.Errorf("no more is written after an earlier error: %w", err)
}

// keptOut is how much of l.out, in bytes, one commit leaves to the next: more than most groups
// take, while what an intent takes, or large answers, is not worth its memory any more.
const keptOut = 1 << 20

func (l *Ledger) shrink() {
	if cap(l.out) > keptOut {
		l.out = nil
	}
}

// encode fills l.out with the group's lines, and with the run's before the first, or where announce
// says so.
func (l *Ledger) encode(g *Group, announce bool) error {
	out, err := l.out[:0], error(nil)
	defer func() { l.out = out }()
	marks := l.marksOf(g)
	if len(g.Results)+len(g.Failures)+len(g.Shards)+len(g.Lifted)+len(marks) == 0 && !announce {
		return nil
	}
	if !l.announced {
		out = line.AppendRun(out, &l.options.Run, l.options.Simulated)
	}
	out = slices.Grow(out, g.bytes())
	run := "" // whose risk for the record the line ends
	if own, _ := l.AtRisk(); own.Records > 0 {
		run = l.options.Run.ID
	}
	for i := range g.Results {
		r := &g.Results[i]
		if out, err = line.AppendResult(out, r, run, r.Simulated || l.options.Simulated); err != nil {
			return err
		}
	}
	for i := range g.Failures {
		f := &g.Failures[i]
		if out, err = line.AppendFailure(out, f, run, f.Simulated || l.options.Simulated); err != nil {
			return err
		}
	}
	for i := range g.Shards {
		if err = l.expect(g.Shards[:i], &g.Shards[i]); err != nil {
			return err
		}
		if out, err = line.AppendShard(out, &g.Shards[i], l.options.Simulated); err != nil {
			return err
		}
	}
	if len(g.Lifted) > 0 {
		if out, err = line.AppendRisk(out, l.riskLine(g.Lifted, nil)); err != nil {
			return err
		}
	}
	for i, m := range marks {
		out = line.AppendEmitted(out, &line.Emitted{
			File: *l.options.Emitted, Proof: m.Proof, Empty: i == 0 && l.beginsEmpty(), Keys: m.Keys, Simulated: l.options.Simulated,
		})
	}
	return nil
}

// marksOf returns the marks that are to be written down: one without keys where there is nothing
// else to say that the file was empty.
func (l *Ledger) marksOf(g *Group) []Mark {
	switch {
	case l.options.Emitted == nil || l.readOnly != nil:
		return nil
	case len(g.Marks) == 0 && l.beginsEmpty():
		return []Mark{{}}
	}
	return g.Marks
}

// beginsEmpty says that the file of Options.Emitted was empty when the run began, and no line says
// so yet.
func (l *Ledger) beginsEmpty() bool { return l.options.EmittedSize == 0 && !l.announced }

// expect refuses a second intent of a shard, and any other step without one: after a crash nothing
// would lead from the uploaded file, or the paid batch, to its records.
func (l *Ledger) expect(before []ShardEntry, e *ShardEntry) error {
	known := l.shards.byID[e.Shard] != nil || slices.ContainsFunc(before, func(b ShardEntry) bool { return b.Shard == e.Shard })
	switch {
	case known && e.Step == ShardIntent:
		return e.Refuse(errors.New("it has an intent already"))
	case !known && e.Step != ShardIntent:
		return e.Refuse(fmt.Errorf("it is %s without an intent", e.Step))
	}
	return nil
}

// append puts l.out behind whatever is in the file by now, under the lock that other processes wait
// for, and returns the part of it that is in the file. What they have appended is indexed before
// last is called, which looks at that and may fill l.out. append fails where there is no space for
// room bytes more.
func (l *Ledger) append(last func() error, room int) (kept []byte, err error) {
	if err := l.create(); err != nil {
		return nil, err
	}
	if err := l.file.Lock(); err != nil {
		return nil, fmt.Errorf("locking: %w", err)
	}
	defer func() { err = disk.Both(err, l.file.Unlock()) }()
	before := l.end
	if err := l.catchUp(); err != nil {
		return nil, err
	}
	if err := last(); err != nil {
		return nil, err
	}
	base := l.end
	l.inHand.use(base - before)
	if err := l.fits(); err != nil {
		return nil, err
	}
	if room > 0 {
		l.reserved = true
		if err := l.file.Reserve(base, int64(len(l.out)+room)); err != nil {
			return nil, err
		}
	}
	if len(l.out) == 0 {
		return nil, nil
	}
	n, err := l.file.WriteAt(l.out, base)
	l.inHand.use(int64(n))
	kept = l.out
	if err == nil && n < len(l.out) {
		err = io.ErrShortWrite
	}
	if err != nil {
		kept = l.out[:bytes.LastIndexByte(l.out[:n], '\n')+1]
		if cutErr := l.file.Truncate(base + int64(len(kept))); cutErr != nil {
			err = disk.Both(err, &tornError{cutErr})
		}
	}
	for text := range bytes.Lines(kept) {
		v, err := l.verify(text[:len(text)-1], l.end)
		v.own = true
		if err == nil {
			err = l.enter([]verified{v})
		}
		if err != nil {
			return nil, err
		}
	}
	return kept, err
}

// tornError is why a part of a line stands at the end of the file: nothing may follow it.
type tornError struct{ err error }

func (e *tornError) Error() string { return fmt.Sprintf("cutting the torn end: %v", e.err) }

func (e *tornError) Unwrap() error { return e.err }

// create makes the file, if there was none when the ledger was opened.
func (l *Ledger) create() error {
	if l.file != nil {
		return l.readOnly
	}
	file, err := l.options.FS.OpenFile(l.path, os.O_RDWR|os.O_CREATE, filePerm)
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.file = file
	l.mu.Unlock()
	if l.options.Fsync == FsyncNever {
		return nil
	}
	return l.options.FS.SyncDir(filepath.Dir(l.path))
}

// catchUp indexes what other processes appended. The lock is held: a tail without a newline has no
// writer any more.
func (l *Ledger) catchUp() error {
	size, err := l.unchanged()
	if err != nil {
		return err
	}
	tail, err := l.absorb(size, true)
	if err != nil || len(tail) == 0 {
		return err
	}
	return l.cut(tail)
}

// unchanged returns the file's size, if it still is the file that was indexed.
func (l *Ledger) unchanged() (size int64, err error) {
	opened, err := l.file.Stat()
	if err != nil {
		return 0, err
	}
	named, err := l.options.FS.Stat(l.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, fmt.Errorf("%w: the file was removed", ErrChanged)
	case err != nil:
		return 0, err
	case !os.SameFile(opened, named):
		return 0, fmt.Errorf("%w: the file was replaced by another", ErrChanged)
	case opened.Size() < l.end:
		return 0, fmt.Errorf("%w: it had %d bytes and has %d", ErrChanged, l.end, opened.Size())
	}
	return opened.Size(), nil
}
