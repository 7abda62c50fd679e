package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// writeOthers writes a file of n records that no other input has, and returns its name.
func writeOthers(t *testing.T, dir string, n int) string {
	t.Helper()
	return writeFile(t, dir, "others.jsonl", repeat(1, n, func(i int) string {
		return fmt.Sprintf(`{"id":"other %d","prompt":"something else, number %[1]d"}`, i)
	}))
}

// What is wrong for good with a batch ends a run that has records in it, with what can be done; and
// no run that has none.
func TestBatchThatIsLost(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		gone   int
		state  func(b *oddBatch) string
		says   string
		forget bool // it takes that to go on
	}{
		{
			name: "its answers are gone", gone: 1,
			says: "hint: give it up with llmpipe batches forget batch_1", forget: true,
		},
		{
			name: "it was refused whole",
			state: func(b *oddBatch) string {
				if b.n == 1 {
					return b.failedWith("model_not_found")
				}
				return b.ended()
			},
			says: "refused by the test",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, wanted := range []bool{true, false} {
				o := newOddBatches(t)
				o.gone, o.state = test.gone, test.state
				dir := t.TempDir()
				name, others := writePrompts(t, dir, 20), writeOthers(t, dir, 5)
				llmpipe(t, dir, o.args("--detach", name)...).exits(t, 75)
				next, code, lines := name, 1, 0
				if !wanted {
					next, code, lines = others, 0, 5
				}
				p := llmpipe(t, dir, o.args(next)...)
				if got := p.exit(t); got != code || len(p.lines()) != lines || !strings.Contains(p.err.String(), test.says) {
					t.Errorf("wanted %t: exit %d, %d lines: %s", wanted, got, len(p.lines()), p.err.String())
				}
				if strings.Contains(p.err.String(), "at this address") || strings.Contains(p.err.String(), "base URL") {
					t.Errorf("the address is right: %s", p.err.String())
				}
				if strings.Contains(p.err.String(), "continues at the provider") || strings.Contains(p.err.String(), "not finished yet") {
					t.Errorf("it has ended: %s", p.err.String())
				}
				if test.forget {
					llmpipe(t, dir, "batches", "forget", "batch_1").exits(t, 0)
				}
				list := llmpipe(t, dir, "batches")
				if code := list.exit(t); !test.forget && (code != 0 || !strings.Contains(list.out.String(), "$0.00")) {
					t.Errorf("exit %d, a batch of which nothing was asked did not cost nothing:\n%s", code, list.out.String())
				}
				last := llmpipe(t, dir, o.args(name)...)
				if code := last.exit(t); code != 0 || len(contents(t, last)) != 20 {
					t.Errorf("wanted %t: exit %d, %d lines: %s", wanted, code, len(last.lines()), last.err.String())
				}
			}
		})
	}
}

// A file that the provider could not take ends the run, and is not tried again by the next.
func TestBatchOfAFileWithAnError(t *testing.T) {
	t.Parallel()
	o := newOddBatches(t)
	o.on = func(step string, n int, w http.ResponseWriter) bool {
		if step != "GET /files/ID" || n > 1 {
			return false
		}
		fmt.Fprint(w, `{"id":"file-1","object":"file","bytes":1,"filename":"f","status":"error","status_details":"bad encoding"}`)
		return true
	}
	dir := t.TempDir()
	args := o.args(writePrompts(t, dir, 20))
	p := llmpipe(t, dir, args...)
	if code := p.exit(t); code != 1 || !strings.Contains(p.err.String(), "the provider could not process file file-1: bad encoding") {
		t.Errorf("exit %d: %s", code, p.err.String())
	}
	again := llmpipe(t, dir, args...)
	if code := again.exit(t); code != 0 || len(contents(t, again)) != 20 || o.count("POST /files") != 2 || len(o.batches()) != 1 {
		t.Errorf("exit %d, %d lines, %d files: %s", code, len(again.lines()), o.count("POST /files"), again.err.String())
	}
}

// A batch that was made just now may not be known everywhere at the provider.
func TestBatchThatShowsLate(t *testing.T) {
	t.Parallel()
	o := newOddBatches(t)
	o.on = func(step string, n int, w http.ResponseWriter) bool {
		if step != "GET /batches/ID" || n > 2 {
			return false
		}
		answerError(w, http.StatusNotFound, "not_found")
		return true
	}
	dir := t.TempDir()
	p := llmpipe(t, dir, o.args(writePrompts(t, dir, 20))...)
	if code := p.exit(t); code != 0 || len(contents(t, p)) != 20 || len(o.batches()) != 1 {
		t.Errorf("exit %d, %d lines: %s", code, len(p.lines()), p.err.String())
	}
}

// writeNumbered writes a file of n records with a bound, so that a budget knows their worst case:
// about $0.00016. It returns its name.
func writeNumbered(t *testing.T, dir, prefix string, n int) string {
	t.Helper()
	return writeFile(t, dir, prefix+".jsonl", repeat(1, n, func(i int) string {
		return fmt.Sprintf(`{"id":"%s%d","prompt":"number %[2]d","max_tokens":500}`, prefix, i)
	}))
}

// Records of an earlier batch that come late, after others had to wait for room in the budget, are
// waited for like those that come early; and what went wrong with that batch ends the run then.
func TestBatchWhoseRecordsComeLate(t *testing.T) {
	t.Parallel()
	for name, lost := range map[string]bool{"it still runs": false, "it is lost": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOddBatches(t)
			o.state = func(b *oddBatch) string {
				if b.n == 1 && len(o.made) < 3 && !lost {
					return stillRunning
				}
				return b.ended()
			}
			if lost {
				o.gone = 1
			}
			o.line = func(_ *oddBatch, _ int, id string) string { return answerLine(id, choice(`"said"`), 3, 1) }
			dir := t.TempDir()
			early, others := writeNumbered(t, dir, "early", 1), writeNumbered(t, dir, "others", 20)
			llmpipe(t, dir, o.args("--detach", early)...).exits(t, 75)
			p := llmpipe(t, dir, o.args("--budget", "0.0024", others, early)...)
			code := p.exit(t)
			if !lost && (code != 0 || len(contents(t, p)) != 21 || len(o.batches()) < 3) {
				t.Errorf("exit %d, %d lines, %d batches: %s", code, len(p.lines()), len(o.batches()), p.err.String())
			}
			if said := p.err.String(); lost && (code != 1 ||
				!strings.Contains(said, "error: batch batch_1: the provider no longer has its answers")) {
				t.Errorf("exit %d: %s", code, said)
			}
		})
	}
}
