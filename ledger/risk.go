package ledger

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"llmpipe/ledger/disk"
	"llmpipe/ledger/line"
)

// AtRisk is a record that is being asked about, and the most that this can cost.
type AtRisk = line.AtRisk

// Exposure is what requests without a recorded outcome can cost.
type Exposure struct {
	Records int64 // records that were asked about
	Unknown int64 // how many of them have no known price
	Nanos   int64 // billionths of a US dollar, for the others
}

func (e *Exposure) add(o Exposure, sign int64) {
	e.Records += sign * o.Records
	e.Unknown += sign * o.Unknown
	e.Nanos += sign * o.Nanos
}

// risks is what the risk lines of a ledger say that no result, failure or later line has ended yet.
// If several runs had a record at risk, only the last one is found by its key. The others are gone,
// or the record would not have been asked about again; they count in the sums of their runs.
type risks struct {
	records map[Key]riskyRecord
	runs    map[string]*riskyRun
	all     Exposure // of all runs
	rest    Exposure // the part of it with no attempt in flight
}

type riskyRecord struct {
	run    *riskyRun
	nanos  int64
	known  bool
	rests  bool // no attempt is in flight: the amount is what earlier ones may have cost
	recent bool
}

// riskyRun is what one run has at risk. Of the sum, rest is for records with no attempt in flight,
// and recent is since Options.Since.
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

// count adds a record to its run's sums, or subtracts it.
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

// put notes what a run now has at risk for a record.
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

// end notes that a run no longer has anything at risk for a record.
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

// lift notes that a run no longer asks about a record, and what its attempts may have cost.
func (s *risks) lift(run string, a AtRisk, recent bool) {
	if a.Nanos == 0 {
		s.end(run, a.Key)
	} else {
		s.put(run, a, true, recent)
	}
}

// bury removes a run that is gone, and returns what it had at risk.
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

// of returns what a run has at risk, and the part with no attempt in flight.
func (s *risks) of(run string) (sum, rest Exposure) {
	if known := s.runs[run]; known != nil {
		return known.sum, known.rest
	}
	return sum, rest
}

// others returns the runs other than one that have something at risk.
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

// buryGone counts what runs that are gone had at risk as possibly spent. reread indexes what they
// may have written after the ledger was last read.
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

// Elsewhere is what other processes on the ledger can still spend beyond what its sums hold, in
// billionths of a US dollar.
type Elsewhere struct {
	Asked  int64 // for requests in flight, which end by themselves
	Rest   int64 // for records that they have asked about before, and may ask about again
	Shards int64 // in shards that they made since the ledger was opened
}

// Elsewhere returns what is known now of other processes.
func (l *Ledger) Elsewhere() Elsewhere {
	l.mu.Lock()
	defer l.mu.Unlock()
	own, ownRest := l.risks.of(l.options.Run.ID)
	rest := l.risks.rest.Nanos - ownRest.Nanos
	return Elsewhere{Asked: l.risks.all.Nanos - own.Nanos - rest, Rest: rest, Shards: l.shards.foreign}
}

// AtRisk returns what this run has at risk, and what other living runs have.
func (l *Ledger) AtRisk() (own, others Exposure) {
	l.mu.Lock()
	defer l.mu.Unlock()
	own, _ = l.risks.of(l.options.Run.ID)
	others = l.risks.all
	others.add(own, -1)
	return own, others
}

// Asked reports whether another living process has a record at risk, as far as is known now: see
// [Ledger.Refresh].
func (l *Ledger) Asked(k Key) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, risky := l.risks.records[k]
	return risky && r.run.id != l.options.Run.ID
}

// RiskTally adds up what is at risk in a ledger that is read by [Scan].
type RiskTally struct {
	Since time.Time // the time from which Risk.Since counts
	known risks
}

// Risk is what is at risk, and the part of it since RiskTally.Since.
type Risk struct{ All, Since Exposure }

// Add takes an entry. Entries come in the ledger's order.
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

// Sum returns what living runs of the ledger have at risk, and what runs that are gone had.
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
// risk line until its end. So a reader of such a line can tell whether the run still lives.

// runLockName is the name of a run's lock. A ledger may have several names, through symbolic links;
// the lock is next to the file itself.
func runLockName(path, run string) string {
	return realPath(path) + ".run-" + run
}

// realPath is the file that symbolic links lead to.
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
		return fmt.Errorf("%w: run %q: its id cannot be part of a file name", ErrUnwritable, run)
	}
	name := runLockName(l.path, run)
	k, err := disk.TryLockFile(l.options.FS, name)
	if errors.Is(err, disk.ErrNoLocks) {
		_ = l.options.FS.Remove(name) // no other process knows its name
	}
	if err == nil && k == nil {
		err = errors.New("another process holds the lock")
	}
	if err != nil {
		return fmt.Errorf("locking %s: %w", name, err)
	}
	l.alive = k
	return nil
}

// Lives reports whether the process of a run that has something at risk still lives.
func Lives(path, run string) bool { return line.ValidRunID(run) && !isGone(disk.OS{}, path, run) }

// isGone reports whether the process of a run is gone. If that cannot be found out, it counts as
// alive.
func isGone(fsys disk.FS, path, run string) bool { return disk.Abandoned(fsys, runLockName(path, run)) }
