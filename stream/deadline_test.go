package stream

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"llmpipe/stream/flow"
)

// A run with a deadline stops asking in time for its answers to come in: half a minute before, or
// as long before as the slowest one took. It is over by then whatever hangs.
func TestDeadline(t *testing.T) {
	for name, test := range map[string]struct {
		sim         string
		end         time.Duration
		least, most time.Duration // that it takes
		hangs       bool          // an answer that was waited for never came
	}{
		"fast answers": {"sim:?latency=1s&jitter=0", 2 * time.Minute, 90 * time.Second, 92 * time.Second, false},
		"slow answers": {"sim:?latency=50s&jitter=0", 5 * time.Minute, 250 * time.Second, 300 * time.Second, false},
		"an outage":    {"sim:?latency=1s&outage=5s-20h", 2 * time.Minute, 90 * time.Second, 120 * time.Second, false},
		"hanging":      {"sim:?latency=1s&hang=1", 2 * time.Minute, 118 * time.Second, 2 * time.Minute, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				r := try(t, test.sim, prompts(10_000), func(c *Config) {
					c.Deadline, c.Pace.GiveUp, c.Provider.Timeout = test.end, 2*time.Hour, 10*time.Minute
				})
				took := time.Since(began)
				if r.ExitCode() != ExitPaused || took < test.least || took > test.most {
					t.Errorf("exit %d after %s: %s", r.ExitCode(), took, &r.said)
				}
				if !strings.Contains(r.Paused.Error(), "--deadline") {
					t.Errorf("paused by %v", r.Paused)
				}
				if s := r.Summary; (s.OK == 0) != test.hangs || s.Unsent == 0 || int64(r.lines()) != s.OK+s.Failed {
					t.Errorf("%d lines, %+v", r.lines(), s)
				}
			})
		})
	}
}

// A run that is done before its deadline does not know of it.
func TestDeadlineThatIsNotReached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := try(t, "sim:?latency=1s", prompts(10), func(c *Config) { c.Deadline = flow.LeastDrain + time.Minute })
		if r.ExitCode() != ExitOK || r.Summary.OK != 10 {
			t.Errorf("exit %d, %+v", r.ExitCode(), r.Summary)
		}
	})
}
