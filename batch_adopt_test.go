package main

import (
	"net/http"
	"syscall"
	"testing"
)

// Killed while the provider was still making the batch, which its listing then shows a little later, the same command waits for it and
// makes no second one.
func TestBatchThatIsMadeAfterTheKill(t *testing.T) {
	t.Parallel()
	o := newOddBatches(t)
	asked, looked := make(chan struct{}), make(chan struct{})
	o.making = func(n int) {
		if n == 1 {
			close(asked)
			select {
			case <-looked: // the second process does not find it on its first look
			case <-t.Context().Done():
			}
		}
	}
	o.on = func(step string, n int, _ http.ResponseWriter) bool {
		if step == "GET /batches" && n == 2 {
			close(looked)
		}
		return false
	}
	dir := t.TempDir()
	name := writePrompts(t, dir, 20)
	first := llmpipe(t, dir, o.args(name)...)
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	<-asked
	_ = first.Process.Signal(syscall.SIGKILL)
	first.wait(t)
	again := llmpipe(t, dir, o.args(name)...)
	if code := again.exit(t); code != 0 || len(contents(t, again)) != 20 {
		t.Fatalf("exit %d, %d lines: %s", code, len(again.lines()), again.err.String())
	}
	if n := o.count("POST /batches"); n != 1 || len(o.batches()) != 1 {
		t.Errorf("asked for %d batches of one shard, made %d", n, len(o.batches()))
	}
}
