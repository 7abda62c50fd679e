package stream

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"llmpipe/ledger"
	"llmpipe/ledger/price"
	"llmpipe/limiter"
	"llmpipe/stream/provider"
	"llmpipe/stream/record"
	"llmpipe/stream/ui"
)

// account is the one account of a run's money: what is spent and held, what a request can cost at most and what an answer did cost, and who
// is told of it.
type account struct {
	flow     *Flow
	cfg      accountConfig
	total    *limiter.Budget // nil: none
	daily    *limiter.Budget // nil: none
	alerts   *alerts
	prices   []sync.Map // by host: model -> priced
	expected func() (records int64, ok bool)

	outputs outputs
	spent   atomic.Int64 // by this run's attempts, billionths of a dollar
	billed  atomic.Int64 // this run's attempts that cost something
	noBound sync.Once
	dearer  sync.Once
	short   chan struct{} // holds a token when a record waits for money that nothing but batches can give back

	mu        sync.Mutex
	others    int64          // spent by the ledger before this run, and by other processes since
	colour    limiter.Colour // last announced
	downgrade int64          // line of the first record that went to DowngradeTo; 0: none yet
}

// accountConfig says what an account is of.
type accountConfig struct {
	money    MoneyConfig
	start    time.Time
	hosts    []*Host // all that may be asked, in their order
	ledger   string  // its file, for messages; empty for none
	realtime bool    // the run collects no batches
	// expected is how many records the inputs hold by the look of them so far, where that can be told.
	expected func() (records int64, ok bool)
}

// priced is a model's price, if there is one.
type priced struct {
	price.Price
	ok bool
}

// newAccount opens the account over what j says is spent and held; j is nil without a ledger.
func newAccount(f *Flow, c accountConfig, j *journal) *account {
	a := &account{
		flow: f, cfg: c, alerts: newAlerts(f.voice, c.money.Alert), prices: make([]sync.Map, len(c.hosts)), expected: c.expected,
		short: make(chan struct{}, 1),
	}
	a.cfg.money.Prices = c.money.InForce(c.start)
	var today int64
	if j != nil {
		s := j.ledger.Summary()
		a.others, today = s.SpentNanos+s.KeptNanos, s.SpentSince+s.KeptSince
		if a.budgeted() && s.KeptNanos > 0 {
			f.voice.Note("ledger %s: up to %s more counts as spent, for attempts whose cost nobody said", c.ledger, ui.USD(s.KeptNanos))
		}
		if a.budgeted() && s.UnknownCost > 0 {
			f.voice.Warn("ledger %s: what %d of its answers cost is not known, and does not count against the budget", c.ledger, s.UnknownCost)
		}
	}
	if c.money.Budget > 0 {
		a.total = limiter.NewBudget(int64(c.money.Budget), a.others)
		a.colour = a.total.Colour()
	}
	if c.money.PerDay > 0 {
		a.daily = limiter.NewDailyBudget(int64(c.money.PerDay), today, c.start)
	}
	if j != nil && a.budgeted() {
		a.holdPending(j.ledger.Shards())
	}
	return a
}

// holdPending sets aside what batches of earlier runs may still cost. Realtime does not collect them.
func (a *account) holdPending(shards []ledger.Shard) {
	var unknown int64
	for _, s := range shards {
		if !s.Pending() || s.Simulated != a.cfg.hosts[0].client.Simulated() {
			continue
		}
		limiter.HoldAnyway(a.budgets(), s.ReservedNanos)
		if a.cfg.realtime {
			limiter.Leave(a.budgets(), s.ReservedNanos)
		}
		if s.ReservedNanos == 0 {
			unknown += int64(s.Records)
		}
	}
	if unknown > 0 {
		a.flow.voice.Warn("ledger %s: what %s in batches may cost was not reckoned, "+
			"and does not count against the budget before they are collected",
			a.cfg.ledger, ui.Number(unknown, "request"))
	}
}

func (a *account) budgeted() bool { return a.cfg.money.Budget > 0 || a.cfg.money.PerDay > 0 }

// budgets are those that the limiters share.
func (a *account) budgets() []*limiter.Budget {
	var all []*limiter.Budget
	for _, b := range []*limiter.Budget{a.total, a.daily} {
		if b != nil {
			all = append(all, b)
		}
	}
	return all
}

// needMoney says that a record waits for what batches hold.
func (a *account) needMoney() {
	select {
	case a.short <- struct{}{}:
	default:
	}
}

// price returns what a model costs at a host, and says once where that is not known.
func (a *account) price(h *Host, model string) priced {
	known := &a.prices[h.index]
	if p, ok := known.Load(model); ok {
		return p.(priced)
	}
	listed, _, ok := a.cfg.money.Prices.Lookup(h.client.Name(), model)
	p := priced{listed, ok}
	if _, told := known.LoadOrStore(model, p); !told && !ok && !a.budgeted() {
		a.flow.voice.Note("no price is known for %q: its cost_usd is null (--prices FILE adds prices)", model)
	}
	return p
}

// charge is a request whose price is asked for: a body for a model at a host. record says what it
// may bring, and what names it for messages.
type charge struct {
	host   *Host
	model  string
	body   []byte
	record *record.Record
	what   fmt.Stringer
}

// worst is the most that q can cost; 0 without a budget. Without a price a budget cannot hold, and that is an error.
func (a *account) worst(q charge) (int64, error) {
	if !a.budgeted() {
		return 0, nil
	}
	p := a.price(q.host, q.model)
	if !p.ok {
		return 0, ui.WithHint(addPrice,
			fmt.Errorf("%s: no price is known for the model %q, so the budget cannot hold", q.what, q.model))
	}
	return p.WorstCost(int64(len(q.body)), a.worstOutput(q)), nil
}

// worstInBatch is the most that q can cost in a batch. Without a price for that a budget cannot hold, and that is an error.
func (a *account) worstInBatch(q charge) (int64, error) {
	if worst, ok := a.price(q.host, q.model).WorstBatchCost(int64(len(q.body)), a.worstOutput(q)); ok {
		return worst, nil
	}
	return 0, ui.WithHint(addPrice+"; or --mode realtime",
		fmt.Errorf("%s: no batch price is known for the model %q, so the budget cannot hold", q.what, q.model))
}

// worstOutput is the most completion tokens that q can be billed for. Where the request sets no bound it is only likely.
func (a *account) worstOutput(q charge) int64 {
	if q.record.MaxTokens > 0 || q.record.Endpoint == record.Embeddings {
		return int64(q.record.MaxTokens) * int64(q.record.N)
	}
	a.noBound.Do(func() {
		if !a.budgeted() {
			return // batches are reckoned for the runs that are
		}
		a.flow.voice.Warn("%s sets no max_tokens: its worst case is guessed from other answers, so the budget is no guarantee", q.what)
	})
	return a.outputs.likely() * int64(q.record.N)
}

// lower is the cheaper model that r is to go to once the budget is yellow; empty while it is to go where it asks. What it asked for is what
// the ledger knows it by.
func (a *account) lower(r *record.Record, what fmt.Stringer) string {
	to := a.cfg.money.DowngradeTo
	if to == "" || r.Model == to || a.total == nil || a.total.Colour() == limiter.Green || !a.cheaper(to, r, what) {
		return ""
	}
	a.mu.Lock()
	first := a.downgrade == 0
	if first {
		a.downgrade = max(r.Line, 1)
	}
	a.mu.Unlock()
	if first {
		a.flow.voice.Note("from %s on, new requests go to %s", what, to)
	}
	return to
}

// cheaper reports whether a model costs less for r than the one that it names, and says once where it does not.
func (a *account) cheaper(model string, r *record.Record, what fmt.Stringer) bool {
	first := a.cfg.hosts[0]
	from, to := a.price(first, r.Model), a.price(first, model)
	prompt, output := int64(len(r.Body)), max(a.worstOutput(charge{record: r, what: what}), 1)
	if !from.ok || !to.ok || to.WorstCost(prompt, output) < from.WorstCost(prompt, output) {
		return true
	}
	a.dearer.Do(func() {
		a.flow.voice.Warn("--downgrade-to %s costs no less than %s, which goes on", model, r.Model)
	})
	return false
}

// settle works out what an attempt cost that got reply, and counts it; batch says that it is billed at the price of batches. unclear says
// that the provider may charge for it and nobody said how much.
func (a *account) settle(h *Host, model string, reply *provider.Reply, batch bool) (cost int64, known, unclear bool) {
	answer := &reply.Answer
	if !answer.HasUsage {
		// Errors are not billed. An answer is, also one that cannot be read, and so may be a request whose answer never came.
		return 0, false, reply.Sent
	}
	p, used := a.price(h, model), tokens(answer)
	if cost, known = p.Cost(used), p.ok; batch {
		cost, known = p.BatchCost(used)
	}
	if !known {
		return 0, false, false
	}
	a.spent.Add(cost)
	a.billed.Add(1)
	a.outputs.add(answer.Usage.Completion)
	return cost, true, false
}

func tokens(a *record.Answer) price.Tokens {
	return price.Tokens{Prompt: a.Usage.Prompt, Cached: a.Usage.Cached, Completion: a.Usage.Completion}
}

// committed tells the budgets what other processes under the same ledger have spent: all of it less what is known here.
func (a *account) committed(s spent) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if news := s.all - s.own - a.others; news > 0 {
		a.others += news
		for _, b := range a.budgets() {
			b.Spend(news)
		}
	}
}

// watch announces a colour that the budget has turned to, once each.
func (a *account) watch() {
	if a.total == nil {
		return
	}
	now := a.total.Colour()
	a.mu.Lock()
	crossed := now > a.colour
	a.colour = max(a.colour, now)
	a.mu.Unlock()
	if crossed {
		text := fmt.Sprintf("the budget is %s: %s of %s spent, %s answered",
			now, ui.USD(a.total.Spent()), ui.USD(a.total.Limit()), ui.Number(a.flow.counts.ok.Load(), "record"))
		a.flow.voice.Note("%s", text)
		a.alerts.send(a.status(text, now))
	}
}

// stopFor is what the run ends with when a request's worst case does not fit.
func (a *account) stopFor(err error) {
	var over *limiter.OverBudget
	if !errors.As(err, &over) {
		return
	}
	if over.Away > 0 {
		then := "the same command goes on when they are collected"
		if a.cfg.realtime {
			then = "--mode batch collects them, then the same command goes on"
		}
		a.flow.stop.pause(ui.WithHint(then+"; llmpipe batches lists them",
			fmt.Errorf("no room in the budget before batches have ended: "+
				"%s left, %s of it set aside for them, the next request may cost %s", ui.USD(over.Left), ui.USD(over.Away), ui.USD(over.Need))))
		return
	}
	if over.Budget.Daily() {
		a.flow.stop.pause(ui.WithHint("the same command goes on tomorrow (UTC), or with a larger --budget-per-day", err))
		return
	}
	a.flow.stop.overBudget(ui.WithHint("the same command with a larger --budget goes on where it stopped", err))
	a.watch()
}

// downgradedAt is the line of the first record that went to the cheaper model, 0 when none did.
func (a *account) downgradedAt() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.downgrade
}

// standing is what was spent and what may be: of the budget, else of the day's. Without either it is what this run spent.
func (a *account) standing() (spent, budget price.Dollars) {
	b := a.total
	if b == nil {
		b = a.daily
	}
	if b == nil {
		return price.Dollars(a.spent.Load()), 0
	}
	return price.Dollars(b.Spent()), price.Dollars(b.Limit())
}
