package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReadme runs what README tells people to run, as it is written there and in that order, in one directory: the blocks marked sh
// whole, of those marked console the lines after a $. The provider is the simulated one.
func TestReadme(t *testing.T) {
	for _, program := range []string{"sh", "jq", "make"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("README's commands need %s", program)
		}
	}
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	prompts, err := os.ReadFile(filepath.Join("testdata", "prompts.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var mails strings.Builder
	for i := range 500 {
		fmt.Fprintf(&mails, `{"id":"mail-%d","body":"You may already have won %d dollars."}`+"\n", i, i*i)
	}
	for name, content := range map[string]string{"prompts.jsonl": string(prompts), "mails.jsonl": mails.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	env := append(cleanEnv(), "OPENAI_BASE_URL=sim:?latency=1ms", "LLMPIPE_LEDGER=llmpipe.ledger.jsonl")
	run := func(script string) {
		t.Helper()
		cmd := exec.Command("sh", "-eu", "-c", script)
		cmd.Dir, cmd.Env = dir, env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v:\n%s\nsaid\n%s", err, script, out)
		}
	}
	ran := 0
	for _, block := range regexp.MustCompile("(?ms)^```(sh|console|make)\n(.*?)^```$").FindAllStringSubmatch(string(text), -1) {
		ran++
		switch kind, body := block[1], block[2]; kind {
		case "sh":
			run(body)
		case "console":
			for _, line := range splitLines(body) {
				if command, ok := strings.CutPrefix(line, "$ "); ok {
					run(command)
				}
			}
		case "make":
			if err := os.WriteFile(filepath.Join(dir, "Makefile"), []byte(body), 0o666); err != nil {
				t.Fatal(err)
			}
			run("make && make")
		}
	}
	if ran < 11 {
		t.Errorf("only %d blocks were found", ran)
	}
	answers, err := os.ReadFile(filepath.Join(dir, "answers.jsonl"))
	if n := len(splitLines(string(answers))); err != nil || n != len(splitLines(string(prompts))) {
		t.Errorf("make made %d answers of %d prompts, %v", n, len(splitLines(string(prompts))), err)
	}
	for name, lines := range map[string]int{"spam.jsonl": 500, "lines.jsonl": 200, "gpt-4o.jsonl": 20} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if n := len(splitLines(string(content))); err != nil || n != lines {
			t.Errorf("%s has %d lines, want %d, %v", name, n, lines, err)
		}
	}
}

// TestReadmeCommands holds the two commands that README gives for a fresh clone, and that the checks run the second as written.
func TestReadmeCommands(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	checks, err := os.ReadFile(filepath.Join(".ci", "run"))
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"go run . --base-url sim: < testdata/prompts.jsonl", "go test ./..."} {
		if !strings.Contains(string(readme), "\n    "+command+"\n") {
			t.Errorf("README does not give %q", command)
		}
	}
	if !strings.Contains(string(checks), "\ngo test ./...\n") {
		t.Error(".ci/run does not run README's test command")
	}
}
