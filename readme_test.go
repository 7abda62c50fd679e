package main

import (
	"flag"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"llmpipe/stream/provider/sim"
	"llmpipe/stream/record"
	"llmpipe/stream/record/usage"
	"llmpipe/stream/ui"
)

var update = flag.Bool("update", false, "write README's tables anew")

// TestReadmeTables holds the tables of flags and of the simulator's options to what --help says, of
// which testdata has a copy that stream/e2e keeps true; go test -run TestReadmeTables -update
// writes the tables anew.
func TestReadmeTables(t *testing.T) {
	for _, table := range []struct {
		help, heading string
		rows          func(help string) string
	}{
		{"llmpipe.txt", "\n| flag | |\n| --- | --- |\n", flagTable},
		{"sim.txt", "\n| option | default | |\n| --- | --- | --- |\n", optionTable},
	} {
		help, err := os.ReadFile(filepath.Join("testdata", "help", table.help))
		if err != nil {
			t.Fatal(err)
		}
		want := table.rows(string(help))
		if strings.Count(want, "\n") < 50 {
			t.Fatalf("%s has only these:\n%s", table.help, want)
		}
		before, rest, found := strings.Cut(readme(t), table.heading)
		end := strings.Index(rest, "\n\n")
		if !found || end < 0 {
			t.Fatalf("README has no table%s", table.heading)
		}
		got, after := rest[:end+1], rest[end+1:]
		if *update {
			if err := os.WriteFile("README.md", []byte(before+table.heading+want+after), 0o666); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if got != want {
			t.Errorf("README's table is not what %s says; -update writes it. It is\n%s\nwant\n%s", table.help, got, want)
		}
	}
}

// optionLine is the first line about an option of the simulator: its name, its default and the
// first words about it.
var optionLine = regexp.MustCompile(`^  ([a-z-]+) +(\S+) +(\S.*)$`)

// optionTable makes rows of the simulator's options in its help.
func optionTable(help string) string {
	_, options, _ := strings.Cut(help, "\nOptions")
	options, _, _ = strings.Cut(options, "\n\n")
	var rows []string
	for _, line := range strings.Split(options, "\n")[1:] {
		if m := optionLine.FindStringSubmatch(line); m != nil {
			rows = append(rows, "`"+m[1]+"` | "+m[2]+" | "+m[3])
		} else {
			rows[len(rows)-1] += " " + strings.TrimSpace(line)
		}
	}
	return "| " + strings.Join(rows, " |\n| ") + " |\n"
}

// flagLine is the first line about a flag in a help text: its letter, its name, its value and the
// first words about it.
var flagLine = regexp.MustCompile(`^ {2,6}(?:(-\w), )?(--[\w-]+)(=\S+(?: \S+)*)?(?:  +(.*))?$`)

// flagTable makes rows of the flags in a help text, below rows of the headings that they stand
// under.
func flagTable(help string) string {
	var rows []string
	heading, inFlag := "", false
	for _, line := range strings.Split(help, "\n") {
		line = strings.ReplaceAll(line, "|", `\|`)
		m := flagLine.FindStringSubmatch(line)
		switch {
		case m != nil:
			if heading != "" {
				rows = append(rows, "**"+heading+"** |")
			}
			name := "`" + m[2] + m[3] + "`"
			if m[1] != "" {
				name = "`" + m[1] + "`, " + name
			}
			rows = append(rows, strings.TrimSpace(name+" | "+m[4]))
			heading, inFlag = "", true
		case inFlag && strings.HasPrefix(line, "          "):
			rows[len(rows)-1] += " " + strings.TrimSpace(line)
		default:
			heading, inFlag = strings.TrimSuffix(line, ":"), false
		}
	}
	return "| " + strings.Join(rows, " |\n| ") + " |\n"
}

// TestReadmeCommands holds that README gives two commands for a fresh clone, of which the checks
// run the second as written; and that its other go test commands find what they are to run.
func TestReadmeCommands(t *testing.T) {
	readme := readme(t)
	checks, err := os.ReadFile(filepath.Join(".ci", "run"))
	if err != nil {
		t.Fatal(err)
	}
	try := regexp.MustCompile("(?m)^([$] .* )?go run [.] --base-url sim: ")
	if !try.MatchString(readme) || !strings.Contains(readme, "\ngo test ./...\n") {
		t.Error("README does not give the commands to try and to test a clone")
	}
	if !strings.Contains(string(checks), "\ngo test ./...\n") {
		t.Error(".ci/run does not run README's test command")
	}
	for _, m := range regexp.MustCompile(`(?m)^go test (.*)$`).FindAllStringSubmatch(readme, -1) {
		if pattern, dir := testCommand(m[1]); pattern != "" && !hasTest(goFiles(t), dir, regexp.MustCompile(pattern)) {
			t.Errorf("README gives %s, which finds none in %s", m[0], dir)
		}
	}
}

// TestReadmeSimulator holds that the simulator knows the options that README lists by servers.
func TestReadmeSimulator(t *testing.T) {
	readme := readme(t)
	_, table, _ := strings.Cut(readme, "\n| a server that | options |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	queries := regexp.MustCompile("`(.*?)`").FindAllStringSubmatch(table, -1)
	if len(queries) < 14 {
		t.Fatalf("README lists only these servers:\n%s", table)
	}
	for _, query := range queries {
		if _, err := sim.ParseOptions(query[1]); err != nil {
			t.Error(err)
		}
	}
}

// TestReadmeNamesFlags holds that there are the flags that README names: in its text, in the
// columns of its tables, and behind llmpipe in what it shows and nobody runs.
func TestReadmeNamesFlags(t *testing.T) {
	known := map[string]bool{ // parallel's own, and redis-server's
		"--workdir": true, "--sshloginfile": true, "--pipe": true, "--bind": true, "--port": true, "--save": true,
	}
	helps, err := filepath.Glob(filepath.Join("testdata", "help", "*.txt"))
	if err != nil || len(helps) < 5 {
		t.Fatalf("only these help texts were found: %s, %v", helps, err)
	}
	for _, name := range helps {
		help, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^ +(?:(-\w), )?(--[\w-]+)`).FindAllStringSubmatch(string(help), -1) {
			known[m[1]], known[m[2]] = true, true
		}
	}
	named := 0
	for i, line := range strings.Split(readme(t), "\n") {
		if strings.HasPrefix(line, "#SBATCH") {
			continue
		}
		for _, m := range regexp.MustCompile("(?:^|[ `\"'\\[])(--[a-z][\\w-]*)").FindAllStringSubmatch(line, -1) {
			named++
			if !known[m[1]] {
				t.Errorf("line %d of README names %s, which no command has", i+1, m[1])
			}
		}
	}
	if named < 200 {
		t.Errorf("README names only %d flags", named)
	}
}

// TestReadmeLines holds the two lines that README shows with every member to what is written for a
// record that has all of them, and that none is missing which the code knows.
func TestReadmeLines(t *testing.T) {
	counts := usage.Counts{Prompt: 12, Completion: 20, Total: 32, Cached: 4, Reasoning: 8}
	answer := &record.Answer{
		Content: []byte(`"…"`), More: []byte(`[{},{}]`), Choices: 2, ToolCalls: []byte(`[{}]`), Refusal: []byte(`"…"`),
		Model: []byte(`"gpt-4o-mini-2024-07-18"`), FinishReason: []byte(`"length"`), Usage: counts, HasUsage: true,
	}
	answered := record.Result{
		ID: []byte(`"r1"`), Answer: answer, CostNanos: 13_800, CostKnown: true, CostPartial: true, Attempts: 1, LatencyMS: 812,
		Provider: "spare", DowngradedFrom: "gpt-4o", Parsed: []byte(`{"spam":true}`), SameAs: []byte(`"r0"`),
		Input: []byte(`{"id":"r1","prompt":"…"}`),
	}
	failed := record.Result{
		ID: []byte(`"r2"`), Line: 2, File: "prompts.jsonl", CostNanos: 27_600, CostKnown: true, CostPartial: true, Attempts: 6,
		Err:  &record.Error{Type: "rate_limit", Code: "rate_limit_exceeded", Status: 429, Message: "…"},
		Said: []byte(`"…"`), Earlier: counts, Provider: "spare", Input: []byte(`{"id":"r2","prompt":"…"}`),
	}
	_, section, _ := strings.Cut(readme(t), "\n### A line out\n")
	section, _, _ = strings.Cut(section, "\n### ")
	shown := regexp.MustCompile("(?ms)^```json\n(.*?)^```$").FindAllStringSubmatch(section, -1)
	if len(shown) != 2 {
		t.Fatalf("README shows %d lines out, want 2", len(shown))
	}
	for i, r := range []*record.Result{&answered, &failed} {
		want := string(record.FormatResult.Append(nil, r))
		if got := strings.ReplaceAll(shown[i][1], "\n ", ""); got != want {
			t.Errorf("README shows the line\n%s and it is\n%s", got, want)
		}
	}
	for f := record.Format(0); !strings.HasPrefix(f.String(), "Format("); f++ {
		if !strings.Contains(section, "`-f "+f.String()+"`") {
			t.Errorf("README does not say what -f %s writes", f)
		}
	}
	for _, name := range []string{"format.go", "format_batch.go"} {
		source, err := os.ReadFile(filepath.Join("stream", "record", name))
		if err != nil {
			t.Fatal(err)
		}
		members := regexp.MustCompile(`[{,]"(\w+)":`).FindAllStringSubmatch(string(source), -1)
		if len(members) < 5 {
			t.Errorf("only these members were found in %s: %q", name, members)
		}
		tables := section[strings.Index(section, "\n| member"):]
		for _, m := range members {
			if !regexp.MustCompile("[`.\"]" + m[1] + "[`.\"]").MatchString(tables) {
				t.Errorf("README does not say what the member %s of a line out is", m[1])
			}
		}
	}
}

// TestReadmeShapes holds that each line in that README shows can be asked, by an endpoint, and that
// README says what the members mean by which a line's shape is told, and those that are refused.
func TestReadmeShapes(t *testing.T) {
	_, table, _ := strings.Cut(readme(t), "\n| line | meaning |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	lines := regexp.MustCompile("(?m)^[|] `([{\"].*?)` [|]").FindAllStringSubmatch(table, -1)
	if len(lines) < 6 {
		t.Fatalf("README shows only these lines in:\n%s", table)
	}
	for _, m := range lines {
		line := strings.NewReplacer("{…}", "{}", "[…]", "[]").Replace(m[1])
		taken := slices.ContainsFunc([]record.Endpoint{record.Chat, record.Embeddings, record.Messages}, func(e record.Endpoint) bool {
			d, err := record.NewDecoder(record.Options{Endpoint: e, Model: "m"})
			if err != nil {
				t.Fatal(err)
			}
			return d.Decode(new(record.Record), []byte(line)) == nil
		})
		if !taken {
			t.Errorf("README shows the line in %s, which cannot be asked", m[1])
		}
	}
	_, members, _ := strings.Cut(readme(t), "\n| member | meaning |\n")
	members, _, _ = strings.Cut(members, "\n\n")
	for name, known := range map[string]string{
		"shape.go": `(?:has|takeOut|ValueOf)\([^"\n]*"(\w+)"\)`, "inspect.go": "\"`(\\w+)` is true",
	} {
		source, err := os.ReadFile(filepath.Join("stream", "record", name))
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(known).FindAllStringSubmatch(string(source), -1)
		if len(found) < 2 {
			t.Errorf("only these members were found in %s: %q", name, found)
		}
		for _, m := range found {
			if !strings.Contains(members, "`"+m[1]+"`") {
				t.Errorf("README does not say what the member %s of a line in means", m[1])
			}
		}
	}
}

// TestReadmeStatusLine holds that the status line that README explains is one.
func TestReadmeStatusLine(t *testing.T) {
	status := ui.Status{
		Done: 6712, Total: 10_000, Estimated: true, PerSecond: 93.4, ETA: 35, InFlight: 20, Allowed: 24, Sleeping: 12,
		RPM: 482, RPMLimit: 500, TPM: 148_210, TPMLimit: 150_000, Spent: 1_230_000_000, Budget: 5_000_000_000,
	}
	if line := status.String(); !strings.Contains(readme(t), "\n```text\n"+line+"\n```\n") {
		t.Errorf("README does not show the status line %s", line)
	}
}

// TestReadmeExitCodes holds README's exit codes to those of --help.
func TestReadmeExitCodes(t *testing.T) {
	help, err := os.ReadFile(filepath.Join("testdata", "help", "llmpipe.txt"))
	if err != nil {
		t.Fatal(err)
	}
	_, codes, _ := strings.Cut(string(help), "\nExit codes:\n")
	_, table, _ := strings.Cut(readme(t), "\n### Exit codes\n")
	table, _, _ = strings.Cut(table, "\n#")
	said := regexp.MustCompile(`(?m)^  (\d[\d+n]*) `).FindAllStringSubmatch(codes, -1)
	if rows := strings.Count(table, "\n| ") - 2; len(said) != rows {
		t.Errorf("README has %d exit codes, and the help %d", rows, len(said))
	}
	for _, m := range said {
		if !strings.Contains(table, "\n| "+m[1]+" | ") {
			t.Errorf("README has no exit code %s", m[1])
		}
	}
}

// TestReadmeLedger holds that README says what a ledger's lines of each kind hold.
func TestReadmeLedger(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("ledger", "line", "kind.go"))
	if err != nil {
		t.Fatal(err)
	}
	kinds := regexp.MustCompile(`Kind = "(\w+)"`).FindAllStringSubmatch(string(source), -1)
	if len(kinds) < 6 {
		t.Errorf("only these kinds of lines were found: %q", kinds)
	}
	_, table, _ := strings.Cut(readme(t), "\n| kind | what it holds |\n")
	for _, m := range kinds {
		if !strings.Contains(table, "\n| `"+m[1]+"` | ") {
			t.Errorf("README does not say what the ledger's lines of the kind %s hold", m[1])
		}
	}
}

// TestReadmeLinks holds that what README links to within the repository is there: its own headings,
// and files, pictures among them.
func TestReadmeLinks(t *testing.T) {
	headings := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^##+ (.*)$`).FindAllStringSubmatch(readme(t), -1) {
		headings["#"+strings.ReplaceAll(strings.ToLower(m[1]), " ", "-")] = true
	}
	links := regexp.MustCompile(`(?:\]\(|(?:src|srcset|href)=")([^")]+)`).FindAllStringSubmatch(readme(t), -1)
	if len(links) < 20 {
		t.Errorf("README has only %d links", len(links))
	}
	for _, m := range links {
		switch to := m[1]; {
		case strings.HasPrefix(to, "https://"):
		case strings.HasPrefix(to, "#"):
			if !headings[to] {
				t.Errorf("README links to %s, which is none of its headings", to)
			}
		default:
			if _, err := os.Stat(to); err != nil {
				t.Errorf("README links to a file: %v", err)
			}
		}
	}
}

// readme is README's text.
func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// testCommand is what the arguments of a go test command say: which tests or benchmarks, if it
// names any, of which package.
func testCommand(args string) (pattern, dir string) {
	fields := strings.Fields(strings.ReplaceAll(args, "'", ""))
	for i := 0; i < len(fields); i++ {
		switch {
		case fields[i] == "-run" || fields[i] == "-bench":
			if i++; fields[i] != "^$" {
				pattern = fields[i]
			}
		case strings.HasPrefix(fields[i], "."):
			dir = path.Clean(fields[i])
		}
	}
	return pattern, dir
}

// hasTest reports whether a test or a benchmark in dir has a name that the pattern matches.
func hasTest(files []goFile, dir string, pattern *regexp.Regexp) bool {
	for _, f := range files {
		for _, m := range regexp.MustCompile(`(?m)^func ((?:Test|Benchmark)\w+)\(`).FindAllStringSubmatch(f.source, -1) {
			if f.dir == dir && f.isTest() && pattern.MatchString(m[1]) {
				return true
			}
		}
	}
	return false
}

// TestReadmeBegins has an answer within its first five lines.
func TestReadmeBegins(t *testing.T) {
	lines := strings.SplitN(readme(t), "\n", 6)
	for _, line := range lines[:5] {
		if strings.HasPrefix(line, "Simulated answer") {
			return
		}
	}
	t.Errorf("no answer in %q", lines[:5])
}
