package ledger

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"llmpipe/ledger/disk"
)

func TestPrepareMakesTheFile(t *testing.T) {
	path := testPath(t)
	l := mustOpen(t, path, Options{})
	for range 2 {
		if err := l.Prepare(); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("%v, %v", info, err)
	}
	mustCommit(t, l, resultsOf(0, 1))
	if text := read(t, path); bytes.Count(text, []byte("\n")) != 2 || !bytes.HasPrefix(text, []byte(runStart)) {
		t.Errorf("not a run and a result, one line each:\n%s", text)
	}
}

// On a full disk the end of the last block may still take a line: that is no room for answers.
func TestPrepareFindsAFullDisk(t *testing.T) {
	path := testPath(t)
	mustCommit(t, mustOpen(t, path, Options{}), resultsOf(0, 1))
	before := read(t, path)
	for _, left := range []int64{0, 1, 100, 1000, room} {
		fsys := &faultFS{full: true, room: left, fullErr: syscall.ENOSPC}
		l := mustOpen(t, path, Options{FS: fsys})
		var writing *WriteError
		if err := l.Prepare(); !errors.As(err, &writing) || !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%d bytes left: %v", left, err)
		}
		if !bytes.Equal(read(t, path), before) {
			t.Fatalf("%d bytes left: the ledger was changed", left)
		}
	}
}

func TestPrepareSaysWhatACommitWould(t *testing.T) {
	var writing *WriteError
	missing := filepath.Join(t.TempDir(), "no", "such", "ledger")
	if err := mustOpen(t, missing, Options{}).Prepare(); !errors.As(err, &writing) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a directory that does not exist: %v", err)
	}
	if err := mustOpen(t, missing, Options{FS: readOnlyFS{}}).Prepare(); !errors.As(err, &writing) || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("where no file can be made: %v", err)
	}
}

// A ledger that may only be read gives its answers back. What was written out of it is forgotten,
// and no answer is taken.
func TestALedgerThatMayOnlyBeRead(t *testing.T) {
	path := testPath(t)
	mustCommit(t, mustOpen(t, path, Options{}), resultsOf(0, 1))
	size := fileSize(t, path)
	l := mustOpen(t, path, Options{FS: readOnlyFS{}, Emitted: &disk.ID{Device: 1, Inode: 2}})
	checkHas(t, l, testResult(0))
	r := testResult(0)
	mustCommit(t, l, marked(keyOf(&r)))
	var writing *WriteError
	if err := l.Prepare(); !errors.As(err, &writing) || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Prepare: %v", err)
	}
	if err := l.Commit(resultsOf(1, 2)); !errors.As(err, &writing) || writing.Results != 0 || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Commit: %v", err)
	}
	if fileSize(t, path) != size {
		t.Error("it was written to")
	}
}

func TestRecentIsWhatCameAfterOpening(t *testing.T) {
	path := testPath(t)
	mustCommit(t, mustOpen(t, path, Options{}), resultsOf(0, 1))
	l, other := mustOpen(t, path, Options{}), mustOpen(t, path, Options{})
	mustCommit(t, other, resultsOf(1, 2))
	mustCommit(t, l, resultsOf(2, 3))
	for n, want := range []bool{false, true, true} {
		r := testResult(n)
		if got := l.Recent(l.Look(keyOf(&r)).Result); got != want {
			t.Errorf("result %d: %v, want %v", n, got, want)
		}
	}
}
