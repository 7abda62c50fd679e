package limiter

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Thirty seconds of nothing but failures in the middle of a run.
func TestOutage(t *testing.T) {
	for _, tt := range []struct {
		name string
		laws laws
	}{
		{"free", laws{latency: 500 * time.Millisecond, slots: 64}},
		{"after a cut", laws{latency: 500 * time.Millisecond, places: 40}},
		{"at a rate", laws{latency: 500 * time.Millisecond, rpm: 3000, burst: time.Second}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.laws.down = [2]time.Duration{20 * time.Second, 50 * time.Second}
				sv := newServer(tt.laws)
				l := New(Config{RPM: int(tt.laws.rpm), Clock: System, MaxConcurrency: 64})
				defer l.Close()
				cl := newClient(l, sv)
				const n = 5000
				cl.run(context.Background(), alike(n))
				if got := cl.answered.Load(); got != n {
					t.Errorf("%d of %d answered", got, n)
				}
				if got := cl.charged.Load(); got != 0 {
					t.Errorf("%d attempts charged for the outage, want none", got)
				}
				before := sv.seen(10, 20)
				// All that were in flight end at once, and half of them fail before it is known,
				// and are replaced. Probes: one each 0.75 s of the first 7.5 s, then each tenth of
				// the outage.
				if most := 2*before.inFlight + TripAfter + 25; sv.fails > most {
					t.Errorf("%d requests reached the server while it was down, want at most %d", sv.fails, most)
				}
				if after := sv.seen(60, 65); float64(after.accepted) < 0.5*float64(before.accepted)/2 {
					t.Errorf("%d answers in 5 s, ten seconds after the outage; before it %d in 10 s", after.accepted, before.accepted)
				}
			})
		})
	}
}

// Thirty seconds of 529 with no hint: nothing is lost, and the lane is not
// driven to the ground by refusals that have nothing to do with it.
func TestOverload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sv := newServer(laws{latency: 500 * time.Millisecond, slots: 64, jitter: 0.5,
			press: [2]time.Duration{20 * time.Second, 50 * time.Second}})
		l := New(Config{Clock: System, MaxConcurrency: 64})
		defer l.Close()
		cl := newClient(l, sv)
		const n = 8000
		cl.run(context.Background(), alike(n))
		if got := cl.answered.Load(); got != n {
			t.Errorf("%d of %d answered", got, n)
		}
		if got := cl.charged.Load(); got != 0 {
			t.Errorf("%d attempts charged, want none", got)
		}
		before, after := sv.seen(10, 20), sv.seen(85, 95)
		if float64(after.accepted) < 0.8*float64(before.accepted) {
			t.Errorf("%d answers in 10 s, half a minute after it; before it %d", after.accepted, before.accepted)
		}
	})
}

// One failure in fifty keeps neither the breaker nor the concurrency busy.
func TestFaultyServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sv := newServer(laws{latency: 500 * time.Millisecond, jitter: 0.5, faulty: 0.02})
		limits := drive(t, sv, Config{MaxConcurrency: 128}, 60*time.Second)
		if got := limits[len(limits)-1]; got != 128 {
			t.Errorf("%d allowed after a minute, want 128", got)
		}
		if seen := sv.seen(20, 60); float64(seen.accepted) < 0.9*256*40 {
			t.Errorf("%d answers in 40 s, want 256 a second", seen.accepted)
		}
	})
}

// A hint on one answer holds the whole lane.
func TestRetryAfterPausesTheLane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{Concurrency: 8, Clock: System})
		defer l.Close()
		start := time.Now()
		first := acquire(t, l, Request{})
		second := acquire(t, l, Request{})
		first.Settle(Outcome{Kind: Pressure, Hint: 20 * time.Second})
		second.Settle(Outcome{Kind: Success, FirstTry: true})
		if s := l.Stats(); !s.PausedUntil.Equal(start.Add(20 * time.Second)) {
			t.Errorf("paused until %v, want 20 s from %v", s.PausedUntil, start)
		}
		acquire(t, l, Request{Retry: true}).Settle(Outcome{Kind: Success})
		if waited := time.Since(start); waited != 20*time.Second {
			t.Errorf("the next request went after %v, want 20s", waited)
		}
		if s := l.Stats(); !s.PausedUntil.IsZero() {
			t.Errorf("still paused until %v", s.PausedUntil)
		}
	})
}

// Every way to give up, and that waiters hear of it, early and late.
func TestGiveUp(t *testing.T) {
	for _, tt := range []struct {
		name   string
		kind   Kind
		hint   time.Duration
		pause  time.Duration // of the caller's own
		after  time.Duration // at least
		before time.Duration // at most
		reason Reason
	}{
		{"pressed", Pressure, time.Minute, 0, 10 * time.Minute, 11 * time.Minute, Pressed},
		{"pressed with no hints", Pressure, 0, time.Minute, 10 * time.Minute, 11 * time.Minute, Pressed},
		{"pressed into a pause", Pressure, 7 * time.Minute, 0, 10 * time.Minute, 10 * time.Minute, Pressed},
		{"outage", Transient, 0, 0, 10 * time.Minute, 10*time.Minute + time.Second, Outage},
		{"long hint", Pressure, 11 * time.Minute, 0, 0, 0, LongHint},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := New(Config{GiveUp: 10 * time.Minute, Clock: System})
				defer l.Close()
				start := time.Now()
				var err error
				for err == nil {
					var p *Permit
					if p, err = l.Acquire(t.Context(), Request{Retry: true}); err == nil {
						p.Settle(Outcome{Kind: tt.kind, Hint: tt.hint})
						time.Sleep(tt.pause)
					}
				}
				if took := time.Since(start); took < tt.after || took > tt.before {
					t.Errorf("gave up after %v, want %v to %v", took, tt.after, tt.before)
				}
				var gaveUp *GaveUp
				if !errors.Is(err, ErrGaveUp) || !errors.As(err, &gaveUp) || gaveUp.Reason != tt.reason {
					t.Errorf("error %v, want ErrGaveUp for reason %v", err, tt.reason)
				}
				if _, err := l.Acquire(t.Context(), Request{}); !errors.Is(err, ErrGaveUp) {
					t.Errorf("a later waiter got %v, want ErrGaveUp", err)
				}
				if got := l.Stats().GaveUp; !errors.Is(got, ErrGaveUp) {
					t.Errorf("stats say %v, want ErrGaveUp", got)
				}
			})
		})
	}
}

// A success ends the patience that pressure has used up.
func TestSuccessRestoresPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{GiveUp: time.Minute, Clock: System})
		defer l.Close()
		for range 20 {
			acquire(t, l, Request{}).Settle(Outcome{Kind: Pressure, Hint: 30 * time.Second})
			acquire(t, l, Request{}).Settle(Outcome{Kind: Success})
		}
	})
}

// A lane that stood idle for longer than the patience gets another chance.
func TestIdleIsNotOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{GiveUp: time.Minute, Clock: System})
		defer l.Close()
		for range TripAfter {
			acquire(t, l, Request{}).Settle(Outcome{Kind: Transient})
		}
		time.Sleep(time.Hour)
		for range closeAfter {
			acquire(t, l, Request{}).Settle(Outcome{Kind: Success})
		}
		if l.Stats().Open {
			t.Error("the breaker is open after two successes")
		}
	})
}

// Failures of requests that were sent before an outage was known belong to it,
// however late they come.
func TestLateFailuresBelongToTheirOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{Concurrency: 100, Clock: System})
		defer l.Close()
		var hung []*Permit
		for range 2 * TripAfter {
			hung = append(hung, acquire(t, l, Request{}))
		}
		for range TripAfter {
			acquire(t, l, Request{}).Settle(Outcome{Kind: Transient})
		}
		for range closeAfter {
			acquire(t, l, Request{}).Settle(Outcome{Kind: Success})
		}
		for _, p := range hung {
			if streak := p.Settle(Outcome{Kind: Transient}); !streak.Opened() {
				t.Fatal("a late failure is charged to its record")
			}
		}
		if l.Stats().Open {
			t.Error("late failures opened the breaker again")
		}
	})
}

// While the breaker is open, probes come a tenth of the outage apart, at first and at most a
// minute; the second only when the first has not failed in the time that failures take.
func TestProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{Clock: System})
		defer l.Close()
		trip(t, l)
		opened := time.Now()
		for range 60 {
			start := time.Now()
			age := start.Sub(opened)
			probe := acquire(t, l, Request{})
			want := min(max(age/10, leastOpen), mostOpen)
			if waited := time.Since(start); waited != want {
				t.Errorf("a probe after %v, %v into the outage, want %v", waited, age, want)
			}
			other, cancel := context.WithTimeout(t.Context(), leastWait-time.Millisecond)
			if _, err := l.Acquire(other, Request{}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a second probe beside the first: %v", err)
			}
			cancel()
			probe.Settle(Outcome{Kind: Transient})
		}
		time.Sleep(mostOpen)
		first := acquire(t, l, Request{})
		start := time.Now()
		second := acquire(t, l, Request{})
		if waited := time.Since(start); waited != leastWait {
			t.Errorf("a second probe %v after the first, want %v", waited, leastWait)
		}
		first.Settle(Outcome{Kind: Success})
		second.Settle(Outcome{Kind: Success})
		if l.Stats().Open {
			t.Error("still open after two successes")
		}
	})
}

// Eight answers in a row that say overloaded, and not for how long, are an outage; with a time to
// wait they are that.
func TestOverloadOpensTheBreaker(t *testing.T) {
	for _, tt := range []struct {
		name    string
		outcome Outcome
		open    bool
	}{
		{"503 without a hint", Outcome{Kind: Pressure, Overloaded: true}, true},
		{"503 with a hint", Outcome{Kind: Pressure, Overloaded: true, Hint: time.Second}, false},
		{"429 without a hint", Outcome{Kind: Pressure}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := New(Config{Concurrency: TripAfter, Clock: System})
				defer l.Close()
				var permits []*Permit
				for range TripAfter {
					permits = append(permits, acquire(t, l, Request{}))
				}
				for _, p := range permits {
					p.Settle(tt.outcome)
				}
				if got := l.Stats().Open; got != tt.open {
					t.Errorf("open: %v, want %v", got, tt.open)
				}
			})
		})
	}
}

// What is accepted around an outage, over all of its time, tells no rate: neither where it is an
// overload, whose refusals hold the lane, too, nor at the next hold.
func TestOutagesTellNoRate(t *testing.T) {
	const answers, takes = 20, 100 * time.Millisecond
	for name, failure := range map[string]Outcome{
		"overload": {Kind: Pressure, Overloaded: true},
		"failures": {Kind: Transient},
	} {
		for _, lasts := range []time.Duration{20 * time.Second, time.Minute, 5 * time.Minute} {
			synctest.Test(t, func(t *testing.T) {
				l := New(Config{Clock: System, Concurrency: 8})
				defer l.Close()
				ask := func(o Outcome) {
					p := acquire(t, l, Request{})
					time.Sleep(takes)
					p.Settle(o)
				}
				fail := func(o Outcome, lasts time.Duration) {
					for start := time.Now(); time.Since(start) < lasts; {
						ask(o)
					}
				}
				answer := func() (took time.Duration) {
					start := time.Now()
					for range answers {
						ask(Outcome{Kind: Success})
					}
					return time.Since(start)
				}
				answer()
				fail(failure, lasts)
				if !l.Stats().Open {
					t.Errorf("%s for %s do not open the breaker", name, lasts)
				}
				ask(Outcome{Kind: Success}) // waits for its turn as a probe
				if took := answer(); took > 2*answers*takes || l.Stats().RPMLimit != 0 {
					t.Errorf("after %s for %s, %d answers took %s, at a limit of %d a minute", name, lasts, answers, took, l.Stats().RPMLimit)
				}
				fail(Outcome{Kind: Pressure}, 4*time.Second)
				ask(Outcome{Kind: Success})
				if limit, least := float64(l.Stats().RPMLimit), answers/(2*answers*takes+2*4*time.Second).Minutes(); limit < least {
					t.Errorf("%s for %s: at the next hold the limit is %.0f a minute, want %.0f at least", name, lasts, limit, least)
				}
			})
		}
	}
}

// A probe without an answer makes room for the next; one success is not enough.
func TestProbesThatSayLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{Clock: System})
		defer l.Close()
		for range TripAfter {
			acquire(t, l, Request{}).Settle(Outcome{Kind: Transient})
		}
		acquire(t, l, Request{}).Drop()
		acquire(t, l, Request{}).Settle(Outcome{Kind: Cancelled})
		acquire(t, l, Request{}).Settle(Outcome{Kind: Terminal}) // it lives
		if !l.Stats().Open {
			t.Error("closed after one answer")
		}
		start := time.Now()
		acquire(t, l, Request{}).Settle(Outcome{Kind: Pressure})
		acquire(t, l, Request{}).Settle(Outcome{Kind: Success})
		if waited := time.Since(start); waited != leastOpen {
			t.Errorf("%v between a probe that was refused and the next, want %v", waited, leastOpen)
		}
		if l.Stats().Open {
			t.Error("still open after two answers")
		}
		if got := l.Allowed(); got != startConcurrency/2 {
			t.Errorf("%d allowed after the outage, want half of %d", got, startConcurrency)
		}
	})
}

func acquire(t *testing.T, l *Limiter, r Request) *Permit {
	t.Helper()
	p, err := l.Acquire(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Failures that are probably their records' own open nothing, and as probes they put off nothing;
// where others open the breaker they belong to that outage, too.
func TestSuspectFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{Concurrency: 100, Clock: System})
		defer l.Close()
		own := Outcome{Kind: Transient, Suspect: true}
		for range 4 * TripAfter {
			if streak := acquire(t, l, Request{}).Settle(own); streak != nil {
				t.Fatal("a failure of the record's own belongs to a streak")
			}
		}
		if l.Stats().Open {
			t.Fatal("they opened the breaker")
		}
		acquire(t, l, Request{}).Settle(Outcome{Kind: Transient})
		beside := acquire(t, l, Request{}).Settle(own)
		late := acquire(t, l, Request{})
		for range TripAfter - 1 {
			acquire(t, l, Request{}).Settle(Outcome{Kind: Transient})
		}
		if !l.Stats().Open || !beside.Opened() || !late.Settle(own).Opened() {
			t.Error("a failure in the middle of an outage is charged to its record")
		}
		if !acquire(t, l, Request{Retry: true}).Settle(own).Opened() {
			t.Error("a probe that fails right after others is charged to its record")
		}
		time.Sleep(2 * leastOpen)
		start := time.Now()
		for range 20 {
			if streak := acquire(t, l, Request{Retry: true}).Settle(own); streak != nil {
				t.Error("a probe's failure that is the record's own is not charged to it")
			}
		}
		if waited := time.Since(start); waited != 0 {
			t.Errorf("twenty probes took %v, want no wait between", waited)
		}
	})
}

// What fails for its own fault says nothing of how much may be sent, and is not held back by what
// the few others say: neither when they fail, too, nor when what passed for chance is tested again.
func TestSuspectsAreNotHeldBack(t *testing.T) {
	const workers, takes, good, bad = 8, 20 * time.Millisecond, 10 * time.Second, 60 * time.Second
	for _, telling := range []int{3, 50, 400} { // one in so many of the bad ones fails for the first time
		synctest.Test(t, func(t *testing.T) {
			l := New(Config{Clock: System, Concurrency: workers})
			defer l.Close()
			start := time.Now()
			var n, sent atomic.Int64
			var all sync.WaitGroup
			for range workers {
				all.Go(func() {
					for time.Since(start) < good+bad {
						p := acquire(t, l, Request{})
						time.Sleep(takes)
						i, o := n.Add(1), Outcome{Kind: Transient}
						switch now := time.Since(start); {
						case now < good && i%10 > 0:
							o.Kind = Success
						case now >= good:
							sent.Add(1)
							o.Suspect = i%int64(telling) > 0
						}
						p.Settle(o)
					}
				})
			}
			all.Wait()
			if l.Stats().Open {
				t.Error("the breaker is open")
			}
			if got, free := float64(sent.Load()), workers*float64(bad/takes); got < free/2 {
				t.Errorf("one in %d tells: %.0f were sent, of %.0f that there is room for", telling, got, free)
			}
		})
	}
}

// New requests are the probes, where there are any: a record that failed may do so for ever.
func TestProbesAreNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{Clock: System})
		defer l.Close()
		trip(t, l)
		order := make(chan bool, 2)
		for _, retry := range []bool{true, false} {
			go func() {
				p, err := l.Acquire(t.Context(), Request{Retry: retry})
				if err != nil {
					return
				}
				order <- retry
				p.Settle(Outcome{Kind: Transient})
			}()
			synctest.Wait()
		}
		if first, second := <-order, <-order; first || !second {
			t.Errorf("the first probe is a retry: %v, the second: %v", first, second)
		}
	})
}

// Where probes fail and succeed by turns the provider is there.
func TestProbesByTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{Clock: System})
		defer l.Close()
		trip(t, l)
		for _, kind := range []Kind{Transient, Success, Transient, Success} {
			if !l.Stats().Open {
				t.Error("closed too early")
			}
			acquire(t, l, Request{}).Settle(Outcome{Kind: kind})
		}
		if l.Stats().Open {
			t.Error("two of four probes succeeded, and it is open")
		}
		trip(t, l)
		for _, kind := range []Kind{Success, Transient, Transient, Transient, Success} {
			acquire(t, l, Request{}).Settle(Outcome{Kind: kind})
		}
		if !l.Stats().Open {
			t.Error("two of five probes succeeded, and it is closed")
		}
	})
}
