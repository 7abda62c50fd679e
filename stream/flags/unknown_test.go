package flags

import (
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"llmpipe/stream/ui"
)

// filterGrammar is a command line with the filter's own flags, and a command beside it.
type filterGrammar struct {
	Ledger string `short:"l" group:"resume" placeholder:"FILE" help:"The ledger."`

	Run    struct{ Flags } `cmd:"" default:"withargs" help:"The filter."`
	Report struct {
		HTML string `name:"html" placeholder:"FILE"`
	} `cmd:"" help:"Report."`
}

// filterParser makes the parser, which is read from its tags anew.
func filterParser(t *testing.T) *kong.Kong {
	t.Helper()
	parser, err := kong.New(new(filterGrammar), append(slices.Clone(Values), kong.Name("llmpipe"), kong.ExplicitGroups(Groups))...)
	if err != nil {
		t.Fatal(err)
	}
	return parser
}

// filterFlags are the names of the filter's flags, without the dashes.
func filterFlags(t *testing.T) (names []string) {
	t.Helper()
	for _, f := range filterParser(t).Model.Leaves(false)[0].Flags {
		names = append(names, f.Name)
	}
	if len(names) < 50 {
		t.Fatalf("the filter has only these flags: %q", names)
	}
	return names
}

// hintFor is the hint for a command line that is wrong.
func hintFor(t *testing.T, model *kong.Application, args ...string) string {
	t.Helper()
	_, err := Gather(model, args)
	if err == nil {
		t.Errorf("%q is taken", args)
		return ""
	}
	return ui.HintOf(err)
}

// TestMistypedFlags types every flag without one of its letters, and with two of them changed.
func TestMistypedFlags(t *testing.T) {
	t.Parallel()
	names, model := filterFlags(t), filterParser(t).Model
	for _, name := range names {
		if len(name) < 5 {
			continue // --sed may be --set
		}
		middle := len(name) / 2
		swapped := name[:middle-1] + name[middle:middle+1] + name[middle-1:middle] + name[middle+1:]
		for _, typo := range []string{name[:middle] + name[middle+1:], swapped} {
			if slices.Contains(names, typo) {
				continue
			}
			if hint := hintFor(t, model, "--"+typo, "x"); !strings.Contains(hint, "--"+name) {
				t.Errorf("--%s gets the hint %q, want --%s", typo, hint, name)
			}
		}
	}
}

// TestForeignFlags types the flags of other programs.
func TestForeignFlags(t *testing.T) {
	t.Parallel()
	own, model := filterFlags(t), filterParser(t).Model
	seen := map[string]bool{}
	for _, f := range foreign {
		for _, name := range strings.Fields(f.names) {
			if seen[name] || slices.Contains(own, strings.TrimPrefix(name, "--")) {
				t.Errorf("%s is there twice, or is a flag of the filter", name)
			}
			seen[name] = true
			if hint := hintFor(t, model, name, "x"); hint != f.hint && fieldHint(name, "x") != hint {
				t.Errorf("%s gets the hint %q, want %q", name, hint, f.hint)
			}
		}
	}
	for _, tt := range []struct{ args, want string }{
		{"--max-tokens 200", "--set max_tokens=200"}, {"--maxTokens 200", "--set max_tokens=200"}, {"--temperature=0.7", "--set temperature=0.7"},
		{"--temp 1", "--set temperature=1"}, {"--top-p 0.9", "--set top_p=0.9"}, {"--top_p x", "--set top_p=0.9"},
		{"--stop END", `--set 'stop=["END"]'`}, {"--response-format json", `--set 'response_format={"type":"json_object"}'`},
		{"--option temperature 1", "--set temperature=0.2"}, {"-o out.jsonl", "> out.jsonl"}, {"--output=out.jsonl", "> out.jsonl"},
		{"--api-key sk-1", "OPENAI_API_KEY"}, {"--apikey sk-1", "OPENAI_API_KEY"}, {"-j 8", "-c N"}, {"-P 8", "-c N"}, {"--parallel 8", "-c N"},
		{"--rate 10", "--rpm N"}, {"--url http://x", "--base-url URL"}, {"--json", "-f text"}, {"-0", "-f text0"}, {"-r", "-R"},
		{"--max_line 5", "it is written --max-line"}, {"-model gpt-4o", "it is written --model"}, {"--base_url x", "it is written --base-url"},
		{"report --budget 5", "llmpipe report --help"}, {"report --htlm x", "did you mean --html?"}, {"--bogus-flag x", "llmpipe --help all"},
	} {
		if hint := hintFor(t, model, strings.Fields(tt.args)...); !strings.Contains(hint, tt.want) || strings.Contains(hint, "sk-1") {
			t.Errorf("%s gets the hint %q, want %q", tt.args, hint, tt.want)
		}
	}
}

// TestChoices holds that the words which are completed and proposed are taken, and that one which
// is mistyped is told.
func TestChoices(t *testing.T) {
	t.Parallel()
	parser := filterParser(t)
	for name, words := range choices {
		if !strings.HasPrefix(name, "--") {
			continue
		}
		for _, word := range words {
			if _, err := parser.Parse([]string{name, word}); err != nil {
				t.Errorf("%s %s: %v", name, word, err)
			}
		}
		if len(words) == 1 {
			continue // it takes others too
		}
		typo := words[1][:1] + "_" + words[1][1:]
		_, err := parser.Parse([]string{name, typo})
		if err == nil {
			t.Errorf("%s %s is taken", name, typo)
			continue
		}
		if hint := ParseHint(parser.Model, []string{name, typo}, err); len(words[1]) > 2 && hint != "did you mean "+name+" "+words[1]+"?" {
			t.Errorf("%s %s: the hint is %q", name, typo, hint)
		}
	}
}

// TestNumbers reads numbers and durations as people write them.
func TestNumbers(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]int{"500": 500, "10k": 10_000, "2M": 2_000_000, "1.5k": 1500, "0": 0, "-3": -3} {
		parser := filterParser(t)
		if _, err := parser.Parse([]string{"--rpm=" + args}); err != nil {
			t.Errorf("%s: %v", args, err)
			continue
		}
		for _, f := range parser.Model.Leaves(false)[0].Flags {
			if f.Name == "rpm" && f.Target.Int() != int64(want) {
				t.Errorf("%s is read as %d, want %d", args, f.Target.Int(), want)
			}
		}
	}
	for _, args := range []string{
		"--rpm=1x", "--rpm=k", "--rpm=1e3", "--rpm=1.5", "--rpm=0x10", "--rpm=99999999999999999999", "--limit=0", "--limit=-1", "--sample=0",
		"--timeout=30", "--timeout=soon", "--headroom=much", "--budget-per-day=0", "--budget-per-day=.25", "--max-line=3q", "--seed=-1",
	} {
		_, err := filterParser(t).Parse([]string{args})
		if err == nil || ui.HintOf(err) == "" {
			t.Errorf("%s: %v, with the hint %q", args, err, ui.HintOf(err))
		}
	}
}

// TestEmptyValues refuses what a variable that is not set leaves behind a flag.
func TestEmptyValues(t *testing.T) {
	t.Parallel()
	model := filterParser(t).Model
	for _, args := range [][]string{{"--budget", "", "a.jsonl"}, {"--budget="}, {"-m", ""}, {"--budget"}, {"-qm"}, {"--mode"}} {
		if hint := hintFor(t, model, args...); hint == "" {
			t.Errorf("%q has no hint", args)
		}
	}
}
