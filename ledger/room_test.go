package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
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

// quotaFS is a disk with so much space for the ledger.
type quotaFS struct {
	disk.OS
	space int64
}

func (q *quotaFS) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	file, err := q.OS.OpenFile(name, flag, perm)
	return quotaFile{file, q}, err
}

type quotaFile struct {
	disk.File
	fs *quotaFS
}

func (f quotaFile) WriteAt(p []byte, at int64) (int, error) {
	n := min(int64(len(p)), max(0, f.fs.space-at))
	written, err := f.File.WriteAt(p[:n], at)
	if err == nil && written < len(p) {
		err = syscall.ENOSPC
	}
	return written, err
}

func (f quotaFile) Reserve(end, size int64) error {
	if end+size > f.fs.space {
		return syscall.ENOSPC
	}
	return nil
}

// Room is kept for as many answers as there is space for; once there is none, nothing is in the way
// of what is written for those that were asked.
func TestRoomIsForSoManyAnswers(t *testing.T) {
	q := &quotaFS{space: 1 << 30}
	l := mustOpen(t, testPath(t), Options{FS: q})
	if err := l.Prepare(); err != nil {
		t.Fatal(err)
	}
	keep := func(answers int) int {
		t.Helper()
		enough, err := l.KeepRoom(answers)
		if (err != nil) != (enough == 0) || err != nil && !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("room for %d: %v", enough, err)
		}
		return enough
	}
	if n := keep(100); n != 100 {
		t.Errorf("on an empty disk there is room for %d of 100 answers", n)
	}
	results := []Result{testResult(1), testResult(2)}
	if err := l.Commit(&Group{Results: results}); err != nil {
		t.Fatal(err)
	}
	q.space = l.end + 10*l.inHand.each()
	l.inHand.bytes = 0 // as when another has used it up
	if n := keep(100); n < 5 || n > 10 {
		t.Errorf("there is room for %d answers, want 5 to 10", n)
	}
	spent := l.Summary().SpentNanos
	large := testResult(3)
	large.Response = fmt.Appendf(nil, `{"content":"%s"}`, strings.Repeat("x", int(10*l.inHand.each())))
	group := &Group{Results: []Result{testResult(4), testResult(5), large, testResult(6)}, Failures: []Failure{testFailure(7)}}
	for i := range group.Results {
		spent += group.Results[i].CostNanos
	}
	spent += group.Failures[0].CostNanos
	var we *WriteError
	if err := l.Commit(group); !errors.As(err, &we) || !errors.Is(err, ErrNoRoom) || we.Results != 2 || we.Failures != 1 {
		t.Fatalf("a group without room: %+v, %v", we, err)
	}
	if s := l.Summary(); s.SpentNanos != spent || s.Results != 4 {
		t.Errorf("summary %+v, want 4 results and %d spent", s, spent)
	}
	if err := l.Commit(&Group{Results: []Result{testResult(8)}}); err != nil {
		t.Errorf("a small answer behind it: %v", err)
	}
	q.space = l.end + 2*besideAnswer
	l.inHand.bytes = 0
	if n := keep(100); n > 1 {
		t.Errorf("on a full disk there is room for %d answers", n)
	}
}
