package e2e

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A batch gives what realtime gives: the same bodies go out, byte for byte, and the same contents
// come back under the same ids.
func TestBatchIsTheSameFilter(t *testing.T) {
	t.Parallel()
	const records = 1000
	sim := startSim(t, "latency=0s&batch-latency=20ms&seed=3")
	g := newGateway(t, sim, nil)
	dir := t.TempDir()
	name := writePrompts(t, dir, records)
	now := llmpipe(t, dir, "--base-url", sim.URL, "-m", "gpt-4o-mini", "--no-ledger", "--set", "temperature=1.0", name)
	later := llmpipe(t, dir, byBatch(g.URL, "--set", "temperature=1.0", name)...)
	for _, p := range []*process{now, later} {
		p.exits(t, 0)
	}
	if want, got := contents(t, now), contents(t, later); len(want) != records || fmt.Sprint(want) != fmt.Sprint(got) {
		t.Errorf("%d answers at once, %d by batch, or others", len(want), len(got))
	}
	files := g.uploads()
	if len(files) != 1 || len(files[0]) != records {
		t.Fatalf("%d files", len(files))
	}
	for i, line := range files[0] {
		body := fmt.Sprintf(`{"model":"gpt-4o-mini","temperature":1.0,"messages":[{"role":"user","content":"prompt number %d"}]}`, i+1)
		if !strings.HasSuffix(line, `,"method":"POST","url":"/v1/chat/completions","body":`+body+`}`) {
			t.Fatalf("line %d is\n%s", i+1, line)
		}
	}
	if c := sim.batches(t); c.Batches != 1 || c.Answered != records {
		t.Errorf("the simulator counted %+v", c)
	}
	if cost, half := costOf(t, now), costOf(t, later); half < 0.49*cost || half > 0.51*cost {
		t.Errorf("%g by batch, %g at once", half, cost)
	}
}

var customIDs = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// contents are the answers that p printed, by id.
func contents(t *testing.T, p *process) map[string]string {
	t.Helper()
	byID := make(map[string]string)
	for _, r := range p.results(t) {
		if r.Content == nil {
			t.Fatalf("id %s has no content: %+v", r.ID, r.Error)
		}
		if _, twice := byID[string(r.ID)]; twice {
			t.Errorf("id %s comes twice", r.ID)
		}
		byID[string(r.ID)] = *r.Content
	}
	return byID
}

// costOf adds up what p's results say they cost.
func costOf(t *testing.T, p *process) float64 {
	t.Helper()
	var sum float64
	for _, line := range p.lines() {
		var r struct {
			Cost *float64 `json:"cost_usd"`
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil || r.Cost == nil {
			t.Fatalf("no cost in %s", line)
		}
		sum += *r.Cost
	}
	return sum
}

// byBatch are the arguments of a run that goes by batch.
func byBatch(url string, more ...string) []string {
	return append([]string{"--base-url", url, "-m", "gpt-4o-mini", "--mode", "batch"}, more...)
}

// answers runs p to its end, which must be a good one with so many answers.
func (p *process) answers(t *testing.T, n int) {
	t.Helper()
	if code := p.exit(t); code != 0 || len(contents(t, p)) != n {
		t.Fatalf("exit %d, %d lines, want %d: %s", code, len(p.lines()), n, p.err.String())
	}
}

// batchCounts are the simulator's, of what came by batch.
type batchCounts struct {
	Files    int            `json:"files"`
	Batches  int            `json:"batches"`
	Ended    map[string]int `json:"ended"`
	Answered int            `json:"answered"`
	Failed   int            `json:"failed"`
	Missed   int            `json:"missed"`
	Models   modelCounts    `json:"models"`
}

// tokens are those that are billed.
func (c batchCounts) tokens() (prompt, completion int64) {
	for _, m := range c.Models {
		prompt, completion = prompt+m.PromptTokens, completion+m.CompletionTokens
	}
	return prompt, completion
}

func (s *simServer) batches(t testing.TB) batchCounts {
	t.Helper()
	return s.stats(t).Batch
}

// Every endpoint and model has a file of its own, ids that no provider takes are mapped and given
// back as they came, twins share an answer, and what is wrong with a line is said without a batch.
func TestBatchOfAllKinds(t *testing.T) {
	t.Parallel()
	sim := startSim(t, "latency=0s&batch-latency=20ms")
	g := newGateway(t, sim, nil)
	dir := t.TempDir()
	input := strings.Join([]string{
		`{"id":"plain","prompt":"one"}`,
		`{"id":"not a custom id: ü","prompt":"two"}`,
		`{"id":17,"prompt":"three"}`,
		`{"id":"17","prompt":"four"}`,
		`{"id":"` + strings.Repeat("x", 65) + `","prompt":"five"}`,
		`{"prompt":"no id"}`,
		`{"prompt":"no id"}`,
		`{"id":"plain","prompt":"one"}`,
		`{"id":"plain","prompt":"another"}`,
		`{"id":"llmpipe-0000","prompt":"six"}`,
		`{"id":"other model","model":"gpt-4o","prompt":"seven"}`,
		`{"custom_id":"e","method":"POST","url":"/v1/embeddings","body":{"model":"text-embedding-3-small","input":"eight"}}`,
		`{"custom_id":"r","method":"POST","url":"/v1/responses","body":{"model":"gpt-4o-mini","input":"nine"}}`,
		`{"custom_id":"c","method":"POST","url":"/v1/completions","body":{"model":"gpt-3.5-turbo-instruct","prompt":"ten"}}`,
		`no JSON`,
	}, "\n")
	writeFile(t, dir, "in.jsonl", input+"\n")
	p := llmpipe(t, dir, byBatch(g.URL, "--ordered", "--keep-input", "in.jsonl")...)
	p.exits(t, 3)
	results := p.results(t)
	if len(results) != 15 {
		t.Fatalf("%d lines", len(results))
	}
	for i, want := range []string{
		`"plain"`, `"not a custom id: ü"`, `17`, `"17"`, `"` + strings.Repeat("x", 65) + `"`, "", "", `"plain"`, `"plain"`, `"llmpipe-0000"`,
		`"other model"`, `"e"`, `"r"`, `"c"`, "",
	} {
		r := results[i]
		if want != "" && string(r.ID) != want {
			t.Errorf("line %d has id %s, want %s", i+1, r.ID, want)
		}
		if failed := i == 8 || i == 14; failed != (r.Error != nil) {
			t.Errorf("line %d: %+v", i+1, r.Error)
		}
	}
	if string(results[5].ID) == string(results[6].ID) {
		t.Errorf("two records have the id %s", results[5].ID)
	}
	if results[0].Content == nil || results[7].Content == nil || *results[0].Content != *results[7].Content {
		t.Error("the same record has two answers")
	}
	if !strings.Contains(p.lines()[2], `"input":{"id":17,"prompt":"three"}`) {
		t.Errorf("the input is not kept: %s", p.lines()[2])
	}
	if n := len(g.uploads()); n != 5 {
		t.Errorf("%d files for five kinds", n)
	}
	for _, file := range g.uploads() {
		var ids []string
		for _, line := range file {
			var l struct {
				ID string `json:"custom_id"`
			}
			if err := json.Unmarshal([]byte(line), &l); err != nil || !customIDs.MatchString(l.ID) || slices.Contains(ids, l.ID) {
				t.Errorf("custom_id %q in %s", l.ID, line)
			}
			ids = append(ids, l.ID)
		}
	}
	if c := sim.batches(t); c.Answered != 12 {
		t.Errorf("%d requests were answered", c.Answered)
	}
}
