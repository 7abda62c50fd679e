package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// byMessageBatch is byBatch for Anthropic's Message Batches.
func byMessageBatch(url string, more ...string) []string {
	return append([]string{"--base-url", url, "-m", "claude-haiku-4-5", "--endpoint", "messages", "--mode", "batch"}, more...)
}

// Killed between any two steps in the life of a Message Batch, the same command goes on where that
// one ended.
func TestMessageBatchSurvivesAKillAtEveryStep(t *testing.T) {
	t.Parallel()
	survivesKills(t, "messages", []kill{
		{"intended, and the batch is not made", "POST /messages/batches", 1, drop},
		{"created, not written down", "POST /messages/batches", 1, lose},
		{"created", "GET /messages/batches/ID", 1, drop},
		{"while polling", "GET /messages/batches/ID", 3, drop},
		{"before the answers", "GET /messages/batches/ID/results", 1, drop},
		{"half-way through the answers", "GET /messages/batches/ID/results", 1, halve},
	})
}

// A batch whose making got no clear answer is known by its first custom_id, which shows when it has
// ended; others of the same size, made at the same time, are not taken for it.
func TestMessageBatchWhoseMakingIsUnclear(t *testing.T) {
	t.Parallel()
	const records = 10
	for _, test := range []struct {
		name    string
		what    fate
		foreign int  // batches of the same size that somebody else makes meanwhile
		deaf    int  // how often the listing is down after that
		asked   int  // creates of this command
		detach  bool // it does not wait
	}{
		{"made, and reset", lose, 0, 0, 1, false},
		{"made, and 502", made502, 0, 0, 1, false},
		{"not made, and 504", lost504, 0, 0, 2, false},
		{"made, among others", lose, 3, 0, 1, false},
		{"not made, and others were", lost504, 3, 0, 2, false},
		{"made, and the listing is down", made502, 1, 7, 1, false},
		{"made, among others, and not waited for", lose, 3, 0, 1, true},
		{"not made, and others were, and not waited for", lost504, 3, 0, 2, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			sim := startSim(t, "latency=0s&batch-latency=1s")
			var creates, lists atomic.Int64
			g := newGateway(t, sim, func(step string) fate {
				switch {
				case step == "POST /messages/batches" && creates.Add(1) == 1:
					for range test.foreign {
						foreignMessageBatch(t, sim, records)
					}
					return test.what
				case step == "GET /messages/batches" && lists.Add(1) <= int64(test.deaf):
					return lost504
				}
				return pass
			})
			dir := t.TempDir()
			args := byMessageBatch(g.URL, writePrompts(t, dir, records))
			if test.detach {
				args = append(args, "--detach")
			}
			last := llmpipe(t, dir, args...)
			code := last.exit(t)
			if test.detach {
				if code != 75 {
					t.Fatalf("exit %d: %s", code, last.err.String())
				}
				last = untilDone(t, func() *process { return llmpipe(t, dir, args...) })
			} else if code != 0 {
				t.Fatalf("exit %d: %s", code, last.err.String())
			}
			c := sim.batches(t)
			if n := len(contents(t, last)); n != records || c.Batches != 1+test.foreign || c.Answered != records*(1+test.foreign) {
				t.Errorf("%d lines; the simulator counted %+v: %s", n, c, last.err.String())
			}
			if g.created() != test.asked {
				t.Errorf("%d batches asked for: %s", g.created(), last.err.String())
			}
		})
	}
}

// foreignMessageBatch makes a batch that is nobody's here, with the ids that this one's records
// have.
func foreignMessageBatch(t *testing.T, sim *simServer, n int) {
	t.Helper()
	requests := make([]string, n)
	for i := range requests {
		requests[i] = fmt.Sprintf(`{"custom_id":"%d","params":{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"other"}]}}`, i+1)
	}
	body := `{"requests":[` + strings.Join(requests, ",") + `]}`
	res, err := http.Post(sim.URL+"/messages/batches", "application/json", strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("a foreign batch: %s", res.Status)
	}
}

// What a Message Batch did not answer is asked again, where that may help; what it refused is the
// record's error.
func TestMessageBatchEnds(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, options     string
		batches, answered int
		exit              int
		says              string
	}{
		{"expired once", "&batch-expire=0.5&batch-expire-first=1", 2, 20, 0, "expired: 10 answered"},
		{"expired again and again", "&batch-expire=1", 3, 0, 3, "20 without an answer"},
		{"errored again and again", "&batch-fail=1", 3, 0, 3, "round 3 of 3"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			sim := startSim(t, "latency=0s&batch-latency=50ms"+test.options)
			dir := t.TempDir()
			p := llmpipe(t, dir, byMessageBatch(sim.URL, writePrompts(t, dir, 20))...)
			if code := p.exit(t); code != test.exit || len(p.lines()) != 20 {
				t.Errorf("exit %d, %d lines: %s", code, len(p.lines()), p.err.String())
			}
			if c := sim.batches(t); c.Answered != test.answered || c.Batches != test.batches {
				t.Errorf("the simulator counted %+v", c)
			}
			p.says(t, test.says)
		})
	}
}

// A request that is wrong is refused alone, and once.
func TestMessageBatchRefusesARequest(t *testing.T) {
	t.Parallel()
	sim := startSim(t, "latency=0s&batch-latency=50ms")
	dir := t.TempDir()
	p := llmpipe(t, dir, byMessageBatch(sim.URL, writeFile(t, dir, "in.jsonl", `{"id":"a","prompt":"one"}
{"id":"b","max_tokens":5,"messages":[]}
`))...)
	if code := p.exit(t); code != 3 {
		t.Errorf("exit %d: %s", code, p.err.String())
	}
	for _, r := range p.results(t) {
		if bad := string(r.ID) == `"b"`; bad != (r.Error != nil) || bad && r.Error.Type != "invalid_request_error" {
			t.Errorf("%s: %+v", r.ID, r.Error)
		}
	}
	if c := sim.batches(t); c.Batches != 1 || c.Answered != 1 {
		t.Errorf("the simulator counted %+v", c)
	}
}

// A Message Batch that somebody cancels keeps what it has answered, and the rest waits for the next
// run.
func TestMessageBatchIsCancelled(t *testing.T) {
	t.Parallel()
	sim := startSim(t, "latency=0s&batch-latency=2s")
	dir := t.TempDir()
	args := byMessageBatch(sim.URL, writePrompts(t, dir, 40))
	first := llmpipe(t, dir, append(args, "--detach")...)
	first.exits(t, 75)
	eventually(t, "some answers", func() bool { return sim.batches(t).Answered > 0 })
	cancel := llmpipe(t, dir, "batches", "cancel", "--base-url", sim.URL)
	cancel.exits(t, 0)
	second := llmpipe(t, dir, args...)
	second.exits(t, 75)
	second.says(t, "was cancelled")
	c := sim.batches(t)
	if n := len(second.lines()); n == 0 || n == 40 || n != c.Answered {
		t.Errorf("%d lines, and the simulator counted %+v", n, c)
	}
	last := llmpipe(t, dir, args...)
	last.answers(t, 40)
	if c := sim.batches(t); c.Batches != 2 || c.Answered != 40 {
		t.Errorf("the simulator counted %+v", c)
	}
}
