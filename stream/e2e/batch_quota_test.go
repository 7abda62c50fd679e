package e2e

import (
	"strings"
	"testing"
)

// When the account has nothing left in the middle of a batch, or before it, that is no record's
// error: the run pauses, and the same command goes on when there is money again.
func TestBatchWithoutQuota(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		state    string
		answered int // by the first batch
	}{
		{"from the sixth request on", "", 5},
		{"as a whole", "billing_hard_limit_reached", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o := newOddBatches(t)
			o.state = func(b *oddBatch) string {
				if b.n == 1 && test.state != "" {
					return b.failedWith(test.state)
				}
				return b.ended()
			}
			o.line = func(b *oddBatch, i int, id string) string {
				if b.n == 1 && i >= test.answered {
					return refusedLine(id, 429, "insufficient_quota")
				}
				return said(id)
			}
			dir := t.TempDir()
			args := o.args("--summary", "summary.json", writeTwins(t, dir, 20, 2))
			p := llmpipe(t, dir, args...)
			if code := p.exit(t); code != 75 || !strings.Contains(p.err.String(), "quota is used up") {
				t.Errorf("exit %d: %s", code, p.err.String())
			}
			if strings.Contains(p.err.String(), "continues at the provider") {
				t.Errorf("nothing goes on there: %s", p.err.String())
			}
			if s := readSummary(t, dir); s.OK != 2*test.answered || s.Failed != 0 || s.Unsent != 40-2*test.answered {
				t.Errorf("%+v", s)
			}
			again := llmpipe(t, dir, args...)
			if code := again.exit(t); code != 0 || len(again.lines()) != 40 || len(o.batches()) != 2 {
				t.Errorf("exit %d, %d lines, %d batches: %s", code, len(again.lines()), len(o.batches()), again.err.String())
			}
		})
	}
}

// That it had nothing left in the last of the rounds loses no record either.
func TestBatchWithoutQuotaInTheLastRound(t *testing.T) {
	t.Parallel()
	for _, whole := range []bool{false, true} {
		o := newOddBatches(t)
		o.state = func(b *oddBatch) string {
			if b.n == 3 && whole {
				return b.failedWith("billing_hard_limit_reached")
			}
			return b.ended()
		}
		o.line = func(b *oddBatch, _ int, id string) string {
			switch b.n {
			case 1, 2:
				return refusedLine(id, 500, "odd")
			case 3:
				return refusedLine(id, 429, "insufficient_quota")
			}
			return said(id)
		}
		dir := t.TempDir()
		args := o.args(writePrompts(t, dir, 20))
		p := llmpipe(t, dir, args...)
		if code := p.exit(t); code != 75 || len(p.lines()) != 0 {
			t.Errorf("exit %d, %d lines: %s", code, len(p.lines()), p.err.String())
		}
		again := llmpipe(t, dir, args...)
		again.answers(t, 20)
	}
}
