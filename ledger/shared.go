package ledger

import (
	"fmt"
	"math"
	"path/filepath"
	"time"

	"llmpipe/ledger/line"
)

// A job shares its budget with other ledgers through a server that may lose everything. So a ledger
// remembers what its runs have seen of the others, and which runs have spent its own money.

// Share, Moment, SharedRun and MaySpend are what a run has seen of its job's money, and when.
type (
	Share     = line.Share
	Moment    = line.Moment
	SharedRun = line.SharedRun
	MaySpend  = line.MaySpend
)

// shared is what the lines say of Options.Job.
type shared struct {
	first string              // the run that began the ledger
	runs  map[string]struct{} // all runs that wrote to it, or to a ledger that was appended to it
	seen  map[string]seenRun
	last  Moment    // of what was seen
	at    time.Time // of last, by the run's clock
}

// seenRun is what was last seen of a run of the job, and when.
type seenRun struct {
	SharedRun
	at time.Time
}

// enterShared puts a run line or a share line into the index. The caller holds mu.
func (l *Ledger) enterShared(v *verified) error {
	s := &l.shared
	if l.options.Job == "" {
		return nil
	}
	if v.head.Kind == line.KindRun {
		var run line.RunInfo
		if run.Decode(v.text) != nil || run.ID == "" {
			return nil // earlier versions read over it
		}
		if s.runs == nil {
			s.first, s.runs = run.ID, make(map[string]struct{})
		}
		s.runs[run.ID] = struct{}{}
		return nil
	}
	var said line.Share
	if said.Decode(v.text) != nil {
		return &DamageError{Path: l.path, Offset: v.at, Err: line.ErrMalformed}
	}
	if said.Job == l.options.Job {
		s.hear(&said)
	}
	return nil
}

// hear takes in a share line. If ledgers were appended to one another, it may be older than what is
// known.
func (s *shared) hear(said *line.Share) {
	if s.seen == nil {
		s.seen = make(map[string]seenRun)
	}
	if !said.Time.Before(s.at) {
		s.at, s.last = said.Time, said.Moment
	}
	for _, run := range said.Gone {
		if !s.seen[run].at.After(said.Time) {
			delete(s.seen, run)
		}
	}
	for _, r := range said.Runs {
		if !s.seen[r.Run].at.After(said.Time) {
			s.seen[r.Run] = seenRun{r, said.Time}
		}
	}
}

// FirstRun returns the id of the run that began the ledger, or the first ledger in it. It is empty
// if there is none, or without Options.Job.
func (l *Ledger) FirstRun() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.shared.first
}

// File returns the path of the ledger's file: absolute, with symbolic links resolved.
func (l *Ledger) File() string {
	path := realPath(l.path)
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	return path
}

// HasRun reports whether a run wrote to the ledger, or to one that was appended to it. It needs
// Options.Job.
func (l *Ledger) HasRun(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, has := l.shared.runs[id]
	return has
}

// RunIsGone reports whether the process of another run on this ledger's file is gone.
func (l *Ledger) RunIsGone(id string) bool {
	return line.ValidRunID(id) && id != l.options.Run.ID && isGone(l.options.FS, l.path, id)
}

// Seen returns what was last seen of Options.Job, and at which moment of its server.
func (l *Ledger) Seen() (last Moment, runs []SharedRun) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.shared.seen {
		runs = append(runs, r.SharedRun)
	}
	return l.shared.last, runs
}

// Join makes this run visible to others as alive, as long as it lives, so that its ledger may
// borrow money from a job. Call it after [Ledger.Prepare]. An error is a *[WriteError].
func (l *Ledger) Join() error { return l.unsynced(l.live) }

// See records what was seen of the job. The line is not synced: if the process dies, the kernel
// still writes it. An error is a *[WriteError].
func (l *Ledger) See(s *Share) error {
	return l.unsynced(func() error {
		l.inHand.leaveFor(0)
		_, err := l.append(func() (err error) {
			l.out, err = line.AppendShare(l.appendRun(l.out[:0]), s)
			return err
		}, 0)
		if err != nil {
			return fmt.Errorf("recording the state of the shared job: %w", err)
		}
		l.announced = true
		return nil
	})
}

// Borrow limits what may be spent and at risk to what lent returns, whatever bounds claims and
// intents come with. lent is called under the lock that other processes wait for, after this day's
// spending is counted. A bound of [NoBound] is no limit. Call Borrow before the first claim.
func (l *Ledger) Borrow(lent func() Bounds) { l.lent = lent }

// NoBound stands for no limit on what is lent.
const NoBound = math.MaxInt64

// within returns b, lowered to what is lent.
func (l *Ledger) within(b Bounds) Bounds {
	if l.lent == nil {
		return b
	}
	lower := func(bound *int64, lent int64) {
		if lent != NoBound && (*bound == 0 || lent < *bound) {
			*bound = max(lent, 1) // 0 would be none
		}
	}
	lent := l.lent()
	lower(&b.Total, lent.Total)
	lower(&b.Daily, lent.Daily)
	return b
}

// Sum is the part of a ledger that counts against a budget, in billionths of a US dollar.
type Sum struct {
	Spent int64 // settled, or possibly spent
	Kept  int64 // with what is set aside for longer: for shards, and for records that may be asked again
	Most  int64 // with all that is at risk
}

// Sums returns the sums of the whole ledger, and those since Options.Since; what is at risk counts
// in both. No claim is in progress while they are taken. So if lent bounds are lowered before the
// call, every claim that could still exceed them is in the sums.
func (l *Ledger) Sums() (total, today Sum) {
	l.committing.Lock()
	defer l.committing.Unlock()
	l.renew(time.Now())
	l.mu.Lock()
	defer l.mu.Unlock()
	s, shards := &l.summary, l.shards.reserved
	sum := func(spent int64) Sum {
		return Sum{Spent: spent, Kept: spent + shards + l.risks.rest.Nanos, Most: spent + shards + l.risks.all.Nanos}
	}
	return sum(s.SpentNanos + s.KeptNanos), sum(s.SpentSince + s.KeptSince)
}
