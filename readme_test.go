package main

import (
	"flag"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"llmpipe/stream/provider/sim"
)

var update = flag.Bool("update", false, "write README's table of flags anew")

// TestReadmeFlags holds the table of flags to what llmpipe --help says, of which testdata has a
// copy that stream/e2e keeps true; go test -run TestReadmeFlags -update writes the table anew.
func TestReadmeFlags(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	const heading, next = "\n| flag | |\n| --- | --- |\n", "\n## "
	before, rest, found := strings.Cut(string(readme), heading)
	got, after, foundNext := strings.Cut(rest, next)
	if !found || !foundNext {
		t.Fatal("README has no table of flags")
	}
	help, err := os.ReadFile(filepath.Join("testdata", "help", "llmpipe.txt"))
	if err != nil {
		t.Fatal(err)
	}
	want := flagTable(string(help))
	if strings.Count(want, "\n") < 50 {
		t.Fatalf("the help has only these flags:\n%s", want)
	}
	if *update {
		if err := os.WriteFile("README.md", []byte(before+heading+want+next+after), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != want {
		t.Errorf("README's table of flags is not what --help says; -update writes it. It is\n%s\nwant\n%s", got, want)
	}
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

// TestReadmeCommands holds the two commands that README gives for a fresh clone, and that the
// checks run the second as written; and that its other go test commands find what they are to run.
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
	for _, m := range regexp.MustCompile(`(?m)^    go test (.*)$`).FindAllStringSubmatch(string(readme), -1) {
		if pattern, dir := testCommand(m[1]); pattern != "" && !hasTest(goFiles(t), dir, regexp.MustCompile(pattern)) {
			t.Errorf("README gives %s, which finds none in %s", m[0], dir)
		}
	}
}

// TestReadmeSimulator holds that the simulator knows the options that README lists by servers.
func TestReadmeSimulator(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(readme), "\n| a server that | options |\n")
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
