//go:build unix

package e2e

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"
)

// halfOf is a file's content with its last line cut, n bytes of it left.
func halfOf(text string, n int) string {
	last := strings.LastIndexByte(text[:len(text)-1], '\n') + 1
	return text[:last+n]
}

// lastLineOf is the last line of a file's content, without its newline.
func lastLineOf(text string) string {
	text = strings.TrimSuffix(text, "\n")
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// TestAppendBehindHalfALine: a run that is killed amid a write leaves half a line, which the next
// one cuts off. It does so wherever the line was cut, and says so; the file is then whole.
func TestAppendBehindHalfALine(t *testing.T) {
	for name, flags := range map[string][]string{
		"result": nil, "batch": {"-f", "batch"}, "raw": {"-f", "raw"}, "ordered": {"--ordered"},
		"keep input": {"--keep-input"}, "text": {"-f", "text"}, "text0": {"-f", "text0"},
	} {
		t.Run(name, func(t *testing.T) {
			j := newAppendJob(t)
			const records = 40
			isText := strings.HasPrefix(name, "text")
			read := func() string { return readFile(t, j.dir, "out") }
			write := func(text string) { writeFile(t, j.dir, "out", text) }
			if name == "text0" { // the simulator's answers have one line each
				read = func() string { return strings.ReplaceAll(readFile(t, j.dir, "out"), "\x00", "\n") }
				write = func(text string) { writeFile(t, j.dir, "out", strings.ReplaceAll(text, "\n", "\x00")) }
			}
			j.prompts = []byte(numbered(1, records))
			run := func(name string, mode int) string {
				t.Helper()
				p := j.command(name, mode)
				p.Args = append(p.Args, flags...)
				p.Stdin = bytes.NewReader(j.prompts)
				p.exits(t, 0)
				return p.err.String()
			}
			run("out", redirect)
			whole := read()
			line := lastLineOf(whole)
			for _, n := range []int{1, 5, len(`{"id":1`), len(line) / 3, 2 * len(line) / 3, len(line) - 1, len(line)} {
				for _, alone := range []bool{false, true} {
					half := halfOf(whole, n)
					if alone && !isText { // in text a line alone may be anybody's
						half = half[len(half)-n:]
						if n <= len(`{"id":40,`) {
							continue // as may so little of one
						}
					}
					write(half)
					said := run("out", appendTo)
					if !strings.Contains(said, "the incomplete line of a killed run") {
						t.Errorf("%d bytes of %q: said %q", n, line, said)
					}
					after := read()
					got, want := sortedLines(after), sortedLines(whole)
					if isText { // whose lines say nothing of their records: they are written again
						got = strings.Join(slices.Compact(splitLines(got)), "\n")
					}
					if got != want {
						t.Errorf("%d bytes of %q: the file is\n%s\nwant\n%s", n, line, got, want)
					}
					if said := run("out", appendTo); strings.Contains(said, "stdout") || read() != after {
						t.Errorf("%d bytes of %q: the next run changed the file, and said %q", n, line, said)
					}
				}
			}
			if n := j.sim.stats(t).Answered; n != records {
				t.Errorf("%d answers", n)
			}
		})
	}
}

// TestAppendBehindAnothersHalfLine: what no result of the ledger begins with is left as it is,
// said, and not run into.
func TestAppendBehindAnothersHalfLine(t *testing.T) {
	j := newAppendJob(t)
	j.prompts = []byte(numbered(1, 20))
	checkOnceEach(t, "first", j.run("first", redirect).ids, 20)
	for _, half := range []string{
		"note to self", `{"name":"x`, `{"id":1,"content":"Somebody else's`, `{"id":99,"content":"Simul`, `{"id":1,"note":"`, `{`, `{"id":"1`,
		`{"id":1,"content":"Simulated answer`, // and more than the answer that is recorded
	} {
		if strings.HasSuffix(half, "answer") {
			half += strings.Repeat(" and so on", 1000)
		}
		for _, before := range []string{"", "{\"of\":\"another\"}\n"} {
			writeFile(t, j.dir, "out", before+half)
			p := j.command("out", appendTo)
			p.Stdin = bytes.NewReader(j.prompts)
			p.exits(t, 0)
			if !strings.Contains(p.err.String(), "no run of this ledger is known to have written it") {
				t.Errorf("behind %.40q: said %q", half, &p.err)
			}
			text, ok := strings.CutPrefix(readFile(t, j.dir, "out"), before+half+"\n")
			if !ok || len(parseOutput([]byte(text)).ids) != 20 {
				t.Errorf("behind %.40q: the file is %.200q", half, readFile(t, j.dir, "out"))
			}
			checkOnceEach(t, "again", parseOutput([]byte(readFile(t, j.dir, "out"))).ids, 20)
		}
	}
	if n := j.sim.stats(t).Answered; n != 20 {
		t.Errorf("%d answers", n)
	}
}

// TestAppendBehindHalfAnError: the lines of records that fail are torn in the same way.
func TestAppendBehindHalfAnError(t *testing.T) {
	for _, format := range []string{"result", "batch"} {
		t.Run(format, func(t *testing.T) {
			j := newAppendJob(t)
			j.prompts = []byte(numbered(1, 5) + "no JSON\n")
			run := func(mode int) {
				t.Helper()
				p := j.command("out", mode)
				p.Args = append(p.Args, "-f", format, "--ordered")
				p.Stdin = bytes.NewReader(j.prompts)
				p.exits(t, 3)
			}
			run(redirect)
			whole := readFile(t, j.dir, "out")
			for n := 1; n <= len(lastLineOf(whole)); n += 7 {
				if err := os.WriteFile(j.path("out"), []byte(halfOf(whole, n)), 0o666); err != nil {
					t.Fatal(err)
				}
				run(appendTo)
				if got := readFile(t, j.dir, "out"); got != whole {
					t.Errorf("%d bytes of it left: the file is\n%s\nwant\n%s", n, got, whole)
				}
			}
		})
	}
}
