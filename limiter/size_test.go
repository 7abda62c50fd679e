package limiter

import (
	"testing"
	"time"
)

// Where requests are limited, larger prompts are answered as fast as small ones; where tokens are,
// by as many fewer as they are larger.
func TestLargerPromptsFindTheirRate(t *testing.T) {
	const change = 30 // seconds
	for _, tt := range []struct {
		name   string
		site   site
		times  int // larger
		within int // seconds
	}{
		{"requests, 5 times", site{rate: steady(100)}, 5, 30},
		{"requests, 10 times", site{rate: steady(100)}, 10, 30},
		{"requests, 100 times", site{rate: steady(100)}, 100, 60},
		{"few requests, 10 times", site{rate: steady(20)}, 10, 90},
		{"few requests, 100 times", site{rate: steady(20)}, 100, 120},
		{"a window, 10 times", site{rate: steady(60), window: 10 * time.Second}, 10, 60},
		{"tokens, 10 times", site{tokens: 6000}, 10, 30},
	} {
		w := newWorld(0)
		p := newPiper(w, newSite(w, tt.site), Config{})
		p.sizes = func() prompt {
			n := 1
			if w.now.Sub(p.begun) >= change*time.Second {
				n = tt.times
			}
			return prompt{bytes: 80 * n, tokens: 20 * n, maxTokens: 10 * n, answer: 4 * n}
		}
		w.run(w.now.Add(time.Duration(change+tt.within+60) * time.Second))
		got := float64(sum(p.answered, change+tt.within, change+tt.within+60))
		limit := tt.site.tokens / 30 / float64(tt.times)
		if tt.site.rate != nil {
			limit = tt.site.rate(0)
		}
		if want := 0.7 * 60 * limit; got < want {
			t.Errorf("%s larger: %.0f answers in a minute, want %.0f", tt.name, got, want)
		}
	}
}
