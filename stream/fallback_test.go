package stream

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"llmpipe/limiter"
	"llmpipe/stream/lane"
	"llmpipe/stream/provider"
	"llmpipe/stream/ui"
)

// A provider that asks for more patience than there is loses its records to the next one.
func TestRunHintLongerThanPatienceWithAFallback(t *testing.T) {
	busy, _ := serve(t, http.StatusTooManyRequests, `{"error":{"message":"Please try again in 3h"}}`)
	well, asked := serve(t, http.StatusOK, `{"choices":[{"message":{"content":"yes"},"finish_reason":"stop"}]}`)
	r := try(t, busy, prompts(100), func(c *Config) {
		c.Pace.GiveUp = time.Hour
		c.Lanes = []lane.Target{{
			Provider: provider.Config{BaseURL: well, Connections: 4}, Pace: limiter.Config{Concurrency: 4, GiveUp: time.Hour},
		}}
	})
	if r.ExitCode() != ExitOK || r.Summary.OK != 100 || asked.Load() != 100 {
		t.Errorf("exit %d, %+v, %v", r.ExitCode(), r.Summary, r.Paused)
	}
	if n := strings.Count(r.said.String(), "gets no more requests"); n != 1 {
		t.Errorf("said %d times that the first lane is closed:\n%s", n, &r.said)
	}
}

// Who is asked for more patience than there is learns what can be done about it.
func TestRunSaysWhatToDoAboutALongWait(t *testing.T) {
	for _, wait := range []string{"86400", time.Now().Add(72 * time.Hour).UTC().Format(http.TimeFormat)} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", wait)
			w.WriteHeader(http.StatusTooManyRequests)
		}))
		r := try(t, server.URL, prompts(2), func(c *Config) { c.Pace.GiveUp = time.Hour })
		server.Close()
		if r.ExitCode() != ExitPaused || r.Paused == nil || !strings.Contains(ui.HintOf(r.Paused), "with --give-up") {
			t.Errorf("Retry-After: %s: exit %d, %v, hint %q", wait, r.ExitCode(), r.Paused, ui.HintOf(r.Paused))
		}
	}
}
