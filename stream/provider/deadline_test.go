package provider

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run, stop := context.WithCancel(t.Context())
		d := deadlines{timeout: time.Minute}
		first := d.start(run)
		time.Sleep(50 * time.Second)
		d.end(first, true)
		time.Sleep(time.Hour)
		again := d.start(run)
		if again != first || again.Err() != nil {
			t.Fatal("the second attempt has another context, or one that has ended")
		}
		time.Sleep(50 * time.Second)
		synctest.Wait()
		if again.Err() != nil {
			t.Error("the second attempt ended before its time")
		}
		time.Sleep(11 * time.Second)
		synctest.Wait()
		if !errors.Is(context.Cause(again), errTimeout) {
			t.Errorf("after its time the cause is %v", context.Cause(again))
		}
		d.end(again, true)

		third := d.start(run)
		if third.Err() != nil {
			t.Error("the third attempt has a context that had ended")
		}
		d.end(third, false)
		if third.Err() == nil {
			t.Error("what still went on in an attempt was not ended with it")
		}

		other, stopOther := context.WithCancel(t.Context())
		d.end(d.start(run), true)
		theirs := d.start(other)
		stop()
		if theirs.Err() != nil {
			t.Error("an attempt ends with a caller that is not its own")
		}
		stopOther()
		if theirs.Err() == nil {
			t.Error("an attempt does not end with its caller")
		}
		d.end(theirs, false)
		idle := d.start(t.Context())
		d.end(idle, true)
		d.close()
		if idle.Err() == nil {
			t.Error("an idle context is left registered with its parent")
		}
	})
}
