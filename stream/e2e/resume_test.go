package e2e

import (
	"strings"
	"testing"
)

// The inputs of TestResume.
const (
	threeRecords = `{"id":"a","prompt":"first"}
{"id":"b","prompt":"second"}
{"id":"c","prompt":"third"}
`
	oneEdited = `{"id":"a","prompt":"first"}
{"id":"b","prompt":"second, edited"}
{"id":"c","prompt":"third"}
`
	twoEdited = `{"id":"a","prompt":"first, edited"}
{"id":"b","prompt":"second, edited"}
{"id":"c","prompt":"third"}
`
	otherSpace = "{ \"prompt\" :\t\"first\", \"id\":\"a\" }\n\n{\"prompt\":\"second\",\"id\":\"b\"}\r\n{\"id\": \"c\" ,\"prompt\":\"third\"}"
	bodies     = `{"id":1,"messages":[{"role":"user","content":"hi"}],"temperature":0.5,"max_tokens":9}` + "\n"
	bodyMoved  = `{"max_tokens": 9, "temperature": 0.5, "messages": [{"content": "hi", "role": "user"}], "id": 1}` + "\n"
	bodyWarmer = `{"id":1,"messages":[{"role":"user","content":"hi"}],"temperature":0.6,"max_tokens":9}` + "\n"
	nameless   = `{"prompt":"first"}` + "\n" + `{"prompt":"second"}` + "\n" + `{"prompt":"second"}` + "\n"
	namelessUp = `{"prompt":"second"}` + "\n" + `{"prompt":"new"}` + "\n" + `{"prompt":"first"}` + "\n" + `{"prompt":"second"}` + "\n"
	mixed      = `{"id":"a","prompt":"first"}` + "\n" + `{"id":"x","prompt":"second","model":"no-such"}` + "\nno JSON\n"
	tenRecords = `"0"` + "\n" + `"1"` + "\n" + `"2"` + "\n" + `"3"` + "\n" + `"4"` + "\n" + `"5"` + "\n" + `"6"` + "\n" + `"7"` + "\n" +
		`"8"` + "\n" + `"9"` + "\n"
)

// resumed is one run of a series on one ledger.
type resumed struct {
	args  string // with spaces between; OTHER stands for the address of the second simulator
	input string

	asked                int // how many requests that run sends to either
	in, ok, skip, failed int
	lines                int    // of stdout
	says                 string // once on stderr
	exit                 int
}

const editedNote = "was recorded with another request (prompt, model or parameters have changed): it and others like it are sent again"

// TestResume runs series of runs, each on a ledger of its own. One simulator knows the model
// gpt-4o-mini only, the other knows any.
func TestResume(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		runs []resumed
	}{
		{"nothing changed", []resumed{
			{input: threeRecords, asked: 3, in: 3, ok: 3, lines: 3},
			{input: threeRecords, asked: 0, in: 3, ok: 3, skip: 3, lines: 3},
		}},
		{"a prompt was edited under its old id", []resumed{
			{input: threeRecords, asked: 3, in: 3, ok: 3, lines: 3},
			{input: oneEdited, asked: 1, in: 3, ok: 3, skip: 2, lines: 3, says: editedNote},
			{input: oneEdited, in: 3, ok: 3, skip: 3, lines: 3},
			{input: threeRecords, in: 3, ok: 3, skip: 3, lines: 3}, // what was paid for stays known
		}},
		{"two prompts were edited, which is said once", []resumed{
			{input: threeRecords, asked: 3, in: 3, ok: 3, lines: 3},
			{input: twoEdited, asked: 2, in: 3, ok: 3, skip: 1, lines: 3, says: editedNote},
		}},
		{"another model", []resumed{
			{input: threeRecords, asked: 3, in: 3, ok: 3, lines: 3},
			{args: "-m other --base-url OTHER", input: threeRecords, asked: 3, in: 3, ok: 3, lines: 3, says: editedNote},
		}},
		{"another system message, another template, another parameter", []resumed{
			{args: "-p {{.prompt}}", input: threeRecords, asked: 3, in: 3, ok: 3, lines: 3},
			{args: "-p {{.prompt}} --system x", input: threeRecords, asked: 3, in: 3, ok: 3, lines: 3, says: editedNote},
			{args: "-p {{.prompt}}!", input: threeRecords, asked: 3, in: 3, ok: 3, lines: 3, says: editedNote},
			{args: "-p {{.prompt}} --set max_tokens=5", input: threeRecords, asked: 3, in: 3, ok: 3, lines: 3, says: editedNote},
			{args: "-p {{.prompt}}", input: threeRecords, in: 3, ok: 3, skip: 3, lines: 3},
		}},
		{"the id is enough", []resumed{
			{input: threeRecords, asked: 3, in: 3, ok: 3, lines: 3},
			{args: "--match id -m other", input: twoEdited, in: 3, ok: 3, skip: 3, lines: 3},
			{args: "--match request", input: twoEdited, asked: 2, in: 3, ok: 3, skip: 1, lines: 3, says: editedNote},
		}},
		{"key order and white space are no change", []resumed{
			{input: threeRecords, asked: 3, in: 3, ok: 3, lines: 3},
			{input: otherSpace, in: 3, ok: 3, skip: 3, lines: 3},
			{input: bodies, asked: 1, in: 1, ok: 1, lines: 1},
			{input: bodyMoved, in: 1, ok: 1, skip: 1, lines: 1},
			{input: bodyWarmer, asked: 1, in: 1, ok: 1, lines: 1, says: editedNote},
		}},
		{"records without ids, in another order", []resumed{
			{input: nameless, asked: 3, in: 3, ok: 3, lines: 3},
			{input: namelessUp, asked: 1, in: 4, ok: 4, skip: 3, lines: 4},
		}},
		{"another provider with the same model", []resumed{
			{input: threeRecords, asked: 3, in: 3, ok: 3, lines: 3},
			{args: "--base-url OTHER", input: threeRecords, in: 3, ok: 3, skip: 3, lines: 3},
		}},
		{"simulated answers are not taken for real ones, but real ones for simulated", []resumed{
			{args: "--base-url sim:?latency=1ms", input: threeRecords, in: 3, ok: 3, lines: 3},
			{args: "--base-url sim:?latency=1ms", input: threeRecords, in: 3, ok: 3, skip: 3, lines: 3},
			{args: "--base-url REAL", input: threeRecords, asked: 3, in: 3, ok: 3, lines: 3},
			{args: "--base-url sim:?latency=1ms", input: threeRecords, in: 3, ok: 3, skip: 3, lines: 3},
		}},
		{"failures are tried again", []resumed{
			{input: mixed, asked: 2, in: 3, ok: 1, failed: 2, lines: 3, exit: 3},
			{input: mixed, asked: 1, in: 3, ok: 1, skip: 1, failed: 2, lines: 3, exit: 3},
			{args: "--base-url OTHER", input: mixed, asked: 1, in: 3, ok: 2, skip: 1, failed: 1, lines: 3, exit: 3},
			{input: mixed, in: 3, ok: 2, skip: 2, failed: 1, lines: 3, exit: 3},
		}},
		{"--limit counts what has no result yet", []resumed{
			{args: "--limit 4", input: tenRecords, asked: 4, in: 4, ok: 4, lines: 4},
			{args: "--limit 4", input: tenRecords, asked: 4, in: 8, ok: 8, skip: 4, lines: 8},
			{args: "--limit 4", input: tenRecords, asked: 2, in: 10, ok: 10, skip: 8, lines: 10},
			{args: "--limit 4", input: tenRecords, in: 10, ok: 10, skip: 10, lines: 10},
		}},
		{"--replay", []resumed{
			{args: "--limit 4", input: tenRecords, asked: 4, in: 4, ok: 4, lines: 4},
			{args: "--replay never --limit 2", input: tenRecords, asked: 2, in: 6, ok: 6, skip: 4, lines: 2},
			{args: "--replay never", input: tenRecords, asked: 4, in: 10, ok: 10, skip: 6, lines: 4},
			{args: "--replay never", input: tenRecords, in: 10, ok: 10, skip: 10, lines: 0},
			{args: "--replay always", input: tenRecords, in: 10, ok: 10, skip: 10, lines: 10},
		}},
		{"a larger sample reuses a smaller one, and the whole both", []resumed{
			{args: "--sample 3", input: tenRecords, asked: 3, in: 3, ok: 3, lines: 3},
			{args: "--sample 7", input: tenRecords, asked: 4, in: 7, ok: 7, skip: 3, lines: 7},
			{args: "--sample 3 --seed 9", input: tenRecords + `"10"`, asked: -1, in: 3, ok: 3, skip: -1, lines: 3},
		}},
		{"chunks are of what is asked", []resumed{
			{args: "--limit 4", input: tenRecords, asked: 4, in: 4, ok: 4, lines: 4},
			{args: "--chunk 2 --on-chunk false", input: tenRecords, asked: 2, in: 6, ok: 6, skip: 4, lines: 6,
				says: "after chunk 1", exit: 75},
			{args: "--chunk 2", input: tenRecords, asked: 4, in: 10, ok: 10, skip: 6, lines: 10},
		}},
		{"no ledger", []resumed{
			{args: "--no-ledger", input: threeRecords, asked: 3, in: 3, ok: 3, lines: 3},
			{args: "--no-ledger", input: threeRecords, asked: 3, in: 3, ok: 3, lines: 3},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			sim, other := startSim(t, "latency=1ms&models=gpt-4o-mini"), startSim(t, "latency=1ms")
			real := inEarnest(t, sim)
			dir := t.TempDir()
			before := 0
			for i, run := range test.runs {
				args := []string{"-m", "gpt-4o-mini", "--base-url", sim.URL, "--summary", "summary.json"}
				if !strings.Contains(run.args, "--no-ledger") {
					args = append(args, "-l", "ledger.jsonl")
				}
				for arg := range strings.FieldsSeq(run.args) {
					args = append(args, strings.NewReplacer("OTHER", other.URL, "REAL", real).Replace(arg))
				}
				p := llmpipe(t, dir, args...)
				p.Stdin = strings.NewReader(run.input)
				code := p.exit(t)
				all := sim.stats(t).Requests + other.stats(t).Requests
				run.check(t, i+1, p, code, all-before, readSummary(t, dir))
				before = all
			}
		})
	}
}

// check compares what a run did with what it should do; -1 stands for any number.
func (r *resumed) check(t *testing.T, number int, p *process, code, asked int, s summary) {
	t.Helper()
	said := p.err.String()
	if code != r.exit || len(p.lines()) != r.lines {
		t.Errorf("run %d: exit %d with %d lines, want %d with %d: %s", number, code, len(p.lines()), r.exit, r.lines, said)
	}
	if asked != r.asked && r.asked >= 0 {
		t.Errorf("run %d asked %d times, want %d", number, asked, r.asked)
	}
	if r.skip < 0 {
		r.skip = s.Skipped
	}
	if s.In != r.in || s.OK != r.ok || s.Skipped != r.skip || s.Failed != r.failed {
		t.Errorf("run %d: %+v, want in %d, ok %d, skipped %d, failed %d", number, s, r.in, r.ok, r.skip, r.failed)
	}
	if n := strings.Count(said, editedNote); r.says != editedNote && n > 0 || r.says != "" && strings.Count(said, r.says) != 1 {
		t.Errorf("run %d said %q, want %q once", number, said, r.says)
	}
}
