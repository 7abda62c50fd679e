package sim

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// However a limit moves and is held: what is refused is let in after the time that it was told. A
// sliding window alone cannot know how its limit will move.
func TestSimLimitTellsTheTruth(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		o := Options{Burst: time.Duration(rapid.IntRange(1, 60).Draw(rt, "burst")) * time.Second}
		if rapid.Bool().Draw(rt, "windows") {
			o.Window = time.Duration(rapid.IntRange(1, 100).Draw(rt, "window")) * time.Second
			o.Sliding = rapid.Bool().Draw(rt, "sliding")
		}
		c := courses().Draw(rt, "course")
		if o.Sliding {
			c.change = Change{}
		}
		l := newLimit(c, o)
		now := time.Duration(0)
		for range 50 {
			now += time.Duration(rapid.IntRange(0, 5000).Draw(rt, "gap")) * time.Millisecond
			charge := rapid.IntRange(0, 10_000).Draw(rt, "charge")
			l.advance(now)
			now += ceil(l.wait(charge))
			l.advance(now)
			if again := ceil(l.wait(charge)); again > 0 {
				rt.Fatalf("refused again, for %v", again)
			}
			l.spend(charge)
		}
	})
}

// No window grants more than its part: none of the fixed ones, and no stretch at all where they
// slide.
func TestSimWindowLaw(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		const length, limit = 10 * time.Second, 60 // ten in a window
		sliding := rapid.Bool().Draw(rt, "sliding")
		l := newLimit(course{limit: limit}, Options{Window: length, Sliding: sliding})
		var granted []time.Duration
		now := time.Duration(0)
		for range 200 {
			now += time.Duration(rapid.IntRange(0, 1500).Draw(rt, "gap")) * time.Millisecond
			l.advance(now)
			if l.wait(1) == 0 {
				l.spend(1)
				granted = append(granted, now)
			}
		}
		for i, from := range granted {
			if !sliding {
				from = from.Truncate(length)
			}
			in := 0
			for _, at := range granted[i:] {
				if at < from+length {
					in++
				}
			}
			if in > 10 {
				rt.Fatalf("%d granted from %v on", in, from)
			}
		}
	})
}

// A client that asks too often gets what there is, and all of it.
func TestSimLimitsThatMove(t *testing.T) {
	for query, want := range map[string]int{
		"rpm=6000,1800/10s&burst=1s":  100 + 2*10*(100+30), // a full bucket, and two rounds of turns
		"rpm=600+300/s&burst=1s":      10 + 10*40 + 5*40*40/2,
		"rpm=3600&window=10s":         4 * 600,
		"rpm=3600&window=10s&sliding": 4 * 600,
		"rpm=6000,1800/10s&window=5s": 2 * 2 * (500 + 150),
	} {
		synctest.Test(t, func(t *testing.T) {
			o, err := ParseOptions("latency=0&" + query)
			if err != nil {
				t.Fatal(err)
			}
			s := New(o)
			defer s.Close()
			for range 40 * 250 {
				post(s, "/v1/chat/completions", hello)
				time.Sleep(4 * time.Millisecond)
			}
			// A rising bucket holds more than it did, and where it is asked too seldom it spills.
			if got := int(s.Stats().Answered); got < want-want/50 || got > want+want/50 {
				t.Errorf("%s: %d answered in 40 s, want %d", query, got, want)
			}
		})
	}
}

// The headers tell a window as it is: what remains, and when it ends.
func TestSimWindowHeaders(t *testing.T) {
	for sliding, reset := range map[bool]string{false: "7s", true: "10s"} {
		synctest.Test(t, func(t *testing.T) {
			s := New(Options{RPM: 60, Window: 10 * time.Second, Sliding: sliding, Headers: true})
			defer s.Close()
			time.Sleep(2 * time.Second)
			post(s, "/v1/chat/completions", hello)
			time.Sleep(time.Second)
			h := post(s, "/v1/chat/completions", hello).Header()
			for name, want := range map[string]string{
				"X-Ratelimit-Limit-Requests": "60", "X-Ratelimit-Remaining-Requests": "8", "X-Ratelimit-Reset-Requests": reset,
			} {
				if got := h.Get(name); got != want {
					t.Errorf("sliding %v: %s is %q, want %q", sliding, name, got, want)
				}
			}
			for range 8 {
				post(s, "/v1/chat/completions", hello)
			}
			// The first of them is forgotten after ten seconds where the window slides.
			wait := map[bool]string{false: "7", true: "9"}[sliding]
			if w := post(s, "/v1/chat/completions", hello); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != wait {
				t.Errorf("sliding %v: answered %d %v", sliding, w.Code, w.Header())
			}
		})
	}
}

// What is larger than a limit will ever be is told so; a limit that rises will be as large.
func TestSimTooLargeForAMovingLimit(t *testing.T) {
	for query, want := range map[string]string{
		"tpm=10,30/10s": "Request too large", // 34 tokens
		"tpm=10,40/10s": "",
		"tpm=10+1/s":    "",
	} {
		o, err := ParseOptions("latency=0&" + query)
		if err != nil {
			t.Fatal(err)
		}
		s := New(o)
		if w := post(s, "/v1/chat/completions", hello); (w.Code != http.StatusOK) != (want != "") {
			t.Errorf("%s: answered %d %s", query, w.Code, w.Body)
		}
		s.Close()
	}
}
