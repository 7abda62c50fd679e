//go:build unix

package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPipelineSharesTheDefaultLedger runs two stages, which know their records by the same ids, on one ledger.
func TestPipelineSharesTheDefaultLedger(t *testing.T) {
	t.Parallel()
	const records = 300
	dir := t.TempDir()
	writePrompts(t, dir, records)
	sim := startSim(t, "latency=1ms")
	run := func(name string) (stdout, stderr string) {
		t.Helper()
		// The pause lets both stages open the ledger before the first record comes.
		cmd := exec.Command("/bin/sh", "-c",
			`(sleep 1; cat prompts.jsonl) | llmpipe -p 'Answer: {{.prompt}}' | llmpipe -p 'Shorten: {{.content}}'`)
		cmd.Dir, cmd.Env = dir, append(cleanEnv(), "OPENAI_BASE_URL="+sim.URL, "LLMPIPE_MODEL=gpt-4o-mini")
		var out, err bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &err
		if e := cmd.Run(); e != nil {
			t.Fatalf("%s: %v: %s", name, e, &err)
		}
		checkOnceEach(t, name, parseOutput(out.Bytes()).ids, records)
		return out.String(), err.String()
	}
	_, said := run("first run")
	if strings.Contains(said, "another request") {
		t.Errorf("the stages take each other's records for edited ones: %s", said)
	}
	if n := sim.stats(t).Requests; n != 2*records {
		t.Errorf("%d requests by the first run, want %d", n, 2*records)
	}
	_, said = run("second run")
	if n := sim.stats(t).Requests; n != 2*records {
		t.Errorf("%d requests by both runs, want %d", n, 2*records)
	}
	if strings.Count(said, "600 recorded") != 2 || strings.Count(said, "300 recorded before") != 2 {
		t.Errorf("the second run said %q", said)
	}
}

// TestProcessesShareALedger lets eight processes work on one ledger at a time and kills three of them. What any of them has shown is in
// it, and one more run has the rest.
func TestProcessesShareALedger(t *testing.T) {
	t.Parallel()
	const processes, share = 8, 150
	dir := t.TempDir()
	sim := startSim(t, "latency=2ms&jitter=0.5")
	prompts, err := os.ReadFile(writePrompts(t, dir, processes*share))
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(prompts, []byte("\n"))
	random := rand.New(rand.NewPCG(3, 0))
	command := func(number int, input []byte) *process {
		p := llmpipe(t, dir, "--base-url", sim.URL, "-m", "gpt-4o-mini", "-c", "4", "-l", "shared.jsonl")
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
	if code := export.exit(t); code != 0 {
		t.Fatalf("export: exit %d: %s", code, &export.err)
	}
	checkOnceEach(t, "export", parseOutput(export.out.Bytes()).ids, len(ids))
	report := llmpipe(t, dir, "report", "-l", "shared.jsonl", "--json")
	if code := report.exit(t); code != 0 || !strings.Contains(report.out.String(), fmt.Sprintf(`"total":{"results":%d,`, len(ids))) {
		t.Errorf("report: exit %d: %s%s", code, &report.out, &report.err)
	}

	before := sim.stats(t).Requests
	last := command(processes, prompts)
	if code := last.exit(t); code != 0 {
		t.Fatalf("the last run: exit %d: %s", code, &last.err)
	}
	checkOnceEach(t, "the last run", output(processes), processes*share)
	if asked, want := sim.stats(t).Requests-before, processes*share-len(ids); asked != want {
		t.Errorf("the last run asked %d times, want the %d that were not recorded", asked, want)
	}
	t.Logf("%d killed, %d of %d recorded by then", killed, len(ids), processes*share)
}
