package stream

import (
	"errors"
	"syscall"
	"testing"

	"llmpipe/stream/ui"
)

func TestExitCodes(t *testing.T) {
	fail, pause := errors.New("failed"), errors.New("paused")
	for _, c := range []struct {
		o    Outcome
		want int
	}{
		{Outcome{}, 0},
		{Outcome{Summary: ui.Summary{Failed: 1}}, 3},
		{Outcome{Summary: ui.Summary{Failed: 1}, Paused: pause}, 75},
		{Outcome{Summary: ui.Summary{Failed: 1}, Paused: pause, Signal: syscall.SIGTERM}, 143},
		{Outcome{Summary: ui.Summary{Failed: 1}, Paused: pause, Signal: syscall.SIGINT, Err: fail}, 1},
	} {
		if got := c.o.ExitCode(); got != c.want {
			t.Errorf("%+v: exit %d, want %d", c.o, got, c.want)
		}
	}
}
