//go:build unix

package e2e

import (
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// draining is what llmpipe says at the first signal.
const draining = "waiting for requests in flight"

// diedOf fails the test unless p, which has been waited for, was ended by sig itself: an exit code
// alone does not stop a shell's loop.
func diedOf(t *testing.T, p *process, sig syscall.Signal) {
	t.Helper()
	status, ok := p.ProcessState.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() || status.Signal() != sig {
		t.Errorf("ended with %v, want death by %v", p.ProcessState, sig)
	}
}

// startHeld starts a run with four requests in flight against a provider that holds them back until
// release is closed. Its stdin hangs open.
func startHeld(t *testing.T, release <-chan struct{}, stdout io.Writer, args ...string) (p *process, said *transcript, b *backend) {
	t.Helper()
	b = newBackend(t, holding(release, answerChat))
	args = append([]string{"--base-url", b.URL, "-m", "m", "-c", "4", "--summary", "summary.json"}, args...)
	p, said = llmpipe(t, t.TempDir(), args...), &transcript{}
	p.Stdout, p.Stderr = stdout, said
	feed(t, p, 20, true)
	p.starts(t)
	eventually(t, "four requests in flight", func() bool { return b.asked.Load() == 4 })
	return p, said, b
}

func interrupt(t *testing.T, p *process, sig syscall.Signal) {
	t.Helper()
	if err := p.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// The first signal stops the asking and nothing else: what is in flight is waited for and written,
// stdin may hang, and the process dies of the signal.
func TestSignalDrains(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		for _, ledger := range []string{"--no-ledger", "--ledger=ledger.jsonl"} {
			t.Run(sig.String()+ledger, func(t *testing.T) {
				if signal.Ignored(sig) {
					t.Skip("this is run under nohup, and so is what it starts")
				}
				t.Parallel()
				release := make(chan struct{})
				answers := &transcript{}
				p, said, b := startHeld(t, release, answers, ledger)
				interrupt(t, p, sig)
				eventually(t, "the drain is announced", func() bool { return said.has(draining) })
				close(release)
				_ = p.Wait()
				diedOf(t, p, sig)
				if n := strings.Count(answers.String(), "\n"); n != 4 {
					t.Errorf("%d lines were written, want those of the 4 requests in flight", n)
				}
				if n := b.asked.Load(); n != 4 {
					t.Errorf("%d requests were sent, 4 before the signal", n)
				}
				s := readSummary(t, p.Dir)
				if s.OK != 4 || s.Failed != 0 || s.Unsent == 0 || s.In != s.OK+s.Failed+s.Unsent {
					t.Errorf("summary %+v", s)
				}
			})
		}
	}
}

// The second signal ends the run at once, whatever is in flight.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	never := make(chan struct{})
	answers := &transcript{}
	p, said, _ := startHeld(t, never, answers)
	interrupt(t, p, syscall.SIGINT)
	eventually(t, "the drain is announced", func() bool { return said.has(draining) })
	interrupt(t, p, syscall.SIGINT)
	_ = p.Wait()
	diedOf(t, p, syscall.SIGINT)
	if n := strings.Count(answers.String(), "\n"); n != 0 {
		t.Errorf("%d lines were written, and nothing was answered", n)
	}
	if s := readSummary(t, p.Dir); s.In == 0 || s.Unsent != s.In {
		t.Errorf("summary %+v", s)
	}
}

// SIGUSR1 prints the status, and the run goes on.
func TestStatusSignal(t *testing.T) {
	t.Parallel()
	release, answers := make(chan struct{}), &transcript{}
	p, said, _ := startHeld(t, release, answers)
	interrupt(t, p, syscall.SIGUSR1)
	eventually(t, "a status line", func() bool { return said.has("in flight 4/4") })
	close(release)
	eventually(t, "everything is answered", func() bool { return strings.Count(answers.String(), "\n") == 20 })
	interrupt(t, p, syscall.SIGTERM) // stdin hangs
	_ = p.Wait()
	diedOf(t, p, syscall.SIGTERM)
}

// Under nohup a hangup is no reason to stop.
func TestHangupIgnored(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	b := newBackend(t, holding(release, answerChat))
	dir := t.TempDir()
	said := &transcript{}
	p := shell(t, dir, `trap '' HUP; exec llmpipe --base-url "$1" -m m -c 4 --no-ledger prompts.jsonl`, b.URL)
	p.Stderr = said
	writePrompts(t, dir, 20)
	p.starts(t)
	eventually(t, "four requests in flight", func() bool { return b.asked.Load() == 4 })
	interrupt(t, p, syscall.SIGHUP)
	interrupt(t, p, syscall.SIGUSR1)
	eventually(t, "a status line", func() bool { return said.has("in flight 4/4") })
	close(release)
	if code := p.wait(t); code != 0 || said.has(draining) {
		t.Errorf("exit %d, said\n%s", code, said)
	}
	if n := len(p.lines()); n != 20 {
		t.Errorf("%d lines were written, want 20", n)
	}
}

// What asks nobody anything has nothing to drain: it dies of a signal as any program does, also
// while it waits for its input.
func TestSignalWhileEstimating(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	p := llmpipe(t, dir, "estimate", "pipe")
	p.starts(t)
	input, err := os.OpenFile(pipe, os.O_WRONLY, 0) // waits until it is opened for reading
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	interrupt(t, p, syscall.SIGINT)
	_ = p.Wait()
	diedOf(t, p, syscall.SIGINT)
}
