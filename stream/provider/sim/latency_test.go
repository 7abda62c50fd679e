package sim

import (
	"math"
	"testing"
	"testing/synctest"
	"time"
)

func TestSimLatency(t *testing.T) {
	for _, jitter := range []float64{0, 0.5, 1} {
		o := Options{Latency: time.Second, Jitter: jitter}
		low, high, sum := time.Hour, time.Duration(0), time.Duration(0)
		const draws = 10_000
		for i := range uint64(draws) {
			d := o.latency(i, 1, o.Latency)
			low, high, sum = min(low, d), max(high, d), sum+d
		}
		width := time.Duration(jitter * float64(time.Second))
		near := func(got, want time.Duration) bool { return (got - want).Abs() <= 20*time.Millisecond }
		if low < time.Second-width || high > time.Second+width || !near(low, time.Second-width) || !near(high, time.Second+width) ||
			!near(sum/draws, time.Second) {
			t.Errorf("jitter %v: from %v to %v, mean %v", jitter, low, high, sum/draws)
		}
	}
}

func TestSimSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct {
			atOnce int
			want   time.Duration
		}{{5, time.Second}, {10, time.Second}, {20, 2 * time.Second}, {40, 4 * time.Second}} {
			s := New(Options{Latency: time.Second, Slow: 10})
			client := connect(t, s)
			start := time.Now()
			done := make(chan error, test.atOnce)
			for range test.atOnce {
				go func() {
					_, _, err := sendBody(t.Context(), client, hello)
					done <- err
				}()
			}
			for range test.atOnce {
				if err := <-done; err != nil {
					t.Fatal(err)
				}
			}
			if got := time.Since(start); got != test.want {
				t.Errorf("%d at once took %v, want %v", test.atOnce, got, test.want)
			}
		}
	})
}

// As many straggle as are to, always the same ones, and they take what they are to.
func TestSimStragglers(t *testing.T) {
	for query, want := range map[string]time.Duration{
		"latency=400ms&jitter=0.5&stragglers=0.02&straggler-latency=10s": 10 * time.Second,
		"latency=400ms&jitter=0.5&stragglers=0.02":                       4 * time.Second,
	} {
		o, err := ParseOptions(query)
		if err != nil {
			t.Fatal(err)
		}
		const draws, share = 100_000, 0.02
		straggled := 0.0
		for i := range uint64(draws) {
			d := o.latency(i, 1, o.Latency)
			switch {
			case d == want:
				straggled++
			case d > 600*time.Millisecond:
				t.Fatalf("%s: arrival %d takes %v", query, i, d)
			}
			if again := o.latency(i, 1, o.Latency); again != d {
				t.Fatalf("%s: arrival %d takes %v, and then %v", query, i, d, again)
			}
		}
		// Five standard deviations of a binomial.
		if slack := 5 * math.Sqrt(draws*share*(1-share)); math.Abs(straggled-draws*share) > slack {
			t.Errorf("%s: %v of %v straggled, want %v ± %.0f", query, straggled, draws, draws*share, slack)
		}
	}
}

// Latency drifts to its other end and back.
func TestSimLatencyDrift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, err := ParseOptions("latency=1s..4s/60s")
		if err != nil {
			t.Fatal(err)
		}
		s := New(o)
		defer s.Close()
		start := time.Now()
		for _, test := range []struct{ at, want time.Duration }{
			{0, time.Second}, {10 * time.Second, 2 * time.Second}, {30 * time.Second, 4 * time.Second},
			{50 * time.Second, 2 * time.Second}, {60 * time.Second, time.Second}, {70 * time.Second, 2 * time.Second},
		} {
			time.Sleep(test.at - time.Since(start))
			asked := time.Now()
			post(s, "/v1/chat/completions", hello)
			if got := time.Since(asked); (got - test.want).Abs() > time.Millisecond {
				t.Errorf("an answer asked for after %v took %v, want %v", test.at, got, test.want)
			}
		}
	})
}
