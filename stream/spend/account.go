package spend

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"llmpipe/ledger"
	"llmpipe/ledger/price"
	"llmpipe/limiter"
	"llmpipe/stream/flow"
	"llmpipe/stream/journal"
	"llmpipe/stream/provider/share"
	"llmpipe/stream/ui"
)

// Account is the one account of a run's money. It knows what is spent and held, the most that a
// request can cost and what an answer did cost, and it sends the alerts.
type Account struct {
	flow     *flow.Flow
	cfg      Options
	total    *limiter.Budget             // nil: none
	daily    *limiter.Budget             // nil: none
	leases   [share.Budgets]*share.Lease // of total and daily; nil: the whole budget is this run's
	alerts   *alerts
	prices   prices
	expected func() (records int64, ok bool)

	recorded bool // there is a ledger, which is told what is at risk

	outputs  outputs
	rounded  rounding
	overruns overruns
	spent    atomic.Int64 // by this run's attempts, billionths of a dollar
	billed   atomic.Int64 // this run's attempts that cost something
	booked   atomic.Int64 // for what was committed, billionths of a dollar
	unknown  atomic.Int64 // committed answers whose cost is not known

	rehearsed rehearsed
	noBound   sync.Once
	dearer    sync.Once
	partial   sync.Once
	Short     chan struct{} // holds a token when a record waits for money that only batches can give back

	mu        sync.Mutex
	others    int64          // spent by the ledger before this run, and by other processes since
	resting   int64          // set aside by other processes for records that they may ask about again
	colour    limiter.Colour // last announced
	downgrade int64          // line of the first record that went to DowngradeTo; 0: none yet
}

// Options says what an account is opened with.
type Options struct {
	Money    Config
	Start    time.Time
	Midnight time.Time    // when the day of the daily budget began; the next begins 24 hours later
	Hosts    []*flow.Host // every host that may be asked, in order of preference
	Ledger   string       // its file, for messages; empty for none
	Realtime bool         // the run collects no batches
	// Expected estimates how many records the inputs hold; ok is false if their size does not tell.
	Expected func() (records int64, ok bool)
}

// New opens the account with what j says is spent and held. j is nil if there is no ledger.
func New(f *flow.Flow, c Options, j *journal.Journal) *Account {
	a := &Account{
		flow: f, cfg: c, alerts: newAlerts(f.Voice, c.Money.Alert), expected: c.Expected,
		Short: make(chan struct{}, 1),
	}
	a.prices = prices{table: c.Money.InForce(c.Start), given: c.Money.Prices != nil, known: make([]sync.Map, len(c.Hosts))}
	c.Money.NoteOlder(f.Voice)
	var today int64
	if j != nil {
		s := j.Ledger.Summary()
		a.others, today = s.SpentNanos+s.KeptNanos, s.SpentSince+s.KeptSince
		a.rehearsed.before = s.Simulated
		if a.Budgeted() && s.KeptNanos > 0 {
			f.Voice.Note("ledger %s: up to %s more counts as spent%s, for attempts whose cost was not reported", c.Ledger,
				ui.USD(s.KeptNanos), a.mark())
		}
		if a.Budgeted() && s.UnknownCost > 0 {
			f.Voice.Warn("ledger %s: the cost of %d of its answers is unknown, and does not count against the budget", c.Ledger, s.UnknownCost)
		}
	}
	if c.Money.Budget > 0 {
		a.total = limiter.NewBudget(int64(c.Money.Budget), a.others)
		a.colour = a.total.Colour()
	}
	if c.Money.PerDay > 0 {
		a.daily = limiter.NewDailyBudget(int64(c.Money.PerDay), today, c.Midnight)
	}
	if j != nil {
		j.Bounds = ledger.Bounds{Total: int64(c.Money.Budget), Daily: int64(c.Money.PerDay)}
		a.recorded = true
	}
	if j != nil && a.Budgeted() {
		a.holdPending(j.Ledger.Shards())
		a.Committed(j.Spent())
	}
	return a
}

// holdPending sets aside what batches of earlier runs may still cost. A realtime run does not
// collect them, and so does not wait for their money.
func (a *Account) holdPending(shards []ledger.Shard) {
	var unknown int64
	for _, s := range shards {
		if !s.Pending() || s.Simulated != a.cfg.Hosts[0].Client.Simulated() {
			continue
		}
		limiter.HoldAnyway(a.Budgets(), s.ReservedNanos)
		if a.cfg.Realtime {
			limiter.Leave(a.Budgets(), s.ReservedNanos)
		}
		if s.ReservedNanos == 0 {
			unknown += int64(s.Records)
		}
	}
	if unknown > 0 {
		a.flow.Voice.Warn("ledger %s: the cost of %s in batches is unknown, "+
			"and does not count against the budget until they are collected",
			a.cfg.Ledger, ui.Number(unknown, "request"))
	}
}

// Budgeted reports whether there is a bound on what may be spent.
func (a *Account) Budgeted() bool { return a.cfg.Money.Budget > 0 || a.cfg.Money.PerDay > 0 }

// Budgets returns the budgets that the limiters share.
func (a *Account) Budgets() []*limiter.Budget {
	var all []*limiter.Budget
	for _, b := range []*limiter.Budget{a.total, a.daily} {
		if b != nil {
			all = append(all, b)
		}
	}
	return all
}

// NeedMoney tells the batches that a record waits for money that they hold.
func (a *Account) NeedMoney() {
	select {
	case a.Short <- struct{}{}:
	default:
	}
}

// Book counts, for the summary, what a committed record cost in this run.
func (a *Account) Book(t *flow.Task, known bool) {
	a.booked.Add(t.Cost)
	if t.Simulated() {
		a.rehearsed.booked.Add(t.Cost)
	}
	if !known {
		a.unknown.Add(1)
	}
}

// Bill sets the costs in s, and the line from which records went to a cheaper model.
func (a *Account) Bill(s *ui.Summary) {
	if a.unknown.Load() == 0 {
		cost := price.Dollars(a.booked.Load())
		s.CostUSD = &cost
	}
	s.Rehearsal, s.SimulatedUSD = a.rehearses(), price.Dollars(a.rehearsed.booked.Load())
	s.DowngradedAt = a.downgradedAt()
}

// Committed tells the budgets what other processes of the same ledger have spent: the ledger's
// total, less this run's own spending and what is counted already. It also tells the budgets what
// those processes may still spend.
func (a *Account) Committed(s journal.Spent) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.resting = s.Elsewhere.Rest
	news := max(0, s.All-s.Own-a.others)
	a.others += news
	for _, b := range a.Budgets() {
		if news > 0 {
			b.Spend(news)
		}
		b.Others(s.Elsewhere.Asked, s.Elsewhere.Rest+s.Elsewhere.Shards)
	}
}

// Shared reports whether other processes hold a part of a budget. If so, the budgets must be told
// what those processes do.
func (a *Account) Shared() bool {
	for _, b := range a.Budgets() {
		if b.Shared() {
			return true
		}
	}
	return false
}

// NoRoom returns why a request of that cost cannot be sent although this run has the money: the
// ledger as a whole has not. It returns nil if work under way, here or elsewhere, may make room, or
// if more of the job's budget may be lent.
func (a *Account) NoRoom(r ledger.Room, cost int64) error {
	none := a.lend(r.Daily, cost)
	if a.Lends() {
		return nil
	}
	if r.Own+r.Others > 0 || cost <= r.Left-r.Shards {
		return nil
	}
	for _, b := range a.Budgets() {
		if b.Held() { // by batches of this run
			a.NeedMoney()
			return nil
		}
	}
	over := &limiter.OverBudget{Budget: a.total, Left: r.Left, Need: cost}
	if r.Daily {
		over.Budget = a.daily
	}
	if none != nil {
		none.Budget = over.Budget
		return none
	}
	if cost <= r.Left {
		over.Away = r.Shards
	}
	return over
}

// Watch announces once each colour that the budget turns to.
func (a *Account) Watch() {
	if a.total == nil {
		return
	}
	now := a.total.Colour()
	a.mu.Lock()
	crossed := now > a.colour
	a.colour = max(a.colour, now)
	a.mu.Unlock()
	if crossed {
		text := fmt.Sprintf("the budget is %s: %s of %s spent%s, %s answered",
			now, ui.USD(a.total.Spent()), ui.USD(a.total.Limit()), a.markOf(a.total.Spent()), ui.Number(a.flow.Counts.OK.Load(), "record"))
		a.flow.Voice.Note("%s", text)
		a.alerts.send(a.status(text, now))
	}
}

// StopFor ends the run because a request's worst case does not fit the budget.
func (a *Account) StopFor(err error) {
	var over *limiter.OverBudget
	if !errors.As(err, &over) {
		return
	}
	if over.Lent {
		a.flow.Stop.Pause(ui.WithHint("first run the commands again that were killed or have batches to collect, then this one: "+
			"what other ledgers hold counts as spent until then",
			fmt.Errorf("no room in the job's budget: %s left, %s of it held by ledgers of other runs, the next request may cost %s",
				ui.USD(over.Left), ui.USD(over.Away), ui.USD(over.Need))))
		return
	}
	if over.Away > 0 && over.Away <= a.atRest() {
		a.flow.Stop.Pause(ui.WithHint("run the same command again when they have their answers, or with a larger budget",
			fmt.Errorf("no room in the budget beside other processes that use the ledger: "+
				"%s left, %s of it set aside for requests that they send again, the next request may cost %s%s",
				ui.USD(over.Left), ui.USD(over.Away), ui.USD(over.Need), a.mark())))
		return
	}
	if over.Away > 0 {
		then := "run the same command again when they are collected"
		if a.cfg.Realtime {
			then = "collect them with --mode batch, then run the same command again"
		}
		a.flow.Stop.Pause(ui.WithHint(then+"; llmpipe batches lists them",
			fmt.Errorf("no room in the budget until batches have ended: "+
				"%s left, %s of it set aside for them, the next request may cost %s%s",
				ui.USD(over.Left), ui.USD(over.Away), ui.USD(over.Need), a.mark())))
		return
	}
	err = fmt.Errorf("%w%s", err, a.mark())
	if over.Budget.Daily() {
		a.flow.Stop.Pause(ui.WithHint("run the same command again tomorrow (UTC), or with a larger --budget-per-day", err))
		return
	}
	a.flow.Stop.OverBudget(ui.WithHint("run the same command again with a larger --budget: it continues where it stopped", err))
	a.Watch()
}

// atRest is what other processes have set aside for records that they may ask about again.
func (a *Account) atRest() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.resting
}

// downgradedAt is the line of the first record that went to the cheaper model, 0 if none did.
func (a *Account) downgradedAt() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.downgrade
}

// Standing returns what was spent of the budget, how much of that is simulated, and the budget
// itself. If there is only a daily budget, it returns that one's numbers. If there is neither, it
// returns what this run spent, and 0 for the budget.
func (a *Account) Standing() (spent, simulated, budget price.Dollars) {
	b := a.total
	if b == nil {
		b = a.daily
	}
	if b == nil {
		return price.Dollars(a.spent.Load()), price.Dollars(a.rehearsed.spent.Load()), 0
	}
	return price.Dollars(b.Spent()), price.Dollars(a.simulatedOf(b.Spent())), price.Dollars(b.Limit())
}
