package main

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write README's table of flags anew")

// TestReadmeFlags holds the table of flags to what llmpipe --help says, of which testdata has a copy that stream/e2e keeps true;
// go test -run TestReadmeFlags -update writes the table anew.
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

// flagLine is the first line about a flag in a help text: its letter, its name, its value and the first words about it.
var flagLine = regexp.MustCompile(`^ {2,6}(?:(-\w), )?(--[\w-]+)(=\S+(?: \S+)*)?(?:  +(.*))?$`)

// flagTable makes rows of the flags in a help text, below rows of the headings that they stand under.
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

// TestReadmeCommands holds the two commands that README gives for a fresh clone, and that the checks run the second as written; and that
// the tests that it names are there.
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
	var tests strings.Builder
	for _, f := range goFiles(t) {
		if f.isTest() {
			tests.WriteString(f.source)
		}
	}
	for _, name := range regexp.MustCompile(`\b(Test|Benchmark)[A-Z]\w+`).FindAllString(string(readme), -1) {
		if !strings.Contains(tests.String(), "\nfunc "+name+"(") {
			t.Errorf("README names %s, which is not there", name)
		}
	}
}
