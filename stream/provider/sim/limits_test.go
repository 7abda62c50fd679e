package sim

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// Whatever the arrivals: in any time t a limit admits at most what it refills
// in t and a bucket held, and where it refuses, it tells the true wait.
func TestSimLimitsLaw(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		o := Options{
			RPM:   rapid.IntRange(0, 600).Draw(rt, "rpm"),
			TPM:   rapid.IntRange(100, 20000).Draw(rt, "tpm"),
			Burst: time.Duration(rapid.IntRange(1, 60).Draw(rt, "burst")) * time.Second,
		}
		type arrival struct {
			gap    time.Duration
			tokens int
		}
		arrivals := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) arrival {
			return arrival{
				gap:    time.Duration(rapid.IntRange(0, 3000).Draw(rt, "gap")) * time.Millisecond,
				tokens: rapid.IntRange(0, o.TPM).Draw(rt, "tokens"),
			}
		}), 1, 100).Draw(rt, "arrivals")
		var broken string
		synctest.Test(t, func(*testing.T) {
			l := newLimits(o)
			start := time.Now()
			requests, tokens, largest := 0.0, 0.0, 0.0
			for i, a := range arrivals {
				time.Sleep(a.gap)
				refusal := l.admit(nil, &request{endpoint: chat, model: "m"}, toll{tokens: a.tokens})
				if refusal != nil && i%2 == 0 {
					continue // and lose it
				}
				if refusal != nil {
					time.Sleep(refusal.retryAfter)
					if again := l.admit(nil, &request{endpoint: chat, model: "m"}, toll{tokens: a.tokens}); again != nil {
						broken = fmt.Sprintf("arrival %d: refused again: %v after %v", i, again, refusal)
						return
					}
				}
				requests++
				tokens += float64(a.tokens)
				largest = max(largest, float64(a.tokens))
				minutes := time.Since(start).Minutes()
				if bound := float64(o.RPM)*minutes + max(1, float64(o.RPM)*o.Burst.Minutes()); o.RPM > 0 && requests > bound+dust {
					broken = fmt.Sprintf("%v requests in %v minutes, %v allowed", requests, minutes, bound)
				}
				// A full bucket may go into debt for one request.
				if bound := float64(o.TPM)*minutes + max(float64(o.TPM)*o.Burst.Minutes(), largest); tokens > bound+float64(i)*dust {
					broken = fmt.Sprintf("%v tokens in %v minutes, %v allowed", tokens, minutes, bound)
				}
			}
		})
		if broken != "" {
			rt.Fatal(broken)
		}
	})
}

// A client that asks ten times too often gets its minute at once, and then the
// rate, and all of it.
func TestSimRPM(t *testing.T) {
	for _, test := range []struct {
		burst time.Duration
		want  int
	}{
		{time.Minute, 60 + 5*60},
		{time.Second, 5 * 60},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := New(Options{RPM: 60, Burst: test.burst})
			defer s.Close()
			for range 5 * 600 {
				post(s, "/v1/chat/completions", hello)
				time.Sleep(100 * time.Millisecond)
			}
			stats := s.Stats()
			// One either way, for where the first and the last tenth of a second fall.
			if got := int(stats.Answered); got < test.want-1 || got > test.want+1 {
				t.Errorf("burst %v: %d answered in 5 minutes at 60 a minute, want %d", test.burst, got, test.want)
			}
			if stats.ByStatus[200]+stats.ByStatus[429] != 3000 {
				t.Errorf("burst %v: answered %v", test.burst, stats.ByStatus)
			}
		})
	}
}

func TestSimLimitRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{RPM: 2, TPM: 1000, Headers: true})
		defer s.Close()
		big := strings.Replace(hello, `{`, `{"max_tokens":786,`, 1) // with 14 of prompt: 800
		if w := post(s, "/v1/chat/completions", big); w.Code != http.StatusOK {
			t.Fatalf("answered %d %s", w.Code, w.Body)
		}
		w := post(s, "/v1/chat/completions", big)
		// 600 tokens are missing, and 1000 come in a minute.
		got := decode[wireError](t, w).Error
		if w.Code != http.StatusTooManyRequests || *got.Code != "rate_limit_exceeded" || got.Type != "tokens" ||
			!strings.Contains(got.Message, "on tokens per min (TPM): Limit 1000, Requested 800. Please try again in 36s.") {
			t.Errorf("answered %d %s", w.Code, w.Body)
		}
		if h := w.Header(); h.Get("Retry-After") != "36" || h.Get("Retry-After-Ms") != "36000" {
			t.Errorf("headers %v", h)
		}
		if w := post(s, "/v1/chat/completions", hello); w.Code != http.StatusOK { // 34 tokens
			t.Errorf("the refused request was charged: %d %s", w.Code, w.Body)
		}
		w = post(s, "/v1/chat/completions", hello)
		if got := decode[wireError](t, w).Error; got.Type != "requests" || !strings.Contains(got.Message, "Please try again in 30s.") {
			t.Errorf("answered %d %s", w.Code, w.Body)
		}
		w = post(s, "/v1/chat/completions", strings.Replace(hello, `{`, `{"n":2,"max_tokens":600,`, 1))
		if got := decode[wireError](t, w).Error; w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "" ||
			!strings.Contains(got.Message, "Request too large for gpt-4o-mini") ||
			!strings.Contains(got.Message, "Limit 1000, Requested 1214.") {
			t.Errorf("answered %d %v %s", w.Code, w.Header(), w.Body)
		}
	})
}

// What fails after it was let in stays charged, a bad request as a request alone.
func TestSimFailedRequestsCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{RPM: 3, TPM: 100, Headers: true, Fail: 1})
		defer s.Close()
		for i, want := range []struct {
			body                     string
			status, requests, tokens int
		}{
			{hello, 500, 2, 66},
			{`{`, 400, 1, 66},
			{hello, 500, 0, 32},
			{hello, 429, 0, 32},
			{`{`, 429, 0, 32},
		} {
			w := post(s, "/v1/chat/completions", want.body)
			h := w.Header()
			if w.Code != want.status || h.Get("X-Ratelimit-Remaining-Requests") != strconv.Itoa(want.requests) ||
				h.Get("X-Ratelimit-Remaining-Tokens") != strconv.Itoa(want.tokens) {
				t.Errorf("request %d: answered %d %v", i, w.Code, h)
			}
		}
	})
}

// The headers are true: exactly what they say remains is admitted, and after
// the reset the bucket is full.
func TestSimHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{RPM: 10, TPM: 100000, Headers: true})
		defer s.Close()
		w := post(s, "/v1/chat/completions", hello)
		for name, want := range map[string]string{
			"X-Ratelimit-Limit-Requests": "10", "X-Ratelimit-Limit-Tokens": "100000",
			"X-Ratelimit-Remaining-Requests": "9", "X-Ratelimit-Remaining-Tokens": "99966", // 14 of prompt, 20 expected
			"X-Ratelimit-Reset-Requests": "6s", "X-Ratelimit-Reset-Tokens": "21ms",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		for range 9 {
			w = post(s, "/v1/chat/completions", hello)
		}
		if w.Code != http.StatusOK || w.Header().Get("X-Ratelimit-Remaining-Requests") != "0" ||
			w.Header().Get("X-Ratelimit-Reset-Requests") != "1m0s" {
			t.Fatalf("answered %d %v", w.Code, w.Header())
		}
		if w = post(s, "/v1/chat/completions", hello); w.Code != http.StatusTooManyRequests {
			t.Fatalf("answered %d", w.Code)
		}
		time.Sleep(time.Minute)
		if w = post(s, "/v1/chat/completions", hello); w.Header().Get("X-Ratelimit-Remaining-Requests") != "9" {
			t.Errorf("after the reset: %v", w.Header())
		}
	})
}

func TestSimHeadersOnlyWhereAsked(t *testing.T) {
	for _, test := range []struct {
		options Options
		want    int
	}{
		{Options{RPM: 10, TPM: 10000}, 0},
		{Options{Headers: true}, 0},
		{Options{RPM: 10, Headers: true}, 3},
		{Options{TPM: 10000, Headers: true}, 3},
	} {
		s := New(test.options)
		got := 0
		for name := range post(s, "/v1/chat/completions", hello).Header() {
			if strings.HasPrefix(name, "X-Ratelimit-") {
				got++
			}
		}
		if got != test.want {
			t.Errorf("%+v: %d headers, want %d", test.options, got, test.want)
		}
		s.Close()
	}
}

func TestSimRefundOutput(t *testing.T) {
	for _, refund := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := New(Options{TPM: 1000, Headers: true, RefundOutput: refund})
			defer s.Close()
			used := decode[wireCompletion](t, post(s, "/v1/chat/completions", strings.Replace(hello, `{`, `{"max_tokens":500,`, 1))).Usage.Total
			w := post(s, "/v1/chat/completions", hello)
			want := 1000 - 514 - 34
			if refund {
				want = 1000 - used - 34
			}
			if got := w.Header().Get("X-Ratelimit-Remaining-Tokens"); got != strconv.Itoa(want) {
				t.Errorf("refund %v: %s tokens remain, want %d", refund, got, want)
			}
		})
	}
}

func TestSimRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{RPM: 1, RetryAfter: 1500 * time.Millisecond})
		defer s.Close()
		post(s, "/v1/chat/completions", hello)
		w := post(s, "/v1/chat/completions", hello)
		if h := w.Header(); h.Get("Retry-After") != "2" || h.Get("Retry-After-Ms") != "1500" ||
			!strings.Contains(w.Body.String(), "again in 1.5s.") {
			t.Errorf("answered %d %v %s", w.Code, h, w.Body)
		}
	})
}

func TestSimDurationText(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-1: "0s", 0: "0s", 1: "1ms", 12 * time.Millisecond: "12ms", 1200 * time.Millisecond: "1.2s",
		6 * time.Minute: "6m0s", 2*time.Minute + 59560*time.Millisecond - 1: "2m59.56s",
	} {
		if got := durationText(d); got != want {
			t.Errorf("%d: %q, want %q", d, got, want)
		}
	}
}
