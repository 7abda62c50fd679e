package stream

import (
	"errors"
	"os"
	"strconv"
	"time"

	"llmpipe/ledger/price"
	"llmpipe/stream/provider/share"
	"llmpipe/stream/ui"
)

// notYet is why a run cannot begin now, although the same command may work later.
type notYet struct{ error }

// Unwrap returns the reason.
func (n notYet) Unwrap() error { return n.error }

// simulatedJob is appended to the name of a job whose first provider is simulated in this process,
// because what such a run costs is no money.
const simulatedJob = "~sim"

// joinJob connects to the server of --share.
func (r *run) joinJob() (err error) {
	if r.cfg.Share.Job == "" || r.cfg.DryRun {
		return nil
	}
	if r.hosts[0].Client.Simulated() {
		r.cfg.Share.Job += simulatedJob
	}
	if r.share, err = share.Open(r.flow.Stop.Asking, r.cfg.Share); err == nil {
		r.quota = share.NewQuota(r.share)
		r.cfg.Ledger.Job = r.cfg.Share.Job
		r.takeBudgets()
		return nil
	}
	var t *share.Trouble
	if errors.As(err, &t) {
		err = ui.WithHint(t.Hint, err)
		if t.Passes {
			return notYet{err}
		}
	}
	return err
}

// takeBudgets makes the run keep those budgets of the job that it was not told itself. If it was
// told a budget, and another run was told a lower one, the job keeps the lower one.
func (r *run) takeBudgets() {
	m := &r.cfg.Money
	for i, told := range r.share.Told {
		own, flag := &m.Budget, "--budget"
		if i > 0 {
			own, flag = &m.PerDay, "--budget-per-day"
		}
		if *own == 0 && told > 0 {
			*own = price.Dollars(told)
			r.flow.Voice.Note("--share: the job has %s %s, and this run keeps it", flag, ui.USD(told))
		}
	}
}

// midnight returns when the present day of UTC began. In a job that is by the clock of its server, so
// that a day is over for all processes at once, whatever their own clocks say.
func (r *run) midnight() time.Time {
	var ahead time.Duration
	if r.share != nil {
		ahead = r.share.Ahead
	}
	return r.start.Add(ahead).UTC().Truncate(24 * time.Hour).Add(-ahead)
}

// shareJob begins to share the job's quota and budgets.
func (r *run) shareJob() {
	if r.share == nil {
		return
	}
	id := strconv.FormatInt(r.start.UnixNano(), 36) + "-" + strconv.Itoa(os.Getpid())
	if r.journal != nil {
		id, r.journal.Leave = r.journal.ID, r.share.Close
	}
	r.share.Start(r.account.Share(r.cfg.Share.Job, id, r.share.Ahead, r.cfg.Pace.GiveUp, r.journal), r.quota)
}
