package limiter

import (
	"testing"
	"time"
)

// What is left unused of a told limit is left once, whatever is refused by chance.
func TestHeadroomIsLeftOnce(t *testing.T) {
	for _, tt := range []struct{ rpm, headroom, perSecond float64 }{
		{6000, 20, 80}, {6000, 50, 50}, {6000, 80, 20}, {3000, 50, 25},
	} {
		w := newWorld(0)
		p := newPiper(w, newSite(w, site{rate: steady(100), chance: 0.02}), Config{RPM: int(tt.rpm), Headroom: tt.headroom})
		w.run(w.now.Add(120 * time.Second))
		got := float64(sum(p.asked, 20, 120)) / 100
		if got < 0.85*tt.perSecond || got > 1.01*tt.perSecond {
			t.Errorf("%.0f rpm, %.0f %% unused: %.1f requests a second, want %.0f", tt.rpm, tt.headroom, got, tt.perSecond)
		}
	}
}

// Where a found limit is given up, the told one holds again, and nothing says that it is used up.
func TestGivingUpAFoundLimitTakesNothing(t *testing.T) {
	b := newBucket(6, 0, time.Now())
	b.find(3, true)
	b.find(0, true)
	if wait := b.wait(1); wait > 0 {
		t.Errorf("nothing was sent, and the next waits for %v", wait)
	}
}
