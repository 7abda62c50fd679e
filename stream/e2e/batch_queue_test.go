package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
)

// A batch that is larger than all that the provider's queue takes is split until its parts have
// room, one after the other. Nothing was asked meanwhile, so that costs no round; and no part is
// smaller than it need be by more than half.
func TestBatchLargerThanTheQueue(t *testing.T) {
	t.Parallel()
	sim := startSim(t, "latency=0s&batch-latency=20ms&batch-tokens=200")
	dir := t.TempDir()
	p := llmpipe(t, dir, byBatch(sim.URL, writePrompts(t, dir, 40))...)
	p.answers(t, 40)
	for _, line := range p.lines() {
		if n := attemptsOf(t, line); n != 1 {
			t.Errorf("%d attempts in %s", n, line)
		}
	}
	c := sim.batches(t)
	if done := c.Ended["completed"]; c.Answered != 40 || done < 2 || done > 8 {
		t.Errorf("the simulator counted %+v", c)
	}
	p.says(t, "the provider has no room for 40 requests at a time: they are submitted in two batches")
}

// With --detach each command takes it one step further.
func TestBatchLargerThanTheQueueDetached(t *testing.T) {
	t.Parallel()
	sim := startSim(t, "latency=0s&batch-latency=20ms&batch-tokens=200")
	dir := t.TempDir()
	args := byBatch(sim.URL, "--detach", writePrompts(t, dir, 40))
	last := untilDone(t, func() *process { return llmpipe(t, dir, args...) })
	if n := len(contents(t, last)); n != 40 || sim.batches(t).Answered != 40 {
		t.Errorf("%d lines, %+v", n, sim.batches(t))
	}
}

// A single request that has no room is waited with for --give-up, and the run pauses.
func TestBatchOfOneLargerThanTheQueue(t *testing.T) {
	t.Parallel()
	sim := startSim(t, "latency=0s&batch-latency=20ms&batch-tokens=200")
	dir := t.TempDir()
	input := fmt.Sprintf(`{"id":"long","prompt":%q}`+"\n"+`{"id":"short","prompt":"hello"}`+"\n", strings.Repeat("so many words ", 500))
	writeFile(t, dir, "in.jsonl", input)
	p := llmpipe(t, dir, byBatch(sim.URL, "--give-up", "1s", "--summary", "summary.json", "in.jsonl")...)
	if code := p.exit(t); code != 75 || !strings.Contains(p.err.String(), "the provider has no room for a single request") {
		t.Errorf("exit %d: %s", code, p.err.String())
	}
	if s := readSummary(t, dir); s.OK != 1 || s.Unsent != 1 || strings.Contains(p.err.String(), "continues at the provider") {
		t.Errorf("%+v: %s", s, p.err.String())
	}
}

// A signal while a batch waits for room does not say that it continues at the provider: it has failed
// there.
func TestBatchInterruptedWithoutRoom(t *testing.T) {
	t.Parallel()
	sim := startSim(t, "latency=0s&batch-latency=20ms&batch-tokens=5")
	dir := t.TempDir()
	p := llmpipe(t, dir, byBatch(sim.URL, writePrompts(t, dir, 1))...)
	said := new(transcript)
	p.Stderr = said
	p.starts(t)
	// The waits grow: by then one is so long that the signal comes in the middle of it.
	eventually(t, "it waits for room", func() bool { return strings.Count(said.String(), "the account has too many tokens enqueued") == 7 })
	_ = p.Process.Signal(syscall.SIGINT)
	if code := p.wait(t); code != 128+int(syscall.SIGINT) || said.has("continues at the provider") {
		t.Errorf("exit %d: %s", code, said.String())
	}
}

// A queue that is full when a batch is made, said in whatever words, and a file that is not ready
// yet are waited for: one batch is made, and nothing fails.
func TestBatchIsRefusedForNow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status     int
		code, said string
		says       string
	}{
		{400, "token_limit_exceeded", "Enqueued token limit reached for m. Try again once some batches have been completed.", "queue"},
		{400, "invalid_request", "You have too many batches in progress.", "queue"},
		{409, "", "The batch queue is full.", ""},
		{400, "invalidPayload", "The file is not in a valid state: it must be processed before a batch can use it.", ""},
	} {
		t.Run(c.said, func(t *testing.T) {
			t.Parallel()
			o := newOddBatches(t)
			o.on = func(step string, n int, w http.ResponseWriter) bool {
				if step != "POST /batches" || n > 2 {
					return false
				}
				w.WriteHeader(c.status)
				_, _ = fmt.Fprintf(w, `{"error":{"message":%q,"type":"invalid_request_error","code":%q}}`, c.said, c.code)
				return true
			}
			dir := t.TempDir()
			p := llmpipe(t, dir, o.args(writePrompts(t, dir, 20))...)
			p.answers(t, 20)
			if len(o.batches()) != 1 || !strings.Contains(p.err.String(), c.says) {
				t.Errorf("%d batches: %s", len(o.batches()), p.err.String())
			}
		})
	}
}

// A file that is pending for longer than it is looked at is waited for before a batch is made.
func TestBatchOfAPendingFile(t *testing.T) {
	t.Parallel()
	o := newOddBatches(t)
	o.on = func(step string, n int, w http.ResponseWriter) bool {
		if step != "GET /files/ID" || n > 3 {
			return false
		}
		_, _ = fmt.Fprint(w, `{"id":"file-1","object":"file","status":"pending"}`)
		return true
	}
	dir := t.TempDir()
	p := llmpipe(t, dir, o.args(writePrompts(t, dir, 20))...)
	p.answers(t, 20)
	if n := o.count("GET /files/ID"); n < 4 || len(o.batches()) != 1 {
		t.Errorf("%d looks, %d batches: %s", n, len(o.batches()), p.err.String())
	}
}
