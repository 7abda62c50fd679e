package limiter

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// A told limit is used to the full, and draws no refusal.
func TestToldLimits(t *testing.T) {
	for _, tt := range []struct {
		name    string
		laws    laws
		config  Config
		prompts []prompt
		seconds int // the span that is judged, from the start
		atLeast float64
		refused float64 // at most this share of the answers
	}{
		{"6000 rpm by the second", laws{rpm: 6000, burst: time.Second, latency: 500 * time.Millisecond},
			Config{RPM: 6000}, alike(12_000), 60, 0.98, 0},
		{"600k tpm, mixed", laws{tpm: 600_000, latency: 500 * time.Millisecond},
			Config{TPM: 600_000}, mixed(6_000, 500), 300, 0.97, 0.001},
		{"600k tpm, mixed, by ten seconds", laws{tpm: 600_000, burst: 10 * time.Second, latency: 2 * time.Second},
			Config{TPM: 600_000}, mixed(6_000, 500), 300, 0.97, 0.001},
		{"30k tpm, an eighth each", laws{tpm: 30_000, latency: 500 * time.Millisecond},
			Config{TPM: 30_000}, sized(300, 20, 4096), 1800, 0.97, 0.001},
		{"30 rpm", laws{rpm: 30, latency: 500 * time.Millisecond},
			Config{RPM: 30}, alike(400), 600, 0.97, 0},
		{"30 rpm, one at a time", laws{rpm: 30, burst: 2 * time.Second, latency: 500 * time.Millisecond},
			Config{RPM: 30}, alike(400), 600, 0.97, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				use, refused := measure(t, tt.laws, tt.config, tt.prompts, 0, tt.seconds)
				if use < tt.atLeast {
					t.Errorf("used %.4f of the quota, want %.2f", use, tt.atLeast)
				}
				if refused > tt.refused {
					t.Errorf("%.5f of the answers were refusals, want at most %.5f", refused, tt.refused)
				}
			})
		})
	}
}

// A limit that nobody told is learned from the headers.
func TestHeadersTeach(t *testing.T) {
	for _, tt := range []struct {
		name    string
		laws    laws
		prompts []prompt
		seconds int
	}{
		{"6000 rpm by the second", laws{rpm: 6000, burst: time.Second, latency: 500 * time.Millisecond}, alike(12_000), 60},
		{"600k tpm, mixed", laws{tpm: 600_000, latency: 500 * time.Millisecond}, mixed(6_000, 500), 300},
		{"600k tpm, mixed, by ten seconds", laws{tpm: 600_000, burst: 10 * time.Second, latency: 2 * time.Second},
			mixed(6_000, 500), 300},
		{"30k tpm, an eighth each", laws{tpm: 30_000, latency: 500 * time.Millisecond}, sized(300, 20, 4096), 1800},
		{"30 rpm", laws{rpm: 30, latency: 500 * time.Millisecond}, alike(1_000), 1800},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				use, refused := measure(t, tt.laws, Config{}, tt.prompts, 10, tt.seconds)
				if use < 0.95 {
					t.Errorf("used %.4f of the quota from the tenth second on, want 0.95", use)
				}
				if refused > 0.01 {
					t.Errorf("%.5f of the answers were refusals, want at most 0.01", refused)
				}
			})
		})
	}
}

// A limit that neither the user nor a header tells is found by trial.
func TestNobodyTells(t *testing.T) {
	for _, tt := range []struct {
		name    string
		laws    laws
		prompts []prompt
		seconds int
		refused float64
	}{
		{"6000 rpm by the second", laws{rpm: 6000, burst: time.Second, latency: 500 * time.Millisecond}, alike(20_000), 180, 0.02},
		{"600 rpm by the second", laws{rpm: 600, burst: time.Second, latency: 500 * time.Millisecond}, alike(4_000), 300, 0.03},
		{"600 rpm by the minute", laws{rpm: 600, latency: 500 * time.Millisecond}, alike(8_000), 600, 0.06},
		{"600k tpm, mixed", laws{tpm: 600_000, latency: 500 * time.Millisecond}, mixed(6_000, 500), 300, 0.12},
		{"30 rpm", laws{rpm: 30, latency: 500 * time.Millisecond}, alike(1_000), 1800, 0.14},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.laws.silent, tt.laws.jitter = true, 0.5
				use, refused := measure(t, tt.laws, Config{}, tt.prompts, 10, tt.seconds)
				if use < 0.9 {
					t.Errorf("used %.4f of the quota from the tenth second on, want 0.9", use)
				}
				if refused > tt.refused {
					t.Errorf("%.4f of the answers were refusals, want at most %.4f", refused, tt.refused)
				}
			})
		})
	}
}

// Somebody else uses half of what we were told: what remains, by the headers,
// is shared without a quarrel.
func TestSharedKey(t *testing.T) {
	for _, burst := range []time.Duration{time.Second, time.Minute} {
		t.Run(burst.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := laws{rpm: 6000, burst: burst, others: 0.5, latency: 500 * time.Millisecond, jitter: 0.5}
				use, refused := measure(t, s, Config{RPM: 6000}, alike(30_000), 120, 240)
				if use < 0.45 || use > 0.51 {
					t.Errorf("used %.4f of the quota, want the half that is left", use)
				}
				if refused > 0.01 {
					t.Errorf("%.4f of the answers were refusals, want at most 0.01", refused)
				}
			})
		})
	}
}

// measure runs prompts against a server and returns, for a span of seconds,
// the share of the quota that was used, and the share of all answers up to its
// end that were refusals.
func measure(t *testing.T, s laws, c Config, prompts []prompt, from, to int) (use, refused float64) {
	t.Helper()
	sv := newServer(s)
	c.Clock = System
	l := New(c)
	defer l.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(to)*time.Second)
	defer cancel()
	cl := newClient(l, sv)
	cl.run(ctx, prompts)
	if took := time.Since(sv.start); took < time.Duration(to)*time.Second {
		t.Fatalf("the prompts lasted for %v only", took)
	}
	span, all := sv.seen(from, to), sv.seen(0, to)
	minutes := float64(to-from) / 60
	if s.rpm > 0 {
		use = float64(span.accepted) / (s.rpm * minutes)
	} else {
		use = span.tokens / (s.tpm * minutes)
	}
	refused = float64(all.refused) / float64(all.refused+all.accepted)
	t.Logf("used %.4f, %d of %d refused", use, all.refused, all.refused+all.accepted)
	return use, refused
}

// sized is n prompts of the same size.
func sized(n, tokens, maxTokens int) []prompt {
	prompts := make([]prompt, n)
	for i := range prompts {
		prompts[i] = prompt{bytes: 4 * tokens, tokens: tokens, maxTokens: maxTokens, answer: maxTokens / 4}
	}
	return prompts
}

// The whole run, to the last answer: 3,000 prompts at 100 a second.
func TestWholeRunNearIdeal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sv := newServer(laws{rpm: 6000, burst: time.Second, latency: 500 * time.Millisecond})
		l := New(Config{RPM: 6000, Clock: System})
		defer l.Close()
		newClient(l, sv).run(context.Background(), alike(3000))
		took := time.Since(sv.start)
		ideal := 29*time.Second + sv.latency // what the server's bucket saves up at the start included
		if took.Seconds() > 1.05*ideal.Seconds() {
			t.Errorf("took %v, want at most 1.05 of %v", took, ideal)
		}
		if refused := sv.seen(0, 60).refused; refused > 0 {
			t.Errorf("%d refusals, want none", refused)
		}
		t.Logf("took %v, ideal %v", took, ideal)
	})
}
