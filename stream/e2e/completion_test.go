package e2e

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// completing are programs for each shell that take its script and print how the line in their first
// argument may go on. What zsh and bash tell their line editors is caught on its way.
var completing = map[string]struct {
	args   []string
	script string
}{
	"bash": {[]string{"-c"}, `eval "$(llmpipe completion bash)"; COMP_LINE=$1 COMP_POINT=${#1}; _llmpipe; printf '%s\n' "${COMPREPLY[@]}"`},
	"zsh": {[]string{"-f", "-c"}, `compdef() { :; }; _files() { :; }; compadd() { print -rl -- ${(P)2}; }
source <(llmpipe completion zsh); words=("${(@s: :)1}"); CURRENT=$#words; _llmpipe`},
	"fish": {[]string{"--no-config", "-c"}, `llmpipe completion fish | source; complete -C $argv[2]`},
}

// A shell that has taken the script completes commands, the flags of each, and leaves other words
// to itself.
func TestCompletion(t *testing.T) {
	for shell, c := range completing {
		t.Run(shell, func(t *testing.T) {
			if _, err := exec.LookPath(shell); err != nil {
				t.Skipf("no %s here", shell)
			}
			dir := t.TempDir() // an empty one: there are no names of files to complete
			for line, want := range map[string][]string{
				"llmpipe re":                     {"repair", "report"},
				"/usr/local/bin/llmpipe re":      {"repair", "report"},
				"llmpipe --rp":                   {"--rpm"},
				"llmpipe prompts.jsonl --budge":  {"--budget", "--budget-per-day"},
				"llmpipe estimate --mod":         {"--mode", "--model", "--models"},
				"llmpipe sim --":                 {"--help", "--ledger", "--listen"},
				"llmpipe prom":                   nil,
				"llmpipe report ":                nil,
				"llmpipe export --out":           nil,
				"llmpipe --mode ":                {"batch", "hybrid", "realtime"},
				"llmpipe prompts.jsonl --mode b": {"batch"},
				"llmpipe -f te":                  {"text", "text0"},
				"llmpipe -qf r":                  {"raw", "result"},
				"llmpipe estimate --endpoint re": {"responses"},
				"llmpipe --endpoint=m":           {"--endpoint=messages"},
				"llmpipe --summary ":             nil,
				"llmpipe batches ":               {"cancel", "forget", "list"},
				"llmpipe batches cancel ":        nil,
				"llmpipe completion z":           {"zsh"},
				"llmpipe help es":                {"estimate"},
			} {
				cmd := exec.Command(shell, append(c.args, c.script, shell, line)...)
				cmd.Dir, cmd.Env = dir, append(cleanEnv(), "HOME="+dir)
				out, err := cmd.Output()
				if err != nil {
					t.Fatalf("%v: %v", cmd, err)
				}
				got := strings.Fields(string(out))
				slices.Sort(got)
				if _, value, ok := strings.Cut(strings.Join(want, ""), "="); ok && shell == "bash" {
					want = []string{value} // bash has completed what is before it
				}
				if !slices.Equal(got, want) {
					t.Errorf("%q: %q, want %q", line, got, want)
				}
			}
		})
	}
}
