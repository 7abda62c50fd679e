package ledger

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"llmpipe/ledger/disk"
	"llmpipe/ledger/line"
)

// AtRisk is a record that is asked about, and the most that can cost.
type AtRisk = line.AtRisk

// Exposure is what requests whose outcome is not recorded can cost.
type Exposure struct {
	Records int64 // that were asked about
	Unknown int64 // of them, without a known price
	Nanos   int64 // billionths of a US dollar, of the others
}

func (e *Exposure) add(o Exposure, sign int64) {
	e.Records += sign * o.Records
	e.Unknown += sign * o.Unknown
	e.Nanos += sign * o.Nanos
}

// risks is what the risk lines of a ledger say, as far as no result, failure or later line has
// ended it. Of a record that several runs had at risk only the last one is known by its key: the
// others are gone, or it would not have been asked about again, and count in their runs' sums.
type risks struct {
	records map[Key]riskyRecord
	runs    map[string]*riskyRun
	all     Exposure // of all runs
	rest    Exposure // the part of it that no attempt is under way for
}

type riskyRecord struct {
	run    *riskyRun
	nanos  int64
	known  bool
	rests  bool // no attempt is under way: what those before may have cost is kept
	recent bool
}

// riskyRun is what one run has at risk. Of the sum, rest is for records that no attempt is under
// way at, and recent is since Options.Since.
type riskyRun struct {
	id                string
	sum, rest, recent Exposure
}

func (r *riskyRecord) exposure() Exposure {
	if !r.known {
		return Exposure{Records: 1, Unknown: 1}
	}
	return Exposure{Records: 1, Nanos: r.nanos}
}

// count adds a record to its run's sums, or takes it off.
func (s *risks) count(r *riskyRecord, sign int64) {
	e := r.exposure()
	r.run.sum.add(e, sign)
	s.all.add(e, sign)
	if r.rests {
		r.run.rest.add(e, sign)
		s.rest.add(e, sign)
	}
	if r.recent {
		r.run.recent.add(e, sign)
	}
}

// put notes what a run has at risk for a record from now on.
func (s *risks) put(run string, a AtRisk, rests, recent bool) {
	if s.records == nil {
		s.records, s.runs = make(map[Key]riskyRecord), make(map[string]*riskyRun)
	}
	known := s.runs[run]
	if known == nil {
		known = &riskyRun{id: run}
		s.runs[run] = known
	}
	if before, ok := s.records[a.Key]; ok && before.run == known {
		s.count(&before, -1)
	}
	r := riskyRecord{run: known, nanos: a.Nanos, known: a.Known, rests: rests, recent: recent}
	s.count(&r, +1)
	s.records[a.Key] = r
}

// end notes that a run has nothing at risk for a record any more.
func (s *risks) end(run string, k Key) {
	if len(s.records) == 0 {
		return
	}
	r, ok := s.records[k]
	if !ok || r.run.id != run {
		return
	}
	s.count(&r, -1)
	delete(s.records, k)
}

// lift notes that a run asks about a record no more, and what that may have cost.
func (s *risks) lift(run string, a AtRisk, recent bool) {
	if a.Nanos == 0 {
		s.end(run, a.Key)
	} else {
		s.put(run, a, true, recent)
	}
}

// bury takes out a run that is gone, and returns what it had at risk.
func (s *risks) bury(run *riskyRun) (sum, recent Exposure) {
	for k, r := range s.records {
		if r.run == run {
			delete(s.records, k)
		}
	}
	delete(s.runs, run.id)
	s.all.add(run.sum, -1)
	s.rest.add(run.rest, -1)
	return run.sum, run.recent
}

// of is what a run has at risk, and the part that no attempt is under way for.
func (s *risks) of(run string) (sum, rest Exposure) {
	if known := s.runs[run]; known != nil {
		return known.sum, known.rest
	}
	return sum, rest
}

// others are the runs beside one that have something at risk.
func (s *risks) others(than string) (found []*riskyRun) {
	for id, run := range s.runs {
		if id != than && run.sum.Records > 0 {
			found = append(found, run)
		}
	}
	return found
}

// enterRisk puts a risk line into the index. The caller holds mu.
func (l *Ledger) enterRisk(v *verified) error {
	whole := v.head.EachRisk(
		func(a AtRisk) { l.risks.lift(v.run, a, v.recent) },
		func(a AtRisk) { l.risks.put(v.run, a, false, v.recent) },
	)
	if whole {
		return nil
	}
	return &DamageError{Path: l.path, Offset: v.at, Err: line.ErrMalformed}
}

// buryGone counts what runs that are gone had at risk as what may have been spent. reread indexes
// what they may have written after the ledger was last read.
func (l *Ledger) buryGone(reread func() error) error {
	var gone []*riskyRun
	for _, run := range l.risks.others(l.options.Run.ID) {
		if isGone(l.options.FS, l.path, run.id) {
			gone = append(gone, run)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	if err := reread(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, run := range gone {
		sum, recent := l.risks.bury(run)
		l.summary.KeptNanos += sum.Nanos
		l.summary.KeptSince += recent.Nanos
		l.summary.Lost.add(sum, +1)
	}
	return nil
}

// Elsewhere is what other processes of the ledger can still spend, beyond what is in its sums, in
// billionths of a US dollar.
type Elsewhere struct {
	Asked  int64 // for requests under way, which end by themselves
	Rest   int64 // for what they have asked about before, and may ask about again
	Shards int64 // in shards that they made since the ledger was opened
}

// Elsewhere returns what is known of other processes by now.
func (l *Ledger) Elsewhere() Elsewhere {
	l.mu.Lock()
	defer l.mu.Unlock()
	own, ownRest := l.risks.of(l.options.Run.ID)
	rest := l.risks.rest.Nanos - ownRest.Nanos
	return Elsewhere{Asked: l.risks.all.Nanos - own.Nanos - rest, Rest: rest, Shards: l.shards.foreign}
}

// AtRisk returns what is at risk by this run, and by others that live.
func (l *Ledger) AtRisk() (own, others Exposure) {
	l.mu.Lock()
	defer l.mu.Unlock()
	own, _ = l.risks.of(l.options.Run.ID)
	others = l.risks.all
	others.add(own, -1)
	return own, others
}

// Asked reports whether another living process has a record at risk, as far as known by now: see
// [Ledger.Refresh].
func (l *Ledger) Asked(k Key) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, risky := l.risks.records[k]
	return risky && r.run.id != l.options.Run.ID
}

// RiskTally adds up what is at risk in a ledger that is gone through by [Scan].
type RiskTally struct {
	Since time.Time // from when Risk.Since counts
	known risks
}

// Risk is what is at risk, and what of it has been since RiskTally.Since.
type Risk struct{ All, Since Exposure }

// Add takes an entry in, in the ledger's order.
func (r *RiskTally) Add(e *Entry) {
	s := &r.known
	switch {
	case e.Risk != nil:
		recent := !e.Risk.Time.Before(r.Since)
		for _, a := range e.Risk.Lifted {
			s.lift(e.Risk.Run, a, recent)
		}
		for _, a := range e.Risk.Records {
			s.put(e.Risk.Run, a, false, recent)
		}
	case len(s.records) == 0:
	case e.Result != nil:
		s.end(e.Result.Run, KeyOf(e.Result.ID, &e.Result.Request))
	case e.Failure != nil:
		s.end(e.Failure.Run, KeyOf(e.Failure.ID, &e.Failure.Request))
	}
}

// Sum is what runs of the ledger have at risk that live, and what those had that are gone.
func (r *RiskTally) Sum(path string) (live, lost Risk) {
	for _, run := range r.known.others("") {
		sum := &live
		if isGone(disk.OS{}, path, run.id) {
			sum = &lost
		}
		sum.All.add(run.sum, +1)
		sum.Since.add(run.recent, +1)
	}
	return live, lost
}

// A run that has something at risk holds the lock of the file LEDGER.run-ID from before its first
// risk line until its end. So whoever reads such a line finds out whether the run still lives.

// runLockName is the name of a run's lock. A ledger may have several names, by symbolic links; the
// lock is beside the file itself.
func runLockName(path, run string) string {
	return realPath(path) + ".run-" + run
}

// realPath is the file that links lead to.
func realPath(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

// live takes this run's lock, unless it is held.
func (l *Ledger) live() error {
	if l.alive != nil {
		return nil
	}
	run := l.options.Run.ID
	if !line.ValidRunID(run) {
		return fmt.Errorf("%w: run %q: not an id that a file can be named after", ErrUnwritable, run)
	}
	name := runLockName(l.path, run)
	k, err := disk.TryLockFile(l.options.FS, name)
	if errors.Is(err, disk.ErrNoLocks) {
		_ = l.options.FS.Remove(name) // which nobody else knows of
	}
	if err == nil && k == nil {
		err = errors.New("another process has it")
	}
	if err != nil {
		return fmt.Errorf("locking %s: %w", name, err)
	}
	l.alive = k
	return nil
}

// Lives reports whether the process of a run lives that has something at risk.
func Lives(path, run string) bool { return line.ValidRunID(run) && !isGone(disk.OS{}, path, run) }

// isGone reports whether the process of a run is gone. One that nobody can tell of lives.
func isGone(fsys disk.FS, path, run string) bool { return disk.Abandoned(fsys, runLockName(path, run)) }
