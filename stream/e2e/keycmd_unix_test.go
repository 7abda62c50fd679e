//go:build unix

package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// A command that prints no key any more, in the middle of a run, is said with what to do about it.
func TestKeyCommandBeginsToFail(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key := writeFile(t, dir, "key", "sk-one")
	b := newBackend(t, func(n int64, w http.ResponseWriter, _ *http.Request) {
		if n > 3 {
			_ = os.Remove(key)
			answerError(w, http.StatusUnauthorized, "expired")
			return
		}
		answerChat(w)
	})
	p := llmpipe(t, dir, "--base-url", b.URL, "-m", "m", "-c", "1", "--retries", "0", "--key-cmd", "cat key", writePrompts(t, dir, 5))
	if code := p.exit(t); code == 0 || strings.Count(p.out.String(), `"content"`) != 3 {
		t.Errorf("exit %d: %s", code, &p.out)
	}
	p.says(t, "the --key-cmd command fails", "hint: run it in a shell")
}

// A signal ends the command that prints the key of llmpipe batches, too.
func TestBatchesEndTheirKeyCommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sim := startSim(t, "latency=0&batch-latency=1h")
	p := llmpipe(t, dir, byBatch(sim.URL, "--detach", writePrompts(t, dir, 3))...)
	p.exits(t, 75)
	p = llmpipe(t, dir, "batches", "--base-url", sim.URL, "--key-cmd", "echo $$ > started; exec sleep 300")
	p.starts(t)
	var command int
	eventually(t, "the command runs", func() bool {
		text, _ := os.ReadFile(filepath.Join(dir, "started"))
		command, _ = strconv.Atoi(strings.TrimSpace(string(text)))
		return command > 0
	})
	interrupt(t, p, syscall.SIGINT)
	_ = p.Wait()
	diedOf(t, p, syscall.SIGINT)
	eventually(t, "the command has ended", func() bool { return syscall.Kill(command, 0) == syscall.ESRCH })
}
