package spend

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"llmpipe/ledger"
	"llmpipe/limiter"
	"llmpipe/stream/journal"
	"llmpipe/stream/provider/share"
	"llmpipe/stream/ui"
)

// shared is the run's money as a part of its job's: the budgets are the job's, and a part of them
// is lent to this run. It implements [share.Account].
type shared struct {
	account *Account
	journal *journal.Journal // nil without a ledger
	run     string
	job     string
	giveUp  time.Duration

	name atomic.Pointer[string] // of the ledger, to the job
	away bool
}

// Share makes the account take its money from a job's budgets, and returns the [share.Money] that
// borrows it. run is this run's id. ahead is how far the job's clock is ahead of this one. giveUp is
// how long the run waits for a server that does not answer.
func (a *Account) Share(job, run string, ahead, giveUp time.Duration, j *journal.Journal) *share.Money {
	s := &shared{account: a, journal: j, run: run, job: job, giveUp: giveUp}
	begins := share.Beginning{Now: time.Now(), Ahead: ahead}
	if j != nil {
		last, runs := j.Ledger.Seen()
		begins.At = share.Moment{Epoch: last.Epoch, Version: last.Version}
		for _, r := range runs {
			begins.Seen = append(begins.Seen, share.Run{
				ID: r.Run, Ledger: r.Ledger, Day: r.Day,
				Spent: [share.Budgets]int64{r.Total.Spent, r.Today.Spent}, Most: [share.Budgets]int64{r.Total.Most, r.Today.Most},
			})
		}
	}
	told := [share.Budgets]int64{int64(a.cfg.Money.Budget), int64(a.cfg.Money.PerDay)}
	money := share.NewMoney(run, told, s, begins)
	for i, b := range s.budgets() {
		if b != nil {
			a.leases[i] = money.Lease(i)
			b.Borrow(money.Lease(i))
		}
	}
	if j != nil {
		j.Ledger.Borrow(a.lent)
	}
	return money
}

// budgets returns the budgets that a job may have; an element is nil if the run has no such budget.
func (s *shared) budgets() [share.Budgets]*limiter.Budget {
	return [share.Budgets]*limiter.Budget{s.account.total, s.account.daily}
}

// lent returns what the ledger may spend of what is lent to this run.
func (a *Account) lent() ledger.Bounds {
	bounds := [share.Budgets]int64{ledger.NoBound, ledger.NoBound}
	for i, l := range a.leases {
		if l != nil {
			bounds[i] = l.Most(time.Now())
		}
	}
	return ledger.Bounds{Total: bounds[0], Daily: bounds[1]}
}

// Ledger implements [share.Account]. A ledger's name is made of its machine, its file and the run
// that began it. A copy with another machine or file is therefore another ledger.
func (s *shared) Ledger() string {
	if name := s.name.Load(); name != nil {
		return *name
	}
	if s.journal == nil {
		s.name.Store(&s.run)
		return s.run
	}
	if !s.journal.Prepared() {
		return ""
	}
	host, _ := os.Hostname() // an empty name will do
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s", host, s.journal.Ledger.File(), s.journal.Ledger.FirstRun()))
	name := hex.EncodeToString(sum[:8])
	s.name.Store(&name)
	return name
}

// Sums implements [share.Account]. Only the budgets know what is held for batches that are not
// submitted yet, and only the ledger knows what is claimed ahead: each number is the larger of the
// two.
func (s *shared) Sums(now time.Time) [share.Budgets]share.Sum {
	var sums [share.Budgets]share.Sum
	if s.journal != nil {
		total, today := s.journal.Ledger.Sums()
		for i, sum := range []ledger.Sum{total, today} {
			sums[i] = share.Sum{Spent: sum.Spent, Kept: sum.Kept, Most: sum.Most}
		}
	}
	for i, b := range s.budgets() {
		if b == nil && s.journal == nil {
			spent := s.account.spent.Load()
			sums[i] = share.Sum{Spent: spent, Kept: spent, Most: spent}
		}
		if b != nil {
			spent, kept, most := b.Borrowed(now)
			sums[i] = share.Sum{Spent: max(spent, sums[i].Spent), Kept: max(kept, sums[i].Kept), Most: max(most, sums[i].Most)}
		}
	}
	return sums
}

// Mine implements [share.Account].
func (s *shared) Mine(run string) bool {
	return run == s.run || s.journal != nil && s.journal.Ledger.HasRun(run)
}

// Gone implements [share.Account].
func (s *shared) Gone(run string) bool {
	return s.journal != nil && s.journal.Ledger.RunIsGone(run)
}

// See implements [share.Account].
func (s *shared) See(at share.Moment, runs []share.Run, gone []string) error {
	if s.journal == nil {
		return nil
	}
	l := ledger.Share{Job: s.job, Moment: ledger.Moment{Epoch: at.Epoch, Version: at.Version}, Time: time.Now(), Gone: gone}
	for _, r := range runs {
		l.Runs = append(l.Runs, ledger.SharedRun{
			Run: r.ID, Ledger: r.Ledger, Day: r.Day,
			Total: ledger.MaySpend{Spent: r.Spent[0], Most: r.Most[0]}, Today: ledger.MaySpend{Spent: r.Spent[1], Most: r.Most[1]},
		})
	}
	err := s.journal.Ledger.See(&l)
	if err != nil {
		s.account.flow.Stop.Fail(s.journal.HintAtWrite(err, journal.MakeRoom))
	}
	return err
}

// Lent implements [share.Account].
func (s *shared) Lent(budget int, beside, limit int64) {
	if b := s.budgets()[budget]; b != nil {
		b.Lent(beside, limit)
	}
	if s.journal != nil {
		s.journal.Change()
	}
	s.account.Watch()
}

// Bounded implements [share.Account]. What this run sends was never reckoned, so it cannot keep a
// budget from now on; it can when it begins again.
func (s *shared) Bounded(budget int, limit int64) {
	flag := [share.Budgets]string{"--budget", "--budget-per-day"}[budget]
	s.account.flow.Stop.Pause(ui.WithHint("run the same command again: it continues, and keeps that budget",
		fmt.Errorf("--share: another run of the job has %s %s, and this one began without", flag, ui.USD(limit))))
}

// Away implements [share.Account].
func (s *shared) Away(err error, since time.Time, waits bool) {
	stop := s.account.flow.Stop
	switch {
	case waits && time.Since(since) >= s.giveUp:
		stop.Pause(ui.WithHint("run the same command again when the server answers again",
			fmt.Errorf("%w, for %s, and the part of the budget that it lent to this run is spent", err, s.giveUp)))
	case !s.away && time.Since(since) > sayAway:
		s.away = true
		s.account.flow.Voice.Warn("%v", err)
		var t *share.Trouble
		if errors.As(err, &t) && t.Hint != "" {
			s.account.flow.Voice.Hint("%s", t.Hint)
		}
		s.account.flow.Voice.Note("this run continues with the part of the budget that it has borrowed, then waits at most %s (--give-up)",
			s.giveUp)
	}
}

// sayAway is how long a server may be silent before the user is told.
const sayAway = 3 * time.Second

// Back implements [share.Account].
func (s *shared) Back() {
	if s.away {
		s.away = false
		s.account.flow.Voice.Note("--share: the server answers again")
	}
}

// lend asks the job to lend room for a request of that cost, in the total or the daily budget, and
// returns why there will be none. It returns nil if that budget is not the job's.
func (a *Account) lend(daily bool, cost int64) *limiter.OverBudget {
	l := a.leases[0]
	if daily {
		l = a.leases[1]
	}
	if l == nil {
		return nil
	}
	return l.Want(cost)
}

// LendsSoon reports whether this run will be lent more of a budget as soon as the others know of
// it.
func (a *Account) LendsSoon() bool {
	return slices.ContainsFunc(a.leases[:], func(l *share.Lease) bool { return l != nil && l.Rises() })
}

// Lends reports whether this run asked for more of a budget, and may still be lent it.
func (a *Account) Lends() bool {
	return slices.ContainsFunc(a.leases[:], func(l *share.Lease) bool { return l != nil && l.Waits() })
}
