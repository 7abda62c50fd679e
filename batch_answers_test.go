package main

import (
	"strings"
	"testing"
)

// An answer that is larger than any may be is that record's error. All others are used.
func TestBatchWithAnAnswerTooLarge(t *testing.T) {
	t.Parallel()
	o := newOddBatches(t)
	o.output = func(b *oddBatch) string {
		var all strings.Builder
		for i, id := range b.ids {
			if i == 3 {
				all.WriteString(saidWith(id, `"`+strings.Repeat("z", 65<<20)+`"`))
			} else {
				all.WriteString(said(id))
			}
		}
		return all.String()
	}
	dir := t.TempDir()
	p := llmpipe(t, dir, o.args(writePrompts(t, dir, 20))...)
	if code := p.exit(t); code != 3 {
		t.Fatalf("exit %d: %s", code, p.err.String())
	}
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
