package stream

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"llmpipe/limiter"
	"llmpipe/stream/lane"
	"llmpipe/stream/provider"
)

// spread has a run asks several simulators side by side, told nothing of them.
func spread(c *Config, simulators ...string) {
	c.Provider.BaseURL, c.Provider.Connections = simulators[0], 256
	c.Pace = limiter.Config{GiveUp: time.Hour}
	for i, url := range simulators[1:] {
		c.Lanes = append(c.Lanes, lane.Target{
			Name: fmt.Sprint("lane", i+1), Provider: provider.Config{BaseURL: url, Connections: 256}, Pace: c.Pace, Beside: true,
		})
	}
}

// limited is a simulator that takes so many requests a second, and says nothing of it beforehand.
func limited(perSecond int) string {
	return fmt.Sprintf("sim:?latency=400ms&jitter=0.5&rpm=%d&burst=1s&headers=false&retry-after=none", 60*perSecond)
}

// Four servers of different speed are all busy to the end.
func TestSpreadKeepsAllServersBusy(t *testing.T) {
	const perSecond, seconds = 150, 120
	least := map[string]float64{"limits": 0.95, "slow": 0.95, "places": 0.75} // of four places one is a quarter
	for name, servers := range map[string][]string{
		"limits": {limited(10), limited(20), limited(40), limited(80)},
		"slow":   {served("slow", 4), served("slow", 8), served("slow", 16), served("slow", 32)},
		"places": {served("inflight", 4), served("inflight", 8), served("inflight", 16), served("inflight", 32)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				r := try(t, "", prompts(perSecond*seconds), func(c *Config) { spread(c, servers...) })
				took := time.Since(began).Seconds()
				if r.ExitCode() != ExitOK || r.Summary.OK != perSecond*seconds || r.lines() != perSecond*seconds {
					t.Fatalf("exit %d, %+v: %s", r.ExitCode(), r.Summary, &r.said)
				}
				t.Logf("%s: %.3f of %d a second", name, seconds/took, perSecond)
				if seconds/took < least[name] {
					t.Errorf("%.2f of %d a second", seconds/took, perSecond)
				}
				for lane, rate := range map[string]int{"lane1": 20, "lane2": 40, "lane3": 80} {
					if n := strings.Count(r.out.String(), `"provider":"`+lane+`"`); n < rate*seconds*3/4 {
						t.Errorf("%s answered %d, of %d", lane, n, rate*seconds)
					}
				}
			})
		})
	}
}

// served is a simulator that serves n at once, in 400 ms each: beyond that it gets slow, as a
// server of one's own does, or refuses.
func served(how string, n int) string {
	return fmt.Sprintf("sim:?latency=400ms&jitter=0&%s=%d&retry-after=none", how, n)
}

// One of four servers goes away in the middle: the others answer what it was asked, and none is
// asked twice but what was in flight there, or what found out that it is gone.
func TestSpreadWhenAServerGoesAway(t *testing.T) {
	const records = 6000
	synctest.Test(t, func(t *testing.T) {
		gone := limited(40) + "&outage=20s-20h"
		r := try(t, "", prompts(records), func(c *Config) { spread(c, limited(10), limited(20), gone, limited(80)) })
		if r.ExitCode() != ExitOK || r.Summary.OK != records || r.lines() != records {
			t.Fatalf("exit %d, %+v: %s", r.ExitCode(), r.Summary, &r.said)
		}
		if n := strings.Count(r.said.String(), "fails every request"); n != 1 {
			t.Errorf("said %d times that a server is gone: %s", n, &r.said)
		}
	})
}

// A record that every server refuses is asked as often as one server would be, not as often as all.
func TestSpreadAndARecordThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := try(t, "", prompts(3), func(c *Config) {
			spread(c, "sim:?fail=1", "sim:?fail=1", "sim:?fail=1")
			c.Retries = 4
		})
		if n := strings.Count(r.out.String(), `"attempts":5`); r.Summary.Failed != 3 || n != 3 {
			t.Errorf("%+v: %s", r.Summary, &r.out)
		}
	})
}

// Where each server's quota is used up the run ends as with one.
func TestSpreadWithNothingLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := try(t, "", prompts(100), func(c *Config) { spread(c, "sim:?quota=10", "sim:?quota=20", "sim:?quota=5") })
		if r.ExitCode() != ExitPaused || r.Summary.OK != 35 {
			t.Errorf("exit %d, %+v: %s", r.ExitCode(), r.Summary, &r.said)
		}
	})
}

// Lanes behind those side by side get what none of these takes, and nothing before.
func TestSpreadAndAFallback(t *testing.T) {
	for _, test := range []struct{ quota, behind int }{{1000, 0}, {10, 80}} {
		synctest.Test(t, func(t *testing.T) {
			side := fmt.Sprintf("sim:?quota=%d", test.quota)
			r := try(t, "", prompts(100), func(c *Config) {
				spread(c, side, side)
				c.Lanes = append(c.Lanes, lane.Target{Name: "behind", Provider: provider.Config{BaseURL: "sim:", Connections: 4}, Pace: c.Pace})
			})
			if n := strings.Count(r.out.String(), `"provider":"behind"`); r.ExitCode() != ExitOK || n != test.behind {
				t.Errorf("exit %d, %d by the lane behind, want %d: %s", r.ExitCode(), n, test.behind, &r.said)
			}
		})
	}
}
