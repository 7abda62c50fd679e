package input

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"time"

	"llmpipe/stream/flow"
	"llmpipe/stream/ui"
)

// chunks counts records towards the next drain, for --chunk.
type chunks struct {
	size int // 0: never
	n    int // records of this chunk, without those whose result is recorded
	done int // chunks completed

	rest time.Time // no record of the next chunk is admitted before it
}

// full reports whether a chunk is complete. If so, it begins the next one.
func (c *chunks) full() bool {
	if c.size == 0 || c.n < c.size {
		return false
	}
	c.n = 0
	c.done++
	return true
}

// partial reports whether a last chunk was begun and is not full.
func (c *chunks) partial() bool {
	if c.size == 0 || c.n == 0 {
		return false
	}
	c.done++
	return true
}

// chunkStatus is what --on-chunk finds on its stdin.
type chunkStatus struct {
	Chunk int `json:"chunk"` // counted from 1
	ui.Summary
}

// endChunk waits until everything so far is committed, and runs the --on-chunk command. It reports
// whether the run goes on. The next chunk, if there is one, waits for --chunk-delay.
func (r *Input) endChunk() bool {
	r.flow.Gate.Idle()
	if r.flow.Stop.Ending() {
		return false
	}
	if r.cfg.OnChunk != "" {
		if err := r.onChunk(); err != nil {
			r.flow.Stop.Pause(err)
			return false
		}
	}
	r.chunks.rest = time.Now().Add(r.cfg.ChunkDelay)
	return true
}

// onChunk runs the command with the status on its stdin. The command's stdout goes to stderr,
// because our stdout is for data.
func (r *Input) onChunk() error {
	status, err := json.Marshal(chunkStatus{Chunk: r.chunks.done, Summary: r.cfg.Summary()})
	if err != nil {
		return fmt.Errorf("--on-chunk: %w", err)
	}
	defer r.flow.Voice.Lend()()
	cmd := flow.ShellCommand(r.flow.Stop.Asking, r.cfg.OnChunk)
	cmd.Stdin = bytes.NewReader(append(status, '\n'))
	cmd.Stdout, cmd.Stderr = r.cfg.Stderr, r.cfg.Stderr
	// A command that outlives its cancellation may hold the pipes open; this bounds the wait for it.
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil && !r.flow.Stop.Ending() { // ignores a command that was cut short
		if _, ok := err.(*exec.ExitError); ok {
			return ui.WithHint("run the same command again: it continues with the next chunk",
				fmt.Errorf("--on-chunk stopped the run after chunk %d: %w", r.chunks.done, err))
		}
		return fmt.Errorf("--on-chunk: %w", err)
	}
	return nil
}
