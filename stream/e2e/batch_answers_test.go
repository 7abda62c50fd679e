package e2e

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// An answer that is larger than any may be is that record's error. All others are used.
func TestBatchWithAnAnswerTooLarge(t *testing.T) {
	t.Parallel()
	o := newOddBatches(t)
	o.line = func(_ *oddBatch, i int, id string) string {
		if i == 3 {
			return saidWith(id, `"`+strings.Repeat("z", 65<<20)+`"`)
		}
		return said(id)
	}
	dir := t.TempDir()
	p := llmpipe(t, dir, o.args(writePrompts(t, dir, 20))...)
	p.exits(t, 3)
	answered, refused := 0, 0
	for _, r := range p.results(t) {
		switch {
		case r.Content != nil && *r.Content == "said":
			answered++
		case r.Error != nil && r.Error.Type == "response_too_large" && string(r.ID) == "4":
			refused++
		}
	}
	if answered != 19 || refused != 1 || len(o.batches()) != 1 {
		t.Errorf("%d answered, %d refused, %d batches", answered, refused, len(o.batches()))
	}
}

// What comes in the place of a batch's answers, from a proxy on the way or from a provider that has
// not got them ready, is not taken for them: they are downloaded again, and nothing is paid for
// twice.
func TestBatchWhoseAnswersComeGarbled(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"an error":    `{"error":{"message":"upstream timeout"}}`,
		"nothing":     "",
		"the first":   said("1"),
		"no JSON":     "<html>502</html>\n",
		"empty lines": "\n\n\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOddBatches(t)
			o.on = func(step string, n int, w http.ResponseWriter) bool {
				if step != "GET /files/ID/content" || n > 1 {
					return false
				}
				_, _ = io.WriteString(w, content)
				return true
			}
			dir := t.TempDir()
			p := llmpipe(t, dir, o.args(writePrompts(t, dir, 20))...)
			p.answers(t, 20)
			if n := o.count("GET /files/ID/content"); n != 2 || len(o.batches()) != 1 {
				t.Errorf("%d downloads, %d batches", n, len(o.batches()))
			}
		})
	}
}

// Where the answers never come the run pauses and the batch stays pending, also where it does not
// name its file yet. The next run has them.
func TestBatchWhoseAnswersAreLate(t *testing.T) {
	t.Parallel()
	for name, state := range map[string]string{
		"empty file": `"status":"completed","output_file_id":"out-1","request_counts":{"total":20,"completed":20,"failed":0}`,
		"no file":    `"status":"completed","output_file_id":null,"request_counts":{"total":20,"completed":20,"failed":0}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOddBatches(t)
			var ready atomic.Bool
			o.state = func(b *oddBatch) string {
				if ready.Load() {
					return b.ended()
				}
				return state
			}
			o.on = func(step string, _ int, _ http.ResponseWriter) bool {
				return step == "GET /files/ID/content" && !ready.Load()
			}
			dir := t.TempDir()
			args := o.args("--retries", "1", "--give-up", "100ms", writePrompts(t, dir, 20))
			p := llmpipe(t, dir, args...)
			if code := p.exit(t); code != 75 || !strings.Contains(p.err.String(), "hold 0 of 20 answers") {
				t.Errorf("exit %d: %s", code, p.err.String())
			}
			ready.Store(true)
			again := llmpipe(t, dir, args...)
			if code := again.exit(t); code != 0 || len(contents(t, again)) != 20 || len(o.batches()) != 1 {
				t.Errorf("exit %d, %d lines, %d batches: %s", code, len(again.lines()), len(o.batches()), again.err.String())
			}
		})
	}
}

// Of two lines for a request the one that answers it counts, wherever it stands, and answers to
// what was never asked are told of.
func TestBatchWithOddLines(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		lines func(n int, id string) string
		says  string
	}{
		"an error first":  {func(_ int, id string) string { return refusedLine(id, 400, "odd") + said(id) }, ": 20 answered, 0 failed"},
		"an answer first": {func(_ int, id string) string { return said(id) + refusedLine(id, 400, "odd") }, ": 20 answered, 0 failed"},
		"answers twice":   {func(_ int, id string) string { return said(id) + said(id) }, ", $0.0105\n"},
		"answers to nobody": {
			func(n int, id string) string { return said(id) + said(fmt.Sprint("nobody-", n)) }, "its files have 20 answers to requests that",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOddBatches(t)
			o.line = func(_ *oddBatch, i int, id string) string { return test.lines(i, id) }
			dir := t.TempDir()
			p := llmpipe(t, dir, o.args(writePrompts(t, dir, 20))...)
			if code := p.exit(t); code != 0 || len(contents(t, p)) != 20 || !strings.Contains(p.err.String(), test.says) {
				t.Errorf("exit %d, %d lines: %s", code, len(p.lines()), p.err.String())
			}
		})
	}
}

// A state that nobody knows is said once, and looked at until it is one that is.
func TestBatchInAnUnknownState(t *testing.T) {
	t.Parallel()
	o := newOddBatches(t)
	var looks atomic.Int64
	o.state = func(b *oddBatch) string {
		if looks.Add(1) <= 2 {
			return `"status":"Warming_Up","request_counts":{"total":20,"completed":0,"failed":0}`
		}
		return b.ended()
	}
	dir := t.TempDir()
	p := llmpipe(t, dir, o.args(writePrompts(t, dir, 20))...)
	if code := p.exit(t); code != 0 || len(contents(t, p)) != 20 || len(o.batches()) != 1 {
		t.Errorf("exit %d, %d lines, %d batches: %s", code, len(p.lines()), len(o.batches()), p.err.String())
	}
	if n := strings.Count(p.err.String(), `an unknown state, "warming_up"`); n != 1 {
		t.Errorf("said %d times: %s", n, p.err.String())
	}
}

// A batch that counts failed requests and has no error file has given what there is: those are
// asked about again.
func TestBatchWithoutAnErrorFile(t *testing.T) {
	t.Parallel()
	o := newOddBatches(t)
	o.state = func(b *oddBatch) string {
		if b.n == 1 {
			return `"status":"completed","output_file_id":"out-1","request_counts":{"total":20,"completed":17,"failed":3}`
		}
		return b.ended()
	}
	o.line = func(b *oddBatch, i int, id string) string {
		if b.n == 1 && i >= 17 {
			return ""
		}
		return said(id)
	}
	dir := t.TempDir()
	p := llmpipe(t, dir, o.args(writePrompts(t, dir, 20))...)
	if code := p.exit(t); code != 0 || len(contents(t, p)) != 20 || len(o.batches()) != 2 || len(o.batches()[1].ids) != 3 {
		t.Errorf("exit %d, %d lines, %d batches: %s", code, len(p.lines()), len(o.batches()), p.err.String())
	}
}

// Where the files hold fewer answers than the batch counts, however often they are downloaded,
// those that are there are used, and the others alone are in another batch.
func TestBatchThatCountsTooMany(t *testing.T) {
	t.Parallel()
	o := newOddBatches(t)
	o.state = func(b *oddBatch) string {
		return strings.Replace(b.ended(), `"completed":20`, `"completed":22`, 1)
	}
	dir := t.TempDir()
	p := llmpipe(t, dir, o.args("--give-up", "1500ms", writePrompts(t, dir, 20))...)
	p.answers(t, 20)
	if !strings.Contains(p.err.String(), "hold 20 of 22 answers") || len(o.batches()) != 1 {
		t.Errorf("%d batches: %s", len(o.batches()), p.err.String())
	}
}

// A file of answers that is named before it is there is waited for.
func TestBatchWhoseFileIsNotThereYet(t *testing.T) {
	t.Parallel()
	o := newOddBatches(t)
	o.on = func(step string, n int, w http.ResponseWriter) bool {
		if step != "GET /files/ID/content" || n > 2 {
			return false
		}
		answerError(w, http.StatusNotFound, "")
		return true
	}
	dir := t.TempDir()
	p := llmpipe(t, dir, o.args(writePrompts(t, dir, 20))...)
	p.answers(t, 20)
	if n := o.count("GET /files/ID/content"); n != 3 || len(o.batches()) != 1 {
		t.Errorf("%d downloads, %d batches", n, len(o.batches()))
	}
}
