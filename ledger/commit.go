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

// filePerm is for the owner alone, as prompts and answers are private.
const filePerm = 0o600

// Prepare checks that commits can be taken at all, creates the file if there is none, and writes
// the run's line. Answers are paid for before they are committed, so call it before the first
// request. An error is a *[WriteError].
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

// Commit appends a group in one write: results first, then failures, steps of shards, records that
// are no longer at risk, and emitted marks. It holds the lock that other processes wait for, and
// first indexes what they have appended. Then it syncs as Fsync says, without blocking other
// processes. When it returns nil, the whole group is safe. Look and Admit may find a result before
// that: see [Ledger.SyncTo].
//
// A record is in at most one pending shard, whichever process made it, and in none while another
// process asks about it. An intent that would ask again is refused with ErrTaken. One that does not
// fit Group.Bounds is refused with a *[OverBoundsError]. Both are checked under the same lock.
//
// A read-only ledger drops marks and refuses everything else. An error is a *[WriteError].
//
// Concurrent commits are serialized.
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

// committed is the part of a group that is in the file: whether there is any, and how many of its
// first results and failures.
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

// Refused reports whether a commit was refused because of what other processes have written: with
// ErrTaken or a *[OverBoundsError].
func Refused(err error) bool {
	var full *OverBoundsError
	return errors.Is(err, ErrTaken) || errors.As(err, &full)
}

// refuse makes the ledger refuse all further commits because of an error.
func (l *Ledger) refuse(err error) {
	l.committing.Lock()
	defer l.committing.Unlock()
	if l.refused == nil {
		l.refused = refusal(err)
	}
}

func refusal(err error) error {
	return fmt.Errorf("nothing more is written after an earlier error: %w", err)
}

// keptOut is how many bytes of l.out one commit leaves to the next: more than most groups need. A
// larger buffer, as an intent or large answers leave it, is not worth keeping.
const keptOut = 1 << 20

func (l *Ledger) shrink() {
	if cap(l.out) > keptOut {
		l.out = nil
	}
}

// encode fills l.out with the group's lines. The run's line stands before the first of them; with
// announce it is written even if there are no others.
func (l *Ledger) encode(g *Group, announce bool) error {
	out, err := l.out[:0], error(nil)
	defer func() { l.out = out }()
	marks := l.marksOf(g)
	if len(g.Results)+len(g.Failures)+len(g.Shards)+len(g.Lifted)+len(marks) == 0 && !announce {
		return nil
	}
	out = slices.Grow(l.appendRun(out), g.bytes())
	run := "" // the run whose risk for the record the line ends
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

// appendRun appends this run's line, unless it is written already.
func (l *Ledger) appendRun(dst []byte) []byte {
	if l.announced {
		return dst
	}
	return line.AppendRun(dst, &l.options.Run, l.options.Simulated)
}

// unsynced calls write, which appends lines that are not synced. After an error, which is a
// *[WriteError], the ledger goes on unless the file ends in a part of a line.
func (l *Ledger) unsynced(write func() error) error {
	l.committing.Lock()
	defer l.committing.Unlock()
	if l.refused != nil {
		return &WriteError{Path: l.path, Err: l.refused}
	}
	err := write()
	if err == nil {
		return nil
	}
	if torn := (*tornError)(nil); errors.As(err, &torn) {
		l.refused = refusal(err)
	}
	return &WriteError{Path: l.path, Err: err}
}

// marksOf returns the marks to write. If nothing else would record that the file was empty, that is
// one mark without keys.
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

// expect refuses a second intent of a shard, and any other step without an intent: after a crash
// nothing would lead from the uploaded file, or the paid batch, to its records.
func (l *Ledger) expect(before []ShardEntry, e *ShardEntry) error {
	known := l.shards.byID[e.Shard] != nil || slices.ContainsFunc(before, func(b ShardEntry) bool { return b.Shard == e.Shard })
	switch {
	case known && e.Step == ShardIntent:
		return e.Refuse(errors.New("it already has an intent"))
	case !known && e.Step != ShardIntent:
		return e.Refuse(fmt.Errorf("it is %s without an intent", e.Step))
	}
	return nil
}

// append appends l.out to the file under the lock that other processes wait for, and returns the
// part of it that is in the file. It first indexes what other processes have appended. Then it
// calls last, which may look at that and fill l.out. append fails if there is no space for another
// room bytes.
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

// tornError is the reason why the file ends in a part of a line: nothing may be appended to it.
type tornError struct{ err error }

func (e *tornError) Error() string { return fmt.Sprintf("cutting off the torn line: %v", e.err) }

func (e *tornError) Unwrap() error { return e.err }

// create creates the file if there was none when the ledger was opened.
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

// catchUp indexes what other processes appended. The caller holds the lock, so the writer of a tail
// without a newline is gone.
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

// unchanged returns the file's size if it is still the file that was indexed.
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
		return 0, fmt.Errorf("%w: it had %d bytes and now has %d", ErrChanged, l.end, opened.Size())
	}
	return opened.Size(), nil
}
