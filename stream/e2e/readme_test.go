package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReadme runs what README tells people to run, as it is written there and in that order, in one
// directory: the blocks marked sh and bash whole, of those marked console the lines after a $,
// which have to say what stands below them. The provider is the simulated one.
func TestReadme(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"sh", "jq", "make"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("README's commands need %s", program)
		}
	}
	dir, prompts := t.TempDir(), readFile(t, root, "testdata/prompts.jsonl")
	writeFile(t, dir, "prompts.jsonl", prompts)
	writeFile(t, dir, "mails.jsonl", repeat(0, 499, func(i int) string {
		return fmt.Sprintf(`{"id":"mail-%d","body":"You may already have won %d dollars."}`, i, i*i)
	}))
	if err := os.Mkdir(filepath.Join(dir, "photos"), 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, dir, "photos/1.jpg", "\xff\xd8\xff\xc0\x00\x11\x08\x00\x14\x00\x1e\x03")
	sim := startSim(t, "latency=1ms&batch-latency=300ms")
	env := append(cleanEnv(), "OPENAI_BASE_URL=sim:?latency=1ms")
	run := func(script string) string {
		t.Helper()
		cmd := exec.Command("sh", "-eu", "-c", script)
		cmd.Dir, cmd.Env = dir, env
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%v:\n%s\nsaid\n%s", err, script, out)
		}
		return string(out)
	}
	ran := 0
	blocks := regexp.MustCompile("(?ms)^```(sh|bash|console|make)\n(.*?)^```$")
	for _, block := range blocks.FindAllStringSubmatch(readFile(t, root, "README.md"), -1) {
		ran++
		switch kind, body := block[1], block[2]; kind {
		case "sh":
			if strings.Contains(body, "parallel ") && !hasGNUParallel() {
				continue
			}
			if strings.Contains(body, "--detach") { // which needs a provider that outlives a command
				body = "OPENAI_BASE_URL=" + sim.URL + "\n" + strings.ReplaceAll(body, "sleep 900", "sleep 0.2")
			}
			run(body)
		case "bash": // half a minute as it stands
			run(strings.ReplaceAll(body, "3000", "200"))
		case "console":
			for _, command := range strings.Split(body, "$ ")[1:] {
				command, want, _ := strings.Cut(command, "\n")
				if got := run(command); timeless(got) != timeless(want) {
					t.Errorf("%s\nsays\n%s\nand not\n%s", command, got, want)
				}
			}
		case "make":
			writeFile(t, dir, "Makefile", body)
			run("make && make")
		}
	}
	if ran < 18 {
		t.Errorf("only %d blocks were found", ran)
	}
	for name, lines := range map[string]int{
		"answers.jsonl": len(splitLines(prompts)), "spam.jsonl": 500, "lines.jsonl": 200, "gpt-4o.jsonl": 20,
		"urgent.jsonl": 500, "night.jsonl": 500, "cron.jsonl": 500,
		"hybrid.jsonl": 500, "vectors.tsv": 100, "training.jsonl": 500, "rows.csv": 501, "parallel.jsonl": 500,
		"spread.jsonl": len(splitLines(prompts)), "job.jsonl": len(splitLines(prompts)),
	} {
		if name == "parallel.jsonl" && !hasGNUParallel() {
			continue
		}
		if n := len(splitLines(readFile(t, dir, name))); n != lines {
			t.Errorf("%s has %d lines, want %d", name, n, lines)
		}
	}
}

// timeless is what a command says without how long it took.
func timeless(said string) string {
	return regexp.MustCompile(` in \d+\.\d s(, [\d.]+/s)?`).ReplaceAllString(said, "")
}

// hasGNUParallel reports whether parallel is GNU's: there is another program of that name.
func hasGNUParallel() bool {
	out, err := exec.Command("parallel", "--version").Output()
	return err == nil && strings.HasPrefix(string(out), "GNU parallel")
}
