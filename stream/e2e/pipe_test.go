//go:build unix

package e2e

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// readThenLeave starts p and reads n lines of its stdout as head does, leaving as soon as it has
// them.
func readThenLeave(t *testing.T, p *process, n int) {
	t.Helper()
	p.Stdout = nil
	stdout, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.starts(t)
	lines := bufio.NewReader(stdout)
	for range n {
		if line, err := lines.ReadString('\n'); err != nil || !strings.Contains(line, `"said"`) {
			t.Errorf("read %q, %v", line, err)
		}
	}
	if err := stdout.Close(); err != nil {
		t.Fatal(err)
	}
}

// When head has its lines and every other request hangs, nothing is written that could fail: that
// the reader has gone must be noticed all the same. Without a ledger what is in flight is worth
// nothing, and the run ends at once.
func TestReaderLeavesWhileNothingIsWritten(t *testing.T) {
	t.Parallel()
	b := newBackend(t, func(n int64, w http.ResponseWriter, r *http.Request) {
		if n > 3 {
			<-r.Context().Done()
			return
		}
		answerChat(w)
	})
	p := llmpipe(t, t.TempDir(), "--base-url", b.URL, "-m", "m", "-c", "8", "--no-ledger", "--summary", "summary.json")
	feed(t, p, -1, true)
	readThenLeave(t, p, 3)
	_ = p.Wait()
	diedOf(t, p, syscall.SIGPIPE)
	if n := b.asked.Load(); n > 3+8 {
		t.Errorf("%d requests were sent, want at most the 3 answered and the 8 in flight", n)
	}
	if s := readSummary(t, p.Dir); s.OK != 3 {
		t.Errorf("summary %+v", s)
	}
}

// With a ledger what is in flight when the reader leaves is paid for, so it is waited for and
// recorded.
func TestReaderLeavesAndAnswersAreRecorded(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	b := newBackend(t, func(n int64, w http.ResponseWriter, r *http.Request) {
		if n > 3 {
			select {
			case <-release:
			case <-r.Context().Done():
				return
			}
		}
		answerChat(w)
	})
	p := llmpipe(t, t.TempDir(), "--base-url", b.URL, "-m", "m", "-c", "8", "--ledger", "kept.jsonl", "--summary", "summary.json")
	feed(t, p, -1, true)
	readThenLeave(t, p, 3)
	eventually(t, "all is in flight", func() bool { return b.asked.Load() == 3+8 })
	close(release)
	_ = p.Wait()
	diedOf(t, p, syscall.SIGPIPE)
	again := llmpipe(t, p.Dir, "export", "--ledger", "kept.jsonl")
	if code := again.exit(t); code != 0 || len(again.lines()) != int(b.asked.Load()) {
		t.Errorf("%d requests were answered, %d are recorded (exit %d)", b.asked.Load(), len(again.lines()), code)
	}
	if s := readSummary(t, p.Dir); s.OK != int(b.asked.Load()) {
		t.Errorf("summary %+v after %d answers", s, b.asked.Load())
	}
}

// A write that nobody reads any more ends the run too, whatever the input still holds, and a shell
// sees it in the usual way.
func TestHead(t *testing.T) {
	t.Parallel()
	b := newBackend(t, func(_ int64, w http.ResponseWriter, _ *http.Request) { answerChat(w) })
	script := `yes '"the same again"' | { llmpipe --base-url "$1" -m m -c 4 -f text --no-ledger -q; echo $? > status; } | head -n 3`
	p := shell(t, t.TempDir(), script, b.URL)
	if code := p.exit(t); code != 0 || p.out.String() != strings.Repeat("said\n", 3) || p.err.Len() > 0 {
		t.Errorf("exit %d, printed %q and %q", code, &p.out, &p.err)
	}
	eventually(t, "an exit code", func() bool {
		status, err := os.ReadFile(filepath.Join(p.Dir, "status"))
		return err == nil && string(status) == "141\n"
	})
}

// A reader that reads nothing stops the asking, at a bound that does not depend on how much input
// there is; and the memory that it costs is bounded too.
func TestSlowReaderHoldsBack(t *testing.T) {
	t.Parallel()
	const inFlight = 8
	b := newBackend(t, func(_ int64, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"model":"m","choices":[{"message":{"content":"`+strings.Repeat("long ", 4000)+`"},"finish_reason":"stop"}]}`)
	})
	for _, args := range [][]string{{"--no-ledger"}, {"--no-ledger", "--ordered"}, {"--fsync", "never"}} {
		b.asked.Store(0)
		p := llmpipe(t, t.TempDir(), append([]string{"--base-url", b.URL, "-m", "m", "-c", "8"}, args...)...)
		p.Stdout = nil
		stdout, err := p.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		feed(t, p, -1, true)
		p.starts(t)
		// The pipe takes 64 KiB and a group of 64 lines is being written; behind it wait as many
		// records as the gate lets in.
		const bound = 64 + 4*inFlight + 256 + 8
		settled(t, &b.asked)
		if n := b.asked.Load(); n > bound {
			t.Errorf("%v: %d requests were sent while nothing was read, want at most %d", args, n, bound)
		}
		checkMemory(t, p)
		if _, err := io.CopyN(io.Discard, stdout, 20_000*bound); err != nil {
			t.Errorf("reading on: %v", err)
		}
		if n := b.asked.Load(); n < bound {
			t.Errorf("%v: %d requests were sent after reading on", args, n)
		}
		_ = stdout.Close()
		_ = p.Wait()
		diedOf(t, p, syscall.SIGPIPE)
	}
}

// TestEstimateForNobody: an estimate that really asks listens for signals, and ends as one that
// does not when nobody reads it.
func TestEstimateForNobody(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"--sample", "2"}, {"--sample", "2", "--json"}} {
		p := llmpipe(t, t.TempDir(), append([]string{"estimate", "--base-url", "sim:?latency=1ms"}, args...)...)
		p.Stdin = strings.NewReader(numbered(1, 5))
		p.Stdout = nil
		stdout, err := p.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		p.starts(t)
		if err := stdout.Close(); err != nil {
			t.Fatal(err)
		}
		_ = p.Wait()
		diedOf(t, p, syscall.SIGPIPE)
		if strings.Contains(p.err.String(), "error") {
			t.Errorf("%v: said %s", args, &p.err)
		}
	}
}
