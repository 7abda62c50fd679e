package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// A shell that has taken the script completes commands, the flags of each, and leaves other words to itself.
func TestCompletion(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("no bash here")
	}
	for line, want := range map[string][]string{
		"llmpipe re":                    {"report", "repair"},
		"/usr/local/bin/llmpipe re":     {"report", "repair"},
		"llmpipe --rp":                  {"--rpm"},
		"llmpipe prompts.jsonl --budge": {"--budget", "--budget-per-day"},
		"llmpipe estimate --mod":        {"--model", "--models"},
		"llmpipe sim --":                {"--help", "--ledger", "--listen"},
		"llmpipe prom":                  nil,
		"llmpipe report ":               nil,
		"llmpipe export --out":          nil,
	} {
		const script = `eval "$(llmpipe completion bash)"; COMP_LINE=$1 COMP_POINT=${#1}; _llmpipe; printf '%s\n' "${COMPREPLY[@]}"`
		out, err := exec.Command("bash", "-c", script, "bash", line).Output()
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Fields(string(out)); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		p := llmpipe(t, t.TempDir(), "completion", shell)
		if code := p.exit(t); code != 0 || !strings.Contains(p.out.String(), "llmpipe completion words") {
			t.Errorf("%s: exit code %d, %s", shell, code, &p.out)
		}
	}
}
