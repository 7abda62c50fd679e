package e2e

import (
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Killed while the provider was still making the batch, which its listing then shows a little
// later, the same command waits for it and makes no second one.
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
	first.starts(t)
	<-asked
	_ = first.Process.Signal(syscall.SIGKILL)
	first.wait(t)
	again := llmpipe(t, dir, o.args(name)...)
	again.answers(t, 20)
	if n := o.count("POST /batches"); n != 1 || len(o.batches()) != 1 {
		t.Errorf("asked for %d batches of one shard, made %d", n, len(o.batches()))
	}
}

// A batch whose making got no answer is found in a listing that begins with old ones, too.
func TestBatchFoundBehindOldOnes(t *testing.T) {
	t.Parallel()
	for _, rising := range []bool{true, false} {
		o := newOddBatches(t)
		o.lost, o.rising = 1, rising
		for i := range 3 {
			o.made = append(o.made, &oddBatch{n: i + 1, created: time.Now().Add(time.Duration(i-5) * 24 * time.Hour)})
		}
		dir := t.TempDir()
		p := llmpipe(t, dir, o.args(writePrompts(t, dir, 20))...)
		if code := p.exit(t); code != 0 || len(contents(t, p)) != 20 || o.count("POST /batches") != 1 {
			t.Errorf("exit %d, %d lines, %d batches asked for: %s", code, len(p.lines()), o.count("POST /batches"), p.err.String())
		}
	}
}

// A file that is gone when its batch is to be made is no reason to think that there is no Batch
// API.
func TestBatchOfAFileThatIsGone(t *testing.T) {
	t.Parallel()
	o := newOddBatches(t)
	o.on = func(step string, n int, w http.ResponseWriter) bool {
		if step != "POST /batches" || n > 1 {
			return false
		}
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"error":{"message":"No such File object: file-1","type":"invalid_request_error"}}`)
		return true
	}
	dir := t.TempDir()
	args := o.args(writePrompts(t, dir, 20))
	p := llmpipe(t, dir, args...)
	if code := p.exit(t); code != 1 || !strings.Contains(p.err.String(), "hint: run the same command again: it uploads the records again") {
		t.Errorf("exit %d: %s", code, p.err.String())
	}
	again := llmpipe(t, dir, args...)
	if code := again.exit(t); code != 0 || len(contents(t, again)) != 20 || o.count("POST /files") != 2 {
		t.Errorf("exit %d, %d lines, %d files: %s", code, len(again.lines()), o.count("POST /files"), again.err.String())
	}
}

// After a create of which nobody knows whether it made a batch none is made until a listing was
// read to its end without it.
func TestBatchThatMayHaveBeenMade(t *testing.T) {
	t.Parallel()
	o := newOddBatches(t)
	o.lost = 1
	o.on = func(step string, n int, w http.ResponseWriter) bool {
		if step != "GET /batches" || n > 12 {
			return false
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	dir := t.TempDir()
	p := llmpipe(t, dir, o.args(writePrompts(t, dir, 20))...)
	p.answers(t, 20)
	if n := o.count("POST /batches"); n != 1 || len(o.batches()) != 1 {
		t.Errorf("%d batches asked for: %s", n, p.err.String())
	}
}

// An answer to a create that is not understood ends the run, with which batch to look for.
func TestBatchWhoseMakingIsNotUnderstood(t *testing.T) {
	t.Parallel()
	o := newOddBatches(t)
	o.on = func(step string, _ int, w http.ResponseWriter) bool {
		if step != "POST /batches" {
			return false
		}
		_, _ = io.WriteString(w, `{"success":true,"queued":"yes"}`)
		return true
	}
	dir := t.TempDir()
	p := llmpipe(t, dir, o.args(writePrompts(t, dir, 20))...)
	said := ""
	if code := p.exit(t); code == 75 {
		said = p.err.String()
	}
	if n := o.count("POST /batches"); n != 1 || !strings.Contains(said, "llmpipe_shard") || !strings.Contains(said, "queued") {
		t.Errorf("%d batches asked for: %s", n, p.err.String())
	}
}
