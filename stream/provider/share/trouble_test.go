package share

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// TestTrouble: what a server says instead of doing what it is asked is told apart by whether it may
// pass, at the start and later, and each has a hint.
func TestTrouble(t *testing.T) {
	for says, passes := range map[string]bool{
		"LOADING Redis is loading the dataset in memory":                                                  true,
		"READONLY You can't write against a read only replica.":                                           true,
		"OOM command not allowed when used memory > 'maxmemory'.":                                         true,
		"MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk": true,
		"CLUSTERDOWN Hash slot not served":                                                                true,
		"NOAUTH Authentication required.":                                                                 false,
		"NOPERM this user has no permissions to run the 'evalsha' command":                                false,
		"ERR unknown command 'evalsha'":                                                                   false,
	} {
		server, s := openShare(t)
		server.SetError(says)
		err := s.peek(context.Background())
		var trouble *Trouble
		if !errors.As(err, &trouble) || trouble.Passes != passes || trouble.Hint == "" ||
			!strings.Contains(err.Error(), strings.TrimPrefix(says, "ERR ")) {
			t.Errorf("%s: %#v", says, err)
		}
		server.SetError("")
		if err := s.peek(context.Background()); err != nil {
			t.Errorf("after %s: %v", says, err)
		}
	}
}

// TestMissedCalls: a process that gets no replies keeps what is lent to it, says since when, and
// goes on where it was.
func TestMissedCalls(t *testing.T) {
	server, s := openShare(t)
	w := newWorld(t, server, s, 10_000)
	p := w.start(w.newBook(0))
	w.idle(20)
	lent, heard := p.money.Lease(0).Most(w.now), w.now
	if lent == 0 {
		t.Fatal("nothing is lent")
	}
	p.money.Lease(0).Want(lent + 1)
	for range 10 {
		w.pass(Interval)
		if p.money.Ask(w.now) == nil {
			t.Fatal("it does not ask although a request waits")
		}
		p.money.Missed(errLost)
	}
	if got := p.money.Lease(0).Most(w.now); got != lent || p.away == nil || heard.Sub(p.since) > calm || !p.waits {
		t.Errorf("%d of %d are lent; away %v since %s, waits %v", got, lent, p.away, p.since, p.waits)
	}
	w.idle(10)
	if got := p.money.Lease(0).Most(w.now); got <= lent || p.away != nil {
		t.Errorf("%d are lent, away %v", got, p.away)
	}
}

// TestALeaseIsForItsDay: what is lent of a daily budget is not there on the next day, and then is
// lent anew.
func TestALeaseIsForItsDay(t *testing.T) {
	server, s := openShare(t)
	w := newWorld(t, server, s, 10_000)
	p := w.start(w.newBook(0))
	p.money = NewMoney(p.run, [Budgets]int64{0, w.budget}, p, Beginning{Now: w.now})
	w.idle(20)
	if p.money.Lease(0) != nil || p.money.Lease(1).Most(w.now) == 0 {
		t.Error("nothing is lent of the daily budget, or something of the other")
	}
	w.pass(24 * time.Hour)
	if got := p.money.Lease(1).Most(w.now); got != 0 {
		t.Errorf("%d are lent on the next day", got)
	}
	w.idle(20)
	if p.money.Lease(1).Most(w.now) == 0 {
		t.Error("nothing is lent of the next day's budget")
	}
}

// TestMidnightComesByTheServersClock: what was spent of a day's budget by a process whose clock is
// ahead still counts for the others, until that day is over for the server; and of the next day
// nothing is lent before.
func TestMidnightComesByTheServersClock(t *testing.T) {
	server, s := openShare(t)
	w := newWorld(t, server, s, 10_000)
	w.pass(time.Date(2026, 3, 4, 23, 58, 0, 0, time.UTC).Sub(w.now))
	daily := func(ahead time.Duration) *process {
		p := w.start(w.newBook(0))
		p.ahead = ahead
		p.money = NewMoney(p.run, [Budgets]int64{0, w.budget}, p, Beginning{Now: p.now()})
		return p
	}
	fast, slow := daily(90*time.Second), daily(-time.Second)
	spend := func(calls int) {
		for range calls {
			w.pass(Interval)
			for _, p := range w.living {
				if most, sum := p.money.Lease(1).Most(p.now()), p.book.spent+p.book.risk; most > sum {
					p.risk = append(p.risk, most-sum)
					p.book.risk += most - sum
				}
				p.money.Lease(1).Want(10)
				p.call(true)
			}
		}
	}
	spend(20)
	w.pass(25 * time.Second) // no more calls than one in that time
	spend(1)
	before := fast.book.risk
	if before == 0 {
		t.Fatal("nothing is lent on the first day")
	}
	w.pass(10 * time.Second)
	fast.risk, fast.book.risk = nil, 0 // it is the next day for this one
	spend(100)
	if fast.book.risk > 0 {
		t.Errorf("%d are lent for a day that has not begun", fast.book.risk)
	}
	if total := before + slow.book.risk; total > w.budget {
		t.Errorf("%d of %d are spent on the first day", total, w.budget)
	}
	w.pass(time.Minute + 10*time.Second)
	slow.risk, slow.book.risk = nil, 0
	spend(20)
	if fast.book.risk == 0 || slow.book.risk == 0 || w.total() > w.budget {
		t.Errorf("%d and %d of %d are lent on the second day", fast.book.risk, slow.book.risk, w.budget)
	}
}

// TestADayByTheServersClock: a process whose clock is set wrong asks the server what time it is, and
// begins its days when the server does.
func TestADayByTheServersClock(t *testing.T) {
	server, s := openShare(t)
	const ahead = 5*time.Hour + 42*time.Minute
	server.SetTime(time.Now().Add(ahead))
	if err := s.peek(t.Context()); err != nil {
		t.Fatal(err)
	}
	if off := s.Ahead - ahead; off.Abs() > time.Minute {
		t.Errorf("the server's clock is ahead by %s, want %s", s.Ahead, ahead)
	}
	w := newWorld(t, server, s, 10_000)
	w.pass(time.Date(2026, 3, 4, 23, 59, 50, 0, time.UTC).Sub(w.now))
	p := w.start(w.newBook(0))
	p.ahead = -ahead
	p.money = NewMoney(p.run, [Budgets]int64{0, w.budget}, p, Beginning{Now: p.now(), Ahead: ahead})
	for range 2 {
		if p.money.Lease(1).Most(p.now()) > 0 {
			t.Error("something is lent at once")
		}
		w.idle(20)
		if p.money.Lease(1).Most(p.now()) == 0 {
			t.Error("nothing is lent of the day's budget")
		}
		w.pass(10 * time.Second)
	}
}

// TestTheLowestBudgetHolds: of differing budgets, while those that were told less run.
func TestTheLowestBudgetHolds(t *testing.T) {
	server, s := openShare(t)
	w := newWorld(t, server, s, 10_000)
	dear := w.start(w.newBook(0))
	w.idle(20)
	w.budget = 1_000
	cheap := w.start(w.newBook(0))
	w.budget = 10_000
	cheap.call(true)
	for range 60 {
		w.pass(Interval)
		dear.greedy(10)
		dear.call(true)
		cheap.call(true)
	}
	before := dear.book.risk
	if most := int64(10_000 / 2); before > most {
		t.Errorf("%d are spent under a budget of 1,000", before)
	}
	if err := s.peek(context.Background()); err != nil || s.Told != [Budgets]int64{1_000, 0} {
		t.Errorf("a newcomer is told %v, %v", s.Told, err)
	}
	w.end(cheap)
	for range 60 {
		w.pass(Interval)
		dear.greedy(10)
		dear.call(true)
	}
	if dear.book.risk < 9_000 {
		t.Errorf("%d are spent of 10,000 when the other has ended", dear.book.risk)
	}
}

// TestABudgetThatOthersBring: a process without a budget hears of the one that another has, and one
// with that budget, or after it, hears of none.
func TestABudgetThatOthersBring(t *testing.T) {
	server, s := openShare(t)
	w := newWorld(t, server, s, 0)
	free := w.start(w.newBook(0))
	w.idle(10)
	if free.bounds != [Budgets]int64{} {
		t.Errorf("bounds %v without any budget", free.bounds)
	}
	w.budget = 10_000
	bound := w.start(w.newBook(0))
	w.idle(4)
	if want := [Budgets]int64{10_000, 0}; free.bounds != want || bound.bounds != [Budgets]int64{} {
		t.Errorf("the one without hears of %v, want %v; the other of %v", free.bounds, want, bound.bounds)
	}
	w.end(bound)
	free.bounds = [Budgets]int64{}
	w.idle(10)
	if free.bounds != [Budgets]int64{} {
		t.Errorf("bounds %v when the other has ended", free.bounds)
	}
}

// TestEncrypted: rediss:// speaks TLS, with a user and a password, and does not without a
// certificate that it knows.
func TestEncrypted(t *testing.T) {
	web := httptest.NewTLSServer(nil)
	defer web.Close()
	server := miniredis.NewMiniRedis()
	if err := server.StartTLS(&tls.Config{Certificates: web.TLS.Certificates}); err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	server.RequireUserAuth("me", "hushhush")
	open := func(query, password string) error {
		a, err := ParseAddress("rediss://me@" + net.JoinHostPort(server.Host(), server.Port()) + "/job" + query)
		if err != nil {
			t.Fatal(err)
		}
		a.Password = password
		s, err := Open(context.Background(), a)
		if err == nil {
			s.Close()
		}
		return err
	}
	if err := open("?skip_verify=true", "hushhush"); err != nil {
		t.Error(err)
	}
	if err := open("", "hushhush"); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("without the certificate: %v", err)
	}
	if err := open("?skip_verify=true", "hushhushx"); err == nil || strings.Contains(err.Error(), "hushhush") {
		t.Errorf("with another password: %v", err)
	}
}
