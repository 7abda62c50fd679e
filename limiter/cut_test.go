package limiter

import (
	"testing"
	"time"
)

// A refusal, or a success, at a time, and the limit after it.
func TestCuts(t *testing.T) {
	type event struct {
		at       time.Duration
		cut      int // cuts before the request was sent
		inFlight int // when the answer came
		hint     time.Duration
		success  bool
		want     float64
	}
	second := time.Second
	for _, tt := range []struct {
		name   string
		events []event
	}{
		{"a rate: one cut for all that was in flight", []event{
			{0, 0, 100, second, false, 80}, {second, 0, 60, second, false, 80},
		}},
		{"a rate: once in 15 s", []event{
			{0, 0, 100, second, false, 80}, {second, 1, 80, 0, true, 80},
			{14 * second, 1, 80, second, false, 80}, {16 * second, 1, 80, second, false, 64},
		}},
		{"a rate: once in the time it says", []event{
			{0, 0, 100, 60 * second, false, 80}, {61 * second, 1, 80, 0, true, 80}, {59 * second, 1, 80, second, false, 80},
			{62 * second, 1, 80, second, false, 64},
		}},
		{"no success since: no cut", []event{
			{0, 0, 100, second, false, 80}, {20 * second, 1, 80, second, false, 80},
			{21 * second, 0, 80, 0, true, 80}, {22 * second, 1, 80, second, false, 80}, // a late success proves nothing
			{23 * second, 1, 80, 0, true, 80}, {24 * second, 1, 80, second, false, 64},
		}},
		{"no room: the burst says how far", []event{
			{0, 0, 100, 0, false, 79.2}, {second, 0, 80, 0, false, 63.2}, {second, 0, 90, 0, false, 63.2},
			{second, 0, 11, 0, false, 50}, // never below half
		}},
		{"no room: one place between cuts", []event{
			{0, 0, 100, 0, false, 79.2}, {second, 1, 79, 0, false, 78}, {second, 1, 90, 0, false, 78},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newConcurrency(Config{MaxConcurrency: 256})
			c.set(100)
			for i, e := range tt.events {
				p := &Permit{cut: e.cut, inFlight: e.inFlight}
				if e.success {
					c.success(p, Outcome{Kind: Success}, noon.Add(e.at))
				} else {
					c.pressure(p, e.inFlight, e.hint, noon.Add(e.at))
				}
				if diff := c.limit - e.want; diff > 1e-9 || diff < -1e-9 {
					t.Fatalf("event %d: limit %v, want %v", i, c.limit, e.want)
				}
			}
		})
	}
}

// Until the next cut may follow, growth stops short of what was refused.
func TestCreepRespectsTheCeiling(t *testing.T) {
	c := newConcurrency(Config{MaxConcurrency: 256})
	c.set(100)
	c.pressure(&Permit{}, 100, 0, noon)
	for range 20 {
		c.creep(noon.Add(14 * time.Second))
	}
	if c.limit != 99 {
		t.Errorf("limit %v before the next cut may follow, want 99", c.limit)
	}
	c.creep(noon.Add(15 * time.Second))
	if c.limit != 99*(1+growBy) {
		t.Errorf("limit %v, want a twentieth more than 99", c.limit)
	}
}

// What was sent before the lane had filled up does not count in a trial, and
// a growth that gained nothing is not tried again for a minute.
func TestTrial(t *testing.T) {
	answer := func(tr *trial, n, inFlight int, took time.Duration) {
		for range n {
			p := &Permit{sent: noon, inFlight: inFlight}
			tr.grant(p, 40)
			tr.add(p, 100, noon.Add(took))
		}
	}
	var tr trial
	answer(&tr, 500, 20, time.Second)
	if got := tr.next(40, noon); got != 40 {
		t.Errorf("grew to %v on answers of a lane half empty", got)
	}
	answer(&tr, 500, 40, time.Second)
	if got := tr.next(40, noon); got != 80 {
		t.Errorf("grew to %v, want 80", got)
	}
	tr.restart()
	answer(&tr, 500, 80, 2*time.Second)
	if got := tr.next(80, noon); got != 40 {
		t.Errorf("kept %v after a growth that gained nothing, want 40", got)
	}
	tr.restart()
	answer(&tr, 500, 40, time.Second)
	if got := tr.next(40, noon.Add(59*time.Second)); got != 40 {
		t.Errorf("tried %v again within a minute", got)
	}
	if got := tr.next(40, noon.Add(60*time.Second)); got != 50 {
		t.Errorf("tried %v after a minute, want 50", got)
	}
	tr.restart()
	answer(&tr, 500, 50, time.Second)
	if got := tr.next(50, noon.Add(61*time.Second)); got != 62.5 {
		t.Errorf("went on to %v after a growth that gained a quarter, want 62.5", got)
	}
}
