package share

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"llmpipe/limiter"
)

// Budgets is how many budgets a job may have: one in all, and one per day in UTC.
const Budgets = 2

// Sum is what a ledger, or a process that keeps none, counts as against a budget, in billionths of
// a US dollar.
type Sum struct {
	Spent int64 // settled
	Kept  int64 // Spent, and what is set aside for longer than requests take
	Most  int64 // Spent, and all that is set aside
}

// Run is what a job knows about the ledger that a run writes, or about a run without a ledger.
// Amounts are in billionths of a US dollar: first the total, then that of Day.
type Run struct {
	ID, Ledger string
	Day        int64          // in days since 1970
	Spent      [Budgets]int64 // settled
	Most       [Budgets]int64 // what may be spent by the time the job hears of it
}

// Moment is how far the server was. Of two moments the one with the later epoch is the later one,
// and within an epoch the one with the higher version.
type Moment struct {
	Epoch   string // a new one begins when the server has lost something
	Version int64  // of what it knows about runs
}

// Account is the money of a process.
type Account interface {
	// Ledger returns the ledger's name in the job; it is empty while nothing is to be spent yet.
	Ledger() string
	// Sums returns what counts by now against the budget, and against the day's. If a lease was
	// lowered before the call began, everything that spends has already heard of it.
	Sums(now time.Time) [Budgets]Sum
	// Mine reports whether Sums includes the money of a run.
	Mine(run string) bool
	// Gone reports whether a run of the same ledger is over.
	Gone(run string) bool
	// See records what was seen of the job, and when: runs that are new or may spend more than was
	// recorded, and runs that are gone from it.
	See(at Moment, runs []Run, gone []string) error
	// Lent says that what is lent of a budget may have changed. The others have spent beside of it,
	// and limit is the whole budget of the job.
	Lent(budget int, beside, limit int64)
	// Bounded says that others brought a budget to the job after this process began without one. It
	// may be said again.
	Bounded(budget int, limit int64)
	// Away says since when the server has not answered, and whether a request waits for money.
	Away(err error, since time.Time, waits bool)
	// Back says that the server answers again.
	Back()
}

// calm is how far apart calls are while nobody waits for money.
const calm = 250 * time.Millisecond

// Money is the half for money: it borrows parts of the job's budgets.
type Money struct {
	run     string
	account Account
	told    [Budgets]int64
	ahead   time.Duration   // of the server's clock
	leases  [Budgets]*Lease // nil if there is no such budget

	at     Moment // the last one that is recorded here
	serial int64  // of the last ask
	heard  int64  // the last one that was answered
	part   [Budgets]int64
	short  [Budgets]bool // whether there is no room for what is needed

	runs    map[string]Run // all runs, as last seen
	written map[string]Run // runs as recorded
	said    string         // the epoch in which the server knows runs

	asked   time.Time
	ask     moneyAsk // the last one
	contact time.Time
	away    bool
	leaving bool
}

// moneyAsk is what the script is asked about money.
type moneyAsk struct {
	Run    string         `json:"run"`
	Ledger string         `json:"ledger"`
	Epoch  string         `json:"epoch"` // the last one that is known, even from an earlier process
	Seen   int64          `json:"seen"`
	Serial int64          `json:"serial"`
	Acked  int64          `json:"acked"`
	Day    int64          `json:"day"`
	Told   [Budgets]int64 `json:"told"`
	Cap    [Budgets]int64 `json:"cap"`
	Want   [Budgets]int64 `json:"want"`
	Need   [Budgets]int64 `json:"need"` // beyond Cap
	Firm   [Budgets]int64 `json:"firm"`
	Spent  [Budgets]int64 `json:"spent"`
	Gone   []string       `json:"gone,omitempty"`
	Covers []string       `json:"covers,omitempty"`
	Again  [][2]string    `json:"again,omitempty"`
	Leave  bool           `json:"leave,omitempty"`

	cost [Budgets]int64 // of the waiting request
}

// Beginning is what a process begins with.
type Beginning struct {
	Now   time.Time
	Ahead time.Duration // of the server's clock: see [Share]
	// Seen is what the process's ledger has recorded of the job, up to At.
	Seen []Run
	At   Moment
}

// NewMoney returns the half of a process that was told these budgets; 0 is no budget.
func NewMoney(run string, told [Budgets]int64, a Account, b Beginning) *Money {
	m := &Money{
		run: run, account: a, told: told, ahead: b.Ahead, at: b.At, said: b.At.Epoch, contact: b.Now,
		runs: make(map[string]Run), written: make(map[string]Run),
	}
	for i := range told {
		if told[i] > 0 {
			m.leases[i] = &Lease{daily: i == 1, ahead: b.Ahead}
		}
	}
	for _, r := range b.Seen {
		m.runs[r.ID], m.written[r.ID] = r, r
	}
	return m
}

// Lease returns what is lent of a budget; nil if there is no such budget.
func (m *Money) Lease(budget int) *Lease { return m.leases[budget] }

// Keys implements [Part]. The money key is always the script's first key, so none is named here.
func (m *Money) Keys() []string { return nil }

// Leave implements [Part].
func (m *Money) Leave() { m.leaving = true }

// waits reports whether a request waits for money to be lent.
func (m *Money) waits() bool {
	for _, l := range m.leases {
		if l != nil && l.Waits() {
			return true
		}
	}
	return false
}

// Ask implements [Part].
func (m *Money) Ask(now time.Time) []byte {
	name := m.account.Ledger()
	if name == "" || !m.leaving && !m.waits() && now.Sub(m.asked) < calm {
		return nil
	}
	m.asked = now
	m.serial++
	m.ask = moneyAsk{
		Run: m.run, Ledger: name, Epoch: m.at.Epoch, Seen: m.at.Version, Serial: m.serial, Acked: m.heard,
		Day: dayOf(now.Add(m.ahead)), Told: m.told, Leave: m.leaving,
	}
	m.reckon(now)
	for _, r := range m.runs {
		switch {
		case r.ID == m.run:
		case r.Ledger == name:
			if m.account.Gone(r.ID) {
				m.ask.Gone = append(m.ask.Gone, r.ID)
			}
		case m.account.Mine(r.ID):
			m.ask.Covers = append(m.ask.Covers, r.ID)
		}
	}
	if m.said != m.at.Epoch {
		for _, r := range m.runs {
			m.ask.Again = append(m.ask.Again, [2]string{r.ID, r.text()})
		}
	}
	text, err := json.Marshal(&m.ask)
	if err != nil {
		return nil
	}
	return text
}

// reckon gives back what is lent but not needed, and fills the ask with what is needed.
func (m *Money) reckon(now time.Time) {
	sums := m.account.Sums(now)
	lowered := false
	for i, l := range m.leases {
		if l == nil {
			continue
		}
		l.turn(now)
		most, need := l.state()
		spare := most - sums[i].Most
		keep := spare
		switch {
		case m.leaving:
			keep = 0
		case need > spare && m.short[i] && sums[i].Most == sums[i].Kept:
			keep = 0 // the rest is too small for any request, and nothing under way will add to it
		case need == 0 && spare > 2*m.part[i]:
			keep = m.part[i]
		}
		if keep < spare {
			l.lower(sums[i].Most + keep)
			lowered = true
		}
	}
	if lowered {
		sums = m.account.Sums(now) // including what was claimed before the lowering was heard of
	}
	for i, l := range m.leases {
		ask := &m.ask
		ask.Spent[i], ask.Firm[i], ask.Cap[i] = sums[i].Spent, sums[i].Kept, sums[i].Most
		if ask.Want[i] = ask.Cap[i]; l == nil {
			continue
		}
		most, need := l.state()
		ask.Cap[i] = max(most, sums[i].Most)
		if ask.Want[i], ask.cost[i] = ask.Cap[i], need; need <= ask.Cap[i]-sums[i].Most {
			l.fits()
		}
		spare := ask.Cap[i] - sums[i].Most
		switch {
		case m.leaving:
		case need > spare:
			ask.Need[i] = need - spare
			ask.Want[i] = sums[i].Most + max(need, m.part[i])
		case spare < (m.part[i]+1)/2:
			ask.Want[i] = sums[i].Most + m.part[i]
		}
	}
}

// Told implements [Part].
func (m *Money) Told(reply []rueidis.RedisMessage, now time.Time) {
	r, err := readMoney(reply)
	if err != nil {
		m.Missed(err)
		return
	}
	m.heard, m.contact = m.ask.Serial, now
	if m.away {
		m.away = false
		m.account.Back()
	}
	if m.at.Epoch != r.at.Epoch {
		m.at = Moment{Epoch: r.at.Epoch}
	}
	if r.whole {
		m.see(&r)
	}
	for i, l := range m.leases {
		b := &r.budgets[i]
		if l == nil && b.limit > 0 && !m.leaving {
			m.account.Bounded(i, b.limit)
		}
		if l == nil {
			continue
		}
		m.part[i], m.short[i] = b.part, b.none >= nothingNow
		var none *limiter.OverBudget
		if b.none == nothingAtAll && !m.leaving {
			none = &limiter.OverBudget{Left: b.limit - b.beside - m.ask.Spent[i], Need: m.ask.cost[i]}
			if none.Need <= none.Left && b.away > 0 {
				none.Away, none.Lent = b.away, true
			}
		}
		if l.set(m.ask.Day, b.most, m.short[i], none) || m.ask.cost[i] > 0 || b.beside > 0 {
			m.account.Lent(i, b.beside, min(m.told[i], b.limit))
		}
	}
}

// see takes in the present state of the other runs.
func (m *Money) see(r *moneyReply) {
	all := r.runs
	switch {
	case m.said == r.at.Epoch || len(m.runs) == 0:
		m.said = r.at.Epoch
	case m.ask.Epoch == r.at.Epoch && len(m.ask.Again) > 0:
		m.said = r.at.Epoch // this call said it
	default: // what the server lost must still be repeated
		for id, known := range m.runs {
			all[id] = known.or(all[id])
		}
		m.runs = all
		return // if this process is killed, the next one of the ledger must repeat it
	}
	m.runs = all
	var news []Run
	var gone []string
	for id, run := range all {
		before, known := m.written[id]
		if id == m.run || run.Ledger == m.ask.Ledger || m.account.Mine(id) {
			continue
		}
		if !known || run.Ledger != before.Ledger || run.Most[0] > before.Most[0] || run.Day > before.Day ||
			run.Day == before.Day && run.Most[1] > before.Most[1] || m.leaving && run != before {
			news = append(news, run)
		}
	}
	for id := range m.written {
		if _, there := all[id]; !there {
			gone = append(gone, id)
		}
	}
	if len(news)+len(gone) > 0 {
		if m.account.See(r.at, news, gone) != nil {
			return // and counts it as not seen
		}
	}
	for _, run := range news {
		m.written[run.ID] = run
	}
	for _, id := range gone {
		delete(m.written, id)
	}
	m.at = r.at
}

// Missed implements [Part].
func (m *Money) Missed(err error) {
	m.away = true
	if !m.leaving {
		m.account.Away(err, m.contact, m.waits())
	}
}

// What the script says about a need for money.
const (
	nothingNow   = 1 // others have what is left, and may give it back
	nothingAtAll = 2
)

// moneyReply is what the script replies.
type moneyReply struct {
	at      Moment
	budgets [Budgets]struct{ most, part, limit, beside, away, none int64 }
	whole   bool // runs holds all of them
	runs    map[string]Run
}

var errReply = errors.New("its reply does not fit the question")

func readMoney(reply []rueidis.RedisMessage) (r moneyReply, err error) {
	const head, each = 2, 6
	if len(reply) < head+each*Budgets {
		return r, errReply
	}
	number := func(i int) (n int64) {
		if err == nil {
			n, err = reply[i].AsInt64()
		}
		return n
	}
	if r.at.Epoch, err = reply[0].ToString(); err != nil {
		return r, errReply
	}
	r.at.Version = number(1)
	for i := range r.budgets {
		at := head + i*each
		b := &r.budgets[i]
		b.most, b.part, b.limit = number(at), number(at+1), number(at+2)
		b.beside, b.away, b.none = number(at+3), number(at+4), number(at+5)
	}
	entries := reply[head+each*Budgets:]
	r.whole, r.runs = len(entries) > 0, make(map[string]Run, len(entries))
	for i := range entries {
		pair, pairErr := entries[i].AsStrSlice()
		if pairErr != nil || len(pair) != 2 {
			return r, errReply
		}
		run := Run{ID: pair[0]}
		if run.read(pair[1]) != nil {
			return r, errReply
		}
		r.runs[run.ID] = run
	}
	if err != nil {
		return r, errReply
	}
	return r, nil
}

// or merges two views of a run, taking the higher amounts. The zero Run stands for a run that was
// not seen.
func (r Run) or(o Run) Run {
	r.Spent[0], r.Most[0] = max(r.Spent[0], o.Spent[0]), max(r.Most[0], o.Most[0])
	switch {
	case o.Day > r.Day:
		r.Day, r.Spent[1], r.Most[1] = o.Day, o.Spent[1], o.Most[1]
	case o.Day == r.Day:
		r.Spent[1], r.Most[1] = max(r.Spent[1], o.Spent[1]), max(r.Most[1], o.Most[1])
	}
	return r
}

// runForm is an entry of the script, with the members that it takes from another process's report:
// see MEMBERS there.
const runForm = "%s %s 0 0 0 0 0 %d" + " 0 %d 0 0 %d 0" + " 0 %d 0 0 %d 0"

func (r *Run) text() string {
	return fmt.Sprintf(runForm, r.Ledger, "again", r.Day, r.Most[0], r.Spent[0], r.Most[1], r.Spent[1])
}

func (r *Run) read(text string) error {
	words := strings.Fields(text)
	const members, day, ceil, spent, each = 20, 7, 9, 12, 6
	if len(words) != members {
		return errReply
	}
	r.Ledger = words[0]
	_, err := fmt.Sscan(strings.Join([]string{
		words[day], words[ceil], words[spent], words[ceil+each], words[spent+each],
	}, " "), &r.Day, &r.Most[0], &r.Spent[0], &r.Most[1], &r.Spent[1])
	return err
}

// peek learns the lowest budgets that the processes running now were told, and what time it is for
// the server.
func (s *Share) peek(ctx context.Context) error {
	began := time.Now()
	reply, err := s.call(ctx, []string{s.key("money")}, []byte(`{"peek":true}`), nil)
	if err != nil {
		return err
	}
	took := time.Since(began)
	numbers, err := reply[0].AsIntSlice()
	if err != nil || len(numbers) != len(s.Told)+1 {
		return s.trouble(errReply)
	}
	s.Told = [Budgets]int64(numbers)
	s.Ahead = time.UnixMicro(numbers[Budgets]).Sub(began.Add(took / 2))
	return nil
}
