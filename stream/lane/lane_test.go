package lane

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"llmpipe/limiter"
	"llmpipe/stream/flow"
)

func testLane(t *testing.T) *Lane {
	all := &Lanes{flow: newFlow(t)}
	l := &Lane{lanes: all, Host: &flow.Host{Name: "spare"}, Pace: limiter.New(limiter.Config{Clock: limiter.System})}
	t.Cleanup(l.Pace.Close)
	all.all = []*Lane{{}, l}
	return l
}

// A lane whose provider has nothing left is tried again by one record at a time, after longer and
// longer waits, and opened by an answer to what was sent since, not by one that was on its way.
func TestLaneClosesAndOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, empty := testLane(t), errors.New("nothing left")
		usable := func(when string, want bool) {
			t.Helper()
			if got, _ := l.usable(time.Now()); got != want {
				t.Errorf("%s: usable %v, want %v", when, got, want)
			}
		}
		usable("at first", true)
		sentBefore := time.Now()
		time.Sleep(time.Second)
		l.shut(empty, false)
		usable("just closed", false)
		l.reopen(sentBefore)
		usable("after a late answer", false)
		time.Sleep(firstClosed)
		usable("the first record after a while", true)
		usable("the next", false)
		l.shut(empty, false)
		time.Sleep(firstClosed)
		usable("after the first wait again", false)
		time.Sleep(firstClosed)
		usable("after twice that", true)
		l.reopen(time.Now())
		usable("after an answer", true)
		usable("and everybody", true)
		if l.whyClosed() != nil {
			t.Errorf("closed: %v", l.whyClosed())
		}
	})
}

func TestLaneShutForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := testLane(t)
		l.shut(errors.New("wrong key"), true)
		time.Sleep(24 * time.Hour)
		l.reopen(time.Now())
		if ok, _ := l.usable(time.Now()); ok {
			t.Error("it was opened again")
		}
	})
}
