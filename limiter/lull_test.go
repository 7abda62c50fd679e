package limiter

import (
	"testing"
	"time"
)

// What a lane found stays found, and what it finds is as much as ever, whatever time went by in
// which there was nothing to send.
func TestIdleTimeLowersNoRate(t *testing.T) {
	window := site{rate: steady(5), window: time.Minute, exact: true}
	for _, tt := range []struct {
		name   string
		site   site
		busy   int           // seconds, before it
		idle   time.Duration // in which there is nothing to send
		apart  time.Duration // but for one record in so long
		at, to int           // the seconds after it that are compared
	}{
		{"an hour before the first", site{rate: steady(20)}, 0, time.Hour, 0, 0, 60},
		{"an hour before the first window", window, 0, time.Hour, 0, 60, 300},
		{"ten minutes", site{rate: steady(100)}, 40, 10 * time.Minute, 0, 0, 60},
		{"an hour", site{rate: steady(100)}, 40, time.Hour, 0, 0, 60},
		{"a day", site{rate: steady(100)}, 40, 24 * time.Hour, 0, 0, 60},
		{"an hour of windows", window, 150, time.Hour, 0, 60, 300},
		{"a record in 5 s", site{rate: steady(100), chance: 0.01}, 40, 10 * time.Minute, 5 * time.Second, 0, 60},
		{"a record in 20 s", site{rate: steady(20)}, 40, time.Hour, 20 * time.Second, 0, 60},
	} {
		after := func(idle time.Duration) int {
			w := newWorld(1)
			p := newPiper(w, newSite(w, tt.site), Config{})
			begin, end := time.Duration(tt.busy)*time.Second, time.Duration(tt.busy)*time.Second+idle
			p.idle = tt.busy == 0 && idle > 0
			if idle > 0 {
				w.after(begin, func() { p.idle = true })
			}
			for at := begin + tt.apart; tt.apart > 0 && at < end; at += tt.apart {
				w.after(at, func() { p.idle = false; p.step(); p.idle = true })
			}
			w.after(end, func() { p.idle = false })
			from := int(end / time.Second)
			w.run(w.now.Add(time.Duration(from+tt.to) * time.Second))
			return sum(p.answered, from+tt.at, from+tt.to)
		}
		if got, want := after(tt.idle), after(0); float64(got) < 0.9*float64(want) {
			t.Errorf("%s: %d answers after it, %d without", tt.name, got, want)
		}
	}
}
