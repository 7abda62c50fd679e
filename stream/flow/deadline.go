package flow

import (
	"context"
	"errors"
	"time"

	"llmpipe/stream/ui"
)

// LeastDrain is the least part of --deadline that is kept for what is in flight. Most answers take
// less.
const LeastDrain = 30 * time.Second

// KeepDeadline ends the run so that it is over by end. It returns when asking has ended, for this
// or another reason, or when ctx has ended. Asking stops ahead of end by the time that the slowest
// answer so far took, but by LeastDrain at least. What is in flight may then come in until
// lastGrace before end, which leaves time for the commit.
func (f *Flow) KeepDeadline(ctx context.Context, end time.Time) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-f.Stop.Asking.Done():
			f.Stop.giveUpAt(end.Add(-lastGrace))
			return
		case <-ctx.Done():
			return
		}
		drain := max(f.Counts.Slowest(), LeastDrain)
		left := time.Until(end) - drain
		if left <= 0 {
			f.Stop.giveUpAt(end.Add(-lastGrace))
			rest := ui.Duration(max(time.Until(end)-lastGrace, 0))
			f.Stop.Pause(ui.WithHint("run the same command again: it continues where it stopped",
				errors.New("--deadline: nothing more is sent; waiting for requests in flight, at most "+rest)))
			return
		}
		timer.Reset(min(left, time.Second)) // a slower answer than all before may come
	}
}
