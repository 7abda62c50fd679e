package flow

import (
	"context"
	"errors"
	"time"

	"llmpipe/stream/ui"
)

// LeastDrain is how much of --deadline is kept at least for what is in flight, as most answers take
// less.
const LeastDrain = 30 * time.Second

// KeepDeadline ends the run so that it is over at a time, and returns when asking has ended, by
// that or otherwise, or ctx has. Asking ends before it by what the slowest answer so far took, and
// no less than LeastDrain; then what is in flight has until shortly before the time to come in and
// be committed.
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
			f.Stop.Pause(ui.WithHint("the same command goes on where it stopped",
				errors.New("--deadline: nothing more is asked, and what is in flight is waited for, at most "+rest)))
			return
		}
		timer.Reset(min(left, time.Second)) // an answer may come that is slower than all before
	}
}
