package e2e

import (
	"io"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// rivals are processes that submit at the same moment, on one ledger.
type rivals struct {
	dir  string
	sim  *simServer
	all  []*process
	said []*transcript
}

// startRivals starts a process for each input, and ends the inputs once all have opened the ledger:
// by then none has submitted anything that another could have seen.
func startRivals(t *testing.T, sim *simServer, inputs []string, flags ...string) *rivals {
	t.Helper()
	r := &rivals{dir: t.TempDir(), sim: sim}
	var pipes []io.WriteCloser
	for _, input := range inputs {
		p, said := llmpipe(t, r.dir, byBatch(sim.URL, flags...)...), new(transcript)
		p.Stderr = said
		in, err := p.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		p.starts(t)
		if _, err := io.WriteString(in, input); err != nil {
			t.Fatal(err)
		}
		r.all, r.said, pipes = append(r.all, p), append(r.said, said), append(pipes, in)
	}
	// One that ended, or a machine that is too busy, makes them no rivals; what they do is right all the same.
	opened := func() bool {
		found, _ := filepath.Glob(filepath.Join(r.dir, "llmpipe.ledger.jsonl"))
		return len(found) == 1 && strings.Count(readFile(t, r.dir, "llmpipe.ledger.jsonl"), `{"kind":"run"`) >= len(inputs)
	}
	for deadline := time.Now().Add(20 * time.Second); !opened() && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	for _, in := range pipes {
		if err := in.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// bought fails unless so many records were given to batches, each once.
func (r *rivals) bought(t *testing.T, batches, records int) {
	t.Helper()
	if c := r.sim.batches(t); c.Batches != batches || c.Answered != records {
		t.Errorf("%d records were asked about in %d batches, want %d in %d", c.Answered, c.Batches, records, batches)
	}
	checkOnceEach(t, "ledger", recorded(t, filepath.Join(r.dir, "llmpipe.ledger.jsonl")), records)
	requests := 0
	for _, b := range listBatches(t, r.dir, r.sim) {
		requests += b.Requests
	}
	if requests != records {
		t.Errorf("%d records were intended, want %d", requests, records)
	}
}

// Processes that submit the same records at the same moment put each into one batch, and each
// process writes the answers of all its records.
func TestBatchOfProcessesAtOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		inputs           []string
		flags            []string
		batches, records int
	}{
		"the same":        {inputs: []string{numbered(1, 60), numbered(1, 60)}, batches: 1, records: 60},
		"three":           {inputs: []string{numbered(1, 60), numbered(1, 60), numbered(1, 60)}, batches: 1, records: 60},
		"in part":         {inputs: []string{numbered(1, 60), numbered(41, 100)}, batches: 2, records: 100},
		"with twins":      {inputs: []string{numbered(1, 30) + numbered(1, 30), numbered(21, 50) + numbered(21, 50)}, batches: 2, records: 50},
		"within a budget": {inputs: []string{numbered(1, 60), numbered(41, 100)}, flags: []string{"--budget", "1"}, batches: 2, records: 100},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for round := range 3 {
				r := startRivals(t, startSim(t, "latency=0s&batch-latency=100ms"), c.inputs, c.flags...)
				for i, p := range r.all {
					if code := p.wait(t); code != 0 {
						t.Errorf("round %d: process %d: exit %d: %s", round, i, code, r.said[i])
					}
					if n, want := len(p.lines()), strings.Count(c.inputs[i], "\n"); n != want || strings.Contains(p.out.String(), `"error":{`) {
						t.Errorf("round %d: process %d: %d lines, want %d, all answers: %s", round, i, n, want, r.said[i])
					}
				}
				r.bought(t, c.batches, c.records)
			}
		})
	}
}

// With --detach one of two submits, both come back, and the same command has all of it later.
func TestBatchOfDetachedProcessesAtOnce(t *testing.T) {
	t.Parallel()
	r := startRivals(t, startSim(t, "latency=0s&batch-latency=100ms"), []string{numbered(1, 60), numbered(1, 60)}, "--detach")
	for i, p := range r.all {
		if code := p.wait(t); code != 75 || !r.said[i].has("1 batch not finished yet") {
			t.Errorf("process %d: exit %d: %s", i, code, r.said[i])
		}
	}
	llmpipe(t, r.dir, byBatch(r.sim.URL, writePrompts(t, r.dir, 60))...).answers(t, 60)
	r.bought(t, 1, 60)
}

// Where the process dies whose batch another waits for, the other collects it.
func TestBatchOfAProcessThatDiesMeanwhile(t *testing.T) {
	t.Parallel()
	r := startRivals(t, startSim(t, "latency=0s&batch-latency=1s"), []string{numbered(1, 60), numbered(1, 60)})
	owner := -1
	eventually(t, "one has made a batch, for which the other waits", func() bool {
		for i := range r.all {
			if r.said[i].has(": 60 requests") && r.said[1-i].has("belongs to another process: waiting for it") {
				owner = i
			}
		}
		return owner >= 0
	})
	_ = r.all[owner].Process.Signal(syscall.SIGKILL)
	r.all[owner].wait(t)
	other := r.all[1-owner]
	if code := other.wait(t); code != 0 || len(contents(t, other)) != 60 {
		t.Errorf("exit %d, %d lines: %s", code, len(other.lines()), r.said[1-owner])
	}
	r.bought(t, 1, 60)
}
