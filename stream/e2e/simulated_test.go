//go:build unix

package e2e

import (
	"syscall"
	"testing"
	"time"
)

// The simulator as a server outlives clients that are gone before their answer is written, which it
// hears of by SIGPIPE.
func TestSimOutlivesItsClients(t *testing.T) {
	sim := startSim(t, "latency=0")
	for range 3 {
		if err := sim.cmd.Process.Signal(syscall.SIGPIPE); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond) // for the signal to be heard, where it is heeded wrongly
		sim.stats(t)
	}
}
