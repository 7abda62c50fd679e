package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// slicedInput is what a job may meet: records with ids, the same ones twice, lines without ids,
// equal ones among them, and lines that are no records.
func slicedInput(records int) string {
	var b strings.Builder
	for i := range records {
		fmt.Fprintf(&b, `{"id":%d,"prompt":"number %d"}`+"\n", i, i)
		switch i % 10 {
		case 3:
			fmt.Fprintf(&b, `{"id":%d,"prompt":"number %d"}`+"\n", i, i) // again
		case 5:
			fmt.Fprintf(&b, `{"prompt":"nameless %d"}`+"\n", i)
		case 6:
			b.WriteString(`{"prompt":"the same words"}` + "\n")
		case 7:
			fmt.Fprintf(&b, "no record %d\n", i)
		}
	}
	return b.String()
}

// TestSlicesThatChangeInNumber: a job of four slices is stopped in the middle and goes on as one of
// seven. Every record is answered once, and none is paid for twice.
func TestSlicesThatChangeInNumber(t *testing.T) {
	t.Parallel()
	const records = 200
	dir := t.TempDir()
	input := slicedInput(records)
	if err := os.WriteFile(filepath.Join(dir, "in.jsonl"), []byte(input), 0o600); err != nil {
		t.Fatal(err)
	}
	sim := startSim(t, "latency=1ms")
	part := func(i, n int, args ...string) string {
		t.Helper()
		slice := fmt.Sprintf("%d/%d", i, n)
		p := llmpipe(t, dir, append([]string{"--base-url", sim.URL, "-m", "gpt-4o-mini", "--slice", slice, "--seen", "job-*.jsonl",
			"-l", fmt.Sprintf("job-%d-%d.jsonl", n, i), "in.jsonl"}, args...)...)
		if code := p.exit(t); code != 0 && code != 3 { // 3: a line of the slice is no record
			t.Fatalf("slice %s: exit %d, said %s", slice, code, &p.err)
		}
		return p.out.String()
	}
	for i := range 4 {
		part(i, 4, "--sample", "60") // first some of them, to see what they are like
	}
	if n := sim.stats(t).Requests; n == 0 || n > 60 {
		t.Fatalf("%d requests for a sample of 60 lines", n)
	}
	for i := range 4 {
		part(i, 4, "--limit", strconv.Itoa(40))
	}
	half := sim.stats(t).Requests
	out := ""
	for i := range 7 {
		out += part(i, 7)
	}
	const named, nameless, alike = records, records / 10, records / 10
	if half >= named+nameless+alike {
		t.Errorf("all of it was asked before the slices changed: %d requests", half)
	}
	if n := sim.stats(t).Requests; n != named+nameless+alike {
		t.Errorf("%d requests, want %d", n, named+nameless+alike)
	}
	// Together the slices are the whole, line by line.
	whole := llmpipe(t, dir, "--base-url", sim.URL, "-m", "gpt-4o-mini", "-l", "whole.jsonl", "--seen", "job-*.jsonl", "in.jsonl")
	whole.exits(t, 3)
	checkSameLines(t, "seven slices and the whole", strings.Split(out, "\n"), strings.Split(whole.out.String(), "\n"))
	if n := sim.stats(t).Requests; n != named+nameless+alike {
		t.Errorf("%d requests after the whole, which is seen", n)
	}
	export := shell(t, dir, "llmpipe export job-*.jsonl | wc -l; cat job-*.jsonl > all.jsonl; llmpipe export all.jsonl | wc -l")
	export.exits(t, 0)
	if got, want := strings.Fields(export.out.String()), fmt.Sprint(named+nameless+alike); got[0] != want || got[1] != want {
		t.Errorf("the ledgers hold %v answers, and one of all of them, want %s", got, want)
	}
}

// TestSeenLedgers that are not as they should be.
func TestSeenLedgers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"in.jsonl": `"one"` + "\n", "notes.txt": "no ledger\n", "empty.jsonl": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		pattern string
		exit    int
		says    string
	}{
		{"none-*.jsonl", 0, ""},
		{"own.jsonl", 0, ""},
		{"empty.jsonl", 0, "0 recorded answers in 1 other ledger"},
		{"none.jsonl", 1, "--seen: open none.jsonl"},
		{"notes.txt", 1, "notes.txt: not a ledger"},
		{"[", 2, "is not a valid pattern"},
		{".", 1, "not a regular file"},
	} {
		p := llmpipe(t, dir, "--base-url", "sim:?latency=0s", "-l", "own.jsonl", "--seen", test.pattern, "in.jsonl")
		if code := p.exit(t); code != test.exit || !strings.Contains(p.err.String(), test.says) {
			t.Errorf("--seen %s: exit %d, said %s", test.pattern, code, &p.err)
		}
	}
}

// TestSlicesThatAreKilledAndGoOn is what an engine does with a job of eight slices: it starts them
// side by side, and starts one again that was killed. The output is whole, and nothing that was
// recorded is asked twice.
func TestSlicesThatAreKilledAndGoOn(t *testing.T) {
	t.Parallel()
	const records, slices, inFlight = 800, 8, 4
	dir := t.TempDir()
	prompts := writePrompts(t, dir, records)
	sim := startSim(t, "latency=20ms")
	start := func(i int) *process {
		t.Helper()
		p := llmpipe(t, dir, "--base-url", sim.URL, "-m", "gpt-4o-mini", "-c", strconv.Itoa(inFlight), "--slice", fmt.Sprintf("%d/%d", i, slices),
			"-l", fmt.Sprintf("job-%d.jsonl", i), "--seen", "job-*.jsonl", prompts)
		p.starts(t)
		return p
	}
	var tasks []*process
	for i := range slices {
		tasks = append(tasks, start(i))
	}
	const victim = 3
	recorded := func() int {
		text, _ := os.ReadFile(filepath.Join(dir, fmt.Sprintf("job-%d.jsonl", victim))) // there is none at first
		return strings.Count(string(text), `{"kind":"result"`)
	}
	eventually(t, "answers of the slice that is killed", func() bool { return recorded() >= 10 })
	if err := tasks[victim].Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if code := tasks[victim].wait(t); code != 137 {
		t.Fatalf("the slice was not killed: exit %d", code)
	}
	before := recorded()
	tasks[victim] = start(victim)
	for i, p := range tasks {
		if code := p.wait(t); code != 0 {
			t.Errorf("slice %d: exit %d: %s", i, code, &p.err)
		}
	}
	tasks[victim].says(t, fmt.Sprintf("ledger job-%d.jsonl: %d recorded", victim, before))
	if n := sim.stats(t).Requests; n < records || n > records+2*inFlight { // twice: what was in flight, and what had come back
		t.Errorf("%d requests for %d records, of which at most %d were in flight at the kill", n, records, inFlight)
	}
	export := shell(t, dir, "llmpipe export job-*.jsonl")
	export.exits(t, 0)
	checkOnceEach(t, "export", parseOutput(export.out.Bytes()).ids, records)
}
