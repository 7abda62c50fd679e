//go:build unix

package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"llmpipe/ledger/line"
)

// How a shell opens a file for > and for >>.
const (
	redirect = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	appendTo = os.O_WRONLY | os.O_CREATE | os.O_APPEND
)

// appendJob is a job of a few hundred records whose output goes to files.
type appendJob struct {
	*testing.T
	dir     string
	sim     *simServer
	prompts []byte
}

const appendRecords = 400

func newAppendJob(t *testing.T) *appendJob {
	t.Parallel()
	return &appendJob{T: t, dir: t.TempDir(), sim: startSim(t, "latency=1ms"), prompts: []byte(numbered(1, appendRecords))}
}

func (j *appendJob) path(name string) string { return filepath.Join(j.dir, name) }

// command prepares a run with its stdout in a file.
func (j *appendJob) command(name string, flags int) *process {
	j.Helper()
	out, err := os.OpenFile(j.path(name), flags, 0o666)
	if err != nil {
		j.Fatal(err)
	}
	j.Cleanup(func() { out.Close() })
	p := llmpipe(j, j.dir, "--base-url", j.sim.URL, "-m", "gpt-4o-mini")
	p.Stdout = out
	return p
}

// run runs the whole job and returns what the file holds then.
func (j *appendJob) run(name string, flags int) written {
	j.Helper()
	p := j.command(name, flags)
	p.Stdin = bytes.NewReader(j.prompts)
	p.exits(j, 0)
	return readOutput(j, j.path(name))
}

// runAndKill gives a run the first records of the job and no end of them, and kills it when as many
// lines are in the file.
func (j *appendJob) runAndKill(name string, flags, records int) written {
	j.Helper()
	p := j.command(name, flags)
	stdin, err := p.StdinPipe()
	if err != nil {
		j.Fatal(err)
	}
	if err := p.Start(); err != nil {
		j.Fatal(err)
	}
	end := 0
	for range records {
		end += bytes.IndexByte(j.prompts[end:], '\n') + 1
	}
	if _, err := stdin.Write(j.prompts[:end]); err != nil {
		j.Fatal(err)
	}
	eventually(j, "so many lines in the output", func() bool { return len(readOutput(j, j.path(name)).ids) >= records })
	_ = p.Process.Kill()
	_ = p.wait(j)
	return readOutput(j, j.path(name))
}

// checkWhole fails unless every record is in the output, and at most as many as repeated twice.
func (j *appendJob) checkWhole(what string, out written, repeated int) {
	j.Helper()
	if len(out.ids) != appendRecords {
		j.Errorf("%s: %d records in the output, want %d", what, len(out.ids), appendRecords)
	}
	again := 0
	for _, times := range out.ids {
		again += times - 1
	}
	if again > repeated {
		j.Errorf("%s: %d lines repeated, want at most %d", what, again, repeated)
	}
}

// checkAsked fails unless each record was answered once.
func (j *appendJob) checkAsked() {
	j.Helper()
	if n := j.sim.stats(j).Answered; n != appendRecords {
		j.Errorf("%d answers, want %d", n, appendRecords)
	}
}

// TestAppendToAnotherFile: what one file got says nothing about another.
func TestAppendToAnotherFile(t *testing.T) {
	j := newAppendJob(t)
	checkOnceEach(t, "a, fresh", j.run("a", appendTo).ids, appendRecords)
	checkOnceEach(t, "a, again", j.run("a", appendTo).ids, appendRecords)
	checkOnceEach(t, "b, fresh", j.run("b", appendTo).ids, appendRecords)
	more := `{"id":"before","content":"` + strings.Repeat("x", int(fileSize(j.path("a")))) + `"}` + "\n"
	writeFile(t, j.dir, "c", more)
	checkOnceEach(t, "c, with content of its own", j.run("c", appendTo).ids, appendRecords+1)
	checkOnceEach(t, "c, again", j.run("c", appendTo).ids, appendRecords+1)
	j.checkAsked()
}

// TestAppendAfterRedirect: > out, killed, and then >> out.
func TestAppendAfterRedirect(t *testing.T) {
	j := newAppendJob(t)
	j.runAndKill("out", redirect, appendRecords/2)
	j.checkWhole("appended", j.run("out", appendTo), commitGroup)
	j.checkWhole("appended again", j.run("out", appendTo), commitGroup)
	j.checkAsked()
}

// TestAppendAfterRewrite: what a file got before it was cut to nothing is not in it any more,
// however much was written to it since.
func TestAppendAfterRewrite(t *testing.T) {
	j := newAppendJob(t)
	checkOnceEach(t, "first", j.run("out", redirect).ids, appendRecords)
	for _, records := range []int{appendRecords / 4, appendRecords - 1, 1} {
		if out := j.runAndKill("out", redirect, records); len(out.ids) != records {
			t.Fatalf("%d records in the output of a run that got %d", len(out.ids), records)
		}
		j.checkWhole("appended", j.run("out", appendTo), commitGroup)
	}
	j.checkAsked()
}

// TestAppendAfterRewriteWithMore: what was written since is longer than all that the file held
// before, so its size says nothing.
func TestAppendAfterRewriteWithMore(t *testing.T) {
	j := newAppendJob(t)
	all := j.prompts
	first := bytes.IndexByte(all, '\n') + 1
	j.prompts = all[:first]
	checkOnceEach(t, "one record", j.run("out", redirect).ids, 1)
	j.prompts = all[first:]
	if out := j.runAndKill("out", redirect, appendRecords/2); out.ids["1"] > 0 {
		t.Fatal("the file was not cut")
	}
	j.prompts = all
	j.checkWhole("appended", j.run("out", appendTo), commitGroup)
	j.checkAsked()
}

// TestAppendAfterRewriteWithoutLedger: the file was rewritten by a run that no ledger knows of, and
// is shorter than it was.
func TestAppendAfterRewriteWithoutLedger(t *testing.T) {
	j := newAppendJob(t)
	checkOnceEach(t, "first", j.run("out", redirect).ids, appendRecords)
	if err := os.Truncate(j.path("out"), fileSize(j.path("out"))/2); err != nil {
		t.Fatal(err)
	}
	// The cut goes through a line, which is no reason to spoil the one behind it.
	out := j.run("out", appendTo)
	j.checkWhole("appended to half of it", out, appendRecords)
	if out.torn > 1 {
		t.Errorf("%d lines are not whole, want the one that was cut", out.torn)
	}
	if err := os.Truncate(j.path("out"), 0); err != nil {
		t.Fatal(err)
	}
	checkOnceEach(t, "appended to nothing", j.run("out", appendTo).ids, appendRecords)
	j.checkAsked()
}

// TestAppendToAnotherContent: a file with the inode of one that got results, and with at least as
// many bytes, is not that file.
func TestAppendToAnotherContent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("an open file cannot be opened once more")
	}
	j := newAppendJob(t)
	checkOnceEach(t, "first", j.run("out", redirect).ids, appendRecords)
	whole := readFile(t, j.dir, "out")
	lines := strings.SplitAfter(whole, "\n")
	other := strings.Repeat(`{"id":"before","content":"x"}`+"\n", len(whole)/30+1)
	overwrite := func(text string, at int64) {
		t.Helper()
		f, err := os.OpenFile(j.path("out"), os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte(text), at); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	half := len(strings.Join(lines[:appendRecords/2], ""))
	for name, change := range map[string]func(){
		"made anew, longer":      func() { writeFile(t, j.dir, "out", other) },
		"overwritten in place":   func() { overwrite(other, 0) },
		"half of it overwritten": func() { overwrite(other[:half-1-(half-1)%30]+strings.Repeat(" ", (half-1)%30)+"\n", 0) },
		"a line taken out":       func() { writeFile(t, j.dir, "out", strings.Join(lines[1:], "")+lines[1]) },
		"cut to half":            func() { writeFile(t, j.dir, "out", whole[:half]) },
		"in another order": func() {
			writeFile(t, j.dir, "out", strings.Join(lines[appendRecords/2:], "")+strings.Join(lines[:appendRecords/2], ""))
		},
	} {
		writeFile(t, j.dir, "out", whole)
		change()
		for _, when := range []string{"appended to", "again"} {
			out := j.run("out", appendTo)
			for id, n := range out.ids {
				if id != `"before"` && n != 1 && !(name == "a line taken out" && n == 2) {
					t.Errorf("%s, %s: %d lines of %s", name, when, n, id)
				}
			}
			if n := len(out.ids); n != appendRecords && n != appendRecords+1 || name != "half of it overwritten" && out.torn > 0 {
				t.Errorf("%s, %s: lines of %d records, and %d that are not whole", name, when, n, out.torn)
			}
		}
	}
	j.checkAsked()
}

// TestAppendWithMergedLedgers: two hosts, one the other's clone, have run halves of a job. Their
// ledgers are put into one, and each host's output gets the other's half.
func TestAppendWithMergedLedgers(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("an open file cannot be opened once more")
	}
	j := newAppendJob(t)
	all := j.prompts
	middle := bytes.Index(all, []byte(`{"id":201,`))
	var ledgers, outputs [2]string
	for host, half := range [][]byte{all[:middle], all[middle:]} {
		// The second host's file has the inode of the first one's.
		writeFile(t, j.dir, "out", "")
		j.prompts = half
		checkOnceEach(t, "a half", j.run("out", appendTo).ids, appendRecords/2)
		ledgers[host], outputs[host] = readFile(t, j.dir, "llmpipe.ledger.jsonl"), readFile(t, j.dir, "out")
		if err := os.Remove(j.path("llmpipe.ledger.jsonl")); err != nil {
			t.Fatal(err)
		}
	}
	j.prompts = all
	torn := ledgers[0][:len(ledgers[0])-20]
	for name, merged := range map[string]string{
		"one behind the other": ledgers[0] + ledgers[1], "the other way round": ledgers[1] + ledgers[0], "behind a torn one": torn + ledgers[1],
		"of earlier versions": withoutProofs(t, ledgers[0]) + withoutProofs(t, ledgers[1]),
	} {
		for host, output := range outputs {
			writeFile(t, j.dir, "llmpipe.ledger.jsonl", merged)
			writeFile(t, j.dir, "out", output)
			for range 2 {
				checkOnceEach(t, name, j.run("out", appendTo).ids, appendRecords)
			}
			if text := readFile(t, j.dir, "out"); !strings.HasPrefix(text, output) {
				t.Errorf("%s: host %d: what was there is not", name, host)
			}
		}
	}
	j.checkAsked()
}

// withoutProofs is a ledger as earlier versions wrote it.
func withoutProofs(t *testing.T, text string) string {
	t.Helper()
	proof := regexp.MustCompile(`,"from":\d+,"sum":"[0-9a-f]{8}"(,"within":true)?,"crc":"[0-9a-f]{8}"}$`)
	var out []byte
	for each := range strings.Lines(text) {
		each = strings.TrimSuffix(each, "\n")
		if strings.HasPrefix(each, `{"kind":"emitted"`) {
			out = line.Seal(append(out, proof.ReplaceAllString(each, "")...), len(out))
			continue
		}
		out = append(append(out, each...), '\n')
	}
	return string(out)
}

// TestAppendWithMarksOfEarlierVersions: they have no proof but the file's own lines.
func TestAppendWithMarksOfEarlierVersions(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("an open file cannot be opened once more")
	}
	t.Parallel()
	for _, format := range []string{"result", "batch", "raw", "text", "text0"} {
		t.Run(format, func(t *testing.T) {
			j := newAppendJob(t)
			isText, end := strings.HasPrefix(format, "text"), "\n"
			if format == "text0" {
				end = "\x00"
			}
			run := func(format string) string {
				t.Helper()
				p := j.command("out", appendTo)
				p.Args = append(p.Args, "-f", format)
				p.Stdin = bytes.NewReader(j.prompts)
				p.exits(t, 0)
				return readFile(t, j.dir, "out")
			}
			whole := run(format)
			earlier := withoutProofs(t, readFile(t, j.dir, "llmpipe.ledger.jsonl"))
			reset := func(out string) {
				writeFile(t, j.dir, "llmpipe.ledger.jsonl", earlier)
				writeFile(t, j.dir, "out", out)
			}
			for range 2 {
				reset(whole)
				for range 2 {
					if run(format) != whole {
						t.Error("lines that are there were written again")
					}
				}
			}
			// The file was cut since: only lines that name their records are known.
			lines := strings.SplitAfter(whole, end)
			half := strings.Join(lines[:appendRecords/2], "")
			reset(half)
			want := whole
			if isText {
				want = half + whole
			}
			if got, want := strings.Count(run(format), end), strings.Count(want, end); got != want {
				t.Errorf("%d lines of %d when half of them were there", got, want)
			}
			other := strings.Repeat(`{"id":"before"}`+end, len(whole)/16+1)
			reset(other)
			for range 2 {
				if got, want := strings.Count(run(format), end), strings.Count(other+whole, end); got != want {
					t.Errorf("%d lines of %d behind other content", got, want)
				}
			}
			if !isText {
				reset(whole)
				if run("result") != whole {
					t.Error("lines that are there in another format were written again")
				}
			}
			j.checkAsked()
		})
	}
}

// TestAppendBehindUnmarkedLines: a run was killed after it wrote lines and before the ledger
// learned of it, and the next one was before it came to all of them. What is there is there, in any
// order and also behind lines of others; and what only looks like it is not.
func TestAppendBehindUnmarkedLines(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("an open file cannot be opened once more")
	}
	t.Parallel()
	for _, format := range []string{"result", "raw", "batch"} {
		t.Run(format, func(t *testing.T) {
			j := newAppendJob(t)
			p := j.command("whole", redirect)
			p.Args = append(p.Args, "-f", format, "--keep-input")
			p.Stdin = bytes.NewReader(j.prompts)
			p.exits(t, 0)
			lines := splitLines(readFile(t, j.dir, "whole"))
			// No mark tells of this file. Its lines are in another order than the input, and one is
			// changed by a byte.
			slices.Reverse(lines)
			there := append([]string{`{"of":"another"}`}, lines[:appendRecords/2]...)
			changed := strings.Replace(lines[appendRecords-1], "Simulated", "simulated", 1)
			writeFile(t, j.dir, "out", strings.Join(append(there, changed), "\n")+"\n")
			p = j.command("out", appendTo)
			p.Args = append(p.Args, "-f", format, "--keep-input")
			stdin, err := p.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			p.starts(t)
			for line := range bytes.Lines(j.prompts[:len(j.prompts)/4]) {
				if _, err := stdin.Write(line); err != nil {
					t.Fatal(err)
				}
			}
			eventually(t, "more lines in the output", func() bool {
				return len(splitLines(readFile(t, j.dir, "out"))) > appendRecords/2+appendRecords/8
			})
			_ = p.Process.Kill()
			_ = p.wait(t)
			for range 2 {
				p := j.command("out", appendTo)
				p.Args = append(p.Args, "-f", format, "--keep-input")
				p.Stdin = bytes.NewReader(j.prompts)
				p.exits(t, 0)
			}
			times := map[string]int{}
			for _, line := range splitLines(readFile(t, j.dir, "out")) {
				times[line]++
			}
			if len(times) != appendRecords+2 {
				t.Errorf("%d lines, want the %d records', the other's and the changed one", len(times), appendRecords)
			}
			for _, line := range lines {
				if times[line] != 1 {
					t.Fatalf("%d times in the output: %s", times[line], line)
				}
			}
			j.checkAsked()
		})
	}
}
