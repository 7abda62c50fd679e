//go:build unix

package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestPipelineSharesTheDefaultLedger runs two stages, which know their records by the same ids, on
// one ledger.
func TestPipelineSharesTheDefaultLedger(t *testing.T) {
	t.Parallel()
	const records = 300
	dir := t.TempDir()
	writePrompts(t, dir, records)
	sim := startSim(t, "latency=1ms")
	run := func(name string) (stderr string) {
		t.Helper()
		p := shell(t, dir, `llmpipe -p 'Answer: {{.prompt}}' < prompts.jsonl | llmpipe -p 'Shorten: {{.content}}'`)
		p.Env = append(p.Env, "OPENAI_BASE_URL="+sim.URL, "LLMPIPE_MODEL=gpt-4o-mini")
		p.exits(t, 0)
		checkOnceEach(t, name, parseOutput(p.out.Bytes()).ids, records)
		return p.err.String()
	}
	run("first run")
	if n := sim.stats(t).Requests; n != 2*records {
		t.Errorf("%d requests by the first run, want %d", n, 2*records)
	}
	said := run("second run")
	if n := sim.stats(t).Requests; n != 2*records {
		t.Errorf("%d requests by both runs, want %d", n, 2*records)
	}
	if strings.Count(said, "600 recorded") != 2 || strings.Count(said, "300 recorded before") != 2 {
		t.Errorf("the second run said %q", said)
	}
}

// TestStagesAreNoEditedPrompts: what one stage records while another runs is not said to be the
// other's, changed. The second stage gets a record of its own first, so that it has opened the
// ledger before the first stage begins.
func TestStagesAreNoEditedPrompts(t *testing.T) {
	t.Parallel()
	const records = 300
	dir := t.TempDir()
	prompts := writePrompts(t, dir, records)
	sim := startSim(t, "latency=1ms")
	between, stage1, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer between.Close()
	out, err := os.Create(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	second := llmpipe(t, dir, "--base-url", sim.URL, "-m", "gpt-4o-mini", "-p", "Shorten: {{.content}}")
	second.Stdin, second.Stdout = between, out
	second.starts(t)
	if _, err := stage1.WriteString(`{"id":"alone","content":"hello"}` + "\n"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a line out of the second stage", func() bool { return len(readOutput(t, out.Name()).ids) == 1 })
	first := llmpipe(t, dir, "--base-url", sim.URL, "-m", "gpt-4o-mini", "-p", "Answer: {{.prompt}}", prompts)
	first.Stdout = stage1
	code := first.exit(t)
	if err := stage1.Close(); err != nil {
		t.Fatal(err)
	}
	if code2 := second.wait(t); code != 0 || code2 != 0 {
		t.Fatalf("exit %d and %d: %s%s", code, code2, &first.err, &second.err)
	}
	checkOnceEach(t, "output", readOutput(t, out.Name()).ids, records+1)
	if strings.Contains(second.err.String(), "another request") {
		t.Errorf("the second stage takes the first one's records for edited ones: %s", &second.err)
	}
}

// TestProcessesShareALedger lets eight processes work on one ledger at a time and kills three of
// them. What any of them has shown is in it, and one more run has the rest.
func TestProcessesShareALedger(t *testing.T) {
	t.Parallel()
	const processes, share = 8, 150
	dir := t.TempDir()
	witness := startWitness(t, startSim(t, "latency=2ms&jitter=0.5"))
	prompts := []byte(numbered(1, processes*share))
	lines := bytes.SplitAfter(prompts, []byte("\n"))
	random := rand.New(rand.NewPCG(3, 0))
	command := func(number int, input []byte) *process {
		p := llmpipe(t, dir, "--base-url", witness.URL, "--header", runHeader+": "+strconv.Itoa(number), "-m", "gpt-4o-mini", "-c", "4",
			"-l", "shared.jsonl")
		p.Stdin = bytes.NewReader(input)
		out, err := os.Create(filepath.Join(dir, fmt.Sprintf("out.%d", number)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { out.Close() })
		p.Stdout = out
		return p
	}
	output := func(number int) map[string]int {
		return readOutput(t, filepath.Join(dir, fmt.Sprintf("out.%d", number))).ids
	}
	var all [processes]*process
	for i := range all {
		all[i] = command(i, bytes.Join(lines[i*share:(i+1)*share], nil))
		if err := all[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	killed := 0
	for _, i := range []int{1, 4, 6} {
		shown := random.IntN(share / 2)
		eventually(t, "some progress", func() bool { return len(output(i)) >= shown })
		_ = all[i].Process.Kill()
	}
	for i, p := range all {
		switch code := p.wait(t); code {
		case 0:
			checkOnceEach(t, fmt.Sprintf("process %d", i), output(i), share)
		case 128 + 9:
			killed++
		default:
			t.Errorf("process %d: exit %d: %s", i, code, &p.err)
		}
	}
	if killed == 0 {
		t.Error("no process was killed in time: the test shows nothing")
	}

	ids := recorded(t, filepath.Join(dir, "shared.jsonl"))
	checkOnceEach(t, "ledger", ids, len(ids))
	for i := range all {
		for id := range output(i) {
			if ids[id] != 1 {
				t.Errorf("process %d wrote record %s, and the ledger has it %d times", i, id, ids[id])
			}
		}
	}
	export := llmpipe(t, dir, "export", "-l", "shared.jsonl")
	export.exits(t, 0)
	checkOnceEach(t, "export", parseOutput(export.out.Bytes()).ids, len(ids))
	report := llmpipe(t, dir, "report", "-l", "shared.jsonl", "--json")
	if code := report.exit(t); code != 0 || !strings.Contains(report.out.String(), fmt.Sprintf(`"total":{"results":%d,`, len(ids))) {
		t.Errorf("report: exit %d: %s%s", code, &report.out, &report.err)
	}

	last := command(processes, prompts)
	last.exits(t, 0)
	checkOnceEach(t, "the last run", output(processes), processes*share)
	if asked, want := witness.of(strconv.Itoa(processes)).records, processes*share-len(ids); asked != want {
		t.Errorf("the last run asked about %d records, want the %d that were not recorded", asked, want)
	}
	t.Logf("%d killed, %d of %d recorded by then", killed, len(ids), processes*share)
}
