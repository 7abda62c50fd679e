package e2e

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files of this test anew")

// helped are the commands whose help is pinned. The first, without a name, is what llmpipe --help
// all prints.
var helped = []string{"", "estimate", "models", "export", "batches", "report", "repair", "sim", "completion", "man", "version", "help"}

// helpOf is the help of a command, of the filter all.
func helpOf(t *testing.T, command string) string {
	t.Helper()
	if command == "" {
		return helpFor(t, "--help", "all")
	}
	return helpFor(t, command, "--help")
}

func helpFor(t *testing.T, args ...string) string {
	t.Helper()
	p := llmpipe(t, t.TempDir(), args...)
	if code := p.exit(t); code != 0 || p.err.Len() > 0 {
		t.Errorf("%q: exit code %d, said %s", args, code, &p.err)
	}
	return p.out.String()
}

// TestHelp holds every help text; go test ./stream/e2e -run TestHelp -update writes them anew.
func TestHelp(t *testing.T) {
	for _, command := range helped {
		golden := filepath.Join(root, "testdata", "help", "llmpipe.txt")
		if command != "" {
			golden = filepath.Join(root, "testdata", "help", command+".txt")
		}
		got := helpOf(t, command)
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s --help is not %s; if it should be, -update writes it:\n%s", command, golden, got)
		}
	}
}

// The golden files hold the text; this holds what any text must have.
func TestHelpIsWhole(t *testing.T) {
	whole := helpOf(t, "")
	var headings []string
	for _, m := range regexp.MustCompile(`(?m)^(\S.*):$`).FindAllStringSubmatch(whole, -1) {
		headings = append(headings, m[1])
	}
	want := []string{
		"Arguments", "Flags", "Input", "Output", "Provider", "Pace", "Money", "Resume", "Mode", "Progress",
		"Commands (llmpipe COMMAND --help says more)", "Examples", "What an answer means (the first row that applies)", "Exit codes",
	}
	if !slices.Equal(headings, want) {
		t.Errorf("the headings are %q, want %q", headings, want)
	}
	_, commands, _ := strings.Cut(whole, "\nCommands")
	commands, _, _ = strings.Cut(commands, "\n\n")
	for _, m := range regexp.MustCompile(`(?m)^  (\w+) `).FindAllStringSubmatch(commands, -1) {
		if command := m[1]; command != "run" && !slices.Contains(helped, command) {
			t.Errorf("the help of %s is not pinned", command)
		}
	}
	short := helpFor(t, "-h")
	if n := strings.Count(short, "\n"); n > 30 {
		t.Errorf("llmpipe -h has %d lines, and is to fit a screen:\n%s", n, short)
	}
	if !strings.Contains(whole, "\n  cat prompts.jsonl | llmpipe") || !strings.Contains(short, "\n  llmpipe -p '") {
		t.Error("there is no example")
	}
	for text, ways := range map[string][][]string{
		short:               {{"--help"}, {"help"}, {"run", "--help"}, {"help", "run"}, {"prompts.jsonl", "-f", "text", "-h"}},
		whole:               {{"help", "all"}, {"-h", "all"}, {"all", "--help"}, {"run", "--help", "all"}},
		helpOf(t, "report"): {{"help", "report"}, {"report", "-h"}},
	} {
		for _, way := range ways {
			if got := helpFor(t, way...); got != text {
				t.Errorf("llmpipe %q prints\n%s", way, got)
			}
		}
	}
	if got := helpFor(t, "estimate", "--help", "all"); !strings.Contains(got, "--models") || !strings.Contains(got, "--budget-per-day") {
		t.Errorf("llmpipe estimate --help all prints\n%s", got)
	}
	for _, code := range []string{"0  ", "1  ", "2  ", "3  ", "4  ", "75  ", "128+n"} {
		if !strings.Contains(whole, "\n  "+code) {
			t.Errorf("exit code %s is not explained", code)
		}
	}
}

// TestUsageErrorsHaveHints holds that each error of a command line, of which testdata/script has
// many, says what to type instead.
func TestUsageErrorsHaveHints(t *testing.T) {
	script := readFile(t, filepath.Join(root, "testdata", "script"), "usage.txtar")
	_, said, _ := strings.Cut(script, "-- usage.txt --\n")
	said, _, _ = strings.Cut(said, "\n-- ")
	lines := strings.Split(said+"\n", "\n")
	count := 0
	for i, line := range lines {
		if strings.HasPrefix(line, "llmpipe: error: ") {
			if count++; !strings.HasPrefix(lines[i+1], "llmpipe: hint: ") {
				t.Errorf("there is no hint behind %s", line)
			}
		}
	}
	if count < 80 {
		t.Errorf("the script has only %d errors", count)
	}
}
