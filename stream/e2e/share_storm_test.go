//go:build unix

package e2e

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"
)

// storm is a job whose processes are killed at random and begun again, each on its own ledger,
// while its Redis loses everything, stands still, and is begun again empty.
type storm struct {
	processes int
	inFlight  int // requests of each
	latency   time.Duration
	lasts     time.Duration // as long as there are kills
	lives     time.Duration // a process, about, before it is killed
	budget    int64
	still     time.Duration // for how long the server stands still
}

// TestShareInAStorm: whatever happens, the bill is never above the budget, nothing is bought twice
// but what was in flight at a kill, and when the storm is over the job ends by itself and has used
// the budget up.
func TestShareInAStorm(t *testing.T) {
	t.Parallel()
	s := storm{
		processes: 4, inFlight: 2, latency: 100 * time.Millisecond, lasts: 5 * time.Second, lives: 2 * time.Second,
		budget: dollar / 40, still: time.Second,
	}
	if *long {
		s = storm{
			processes: 8, inFlight: 2, latency: 300 * time.Millisecond, lasts: 2 * time.Minute, lives: 10 * time.Second,
			budget: dollar, still: 20 * time.Second,
		}
	}
	s.run(t)
}

func (s storm) run(t *testing.T) {
	redis, sim := startRedis(t), startSim(t, fmt.Sprintf("latency=%s&jitter=0.5", s.latency))
	witness := startWitness(t, sim)
	dir := t.TempDir()
	const worst = 1_500_000 // that a request can cost
	prompts := writeBounded(t, dir, int(s.budget/worst)*20, always(100))
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	type slot struct {
		p     *process
		run   string
		ended chan int
		until time.Time // when it is killed
		again time.Time // when it begins again, where it does not run
		done  bool
	}
	slots := make([]*slot, s.processes)
	runs, kills, paused := 0, 0, 0
	start := func(i int) {
		runs++
		run := fmt.Sprintf("%d-%d", i, runs)
		p := llmpipe(t, dir, "--base-url", witness.URL, "-m", "gpt-4o", "-c", fmt.Sprint(s.inFlight), "--header", runHeader+": "+run,
			"--share", redis.url("job"), "--budget", fmt.Sprint(float64(s.budget)/dollar),
			"--slice", fmt.Sprintf("%d/%d", i, s.processes), "-l", fmt.Sprintf("l%d.jsonl", i), prompts)
		p.starts(t)
		l := &slot{p: p, run: run, ended: make(chan int, 1), until: time.Now().Add(time.Duration(random.ExpFloat64() * float64(s.lives)))}
		go func() {
			code := 0
			var exit *exec.ExitError
			if err := p.Wait(); errors.As(err, &exit) {
				code = exit.ExitCode()
			}
			l.ended <- code
		}()
		slots[i] = l
	}
	t.Cleanup(func() {
		for _, l := range slots {
			if l != nil && l.p != nil && !l.done {
				_ = l.p.Process.Signal(syscall.SIGKILL)
			}
		}
	})
	for i := range slots {
		start(i)
	}

	begun := time.Now()
	events := []struct {
		at float64 // of what the storm lasts
		do func()
	}{
		{0.2, func() { redis.do("FLUSHALL") }},
		{0.35, func() {
			redis.pause(true)
			time.AfterFunc(s.still, func() { redis.pause(false) })
		}},
		{0.65, func() { redis.do("FLUSHALL") }},
		{0.8, func() {
			redis.stop()
			redis.start()
		}},
	}
	bill := func() int64 { return sim.stats(t).bill(t) }
	deadline := begun.Add(s.lasts + 3*time.Minute)
	for {
		now := time.Now()
		if len(events) > 0 && now.Sub(begun).Seconds() > events[0].at*s.lasts.Seconds() {
			events[0].do()
			events = events[1:]
		}
		if spent := bill(); spent > s.budget {
			t.Fatalf("after %s: %d of %d are spent", now.Sub(begun), spent, s.budget)
		}
		for i, l := range slots {
			switch {
			case l.done:
			case l.p == nil:
				if now.After(l.again) {
					start(i)
				}
			default:
				select {
				case code := <-l.ended:
					switch code {
					case 0, 4:
						l.done = true
					case 75:
						paused++
						l.p, l.again = nil, now.Add(time.Second)
					default:
						t.Fatalf("%s ends with %d: %s", l.run, code, &l.p.err)
					}
				default:
					if now.After(l.until) && now.Sub(begun) < s.lasts {
						kills++
						_ = l.p.Process.Signal(syscall.SIGKILL)
						<-l.ended
						l.p, l.again = nil, now.Add(time.Duration(random.ExpFloat64()*float64(s.lives)/10))
					}
				}
			}
		}
		if !slices.ContainsFunc(slots, func(l *slot) bool { return !l.done }) {
			break
		}
		if now.After(deadline) {
			for _, l := range slots {
				if l.p != nil && !l.done {
					t.Logf("%s still runs: %s", l.run, &l.p.err)
				}
			}
			t.Fatalf("the job does not end: %d of %d are spent", bill(), s.budget)
		}
		time.Sleep(20 * time.Millisecond)
	}
	if len(events) > 0 {
		t.Errorf("the job ended before %d of the events", len(events))
	}
	spent := bill()
	records, twice := 0, 0
	for _, asked := range witness.askings() {
		records++
		twice += len(asked) - 1
	}
	t.Logf("%s: %d kills of %d runs, %d pauses; %d of %d spent (%.1f %%); %d records asked, %d twice", time.Since(begun).Round(time.Second),
		kills, runs, paused, spent, s.budget, 100*float64(spent)/float64(s.budget), records, twice)
	if spent > s.budget {
		t.Errorf("%d of %d are spent", spent, s.budget)
	}
	if most := kills * 2 * s.inFlight; twice > most {
		t.Errorf("%d records were asked about again, after %d kills with %d in flight each", twice, kills, s.inFlight)
	}
	// What attempts in flight at a kill may have cost counts as spent, and so does the rest that no
	// request fits.
	if least := s.budget - int64(kills*2*s.inFlight+s.processes)*worst; spent < least {
		t.Errorf("%d of %d are spent, want %d", spent, s.budget, least)
	}
}
