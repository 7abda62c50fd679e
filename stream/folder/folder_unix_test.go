//go:build unix

package folder

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"llmpipe/stream/record"
)

// TestNoRegularFiles has what would be waited for, or do something, when it is opened.
func TestNoRegularFiles(t *testing.T) {
	f, dir := folderOf(t, 1000, map[string]string{"a.gif": gif})
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("fifo", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	short, err := os.MkdirTemp("", "s") // a socket's name is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(short) })
	l, err := net.Listen("unix", filepath.Join(short, "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	sockets, err := Open(short, 1000)
	if err != nil {
		t.Fatal(err)
	}
	defer sockets.Close()
	devices, err := Open("/dev", 1000)
	if err != nil {
		t.Fatal(err)
	}
	defer devices.Close()
	for _, c := range []struct {
		in   *Folder
		name string
	}{{f, "fifo"}, {f, "link"}, {sockets, "s"}, {devices, "zero"}, {devices, "null"}} {
		if err := c.in.Look(recordOf(t, record.Chat, c.name)); err == nil || err.Code != "attachment_not_regular" {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.in.Same(c.name, 0, time.Unix(1e9, 0), [32]byte{}) {
			t.Errorf("%s is what a file was", c.name)
		}
	}
}
