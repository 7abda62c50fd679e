package e2e

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// To cancel all batches is to cancel each that can be: one that has ended, one that the provider
// does not know, or one at another provider keeps none of the others from it.
func TestBatchesCancelAll(t *testing.T) {
	t.Parallel()
	o, other := newOddBatches(t), newOddBatches(t)
	o.state = func(*oddBatch) string { return stillRunning }
	other.state = o.state
	o.on = func(step string, n int, w http.ResponseWriter) bool {
		switch {
		case step != "POST /batches/ID/cancel":
			return false
		case n == 1:
			answerError(w, http.StatusConflict, "batch_ended")
		case n == 2:
			answerError(w, http.StatusNotFound, "not_found")
		default:
			fmt.Fprint(w, `{"id":"batch_3","object":"batch","status":"cancelling","request_counts":{"total":1,"completed":1,"failed":0}}`)
		}
		return true
	}
	dir := t.TempDir()
	for _, to := range []*oddBatches{other, o} {
		for i := range 3 {
			name := writeFile(t, dir, "in.jsonl", fmt.Sprintf(`{"id":"r%d","prompt":"for %s"}`, i, to.URL))
			llmpipe(t, dir, to.args("--detach", name)...).exits(t, 75)
		}
	}
	p := llmpipe(t, dir, "batches", "cancel", "--base-url", o.URL)
	code, said := p.exit(t), p.err.String()
	if code != 1 || o.count("POST /batches/ID/cancel") != 3 || other.count("POST /batches/ID/cancel") != 0 {
		t.Errorf("exit %d after %d and %d calls", code, o.count("POST /batches/ID/cancel"), other.count("POST /batches/ID/cancel"))
	}
	for what, times := range map[string]int{
		"has ended already": 1, "error: cancelling batch batch_2: ": 1, "cancelling": 2, "name that provider with --base-url": 3,
	} {
		if n := strings.Count(said, what); n != times {
			t.Errorf("%d times %q, want %d:\n%s", n, what, times, said)
		}
	}
}

// Of a batch whose intent was lost with a damaged line it is said that it is left alone, and it can
// be given up.
func TestBatchesOfARepairedLedger(t *testing.T) {
	t.Parallel()
	o := newOddBatches(t)
	dir := t.TempDir()
	name := writePrompts(t, dir, 5)
	llmpipe(t, dir, o.args("--detach", name)...).exits(t, 75)
	text := strings.Replace(readFile(t, dir, "llmpipe.ledger.jsonl"), `"round":1`, `"round":2`, 1)
	writeFile(t, dir, "llmpipe.ledger.jsonl", text)
	llmpipe(t, dir, "repair", "--out", "clean.jsonl", "llmpipe.ledger.jsonl").exits(t, 0)
	p := llmpipe(t, dir, o.args("-l", "clean.jsonl", name)...)
	p.answers(t, 5)
	p.says(t, "it no longer says which records are in batch batch_1", "hint: give the batch up with llmpipe batches forget batch_1")
	list := llmpipe(t, dir, "batches", "-l", "clean.jsonl")
	if code := list.exit(t); code != 0 || !regexp.MustCompile(`batch_1 .* [0-9]+s +-`).MatchString(list.out.String()) {
		t.Errorf("exit %d, its age is not seconds:\n%s", code, list.out.String())
	}
	forget := llmpipe(t, dir, "batches", "-l", "clean.jsonl", "forget", "batch_1")
	if code := forget.exit(t); code != 0 || strings.TrimSpace(forget.err.String()) != "llmpipe: batch batch_1 is given up" {
		t.Errorf("exit %d: %s", code, forget.err.String())
	}
}
