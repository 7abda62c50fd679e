//go:build unix

package stream

import (
	"os"
	"path/filepath"
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
	stderr, err := os.Create(filepath.Join(t.TempDir(), "stderr")) // the command writes to it beside the run
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close()
	r := try(t, "sim:?latency=1ms", prompts(10), func(c *Config) {
		c.Chunk, c.OnChunk = 2, "echo > '"+began+"'; exec sleep 600"
		c.Stderr = stderr
		c.Listen = func() <-chan os.Signal { return signals }
	})
	if r.Paused != nil || r.Signal != syscall.SIGINT || r.Summary.OK != 2 {
		t.Errorf("ended by %v, %v, %+v", r.Signal, r.Paused, r.Summary)
	}
}
