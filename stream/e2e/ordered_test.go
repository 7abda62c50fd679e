package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// TestOrdered has the first record answered after all the others: its line comes last, or first
// with --ordered.
func TestOrdered(t *testing.T) {
	t.Parallel()
	const n = 12
	for _, ordered := range []bool{false, true} {
		others := make(chan struct{}, n)
		provider := newBackend(t, func(asked int64, w http.ResponseWriter, r *http.Request) {
			if asked == 1 {
				for range n - 1 {
					select {
					case <-others:
					case <-r.Context().Done():
						return
					}
				}
			}
			answerChat(w)
			if asked != 1 {
				others <- struct{}{}
			}
		})
		args := []string{"--base-url", provider.URL, "-m", "m", "--no-ledger", "-c", "2"}
		if ordered {
			args = append(args, "--ordered", "-c", "16")
		}
		p := llmpipe(t, t.TempDir(), args...)
		p.Stdin = strings.NewReader(numbered(1, n))
		p.exits(t, 0)
		var ids []string
		for _, r := range p.results(t) {
			ids = append(ids, string(r.ID))
		}
		if len(ids) != n {
			t.Fatalf("%d lines out", len(ids))
		}
		got := strings.Join(ids, " ")
		if inOrder := got == "1 2 3 4 5 6 7 8 9 10 11 12"; inOrder != ordered {
			t.Errorf("ordered %v: the lines came as %s", ordered, got)
		}
	}
}
