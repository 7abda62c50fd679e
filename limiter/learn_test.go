package limiter

import (
	"math"
	"testing"
	"testing/synctest"
	"time"
)

func TestLimitsInForce(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config Config
		quota  Quota
		rpm    int
		tpm    int
	}{
		{"nothing known", Config{}, Quota{}, 0, 0},
		{"told", Config{RPM: 500, TPM: 30_000}, Quota{}, 500, 30_000},
		{"told, with headroom", Config{RPM: 500, TPM: 30_000, Headroom: 20}, Quota{}, 400, 24_000},
		{"learned", Config{}, Quota{Requests: Window{Limit: 1000}, Tokens: Window{Limit: 10_000}}, 970, 9_700},
		{"learned, with headroom", Config{Headroom: 10}, Quota{Requests: Window{Limit: 1000}}, 900, 0},
		{"learned is lower", Config{RPM: 2000}, Quota{Requests: Window{Limit: 1000}}, 970, 0},
		{"told is lower", Config{RPM: 500}, Quota{Requests: Window{Limit: 1000}}, 500, 0},
		{"the same", Config{RPM: 1000}, Quota{Requests: Window{Limit: 1000}}, 1000, 0},
		{"apart", Config{}, Quota{Input: Window{Limit: 10_000}, Output: Window{Limit: 2_000}}, 0, 11_640},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.config.Clock = System
				l := New(tt.config)
				defer l.Close()
				for range staying { // beside a told limit, only one that stays counts
					acquire(t, l, Request{}).Settle(Outcome{Kind: Success, Quota: tt.quota})
				}
				if s := l.Stats(); s.RPMLimit != tt.rpm || s.TPMLimit != tt.tpm {
					t.Errorf("limits %d and %d, want %d and %d", s.RPMLimit, s.TPMLimit, tt.rpm, tt.tpm)
				}
			})
		})
	}
}

// What remains, by the provider's count, is not overdrawn: somebody else may
// use the same key.
func TestRemainingHoldsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{TPM: 60_000, Clock: System})
		defer l.Close()
		p := acquire(t, l, Request{MaxTokens: 100})
		p.Settle(Outcome{Kind: Success, Quota: Quota{Tokens: Window{Limit: 60_000, Remaining: 2_000, Known: true}}})
		start := time.Now()
		acquire(t, l, Request{MaxTokens: 5_000})
		if waited := time.Since(start).Round(time.Millisecond); waited != 3*time.Second {
			t.Errorf("waited %v for 3,000 tokens at 1,000 a second, want 3s", waited)
		}
		// More than we think remains is no news.
		p = acquire(t, l, Request{MaxTokens: 10})
		p.Settle(Outcome{Kind: Success, Quota: Quota{Tokens: Window{Limit: 60_000, Remaining: 60_000, Known: true}}})
		start = time.Now()
		acquire(t, l, Request{MaxTokens: 1_000})
		if waited := time.Since(start); waited == 0 {
			t.Error("a rosy header lifted a debt")
		}
	})
}

// Only a provider that shows it counts completions as they come gives back
// what max_tokens reserved.
func TestUnusedOutput(t *testing.T) {
	apart := Quota{Input: Window{Limit: 1_000_000}, Output: Window{Limit: 1_000_000}}
	for _, tt := range []struct {
		name      string
		quota     Quota
		maxTokens int
		used      int
	}{
		{"reserved", Quota{}, 1000, 1010},
		{"given back", apart, 1000, 30},
		{"not reserved", Quota{}, 0, 30},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := New(Config{Clock: System})
				defer l.Close()
				p := acquire(t, l, Request{PromptBytes: 300, MaxTokens: tt.maxTokens})
				p.Settle(Outcome{Kind: Success, PromptTokens: 10, CompletionTokens: 20, Quota: tt.quota})
				if s := l.Stats(); s.TPMUsed != tt.used {
					t.Errorf("%d tokens used, want %d", s.TPMUsed, tt.used)
				}
			})
		})
	}
}

// The sum of the estimates comes to the sum of what was used, whatever the mix.
func TestEstimateConverges(t *testing.T) {
	e := newEstimate()
	first := e.charge(Request{PromptBytes: 300})
	if first[input] != 100 || first[output] != firstOutput || first[tokens] != 100+firstOutput {
		t.Errorf("first estimate %v, want a third of the bytes and %d", first, firstOutput)
	}
	estimated, used := 0.0, 0.0
	for i, p := range mixed(2000, 100) {
		if i >= 200 {
			estimated += e.charge(Request{PromptBytes: p.bytes})[input]
			used += float64(p.tokens)
		}
		e.learn(Request{PromptBytes: p.bytes, N: 2}, p.tokens, 0, 2*p.answer)
	}
	if ratio := estimated / used; math.Abs(ratio-1) > 0.05 {
		t.Errorf("estimates come to %.3f of what was used, want 1", ratio)
	}
	if out := e.charge(Request{N: 3})[output]; out < 3*25 || out > 3*75 {
		t.Errorf("three completions of 50 tokens or so are estimated at %.0f", out)
	}
	if out := e.charge(Request{N: 3, MaxTokens: 12})[output]; out != 12 {
		t.Errorf("max_tokens 12 is estimated at %.0f", out)
	}
}
