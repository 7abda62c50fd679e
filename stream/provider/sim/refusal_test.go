package sim

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Each way to refuse has each status, and says how long to wait if it is to.
func TestSimRefusals(t *testing.T) {
	ways := map[string]func(o *Options, status int){
		"pressure": func(o *Options, status int) { o.Pressure, o.PressureStatus = 1, status },
		"outage":   func(o *Options, status int) { o.Outage, o.OutageStatus = []Window{{0, time.Hour}}, status },
		"inflight": func(o *Options, status int) { o.MaxInFlight, o.InFlightStatus = 1, status },
	}
	tests := []struct {
		status int
		says   string
		hints  bool
	}{
		{429, `"code":"rate_limit_exceeded"`, true},
		{500, `"type":"server_error"`, false},
		{503, `"code":"overloaded"`, true},
		{529, `"type":"overloaded_error"`, true},
	}
	for way, set := range ways {
		for _, test := range tests {
			for retry, hint := range map[time.Duration]string{5 * time.Second: "5", NoRetryAfter: ""} {
				o := Options{RetryAfter: retry}
				set(&o, test.status)
				s := New(o)
				s.places.take() // the only one, if there is a bound
				w := post(s, "/v1/chat/completions", hello)
				if !test.hints {
					hint = ""
				}
				if w.Code != test.status || !strings.Contains(w.Body.String(), test.says) || w.Header().Get("Retry-After") != hint ||
					hint == "" && strings.Contains(w.Body.String(), "again in") {
					t.Errorf("%s, %d, %v: answered %d %v %s", way, test.status, retry, w.Code, w.Header(), w.Body)
				}
				s.Close()
			}
		}
	}
}

// What is said about the wait when nobody asked for anything.
func TestSimRefusalsUnasked(t *testing.T) {
	for name, test := range map[string]struct {
		options Options
		status  int
		hint    string
	}{
		"pressure": {Options{Pressure: 1}, 429, "1"},
		"outage":   {Options{Outage: []Window{{0, time.Hour}}}, 503, ""},
		"inflight": {Options{MaxInFlight: 1}, 503, ""},
	} {
		s := New(test.options)
		s.places.take()
		if w := post(s, "/v1/chat/completions", hello); w.Code != test.status || w.Header().Get("Retry-After") != test.hint {
			t.Errorf("%s: answered %d %v", name, w.Code, w.Header())
		}
		s.Close()
	}
}

// A limit that is silent names neither itself nor the time.
func TestSimSilentLimit(t *testing.T) {
	s := New(Options{RPM: 1, RetryAfter: NoRetryAfter})
	defer s.Close()
	post(s, "/v1/chat/completions", hello)
	w := post(s, "/v1/chat/completions", hello)
	if w.Code != http.StatusTooManyRequests || strings.Contains(w.Body.String(), "again in") {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
	for name := range w.Header() {
		if strings.HasPrefix(name, "Retry-") || strings.HasPrefix(name, "X-Ratelimit-") {
			t.Errorf("%s is %q", name, w.Header()[name])
		}
	}
}

// However many are refused, no place stays empty: whoever comes when one is free gets it.
func TestSimPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{MaxInFlight: 4, InFlightStatus: 429, Latency: 950 * time.Millisecond})
		defer s.Close()
		for range 100 { // a tenth of a second each
			for range 10 {
				go post(s, "/v1/chat/completions", hello)
			}
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(time.Second)
		if got := s.Stats().ByStatus; got[200] != 4*10 || got[429] != 1000-4*10 {
			t.Errorf("answered %v in ten seconds, want 4 a second", got)
		}
		if s.places.taken.Load() != 0 {
			t.Errorf("%d places are taken at the end", s.places.taken.Load())
		}
	})
}

// One answer in so many is odd, and it alone names a limit.
func TestSimOdd(t *testing.T) {
	s := New(Options{Odd: 100})
	defer s.Close()
	odd := 0
	for i := range 1000 {
		w := post(s, "/v1/chat/completions", hello)
		limit := w.Header().Get("X-Ratelimit-Limit-Requests")
		switch {
		case w.Code == http.StatusTooManyRequests && limit == "60":
			odd++
		case w.Code != http.StatusOK || limit != "":
			t.Fatalf("request %d: answered %d %v", i, w.Code, w.Header())
		}
	}
	if odd != 10 {
		t.Errorf("%d of 1000 were odd, want 10", odd)
	}
}
