package stream

import (
	"errors"
	"fmt"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"

	"llmpipe/ledger/price"
	"llmpipe/limiter"
	"llmpipe/stream/record"
	"llmpipe/stream/ui"
)

// MoneyConfig says what answers cost and what may be spent.
type MoneyConfig struct {
	// Prices are the prices in force; nil stands for the table that is built in.
	Prices *price.Table
	// Budget is the most that everything in the ledger may cost, PerDay the most since 00:00 UTC; 0 for no such bound.
	Budget, PerDay price.Dollars
	// DowngradeTo is the model that new requests go to once four fifths of Budget are spent; empty for none.
	DowngradeTo string
	// Alert is told of each crossing: a URL, or exec: and a command; empty for nobody.
	Alert string
}

// InForce are those in force on a day.
func (c *MoneyConfig) InForce(day time.Time) *price.Table {
	if c.Prices != nil {
		return c.Prices
	}
	return price.Default(day)
}

// CheckDowngrade refuses a cheaper model without a price at the named provider before anything is paid for the dear one.
func (c *MoneyConfig) CheckDowngrade(provider string) error {
	if c.DowngradeTo == "" {
		return nil
	}
	if _, _, ok := c.InForce(time.Now()).Lookup(provider, c.DowngradeTo); !ok {
		return ui.WithHint(addPrice, fmt.Errorf("--downgrade-to: no price is known for the model %q, so the budget cannot hold", c.DowngradeTo))
	}
	return nil
}

// addPrice is what to do about a price that is not known.
const addPrice = "--prices FILE adds it, in the format of LiteLLM or genai-prices; llmpipe models lists those that are known"

// money is what a run knows of prices, and holds back by budgets.
type money struct {
	*run
	c      MoneyConfig
	total  *limiter.Budget // nil: none
	daily  *limiter.Budget // nil: none
	alerts *alerts

	outputs  outputs
	spent    atomic.Int64 // by this run's attempts, billionths of a dollar
	billed   atomic.Int64 // this run's attempts that cost something
	noBound  sync.Once
	dearer   sync.Once
	recorded int64 // spent by what this run committed; see committed
	base     int64 // spent by the ledger before this run, and by other processes since; see committed

	mu        sync.Mutex
	colour    limiter.Colour // last announced
	downgrade int64          // line of the first record that went to DowngradeTo; 0: none yet
}

// priced is a model's price, if there is one.
type priced struct {
	price.Price
	ok bool
}

func newMoney(r *run, j *journal) *money {
	m := &money{run: r, c: r.cfg.Money, alerts: newAlerts(r)}
	m.c.Prices = m.c.InForce(r.start)
	var today int64
	if j != nil {
		s := j.Summary()
		m.base, today = s.SpentNanos+s.KeptNanos, s.SpentSince+s.KeptSince
		if m.budgeted() && s.KeptNanos > 0 {
			r.voice.Note("ledger %s: up to %s more counts as spent, for attempts whose cost nobody said", r.cfg.Ledger.Path, ui.USD(s.KeptNanos))
		}
		if m.budgeted() && s.UnknownCost > 0 {
			r.voice.Warn("ledger %s: what %d of its answers cost is not known, and does not count against the budget",
				r.cfg.Ledger.Path, s.UnknownCost)
		}
	}
	if m.c.Budget > 0 {
		m.total = limiter.NewBudget(int64(m.c.Budget), m.base)
		m.colour = m.total.Colour()
	}
	if m.c.PerDay > 0 {
		m.daily = limiter.NewDailyBudget(int64(m.c.PerDay), today, r.start)
	}
	if j != nil && m.budgeted() {
		m.holdPending(j)
	}
	return m
}

// holdPending sets aside what batches of earlier runs may still cost. Realtime does not collect them.
func (m *money) holdPending(j *journal) {
	var unknown int64
	for _, s := range j.Shards() {
		if !s.Pending() || s.Simulated != m.router.lanes[0].client.Simulated() {
			continue
		}
		limiter.HoldAnyway(m.budgets(), s.ReservedNanos)
		if m.cfg.Batch.Mode == ModeRealtime {
			limiter.Leave(m.budgets(), s.ReservedNanos)
		}
		if s.ReservedNanos == 0 {
			unknown += int64(s.Records)
		}
	}
	if unknown > 0 {
		m.voice.Warn("ledger %s: what %s in batches may cost was not reckoned, and does not count against the budget before they are collected",
			m.cfg.Ledger.Path, ui.Number(unknown, "request"))
	}
}

func (m *money) budgeted() bool { return m.c.Budget > 0 || m.c.PerDay > 0 }

// budgets are those that the limiters share.
func (m *money) budgets() []*limiter.Budget {
	var all []*limiter.Budget
	for _, b := range []*limiter.Budget{m.total, m.daily} {
		if b != nil {
			all = append(all, b)
		}
	}
	return all
}

// price returns what a model costs in a lane, and says once where that is not known.
func (m *money) price(l *lane, model string) priced {
	if p, ok := l.prices.Load(model); ok {
		return p.(priced)
	}
	listed, _, ok := m.c.Prices.Lookup(l.client.Name(), model)
	p := priced{listed, ok}
	if _, told := l.prices.LoadOrStore(model, p); !told && !ok && !m.budgeted() {
		m.voice.Note("no price is known for %q: its cost_usd is null (--prices FILE adds prices)", model)
	}
	return p
}

// admit gives t, dressed for its lane, the most that its next attempt can cost. Without a price a budget cannot hold, and that is an
// error.
func (m *money) admit(t *Task) error {
	if !m.budgeted() {
		return nil
	}
	p := m.price(t.lane, t.sendModel)
	if !p.ok {
		return ui.WithHint(addPrice,
			fmt.Errorf("%s: no price is known for the model %q, so the budget cannot hold", t.title(), t.sendModel))
	}
	t.worst = p.WorstCost(int64(len(t.sendBody)), m.worstOutput(t))
	return nil
}

// lower moves t to the cheaper model once the budget is yellow. What it asked for is what the ledger knows it by.
func (m *money) lower(t *Task) {
	to := m.c.DowngradeTo
	if to == "" || t.Model == to || m.total == nil || m.total.Colour() == limiter.Green || !m.cheaper(to, t) {
		return
	}
	t.lowered = to
	m.mu.Lock()
	first := m.downgrade == 0
	if first {
		m.downgrade = max(t.Line, 1)
	}
	m.mu.Unlock()
	if first {
		m.voice.Note("from %s on, new requests go to %s", t.title(), to)
	}
}

// cheaper reports whether a model costs less for t's request than the one that it names, and says once where it does not.
func (m *money) cheaper(model string, t *Task) bool {
	first := m.router.lanes[0]
	from, to := m.price(first, t.Model), m.price(first, model)
	prompt, output := int64(len(t.Body)), max(m.worstOutput(t), 1)
	if !from.ok || !to.ok || to.WorstCost(prompt, output) < from.WorstCost(prompt, output) {
		return true
	}
	m.dearer.Do(func() { m.voice.Warn("--downgrade-to %s costs no less than %s, which goes on", model, t.Model) })
	return false
}

// worstOutput is the most completion tokens that t can be billed for. Where the request sets no bound it is only likely.
func (m *money) worstOutput(t *Task) int64 {
	if t.MaxTokens > 0 || t.Endpoint == record.Embeddings {
		return int64(t.MaxTokens) * int64(t.N)
	}
	m.noBound.Do(func() {
		if !m.budgeted() {
			return // batches are reckoned for the runs that are
		}
		m.voice.Warn("%s sets no max_tokens: its worst case is guessed from other answers, so the budget is no guarantee", t.title())
	})
	return m.outputs.likely() * int64(t.N)
}

// settle works out what t's last attempt cost. unclear says that the provider may charge for it and nobody said how much.
func (m *money) settle(t *Task) (cost int64, unclear bool) {
	a := &t.Reply.Answer
	if !a.HasUsage {
		t.CostKnown = false
		// Errors are not billed. An answer is, also one that cannot be read, and so may be a request whose answer never came.
		if t.Reply.Sent {
			t.mayCost += t.worst
		}
		return 0, t.Reply.Sent
	}
	p := m.price(t.lane, t.sendModel)
	if t.CostKnown = p.ok; !p.ok {
		return 0, false
	}
	cost = p.Cost(tokens(a))
	m.bill(t, cost)
	return cost, false
}

func tokens(a *record.Answer) price.Tokens {
	return price.Tokens{Prompt: a.Usage.Prompt, Cached: a.Usage.Cached, Completion: a.Usage.Completion}
}

// bill counts what an attempt at t cost.
func (m *money) bill(t *Task, cost int64) {
	t.Cost += cost
	m.spent.Add(cost)
	m.billed.Add(1)
	m.outputs.add(t.Reply.Answer.Usage.Completion)
}

// settleInBatch works out what t's request in a batch cost. The budgets learn it with the rest of its shard.
func (m *money) settleInBatch(t *Task) {
	a := &t.Reply.Answer
	if !a.HasUsage {
		t.CostKnown = false
		return
	}
	var cost int64
	if cost, t.CostKnown = m.price(t.lane, t.sendModel).BatchCost(tokens(a)); t.CostKnown {
		m.bill(t, cost)
	}
}

// worstInBatch is the most that t's request can cost in a batch. Without a price for that a budget cannot hold, and that is an error.
func (m *money) worstInBatch(t *Task) (int64, error) {
	if worst, ok := m.price(t.lane, t.sendModel).WorstBatchCost(int64(len(t.sendBody)), m.worstOutput(t)); ok {
		return worst, nil
	}
	return 0, ui.WithHint(addPrice+"; or --mode realtime",
		fmt.Errorf("%s: no batch price is known for the model %q, so the budget cannot hold", t.title(), t.sendModel))
}

// committed tells the budgets what other processes under the same ledger have spent: its sum less what is known here. It is called by one
// goroutine at a time.
func (m *money) committed(own, sum int64) {
	m.recorded += own
	if others := sum - m.base - m.recorded; others > 0 {
		m.base += others
		for _, b := range m.budgets() {
			b.Spend(others)
		}
	}
}

// watch announces a colour that the budget has turned to, once each.
func (m *money) watch() {
	if m.total == nil {
		return
	}
	now := m.total.Colour()
	m.mu.Lock()
	crossed := now > m.colour
	m.colour = max(m.colour, now)
	m.mu.Unlock()
	if crossed {
		text := fmt.Sprintf("the budget is %s: %s of %s spent, %s answered",
			now, ui.USD(m.total.Spent()), ui.USD(m.total.Limit()), ui.Number(m.counts.ok.Load(), "record"))
		m.voice.Note("%s", text)
		m.alerts.send(m.status(text, now))
	}
}

// stopFor is what the run ends with when a request's worst case does not fit.
func (m *money) stopFor(err error) {
	var over *limiter.OverBudget
	if !errors.As(err, &over) {
		return
	}
	if over.Away > 0 {
		then := "the same command goes on when they are collected"
		if m.cfg.Batch.Mode == ModeRealtime {
			then = "--mode batch collects them, then the same command goes on"
		}
		m.stop.pause(ui.WithHint(then+"; llmpipe batches lists them", fmt.Errorf("no room in the budget before batches have ended: "+
			"%s left, %s of it set aside for them, the next request may cost %s", ui.USD(over.Left), ui.USD(over.Away), ui.USD(over.Need))))
		return
	}
	if over.Budget.Daily() {
		m.stop.pause(ui.WithHint("the same command goes on tomorrow (UTC), or with a larger --budget-per-day", err))
		return
	}
	m.stop.overBudget(ui.WithHint("the same command with a larger --budget goes on where it stopped", err))
	m.watch()
}

// downgradedAt is the line of the first record that went to the cheaper model, 0 when none did.
func (m *money) downgradedAt() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.downgrade
}

// standing is what was spent and what may be: of the budget, else of the day's. Without either it is what this run spent.
func (m *money) standing() (spent, budget price.Dollars) {
	b := m.total
	if b == nil {
		b = m.daily
	}
	if b == nil {
		return price.Dollars(m.spent.Load()), 0
	}
	return price.Dollars(b.Spent()), price.Dollars(b.Limit())
}

// expected is how many records the inputs hold by the look of them so far, where their size tells.
func (r *run) expected() (int64, bool) {
	share, ok := r.source.share()
	if !ok || share == 0 || r.cfg.Limit > 0 || r.cfg.Sample > 0 {
		return 0, false
	}
	return int64(float64(r.counts.in.Load()) / share), true
}

// outputs remembers how long completions are, in classes that double.
type outputs struct {
	classes [40]atomic.Int64
	n       atomic.Int64
}

// The output assumed of a request without max_tokens until enough answers have been seen: OpenAI's smaller models write at most so much by
// default in one go for the tasks that people run in bulk.
const (
	likelyOutput = 4096
	fewOutputs   = 50
)

func (o *outputs) add(tokens int64) {
	o.classes[min(bits.Len64(uint64(max(tokens, 0))), len(o.classes)-1)].Add(1)
	o.n.Add(1)
}

// likely returns a number of tokens that 99 of 100 completions do not pass.
func (o *outputs) likely() int64 {
	n := o.n.Load()
	if n < fewOutputs {
		return likelyOutput
	}
	above := n / 100
	for i := len(o.classes) - 1; i > 0; i-- {
		if above -= o.classes[i].Load(); above < 0 {
			return 1<<i - 1
		}
	}
	return 1
}
