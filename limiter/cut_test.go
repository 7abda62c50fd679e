package limiter

import (
	"math/rand/v2"
	"testing"
	"time"
)

// stream is n sends of which a share is bad, at so many a second.
func stream(n int, share, perSecond float64, random *rand.Rand) []send {
	sends := make([]send, n)
	for i := range sends {
		sends[i] = send{at: noon.Add(time.Duration(float64(i) / perSecond * float64(time.Second))), tokens: 100, judged: good}
		if random.Float64() < share {
			sends[i].judged = refused
		}
	}
	return sends
}

// A share that stays where it was raises no alarm in thousands of sends, and one that rises does so
// within a few: it counts what came since it rose.
func TestRise(t *testing.T) {
	for _, share := range []float64{0.005, 0.02, 0.1} {
		random := rand.New(rand.NewPCG(1, 2))
		var r rise
		wrong := 0
		for n, e := range stream(5000, share, 100, random) {
			if r.add(n, &e, share, share+jump) {
				wrong++
				r = rise{}
			}
		}
		if wrong > 2 {
			t.Errorf("%d alarms in 5,000 sends of a share of %v", wrong, share)
		}
		r = rise{}
		for n, e := range stream(100, share+0.5, 100, random) {
			if !r.add(n, &e, share, share+jump) {
				continue
			}
			if n > 40 || r.share() < share+jump {
				t.Errorf("an alarm after %d sends of a share of %v, which was taken for %v", n, share+0.5, r.share())
			}
			break
		}
		if r.sum < alarm {
			t.Errorf("no alarm when %v became %v", share, share+0.5)
		}
	}
}

// A cut after which bad sends get rarer has shown a limit, one after which they do not chance, and one
// after which most are bad was not deep enough. Each verdict is right in nearly all of many runs.
func TestCutTellsLimitsFromChance(t *testing.T) {
	for _, tt := range []struct {
		name          string
		before, after float64 // share that is bad
		want          verdict
	}{
		{"a limit", 0.5, 0, isLimit},
		{"a limit that was just passed", 0.06, 0, isLimit},
		{"chance", 0.1, 0.1, isChance},
		{"little chance", 0.05, 0.05, isChance},
		{"far above a limit", 0.8, 0.6, isWorse},
	} {
		t.Run(tt.name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(3, 4))
			right := 0
			for range 200 {
				var c cut
				for n, e := range stream(100, tt.before, 200, random) {
					c.before.count(n, &e)
				}
				c.expect(c.before.share(), 200)
				for n, e := range stream(2000, tt.after, 200, random) {
					if v := c.add(n, &e); v != undecided {
						if v == tt.want {
							right++
						}
						break
					}
				}
			}
			if right < 180 {
				t.Errorf("right in %d of 200 runs", right)
			}
		})
	}
}

// What was accepted from one refusal to the next is the limit, whatever was sent between.
func TestClimbMeasuresBetweenRefusals(t *testing.T) {
	c := newClimb()
	rate := charge{requests: 150, tokens: 15_000}
	c.down(&rate, charge{}, noon) // the first says only that this is too much
	if got := rate[requests]; got != 150*(1-stepBack) {
		t.Errorf("%v a second after the first refusal, want %v", got, 150*(1-stepBack))
	}
	for range 300 {
		c.accept(&send{tokens: 100})
	}
	rate = charge{requests: 150, tokens: 15_000}
	c.down(&rate, charge{}, noon.Add(3*time.Second))
	if want := belowLimit * 100; rate[requests] < want-1e-9 || rate[requests] > want+1e-9 {
		t.Errorf("%v a second after 300 in 3 s, want %v", rate[requests], want)
	}
}

// Two clients of a told limit come to the same part, whatever they began with.
func TestPartsBecomeEqual(t *testing.T) {
	told := charge{requests: 100}
	a, b := charge{requests: 90}, charge{requests: 10}
	c := newClimb()
	for range 200 { // each has as many refusals as the other, for they are as frequent as what it sends
		for range int(a[requests]) {
			c.up(&a, told)
		}
		for range int(b[requests]) {
			c.up(&b, told)
		}
		if a[requests]+b[requests] > 100 {
			c.down(&a, told, noon)
			c.down(&b, told, noon)
		}
	}
	if a[requests] > 1.1*b[requests] {
		t.Errorf("%v and %v of 100", a[requests], b[requests])
	}
}

// Where refusals depend on how many are in flight, the server's places are found; where they depend on
// the rate, none are.
func TestPlacesTaken(t *testing.T) {
	for _, tt := range []struct {
		name string
		site site
		want int
	}{
		{"40 places", site{places: 40}, 40},
		{"4 places", site{places: 4}, 4},
		{"a rate", site{rate: steady(100)}, 0},
		{"chance", site{chance: 0.1}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(1)
			s := newSite(w, tt.site)
			c := newScript(w, s, 64)
			log := newSends()
			s.onAsk = func() func(Outcome) {
				n := log.add(w.now, 100)
				return func(o Outcome) {
					log.end(n, map[Kind]fate{Success: good, Pressure: refused, Transient: failed}[o.Kind], w.now)
				}
			}
			w.run(w.now.Add(2 * time.Second))
			for n := log.pop(w.now); n != 0; n = log.pop(w.now) {
			}
			if got := log.placesTaken(1, 400*time.Millisecond); got != tt.want {
				t.Errorf("%d places after %d answers and %d refusals, want %d",
					got, sum(c.answered, 0, 9), sum(c.refused, 0, 9), tt.want)
			}
		})
	}
}

// The first answer's limit is believed at once; an odd one after others is not, and one that others do
// not repeat is forgotten.
func TestClaims(t *testing.T) {
	for _, tt := range []struct {
		name string
		told bool
		says []float64
		want float64
	}{
		{"the first", false, []float64{60}, 60},
		{"the first, beside a told limit", true, []float64{60}, 0},
		{"that stays, beside a told limit", true, []float64{60, 60, 60}, 60},
		{"one odd after many without", false, []float64{0, 0, 0, 0, 60}, 0},
		{"the first, and no other", false, []float64{60, 0}, 0},
		{"one odd among many", false, []float64{600, 600, 600, 600, 60, 600}, 600},
		{"a new one that stays", false, []float64{600, 600, 60, 60, 60, 60, 60, 60}, 60},
	} {
		var c claim
		got := 0.0
		for _, limit := range tt.says {
			got = c.hear(limit, tt.told)
		}
		if got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
