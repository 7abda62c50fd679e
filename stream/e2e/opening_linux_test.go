package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestSignalWhileOpening interrupts a run while it opens a ledger that takes seconds: of very many
// empty lines, which are none. There is nothing in flight that could be waited for.
func TestSignalWhileOpening(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := llmpipe(t, dir, "--base-url", "sim:", "-l", "ledger.jsonl")
	p.Stdin = strings.NewReader(numbered(1, 1))
	p.exits(t, 0)
	file, err := os.OpenFile(filepath.Join(dir, "ledger.jsonl"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Write(bytes.Repeat([]byte("\n"), 48<<20)); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}

	p = llmpipe(t, dir, "--base-url", "sim:", "-l", "ledger.jsonl")
	p.starts(t)
	eventually(t, "the ledger is being read", func() bool {
		links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", p.Process.Pid))
		for _, l := range links {
			if to, _ := os.Readlink(l); filepath.Base(to) == "ledger.jsonl" {
				return true
			}
		}
		return false
	})
	interrupt(t, p, syscall.SIGINT)
	_ = p.Wait()
	diedOf(t, p, syscall.SIGINT)
	if said := p.err.String(); said != "" {
		t.Errorf("said %q", said)
	}
}
