package share

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	mini "github.com/alicebob/miniredis/v2/server"
	"pgregory.net/rapid"
)

// redisServer is a server that is begun anew, for its clients, as often as begun rises.
type redisServer struct {
	*miniredis.Miniredis
	begun atomic.Int64
}

// world is a job: ledgers, the processes that write them, and the server between.
type world struct {
	t       rapid.TB
	redis   *redisServer
	share   *Share
	now     time.Time
	budget  int64
	ledgers []*book
	living  []*process
	runs    int
	trace   []string
}

// book is a ledger.
type book struct {
	name        string
	spent, risk int64
	runs        map[string]bool // true while the run's process lives
	at          Moment
	seen        map[string]Run
}

// process is one that writes a book.
type process struct {
	world *world
	run   string
	book  *book
	money *Money
	risk  []int64 // its part of the book's
	next  time.Time
	away  error
	since time.Time
	waits bool
	ahead time.Duration // of its clock
	// bounds are the budgets that others brought.
	bounds [Budgets]int64
}

func newWorld(t rapid.TB, server *redisServer, s *Share, budget int64) *world {
	server.FlushAll()
	w := &world{t: t, redis: server, share: s, budget: budget, now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}
	server.SetTime(w.now)
	return w
}

// openShare is a server, and a connection to it.
func openShare(t *testing.T) (*redisServer, *Share) {
	server := &redisServer{Miniredis: miniredis.RunT(t)}
	server.Server().SetPreHook(func(peer *mini.Peer, command string, _ ...string) bool {
		if command == "INFO" { // which miniredis answers otherwise
			peer.WriteBulk(fmt.Sprintf("# Server\r\nrun_id:%040x\r\n", server.begun.Load()))
		}
		return command == "INFO"
	})
	a, err := ParseAddress("redis://" + server.Addr() + "/job?write_timeout=1m&dial_timeout=1m")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(context.Background(), a)
	if err != nil {
		t.Fatal(err)
	}
	s.keys = []string{s.key("money")}
	t.Cleanup(s.client.Close)
	return server, s
}

func (w *world) say(format string, args ...any) {
	w.trace = append(w.trace, w.now.Format("05.000 ")+fmt.Sprintf(format, args...))
}

func (w *world) pass(d time.Duration) {
	w.now = w.now.Add(d)
	w.redis.SetTime(w.now)
}

// newBook is a ledger that has cost so much.
func (w *world) newBook(spent int64) *book {
	b := &book{name: fmt.Sprintf("l%d", len(w.ledgers)), spent: spent, runs: map[string]bool{}, seen: map[string]Run{}}
	w.ledgers = append(w.ledgers, b)
	return b
}

// start begins a process of a book. What processes of it had at risk that are gone may be spent.
func (w *world) start(b *book) *process {
	w.runs++
	p := &process{world: w, run: fmt.Sprintf("r%d", w.runs), book: b, next: w.now}
	w.bury(b)
	b.runs[p.run] = true
	p.money = NewMoney(p.run, [Budgets]int64{w.budget, 0}, p,
		Beginning{Now: w.now, At: b.at, Seen: slices.Collect(maps.Values(b.seen))})
	w.living = append(w.living, p)
	w.say("%s begins on %s", p.run, b.name)
	return p
}

// bury counts what processes of a book had at risk that are gone as what may have been spent.
func (w *world) bury(b *book) {
	living := int64(0)
	for _, p := range w.living {
		if p.book == b {
			living += p.atRisk()
		}
	}
	b.spent, b.risk = b.spent+b.risk-living, living
}

func (p *process) atRisk() (sum int64) {
	for _, r := range p.risk {
		sum += r
	}
	return sum
}

// kill ends a process as SIGKILL does.
func (w *world) kill(p *process) {
	w.say("%s is killed", p.run)
	p.book.runs[p.run] = false
	w.living = slices.DeleteFunc(w.living, func(other *process) bool { return other == p })
}

// end ends a process that has nothing under way.
func (w *world) end(p *process) {
	p.settle(len(p.risk))
	p.money.Leave()
	p.call(true)
	p.book.runs[p.run] = false
	w.living = slices.DeleteFunc(w.living, func(other *process) bool { return other == p })
}

// now is the time by the process's clock.
func (p *process) now() time.Time { return p.world.now.Add(p.ahead) }

func (p *process) Ledger() string { return p.book.name }

func (p *process) Sums(time.Time) [Budgets]Sum {
	b := p.book
	p.world.bury(b)
	sum := Sum{Spent: b.spent, Kept: b.spent, Most: b.spent + b.risk}
	return [Budgets]Sum{sum, sum}
}

func (p *process) Mine(run string) bool { _, mine := p.book.runs[run]; return mine }
func (p *process) Gone(run string) bool { return !p.book.runs[run] }

func (p *process) See(at Moment, runs []Run, gone []string) error {
	p.book.at = at
	for _, r := range runs {
		p.book.seen[r.ID] = r
	}
	for _, id := range gone {
		delete(p.book.seen, id)
	}
	return nil
}

func (p *process) Lent(int, int64, int64)          {}
func (p *process) Bounded(budget int, limit int64) { p.bounds[budget] = limit }
func (p *process) Away(err error, since time.Time, waits bool) {
	p.away, p.since, p.waits = err, since, waits
}
func (p *process) Back() { p.away = nil }

var errLost = errors.New("the reply is lost")

// call makes p's call to the server, whose reply may be lost.
func (p *process) call(arrives bool) {
	ask := p.money.Ask(p.now())
	if ask == nil {
		return
	}
	reply, err := p.world.share.call(context.Background(), p.world.share.keys, ask, nil)
	if err == nil && !arrives {
		err = errLost
	}
	if err != nil {
		if !errors.Is(err, errLost) {
			p.world.t.Fatalf("%v", err)
		}
		p.money.Missed(err)
		return
	}
	part, err := reply[0].ToArray()
	if err != nil {
		p.world.t.Fatalf("%v", err)
	}
	p.money.Told(part, p.now())
	if p.away != nil {
		p.world.t.Fatalf("%v", p.away)
	}
}

// spend asks for so much, if there is room, and reports whether there is none for good.
func (p *process) spend(cost int64) (over bool) {
	b, l := p.book, p.money.Lease(0)
	if b.spent+b.risk+cost > l.Most(p.now()) {
		return l.Want(cost) != nil && b.risk == 0
	}
	p.risk = append(p.risk, cost)
	b.risk += cost
	p.world.check(p)
	return false
}

// settle ends the first n requests at two thirds of what they may cost.
func (p *process) settle(n int) {
	for _, r := range p.risk[:n] {
		p.book.risk -= r
		p.book.spent += r * 2 / 3
	}
	p.risk = p.risk[n:]
}

func (w *world) total() (sum int64) {
	for _, b := range w.ledgers {
		sum += b.spent + b.risk
	}
	return sum
}

// check holds the law: nothing that is done takes all ledgers together over the budget.
func (w *world) check(p *process) {
	if sum := w.total(); sum > w.budget {
		for _, line := range w.trace {
			w.t.Logf("%s", line)
		}
		w.t.Fatalf("%s spends: %d of %d", p.run, sum, w.budget)
	}
}

// TestMoneyIsNeverOver: whatever is killed, lost, said twice or begun again, no more than the
// budget is spent and at risk in all ledgers together; and when that is over, the rest of it is
// spent.
func TestMoneyIsNeverOver(t *testing.T) {
	server, s := openShare(t)
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, server, s, rapid.Int64Range(1_000, 200_000).Draw(t, "budget"))
		count := rapid.IntRange(1, 4).Draw(t, "ledgers")
		for range count {
			w.newBook(rapid.Int64Range(0, w.budget/int64(count)).Draw(t, "spent"))
		}
		for _, b := range w.ledgers {
			w.start(b)
		}
		w.idle(10) // what nobody has seen nobody can say again
		var saved map[string]string
		for range rapid.IntRange(5, 20).Draw(t, "steps") {
			w.pass(time.Duration(rapid.IntRange(1, 300).Draw(t, "ms")) * time.Millisecond)
			switch event := rapid.IntRange(0, 30).Draw(t, "event"); event {
			case 0, 1:
				w.say("the server loses everything")
				server.FlushAll()
			case 2:
				saved = w.save()
			case 3:
				if saved != nil {
					w.say("the server loses what is new")
					server.begun.Add(1)
					w.load(saved)
				}
			case 4, 5, 6:
				if len(w.living) > 0 {
					w.kill(rapid.SampledFrom(w.living).Draw(t, "victim"))
				}
			case 7, 8, 9:
				if len(w.living) < 6 {
					w.start(rapid.SampledFrom(w.ledgers).Draw(t, "ledger"))
				}
			case 10:
				w.pass(time.Duration(rapid.IntRange(1, 20).Draw(t, "s")) * time.Second)
			}
			for _, p := range slices.Clone(w.living) {
				p.settle(rapid.IntRange(0, len(p.risk)).Draw(t, "settled"))
				for range rapid.IntRange(0, 3).Draw(t, "requests") {
					p.spend(rapid.Int64Range(1, w.budget/50).Draw(t, "cost"))
				}
				if !w.now.Before(p.next) {
					p.next = w.now.Add(Interval)
					p.call(rapid.IntRange(0, 9).Draw(t, "arrives") > 0)
				}
			}
		}
		if rapid.IntRange(0, 3).Draw(t, "resumed") == 0 {
			w.finish(w.budget / 25)
			return
		}
		for range 40 { // those that were killed stay away, and the others spend what they can
			w.pass(Interval)
			for _, p := range w.living {
				p.spend(w.budget / 50)
				p.settle(len(p.risk))
				p.call(true)
			}
		}
	})
}

// finish begins a process of each ledger that has none, and has them spend until there is no money
// left for a request, in all of them.
func (w *world) finish(cost int64) {
	w.say("the end")
	for _, b := range w.ledgers {
		if !slices.ContainsFunc(w.living, func(p *process) bool { return p.book == b }) {
			w.start(b)
		}
	}
	over := map[*process]bool{}
	for range 2_000 {
		if len(over) == len(w.living) {
			break
		}
		w.pass(Interval)
		for _, p := range w.living {
			p.settle(len(p.risk) / 2)
			if len(p.risk) == 1 {
				p.settle(1)
			}
			for range 3 {
				if !over[p] && p.spend(cost) {
					over[p] = true
				}
			}
			p.call(true)
		}
	}
	if left := w.budget - w.total(); len(over) < len(w.living) || left >= cost*int64(1+len(w.living)) {
		for _, line := range w.trace {
			w.t.Logf("%s", line)
		}
		w.t.Logf("%v", w.save())
		w.t.Fatalf("%d of %d processes have ended, and %d of %d are left, where a request may cost %d",
			len(over), len(w.living), left, w.budget, cost)
	}
}

func (w *world) save() map[string]string {
	saved := map[string]string{}
	keys, err := w.redis.HKeys(w.share.keys[0])
	if err != nil {
		return nil
	}
	for _, k := range keys {
		saved[k] = w.redis.HGet(w.share.keys[0], k)
	}
	return saved
}

func (w *world) load(saved map[string]string) {
	w.redis.FlushAll()
	for k, v := range saved {
		w.redis.HSet(w.share.keys[0], k, v)
	}
}

// idle has everybody call for a while, without spending.
func (w *world) idle(calls int) {
	for range calls {
		w.pass(Interval)
		for _, p := range w.living {
			p.call(true)
		}
	}
}

// greedy has p spend as much as is lent to it, in pieces of cost.
func (p *process) greedy(cost int64) {
	for before := int64(-1); before < p.book.risk; {
		before = p.book.risk
		p.spend(cost)
	}
}

// TestLostJustAfterALease: one process takes more, as often as it is lent, while another is silent;
// then the server loses everything, and the one that knows is killed. The other says again what it
// saw, and is never short of what the dead one has spent.
func TestLostJustAfterALease(t *testing.T) {
	server, s := openShare(t)
	for _, calls := range []int{1, 2, 3, 5, 10} {
		w := newWorld(t, server, s, 10_000)
		a, b := w.start(w.newBook(0)), w.start(w.newBook(0))
		w.idle(20)
		for range calls {
			w.pass(Interval)
			a.greedy(10)
			a.call(true)
		}
		a.greedy(10)
		server.FlushAll()
		w.kill(a)
		for range 100 {
			w.pass(Interval)
			b.greedy(10)
			b.call(true)
		}
		if b.book.risk < w.budget/3 {
			t.Errorf("%d calls: %d were lent to the one that is left, beside %d", calls, b.book.risk, a.book.risk)
		}
	}
}

// TestNewcomerAfterALoss: whoever comes first to a server that lost everything is lent nothing
// before those that know the job had the time to say what they know, also one that knew it by its
// ledger.
func TestNewcomerAfterALoss(t *testing.T) {
	server, s := openShare(t)
	for _, resumed := range []bool{false, true} {
		w := newWorld(t, server, s, 10_000)
		a, b := w.start(w.newBook(0)), w.start(w.newBook(0))
		w.idle(20)
		for range 5 {
			w.pass(Interval)
			a.greedy(10)
			a.call(true)
			b.call(true)
		}
		w.kill(a)
		if resumed {
			w.kill(b)
		}
		server.FlushAll()
		c := w.start(w.newBook(0))
		c.call(true)
		if resumed {
			b = w.start(b.book)
		}
		for range 100 {
			w.pass(Interval)
			c.greedy(10)
			c.call(true)
			b.call(true)
		}
		if c.book.risk == 0 {
			t.Error("the newcomer is lent nothing")
		}
	}
}

// TestOwnWordCounts: a ledger that comes back after everything was lost brings its money along, and
// what others had said for it is gone.
func TestOwnWordCounts(t *testing.T) {
	server, s := openShare(t)
	w := newWorld(t, server, s, 10_000)
	a := w.start(w.newBook(0))
	w.start(w.newBook(0))
	w.idle(20)
	a.greedy(10)
	w.idle(1)
	w.kill(a)
	server.FlushAll()
	w.idle(20)
	w.start(a.book)
	w.finish(10)
	if left := w.budget - w.total(); left > 30 {
		t.Errorf("%d are left: more than two requests", left)
	}
}

// TestLateCall: a call that a server gets to after the next one, because it stood still and the
// connection was given up, takes nothing back.
func TestLateCall(t *testing.T) {
	server, s := openShare(t)
	w := newWorld(t, server, s, 10_000)
	a := w.start(w.newBook(0))
	w.start(w.newBook(0))
	w.idle(20)
	w.pass(Interval)
	late := a.money.Ask(w.now)
	a.money.Missed(errLost)
	for range 5 {
		a.greedy(10)
		w.idle(1)
	}
	before := w.save()
	if _, err := s.call(t.Context(), s.keys, late, nil); err != nil {
		t.Fatal(err)
	}
	if after := w.save(); after["r:"+a.run] != before["r:"+a.run] {
		t.Errorf("the late call made %q of %q", after["r:"+a.run], before["r:"+a.run])
	}
}

// TestOlderContents: a server that has older contents again, be they from before it lost
// everything, counts as one that lost everything, also for who knows it by its ledger alone, and
// for who does not know it. What is left of an old word about a run does not take the place of what
// others know.
func TestOlderContents(t *testing.T) {
	server, s := openShare(t)
	type row struct {
		lost    bool // everything, after the old contents
		resumed bool // nobody lived when it had them again
		begun   bool // the server was begun anew to have them
		first   bool // another process is the first to call
	}
	for _, test := range []row{
		{lost: true}, {lost: true, resumed: true}, {}, {resumed: true},
		{begun: true}, {begun: true, resumed: true}, {begun: true, resumed: true, first: true},
		{begun: true, lost: true, resumed: true, first: true},
	} {
		w := newWorld(t, server, s, 10_000)
		a, b := w.start(w.newBook(0)), w.start(w.newBook(0))
		w.idle(20)
		old := w.save()
		if test.lost {
			server.FlushAll()
			w.idle(20)
		}
		for range 3 {
			a.greedy(10)
			w.idle(1)
		}
		w.kill(a)
		if test.resumed {
			w.end(b)
		}
		if test.begun {
			server.begun.Add(1)
		}
		w.load(old)
		if test.first {
			w.start(w.newBook(0)).call(true)
		}
		if test.resumed {
			b = w.start(b.book)
		}
		for range 100 {
			w.pass(Interval)
			for _, p := range w.living {
				p.greedy(10)
				p.call(true)
			}
		}
		if total := w.total(); total > w.budget {
			t.Errorf("%+v: %d is spent of %d", test, total, w.budget)
		}
		if b.book.risk == 0 && !test.resumed { // who is alone may be lent all ahead
			t.Errorf("%+v: nothing is lent any more", test)
		}
	}
}

// TestTakenAfterTheSnapshot: what a process took after the contents with which its server is begun
// again counts for the next that comes, although that one knows no word of it. What was within the
// ceiling that these contents hold counts by itself; what was not counts as soon as the ledger that
// knows it comes back, and nothing is lent before it had the time to.
func TestTakenAfterTheSnapshot(t *testing.T) {
	server, s := openShare(t)
	for calls := range 12 {
		for _, more := range []int{1, 10} {
			w := newWorld(t, server, s, 10_000)
			a := w.start(w.newBook(0))
			w.idle(20)
			take := func(calls int) {
				for range calls {
					w.pass(Interval)
					a.call(true)
					a.greedy(10)
				}
			}
			take(calls)
			old := w.save()
			take(more)
			w.kill(a)
			server.begun.Add(1)
			w.load(old)
			w.start(w.newBook(0))
			spend := func(calls int) {
				for range calls {
					w.pass(Interval)
					for _, p := range w.living {
						p.greedy(10)
						p.call(true)
					}
				}
			}
			spend(5)
			if more > 1 {
				w.start(a.book)
			}
			spend(60)
			if left := w.budget - w.total(); more > 1 && left > 30 {
				t.Errorf("after %d calls: %d are left", calls, left)
			}
		}
	}
}

// TestRunsWithoutALedger: however many runs without a ledger there were, the server keeps few
// entries, and none of their money is forgotten or counted twice, also when the server loses
// everything.
func TestRunsWithoutALedger(t *testing.T) {
	server, s := openShare(t)
	w := newWorld(t, server, s, 10_000)
	witness := w.start(w.newBook(0))
	const runs, each = 120, 15
	for i := range runs {
		b := w.newBook(0)
		b.name = fmt.Sprintf("r%d", w.runs+1) // that of its run
		p := w.start(b)
		for calls := 0; p.book.risk == 0; calls++ {
			if calls == 100 {
				t.Fatalf("nothing is lent to %s", p.run)
			}
			w.pass(Interval)
			p.spend(each)
			p.call(true)
			witness.call(true)
		}
		w.end(p)
		if i == runs/2 {
			w.idle(30)
			server.FlushAll()
		}
		w.idle(2)
	}
	w.idle(30)
	if entries := len(w.save()); entries > 70 {
		t.Errorf("the server keeps %d fields", entries)
	}
	if known := len(witness.book.seen); known > 70 {
		t.Errorf("a ledger remembers %d runs", known)
	}
	for range 100 {
		w.pass(Interval)
		witness.greedy(5)
		witness.call(true)
	}
	if left := w.budget - w.total(); left > each {
		t.Errorf("%d of %d are left", left, w.budget)
	}
}
