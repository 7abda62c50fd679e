package ledger

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"llmpipe/ledger/disk"
)

// watchedFS calls look after every step that changes the ledger, as a process may be killed there,
// and another look at the file.
type watchedFS struct {
	disk.OS
	look func(step string)
}

func (w *watchedFS) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	file, err := w.OS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	w.look("opened")
	return watchedFile{file, w}, nil
}

type watchedFile struct {
	disk.File
	fs *watchedFS
}

func (f watchedFile) WriteAt(p []byte, at int64) (int, error) {
	n, err := f.File.WriteAt(p, at)
	f.fs.look(fmt.Sprintf("%d bytes written at %d", len(p), at))
	return n, err
}

func (f watchedFile) Truncate(size int64) error {
	err := f.File.Truncate(size)
	f.fs.look(fmt.Sprintf("cut to %d bytes", size))
	return err
}

func (f watchedFile) Reserve(end, size int64) error {
	err := f.File.Reserve(end, size)
	f.fs.look(fmt.Sprintf("%d bytes reserved behind %d", size, end))
	return err
}

// Whoever looks at a new ledger at any moment of its first run sees a ledger.
func TestNobodySeesAnythingButALedger(t *testing.T) {
	path := testPath(t)
	looks := 0
	watched := &watchedFS{look: func(step string) {
		looks++
		l, err := Open(path, Options{})
		if err != nil {
			t.Errorf("%s: %v", step, err)
			return
		}
		if err := l.Close(); err != nil {
			t.Errorf("%s: %v", step, err)
		}
		if err := Scan(path, nil, func(Entry) error { return nil }); err != nil {
			t.Errorf("%s: %v", step, err)
		}
		if text := string(read(t, path)); text != "" && !strings.HasSuffix(text, "}\n") {
			t.Errorf("%s: the ledger ends in %q", step, text[max(0, len(text)-10):])
		}
	}}
	l, err := Open(path, Options{FS: watched})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Prepare(); err != nil {
		t.Fatal(err)
	}
	mustCommit(t, l, resultsOf(0, 3))
	if err := l.Prepare(); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if looks < 6 {
		t.Errorf("looked %d times", looks)
	}
}

// What earlier versions, or a power failure, may leave of a first run is a ledger with a torn end.
func TestALedgerThatGotNoFurtherThanRoom(t *testing.T) {
	for _, left := range []string{" ", strings.Repeat(" ", 4342), strings.Repeat("\x00", 4342)} {
		path := testPath(t)
		write(t, path, []byte(left))
		stats, err := Repair(path, path+".out")
		if err != nil || stats.LostBytes != int64(len(left)) {
			t.Errorf("repair: %+v, %v", stats, err)
		}
		var warned string
		l := mustOpen(t, path, Options{Run: RunInfo{ID: "run2"}, Warn: func(s string) { warned = s }})
		if err := l.Prepare(); err != nil {
			t.Fatal(err)
		}
		mustCommit(t, l, resultsOf(0, 1))
		checkHas(t, l, testResult(0))
		if !strings.Contains(warned, "torn") || string(read(t, path+".broken-run2")) != left {
			t.Errorf("warned %q", warned)
		}
	}
}

// A ledger keeps its room in hand as long as it is open, and no longer.
func TestRoomIsGivenBack(t *testing.T) {
	path := testPath(t)
	reserved := int64(-1)
	l := mustOpen(t, path, Options{FS: &reserveFS{reserved: &reserved}})
	if err := l.Prepare(); err != nil {
		t.Fatal(err)
	}
	if reserved < room {
		t.Errorf("%d bytes are reserved", reserved)
	}
	mustCommit(t, mustOpen(t, path, Options{}), resultsOf(0, 1)) // of another process
	size := fileSize(t, path)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if reserved != 0 || fileSize(t, path) != size {
		t.Errorf("%d bytes are reserved, and the file has %d of %d", reserved, fileSize(t, path), size)
	}
}

// reserveFS knows what its files were last asked to reserve.
type reserveFS struct {
	disk.OS
	reserved *int64
}

func (r *reserveFS) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	file, err := r.OS.OpenFile(name, flag, perm)
	return reserveFile{file, r.reserved}, err
}

type reserveFile struct {
	disk.File
	reserved *int64
}

func (f reserveFile) Reserve(end, size int64) error {
	*f.reserved = size
	return f.File.Reserve(end, size)
}
