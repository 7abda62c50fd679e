//go:build unix

package stream

import (
	"os"
	"syscall"
	"testing"
)

// A signal that cuts --on-chunk short is why the run ends: the command has not stopped it.
func TestSignalDuringOnChunk(t *testing.T) {
	began := namedPipe(t)
	signals := make(chan os.Signal)
	go func() {
		_, _ = os.ReadFile(began) // until the command has opened it and closed it again
		signals <- syscall.SIGINT
	}()
	r := try(t, "sim:?latency=1ms", prompts(10), func(c *Config) {
		c.Chunk, c.OnChunk = 2, "echo > '"+began+"'; exec sleep 600"
		c.Listen = func() <-chan os.Signal { return signals }
	})
	if r.Paused != nil || r.Signal != syscall.SIGINT || r.Summary.OK != 2 {
		t.Errorf("ended by %v, %v, %+v", r.Signal, r.Paused, r.Summary)
	}
}
