package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// summaryOf reads the numbers of the summary that a run in dir wrote.
func summaryOf(t *testing.T, dir string) map[string]*float64 {
	t.Helper()
	var all map[string]any
	readJSON(t, dir, "summary.json", &all)
	s := make(map[string]*float64)
	for name, value := range all {
		if number, ok := value.(float64); ok {
			s[name] = &number
		}
	}
	return s
}

// pick runs llmpipe over input against the simulator in process, and returns the ids of the
// answers, in the order of the output.
func pick(t *testing.T, input string, args ...string) []string {
	t.Helper()
	dir := t.TempDir()
	p := llmpipe(t, dir, append([]string{"--base-url", "sim:?latency=0s", "--ordered", "--summary", "summary.json"}, args...)...)
	p.Stdin = strings.NewReader(input)
	p.exits(t, 0)
	var ids []string
	for _, r := range p.results(t) {
		ids = append(ids, string(r.ID))
	}
	if s := summaryOf(t, dir); *s["in"] != float64(len(ids)) || *s["ok"] != *s["in"] {
		t.Errorf("the summary counts %g in and %g ok, of %d", *s["in"], *s["ok"], len(ids))
	}
	return ids
}

// TestLimit takes the first records.
func TestLimit(t *testing.T) {
	t.Parallel()
	if got := pick(t, numbered(1, 50), "--limit", "3"); !slices.Equal(got, []string{"1", "2", "3"}) {
		t.Errorf("--limit 3 took %v", got)
	}
	if got := pick(t, numbered(1, 2), "--limit", "3"); len(got) != 2 {
		t.Errorf("--limit 3 of 2 took %v", got)
	}
}

// TestSample chooses by seed and id alone: the order of the input does not matter, a larger sample
// holds every smaller one, and what is chosen comes in input order.
func TestSample(t *testing.T) {
	t.Parallel()
	lines := strings.SplitAfter(strings.TrimSuffix(numbered(1, 100), "\n")+"\n{\"prompt\":\"nameless\"}\n", "\n")
	lines = lines[:101]
	shuffled := slices.Clone(lines)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	input, reordered := strings.Join(lines, ""), strings.Join(shuffled, "")

	ten := pick(t, input, "--sample", "10")
	if len(ten) != 10 {
		t.Fatalf("--sample 10 took %v", ten)
	}
	place := func(id string) int {
		return slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, `"id":`+id+`,`) })
	}
	if !slices.IsSortedFunc(ten, func(a, b string) int { return place(a) - place(b) }) {
		t.Errorf("not in input order: %v", ten)
	}
	again := pick(t, reordered, "--sample", "10")
	for _, other := range [][]string{pick(t, input, "--sample", "30"), again, pick(t, input, "--sample", "1000")} {
		for _, id := range ten {
			if !slices.Contains(other, id) {
				t.Errorf("%s is in the sample of 10 and not in one of %d", id, len(other))
			}
		}
	}
	if len(again) != 10 {
		t.Errorf("--sample 10 of the reordered input took %v", again)
	}
	if slices.Equal(ten, pick(t, input, "--sample", "10", "--seed", "7")) {
		t.Error("another seed chose the same sample")
	}
	if got := pick(t, input, "--sample", "10", "--limit", "4"); !slices.Equal(got, ten[:4]) {
		t.Errorf("--limit 4 of the sample took %v, want %v", got, ten[:4])
	}
}

// TestDuplicates: an id with another request is an error; the same record is answered once and
// written as often as it came, also when it has no id, and is then told apart by its place among
// its like.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	input := strings.Join([]string{
		`{"id":1,"prompt":"same"}`,
		`{"id":1,"prompt":"same"}`,
		`{"prompt":"same", "id":1}`,
		`{"id":1,"prompt":"other"}`,
		`{"id":"1","prompt":"same"}`,
		`{"prompt":"nameless"}`,
		`{ "prompt":"nameless" }`,
	}, "\n")
	provider := newRecorder(t)
	dir := t.TempDir()
	p := llmpipe(t, dir, "--base-url", provider.URL, "-m", "m", "--ordered", "--summary", "summary.json")
	p.Stdin = strings.NewReader(input)
	p.exits(t, 3)
	results := p.results(t)
	if len(results) != 7 || len(provider.requests()) != 4 {
		t.Fatalf("%d lines out and %d requests, want 7 and 4\n%s", len(results), len(provider.requests()), p.out.String())
	}
	first := provider.answerTo(t, results[0])
	for _, r := range results[1:3] {
		if string(r.ID) != "1" || r.Content == nil || *r.Content != *results[0].Content {
			t.Errorf("the twin of %+v is %+v", first, r)
		}
	}
	if e := results[3].Error; e == nil || e.Code != "duplicate_id" || results[3].Line != 4 || !strings.Contains(e.Message, "id 1 ") {
		t.Errorf("the second use of id 1: %+v", results[3])
	}
	if string(results[4].ID) != `"1"` || results[4].Error != nil {
		t.Errorf("a string is no number: %+v", results[4])
	}
	if a, b := string(results[5].ID), string(results[6].ID); a == b || !strings.HasPrefix(b, a[:33]) {
		t.Errorf("the ids made for the same content are %s and %s", a, b)
	}
}

// TestSummary has every field that is documented, and in = ok + failed + unsent.
func TestSummary(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := llmpipe(t, dir, "--base-url", "sim:?latency=0s&fail=0.2&truncate=0.2&seed=3", "-c", "8", "--summary", "summary.json")
	p.Stdin = strings.NewReader(numbered(1, 40) + "broken\n")
	p.exits(t, 3)
	s := summaryOf(t, dir)
	for _, name := range []string{
		"in", "ok", "failed", "skipped", "unsent", "flagged", "retries", "status_429",
		"prompt_tokens", "completion_tokens", "cost_usd", "elapsed_s",
	} {
		if v, ok := s[name]; !ok || v == nil {
			t.Fatalf("the summary lacks %s", name)
		}
	}
	if *s["in"] != 41 || *s["ok"]+*s["failed"]+*s["unsent"] != 41 || *s["failed"] != 1 || *s["unsent"] != 0 {
		t.Errorf("in %g, ok %g, failed %g, unsent %g", *s["in"], *s["ok"], *s["failed"], *s["unsent"])
	}
	var flagged, retries, prompt, completion float64
	for _, line := range p.lines() {
		var r struct {
			Flagged  string
			Attempts float64
			Usage    struct {
				Prompt     float64 `json:"prompt_tokens"`
				Completion float64 `json:"completion_tokens"`
			}
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if r.Flagged != "" {
			flagged++
		}
		retries += max(0, r.Attempts-1)
		prompt, completion = prompt+r.Usage.Prompt, completion+r.Usage.Completion
	}
	for name, want := range map[string]float64{
		"flagged": flagged, "retries": retries, "prompt_tokens": prompt, "completion_tokens": completion, "skipped": 0, "status_429": 0,
	} {
		if *s[name] != want {
			t.Errorf("%s is %g, and the lines say %g", name, *s[name], want)
		}
	}
	if flagged == 0 || retries == 0 {
		t.Errorf("%g flagged and %g retries show nothing", flagged, retries)
	}
	p.says(t, "41 in: 40 ok", fmt.Sprintf("%g flagged", flagged), "1 failed", fmt.Sprintf("%g retries", retries))
}
