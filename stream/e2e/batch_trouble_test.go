package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// A batch that expires has done half of its work: that half is used and counted, and only the rest
// is asked about again.
func TestBatchThatExpires(t *testing.T) {
	t.Parallel()
	sim := startSim(t, "latency=0s&batch-latency=20ms&batch-expire=0.5&batch-expire-first=1")
	dir := t.TempDir()
	p := llmpipe(t, dir, byBatch(sim.URL, "--summary", "summary.json", writePrompts(t, dir, 100))...)
	p.answers(t, 100)
	if c := sim.batches(t); c.Batches != 2 || c.Answered != 100 || c.Missed != 50 || c.Ended["expired"] != 1 {
		t.Errorf("the simulator counted %+v", c)
	}
	rounds := map[int]int{}
	for _, line := range p.lines() {
		rounds[attemptsOf(t, line)]++
	}
	if rounds[1] != 50 || rounds[2] != 50 {
		t.Errorf("answered by round %v", rounds)
	}
	if said := p.err.String(); !strings.Contains(said, "expired: 50 answered, 0 failed, 50 without an answer") {
		t.Errorf("said\n%s", said)
	}
	if s := readSummary(t, dir); s.Cost == nil || !same(float64(*s.Cost)/dollar, costOf(t, p)) {
		t.Errorf("the summary says %v, the lines %g", s.Cost, costOf(t, p))
	}
}

// attemptsOf is how many attempts a line says it took.
func attemptsOf(t *testing.T, line string) int {
	t.Helper()
	var n int
	if _, after, ok := strings.Cut(line, `"attempts":`); !ok {
		t.Fatalf("no attempts in %s", line)
	} else if _, err := fmt.Sscanf(after, "%d", &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A batch of which every request fails has no output file. What may pass is tried in three batches,
// and is an error line then.
func TestBatchInWhichAllFails(t *testing.T) {
	t.Parallel()
	sim := startSim(t, "latency=0s&batch-latency=20ms&batch-fail=1")
	dir := t.TempDir()
	name := writePrompts(t, dir, 20)
	p := llmpipe(t, dir, byBatch(sim.URL, "--failed", "failed.jsonl", name)...)
	p.exits(t, 3)
	for _, r := range p.results(t) {
		if r.Error == nil || r.Error.Type == "" || r.Line == 0 {
			t.Errorf("%+v", r)
		}
	}
	if len(p.lines()) != 20 || readFile(t, dir, "failed.jsonl") != readFile(t, dir, filepath.Base(name)) {
		t.Errorf("%d lines, failed:\n%s", len(p.lines()), readFile(t, dir, "failed.jsonl"))
	}
	if c := sim.batches(t); c.Batches != 3 || c.Failed != 60 {
		t.Errorf("the simulator counted %+v", c)
	}
}

// A line that the provider rejects is that record's error, with what was said of it, and all others
// are answered.
func TestBatchWithRejectedLines(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	input := `{"id":"good","prompt":"hello"}
{"id":"bad","messages":[],"max_tokens":10}
{"id":"fine","prompt":"hello again"}
`
	writeFile(t, dir, "in.jsonl", input)
	sim := startSim(t, "latency=0s&batch-latency=20ms")
	p := llmpipe(t, dir, byBatch(sim.URL, "in.jsonl")...)
	p.exits(t, 3)
	answered := 0
	for _, r := range p.results(t) {
		switch {
		case string(r.ID) == `"bad"` && r.Error != nil && strings.Contains(r.Error.Message, "messages"):
		case r.Content != nil:
			answered++
		default:
			t.Errorf("%s: %+v", r.ID, r.Error)
		}
	}
	if answered != 2 {
		t.Errorf("%d answers", answered)
	}
}

// What a provider says of a file before it runs it is about lines, of which the others are
// submitted again, or about the whole.
func TestBatchThatIsRefusedWhole(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, fault string
		code, lines int
		says        string
	}{
		{"a line", `{"code":"invalid_json_line","message":"this one is odd","line":2}`, 3, 3, ""},
		{"the whole", `{"code":"model_not_found","message":"there is no such model"}`, 1, 0, "there is no such model"},
		{"not visible yet", `{"code":"invalid_file","message":"Cannot find file file-1"}`, 0, 3, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o := newOddBatches(t)
			o.state = func(b *oddBatch) string {
				if b.n == 1 {
					return `"status":"failed","output_file_id":null,"error_file_id":"","errors":{"object":"list","data":[` + test.fault + `]}`
				}
				return fmt.Sprintf(`"status":"completed","output_file_id":"out-%d","error_file_id":""`, b.n)
			}
			dir := t.TempDir()
			p := llmpipe(t, dir, o.args(writePrompts(t, dir, 3))...)
			p.exits(t, test.code)
			odd := 0
			for _, r := range p.results(t) {
				if r.Error != nil && r.Error.Message == "this one is odd" && string(r.ID) == "2" {
					odd++
				} else if r.Content == nil {
					t.Errorf("%s: %+v", r.ID, r.Error)
				}
			}
			if len(p.lines()) != test.lines || !strings.Contains(p.err.String(), test.says) || (odd > 0) != (test.code == 3) {
				t.Errorf("%d lines, %d rejected; said\n%s", len(p.lines()), odd, p.err.String())
			}
		})
	}
}

// A batch for which the provider's queue has no room is made again, of the same file, when another
// has ended.
func TestBatchWaitsForRoomInTheQueue(t *testing.T) {
	t.Parallel()
	o := newOddBatches(t)
	full := false
	o.state = func(b *oddBatch) string {
		switch {
		case b.n == 2:
			full = true
			return b.failedWith("token_limit_exceeded")
		case b.n == 1 && !full:
			return stillRunning
		}
		return b.ended()
	}
	dir := t.TempDir()
	name := writeFile(t, dir, "in.jsonl", repeat(1, 80, func(i int) string {
		return fmt.Sprintf(`{"id":%d,"prompt":"say %[1]d","model":%q}`, i, []string{"gpt-4o", "gpt-4o-mini"}[i%2])
	}))
	llmpipe(t, dir, o.args(name)...).answers(t, 80)
	made := o.batches()
	if len(made) != 3 || made[0].file == made[1].file || made[1].file != made[2].file {
		t.Errorf("%d batches", len(made))
	}
	if n := o.count("POST /files"); n != 2 {
		t.Errorf("%d uploads for two files", n)
	}
}

// A provider without a Batch API says so by a 404, before anything is sent, or when a batch is to
// be made. The run ends with what to do, and nothing of it stays pending.
func TestBatchWithoutAnAPI(t *testing.T) {
	t.Parallel()
	for _, lists := range []bool{false, true} {
		sim := startSim(t, "latency=0s")
		g := newGateway(t, sim, func(step string) fate {
			if lists && strings.HasPrefix(step, "LOOK") {
				return unlisted
			}
			return refused
		})
		dir := t.TempDir()
		p := llmpipe(t, dir, byBatch(g.URL, writePrompts(t, dir, 3))...)
		if code := p.exit(t); code != 1 || !strings.Contains(p.err.String(), "hint: use --mode realtime, which works with every provider") {
			t.Errorf("exit %d: %s", code, p.err.String())
		}
		all := listBatches(t, dir, sim)
		if !lists && (len(all) != 0 || g.count("POST /files") != 0) || lists && (len(all) != 1 || all[0].Pending || all[0].State != "void") {
			t.Errorf("listed %+v", all)
		}
	}
}
