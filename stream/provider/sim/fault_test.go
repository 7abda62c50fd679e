package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

// connect gives a client whose connections lead to s, for use inside a bubble.
func connect(t *testing.T, s *Server) *http.Client {
	transport := &http.Transport{DialContext: s.DialContext, MaxIdleConnsPerHost: 1000}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		s.Close()
	})
	return &http.Client{Transport: transport}
}

// sendBody asks over client and reads the answer to its end.
func sendBody(ctx context.Context, client *http.Client, body string) (status int, answer []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://sim/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	w, err := client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer w.Body.Close()
	answer, err = io.ReadAll(w.Body)
	return w.StatusCode, answer, err
}

func TestSimFaultShares(t *testing.T) {
	o := Options{Fail: 0.02, Reset: 0.04, Garbage: 0.06, Hang: 0.08, Pressure: 0.1, Empty: 0.12, Truncate: 0.14, Lost: 0.16, Seed: 3}
	const draws = 100_000
	counts := map[faultKind]int{}
	for i := range uint64(draws) {
		counts[o.fault(i)]++
	}
	for fault, share := range map[faultKind]float64{
		fail: 0.02, reset: 0.04, garbage: 0.06, hang: 0.08, pressure: 0.1, empty: 0.12, truncate: 0.14, lost: 0.16, noFault: 0.28,
	} {
		// Five standard deviations of a binomial.
		if got, slack := float64(counts[fault]), 5*math.Sqrt(draws*share*(1-share)); math.Abs(got-draws*share) > slack {
			t.Errorf("%q: %v of %v, want %v ± %.0f", fault, got, draws, draws*share, slack)
		}
	}
	other := o
	other.Seed = 4
	same := 0
	for i := range uint64(draws) {
		if o.fault(i) == other.fault(i) {
			same++
		}
	}
	if same > draws/2 {
		t.Errorf("another seed made the same choice %d times of %d", same, draws)
	}
}

func TestSimFaults(t *testing.T) {
	tests := []struct {
		fault   faultKind
		options Options
		check   func(status int, body []byte, err error) bool
	}{
		{fail, Options{Fail: 1}, func(status int, body []byte, err error) bool {
			return err == nil && status == 500 && strings.Contains(string(body), `"type":"server_error"`)
		}},
		{reset, Options{Reset: 1}, func(_ int, _ []byte, err error) bool {
			return err != nil && strings.Contains(err.Error(), "connection reset by peer")
		}},
		{garbage, Options{Garbage: 1}, func(status int, body []byte, err error) bool {
			return err == nil && status == 200 && len(body) > 0 && !strings.HasSuffix(string(body), "}\n")
		}},
		{hang, Options{Hang: 1}, func(_ int, _ []byte, err error) bool {
			return errors.Is(err, context.DeadlineExceeded)
		}},
		{pressure, Options{Pressure: 1}, func(status int, body []byte, err error) bool {
			return err == nil && status == 429 && strings.Contains(string(body), `"code":"rate_limit_exceeded"`)
		}},
		{empty, Options{Empty: 1}, func(status int, body []byte, err error) bool {
			return err == nil && status == 200 && len(body) == 0
		}},
		{odd, Options{Odd: 1}, func(status int, body []byte, err error) bool {
			return err == nil && status == 429 && strings.Contains(string(body), `"code":"rate_limit_exceeded"`)
		}},
		{lost, Options{Lost: 1}, func(status int, body []byte, err error) bool {
			return err == nil && status == 504 && strings.Contains(string(body), `"type":"server_error"`)
		}},
		{lost, Options{Lost: 1, LostStatus: 500}, func(status int, _ []byte, err error) bool { return err == nil && status == 500 }},
		{truncate, Options{Truncate: 1}, func(status int, body []byte, err error) bool {
			return err == nil && status == 200 && strings.Contains(string(body), `"finish_reason":"length"`)
		}},
	}
	for _, test := range tests {
		t.Run(string(test.fault), func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			synctest.Test(t, func(t *testing.T) {
				s := New(test.options)
				client := connect(t, s)
				for i := range 3 {
					ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
					status, body, err := sendBody(ctx, client, hello)
					cancel()
					if !test.check(status, body, err) {
						t.Errorf("request %d: answered %d %q, %v", i, status, body, err)
					}
				}
				synctest.Wait()
				if stats := s.Stats(); stats.Faults[string(test.fault)] < 3 || stats.InFlight != 0 {
					t.Errorf("counted %+v", stats)
				}
			})
		})
	}
}

// The same body meets another fate when it is asked again.
func TestSimRetrySucceeds(t *testing.T) {
	s := New(Options{Fail: 0.5})
	defer s.Close()
	statuses := map[int]int{}
	for range 100 {
		statuses[post(s, "/v1/chat/completions", hello).Code]++
	}
	if statuses[200] < 25 || statuses[500] < 25 || statuses[200]+statuses[500] != 100 {
		t.Errorf("answered %v", statuses)
	}
}

func TestSimPressureSaysHowLong(t *testing.T) {
	s := New(Options{Pressure: 1})
	defer s.Close()
	if h := post(s, "/v1/chat/completions", hello).Header(); h.Get("Retry-After") != "1" || h.Get("Retry-After-Ms") != "1000" {
		t.Errorf("headers %v", h)
	}
}

func TestSimOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Outage: []Window{{time.Second, 2 * time.Second}, {4 * time.Second, 5 * time.Second}}})
		defer s.Close()
		for i, want := range []int{200, 503, 200, 200, 503, 200} {
			w := post(s, "/v1/chat/completions", hello)
			if w.Code != want || w.Header().Get("Retry-After") != "" {
				t.Errorf("after %d s: answered %d %v, want %d", i, w.Code, w.Header(), want)
			}
			time.Sleep(time.Second)
		}
		hinting := New(Options{Outage: []Window{{0, time.Second}}, RetryAfter: time.Minute})
		defer hinting.Close()
		if w := post(hinting, "/v1/chat/completions", hello); w.Code != 503 || w.Header().Get("Retry-After") != "60" {
			t.Errorf("with retry-after: answered %d %v", w.Code, w.Header())
		}
	})
}

func TestSimQuota(t *testing.T) {
	s := New(Options{Quota: 3, Fail: 0.3})
	defer s.Close()
	statuses := map[int]int{}
	for range 50 {
		w := post(s, "/v1/chat/completions", hello)
		statuses[w.Code]++
		if w.Code == 429 && (*decode[wireError](t, w).Error.Code != "insufficient_quota" || w.Header().Get("Retry-After") != "") {
			t.Fatalf("answered %v %s", w.Header(), w.Body)
		}
	}
	if statuses[200] != 3 || statuses[429] < 20 || statuses[500] < 5 {
		t.Errorf("answered %v", statuses)
	}
}

func TestSimMaxInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{MaxInFlight: 4, Latency: time.Second})
		client := connect(t, s)
		results := make(chan string, 10)
		for range cap(results) {
			go func() {
				status, body, err := sendBody(t.Context(), client, hello)
				results <- fmt.Sprint(status, strings.Contains(string(body), `"code":"overloaded"`), err)
			}()
		}
		counts := map[string]int{}
		for range cap(results) {
			counts[<-results]++
		}
		if counts["200 false <nil>"] != 4 || counts["503 true <nil>"] != 6 {
			t.Errorf("answered %v", counts)
		}
		if stats := s.Stats(); stats.PeakInFlight < 5 || stats.InFlight != 0 {
			t.Errorf("counted %+v", stats)
		}
	})
}
