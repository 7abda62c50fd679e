//go:build unix

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestAttachedWrongFiles has what is not to be opened, or leads out, or changes while it is read,
// among what is as it should be: each is its record's error, soon, and the others are answered.
func TestAttachedWrongFiles(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"realtime", "batch", "hybrid"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			root := filepath.Join(dir, "in")
			if err := os.MkdirAll(filepath.Join(root, "sub"), 0o700); err != nil {
				t.Fatal(err)
			}
			writeFile(t, dir, "secret.gif", gifOf(0, 100))
			writeFile(t, dir, "in/good.gif", gifOf(1, 100))
			writeFile(t, dir, "in/with space \" and é.gif", gifOf(2, 100))
			writeFile(t, dir, "in/sub/good.gif", gifOf(3, 100))
			writeFile(t, dir, "in/program", "\x7fELF\x00\x01")
			if err := syscall.Mkfifo(filepath.Join(root, "fifo"), 0o600); err != nil {
				t.Fatal(err)
			}
			for name, to := range map[string]string{
				"inside.gif": "sub/good.gif", "out.gif": "../secret.gif", "absolute.gif": filepath.Join(dir, "secret.gif"), "up": "..",
				"loop": "loop", "gone": "nothing", "null": "/dev/zero", "pipe": "fifo",
			} {
				if err := os.Symlink(to, filepath.Join(root, name)); err != nil {
					t.Fatal(err)
				}
			}
			want := map[string]string{ // by path; "" is answered
				"good.gif": "", "./good.gif": "", "sub/../good.gif": "", filepath.Join(root, "good.gif"): "", "inside.gif": "",
				"with space \" and é.gif": "",
				"../secret.gif":           "attachment_outside", "out.gif": "attachment_outside", "absolute.gif": "attachment_outside",
				"up/secret.gif": "attachment_outside", filepath.Join(dir, "secret.gif"): "attachment_outside", "/dev/zero": "attachment_outside",
				"null": "attachment_outside", "fifo": "attachment_not_regular", "pipe": "attachment_not_regular",
				"sub": "attachment_not_regular", ".": "attachment_not_regular", "..": "attachment_outside", "gone": "attachment_missing",
				"nothing": "attachment_missing", "loop": "attachment_unreadable", "good.gif/x": "attachment_unreadable",
				"program": "attachment_not_taken", "": "invalid_attachment", "x\x00y": "attachment_unreadable",
			}
			var records strings.Builder
			for path := range want {
				line, err := json.Marshal(map[string]string{"id": path, "f": path, "priority": map[bool]string{true: "high"}[len(path)%2 == 0]})
				if err != nil {
					t.Fatal(err)
				}
				records.Write(append(line, '\n'))
			}
			sim := startSim(t, "latency=0s&batch-latency=10ms")
			p := llmpipe(t, dir, "--base-url", sim.URL, "-m", "gpt-4o", "-p", "Describe it.", "--attach", "f", "--attach-root", "in", "--mode", mode)
			p.Stdin = strings.NewReader(records.String())
			p.exits(t, 3)
			got := map[string]string{}
			for _, text := range p.lines() {
				var l struct {
					ID    string
					Error struct{ Code, Message string }
				}
				if err := json.Unmarshal([]byte(text), &l); err != nil {
					t.Fatal(err)
				}
				got[l.ID] = l.Error.Code
				if strings.Contains(l.Error.Message, "secret") && !strings.Contains(l.ID, "secret") {
					t.Errorf("%q: %s", l.ID, l.Error.Message)
				}
			}
			for path, code := range want {
				if is, ok := got[path]; !ok || is != code {
					t.Errorf("%q: %q, want %q", path, is, code)
				}
			}
		})
	}
}

// TestAttachedFileThatChanges has a file that somebody writes to all the time: its record fails, or is
// answered about what was sent, and the others are answered.
func TestAttachedFileThatChanges(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"realtime", "batch"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			records := writePhotos(t, dir, 4, 2_000_000)
			stop, stopped := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(stopped)
				f, err := os.OpenFile(filepath.Join(dir, "photos", "0.gif"), os.O_WRONLY|os.O_APPEND, 0)
				if err != nil {
					return
				}
				defer f.Close()
				for {
					_, _ = f.WriteString("x")
					select {
					case <-stop:
						return
					case <-time.After(50 * time.Microsecond):
					}
				}
			}()
			sim := startSim(t, "latency=0s&batch-latency=10ms")
			p := llmpipe(t, dir, "--base-url", sim.URL, "-m", "gpt-4o", "-p", "Describe it.", "--attach", "image", "--mode", mode)
			p.Stdin = strings.NewReader(records)
			p.exits(t, 3)
			close(stop)
			<-stopped
			if out := p.out.String(); strings.Count(out, `"attachment_changed"`) != 1 || strings.Count(out, `"content"`) != 3 {
				t.Errorf("out:\n%s", out)
			}
			if sums := attachedIn(t, dir, "llmpipe.ledger.jsonl"); len(sums) != 3 || sums["photos/0.gif"] != "" {
				t.Errorf("recorded are %v", fmt.Sprint(sums))
			}
		})
	}
}
