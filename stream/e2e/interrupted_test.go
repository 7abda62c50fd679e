//go:build unix

package e2e

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// Whoever interrupts a run hears how much of all there is was answered, and how to go on.
func TestInterruptedSaysHowFar(t *testing.T) {
	t.Parallel()
	const (
		goesOn = "; the same command continues where it stopped"
		anew   = "; without a ledger the same command sends all of them again"
	)
	for name, test := range map[string]struct {
		args  []string
		piped bool
		twice bool // a second signal gives up what is in flight
		want  string
	}{
		"a ledger":      {want: "4 of 500 answered" + goesOn},
		"in order":      {args: []string{"--ordered"}, want: "4 of 500 answered" + goesOn},
		"a limit":       {args: []string{"--limit", "50"}, want: "4 of 50 answered" + goesOn},
		"a sample":      {args: []string{"--sample", "50"}, want: "4 of 50 answered" + goesOn},
		"a slice":       {args: []string{"--slice", "0/1"}, want: "4 of 500 answered" + goesOn},
		"a pipe":        {piped: true, want: "4 answered; the input was not read to its end" + goesOn},
		"no ledger":     {args: []string{"--no-ledger"}, want: "4 of 500 answered" + anew},
		"a second time": {twice: true, want: "0 of 500 answered; 4 requests in flight given up, which may be billed" + goesOn},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			release := make(chan struct{})
			b := newBackend(t, holding(release, answerChat))
			dir, said := t.TempDir(), &transcript{}
			args := append([]string{"--base-url", b.URL, "-m", "m", "-c", "4"}, test.args...)
			if !test.piped {
				args = append(args, writePrompts(t, dir, 500))
			}
			p := llmpipe(t, dir, args...)
			if p.Stderr = said; test.piped {
				feed(t, p, 20, true)
			}
			p.starts(t)
			eventually(t, "four requests in flight", func() bool { return b.asked.Load() == 4 })
			interrupt(t, p, syscall.SIGINT)
			eventually(t, "the drain is announced", func() bool { return said.has(draining) })
			if test.twice {
				interrupt(t, p, syscall.SIGINT)
			} else {
				close(release)
			}
			_ = p.Wait()
			diedOf(t, p, syscall.SIGINT)
			if !said.has("llmpipe: " + test.want + "\n") {
				t.Errorf("no %q in\n%s", test.want, said)
			}
			if hinted := said.has("llmpipe: hint: "); hinted != strings.Contains(test.want, "without a ledger") {
				t.Errorf("a hint: %v\n%s", hinted, said)
			}
		})
	}
}

// With --ordered the status says how many results wait for one before them.
func TestOrderedSaysWhatItHoldsBack(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	var asked atomic.Int64
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if body, _ := io.ReadAll(r.Body); strings.Contains(string(body), "number 1") {
			select {
			case <-release:
			case <-r.Context().Done():
				return
			}
		}
		answerChat(w)
	})
	dir, said, answers := t.TempDir(), &transcript{}, &transcript{}
	p := llmpipe(t, dir, "--base-url", url, "-m", "m", "-c", "2", "--ordered", "--no-ledger", writePrompts(t, dir, 3))
	p.Stdout, p.Stderr = answers, said
	p.starts(t)
	eventually(t, "all are asked about", func() bool { return asked.Load() == 3 })
	eventually(t, "two are held back", func() bool {
		interrupt(t, p, syscall.SIGUSR1)
		return said.has("0/3  0%  in flight 1/2  held back 2")
	})
	if answers.String() != "" {
		t.Errorf("written out of turn: %s", answers)
	}
	close(release)
	if code := p.wait(t); code != 0 || strings.Count(answers.String(), "\n") != 3 {
		t.Errorf("exit %d, %s", code, answers)
	}
}
