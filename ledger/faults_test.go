package ledger

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"llmpipe/ledger/disk"
	"llmpipe/ledger/line"
)

var errDisk = errors.New("input/output error")

// faultFS is the machine's file system until it is told to fail.
type faultFS struct {
	disk.OS
	full        bool  // whether room counts
	room        int64 // bytes that may still be written
	fullErr     error // what a write beyond them returns; nil for a short write that says nothing
	syncErr     error
	truncateErr error
	lockErr     error
	syncs       atomic.Int64
	dirSyncs    atomic.Int64
}

func (f *faultFS) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	file, err := f.OS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return faultFile{file, f}, nil
}

func (f *faultFS) SyncDir(name string) error {
	f.dirSyncs.Add(1)
	return f.OS.SyncDir(name)
}

type faultFile struct {
	disk.File
	fs *faultFS
}

func (f faultFile) WriteAt(p []byte, at int64) (int, error) {
	if !f.fs.full || int64(len(p)) <= f.fs.room {
		f.fs.room -= int64(len(p))
		return f.File.WriteAt(p, at)
	}
	n, err := f.File.WriteAt(p[:f.fs.room], at)
	f.fs.room = 0
	return n, errors.Join(err, f.fs.fullErr)
}

func (f faultFile) Reserve(end, size int64) error {
	if f.fs.full && size > f.fs.room {
		return f.fs.fullErr
	}
	return f.File.Reserve(end, size)
}

func (f faultFile) SyncData() error {
	f.fs.syncs.Add(1)
	if f.fs.syncErr != nil {
		return f.fs.syncErr
	}
	return f.File.SyncData()
}

func (f faultFile) Truncate(size int64) error {
	if f.fs.truncateErr != nil {
		return f.fs.truncateErr
	}
	return f.File.Truncate(size)
}

func (f faultFile) Lock() error {
	if f.fs.lockErr != nil {
		return f.fs.lockErr
	}
	return f.File.Lock()
}

// groupToFail is what the tests here try to write: results 10 to 12 and failures 20 and 21.
func groupToFail() *Group {
	b := resultsOf(10, 13)
	b.Failures = append(b.Failures, testFailure(20), testFailure(21))
	return b
}

func TestAWriteThatFailsAnywhereKeepsWhatIsWhole(t *testing.T) {
	// What the file is before the write that fails, and after it had it gone well.
	path := testPath(t)
	whole := mustOpen(t, path, Options{Fsync: FsyncNever})
	mustCommit(t, whole, resultsOf(0, 2))
	before := read(t, path)
	mustCommit(t, whole, groupToFail())
	after := read(t, path)

	for _, failure := range []struct {
		name        string
		fullErr     error
		truncateErr error
	}{
		{"no space", syscall.ENOSPC, nil},
		{"short write", nil, nil},
		{"no space and no truncation", syscall.ENOSPC, errDisk},
	} {
		t.Run(failure.name, func(t *testing.T) {
			for room := range len(after) - len(before) {
				write(t, path, before)
				fsys := &faultFS{}
				l, err := Open(path, Options{Fsync: FsyncNever, FS: fsys})
				if err != nil {
					t.Fatal(err)
				}
				l.announced = true // by the first commit, whose bytes are there
				fsys.full, fsys.room = true, int64(room)
				fsys.fullErr, fsys.truncateErr = failure.fullErr, failure.truncateErr
				kept := after[:bytes.LastIndexByte(after[:len(before)+room], '\n')+1]
				checkFailedCommit(t, l, room, kept[len(before):])
				if failure.fullErr != nil {
					if err := l.Commit(resultsOf(30, 31)); !errors.Is(err, failure.fullErr) {
						t.Fatalf("room for %d bytes: the next commit: %v", room, err)
					}
				}
				if err := l.Close(); err != nil {
					t.Fatal(err)
				}
				want := kept
				if failure.truncateErr != nil {
					want = after[:len(before)+room]
				}
				if got := read(t, path); !bytes.Equal(got, want) {
					t.Fatalf("room for %d bytes: the file is\n%s\nwant\n%s", room, got, want)
				}
			}
		})
	}
}

// checkFailedCommit commits groupToFail, and fails unless it says that the lines kept are safe, and
// no others.
func checkFailedCommit(t *testing.T, l *Ledger, room int, kept []byte) {
	t.Helper()
	failed := (*WriteError)(nil)
	if err := l.Commit(groupToFail()); !errors.As(err, &failed) {
		t.Fatalf("room for %d bytes: %v, want a WriteError", room, err)
	}
	if got, want := failed.Results, resultsIn(kept); got != want {
		t.Fatalf("room for %d bytes: %d results are said to be safe, want %d", room, got, want)
	}
	if got, want := failed.Failures, bytes.Count(kept, []byte(failureStart)); got != want {
		t.Fatalf("room for %d bytes: %d failures are said to be safe, want %d", room, got, want)
	}
	for n := range 3 {
		r := testResult(10 + n)
		if n < failed.Results {
			checkHas(t, l, r)
		} else if found := l.Look(keyOf(&r)); found.Result != 0 {
			t.Fatalf("room for %d bytes: result %d is found and was not written", room, n)
		}
	}
}

func TestAFirstCommitThatFailsLeavesALedger(t *testing.T) {
	path := testPath(t)
	fsys := &faultFS{full: true, room: 5, fullErr: syscall.ENOSPC, truncateErr: errDisk}
	l := mustOpen(t, path, Options{FS: fsys})
	if err := l.Commit(resultsOf(0, 1)); !errors.Is(err, syscall.ENOSPC) || !errors.Is(err, errDisk) {
		t.Errorf("commit: %v", err)
	}
	again := mustOpen(t, path, Options{})
	mustCommit(t, again, resultsOf(0, 1))
	checkHas(t, again, testResult(0))
}

func TestAFailedSyncIsNeverTriedAgain(t *testing.T) {
	path := testPath(t)
	fsys := &faultFS{}
	l := mustOpen(t, path, Options{FS: fsys})
	mustCommit(t, l, resultsOf(0, 1))
	fsys.syncErr = errDisk
	before := fsys.syncs.Load()
	failed := (*WriteError)(nil)
	if err := l.Commit(groupToFail()); !errors.As(err, &failed) || !errors.Is(err, errDisk) || failed.Results > 0 || failed.Failures > 0 {
		t.Errorf("commit: %+v", err)
	}
	fsys.syncErr = nil
	if err := l.Commit(resultsOf(5, 6)); !errors.Is(err, errDisk) {
		t.Errorf("the next commit: %v", err)
	}
	r := testResult(10)
	if err := l.SyncTo(l.Look(keyOf(&r)).Result); !errors.Is(err, errDisk) {
		t.Errorf("a result that is not durable may be shown: %v", err)
	}
	checkHas(t, l, testResult(0))
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if n := fsys.syncs.Load() - before; n != 1 {
		t.Errorf("synced %d times, want once", n)
	}
	mustOpen(t, path, Options{})
}

func TestSyncEverySecond(t *testing.T) {
	path := testPath(t)
	synctest.Test(t, func(t *testing.T) {
		fsys := &faultFS{}
		l, err := Open(path, Options{Fsync: FsyncEverySecond, FS: fsys})
		if err != nil {
			t.Fatal(err)
		}
		var syncs []int64
		after := func(d time.Duration) {
			time.Sleep(d)
			synctest.Wait()
			syncs = append(syncs, fsys.syncs.Load())
		}
		mustCommit(t, l, resultsOf(0, 1))
		after(0)
		mustCommit(t, l, resultsOf(1, 2))
		after(999 * time.Millisecond)
		after(time.Millisecond) // a second after the first of the two
		after(time.Hour)
		mustCommit(t, l, resultsOf(2, 3))
		after(0)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		after(time.Hour)
		if want := []int64{0, 0, 1, 1, 1, 2}; !slices.Equal(syncs, want) {
			t.Errorf("synced %v times, want %v", syncs, want)
		}
	})
}

func TestAFailedSyncBehindTheBackIsTold(t *testing.T) {
	path := testPath(t)
	synctest.Test(t, func(t *testing.T) {
		fsys := &faultFS{syncErr: errDisk}
		l, err := Open(path, Options{Fsync: FsyncEverySecond, FS: fsys})
		if err != nil {
			t.Fatal(err)
		}
		mustCommit(t, l, resultsOf(0, 1))
		time.Sleep(time.Second)
		synctest.Wait()
		if err := l.Commit(resultsOf(1, 2)); !errors.Is(err, errDisk) {
			t.Errorf("the next commit: %v", err)
		}
		if err := l.Close(); !errors.Is(err, errDisk) {
			t.Errorf("close: %v", err)
		}
		if n := fsys.syncs.Load(); n != 1 {
			t.Errorf("synced %d times, want once", n)
		}
	})
}

func TestAFileThatChangedUnderneathIsRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("an open file can't be taken away there")
	}
	for _, test := range []struct {
		name   string
		change func(path string) error
		want   error
	}{
		{"removed", os.Remove, ErrChanged},
		{"cut", func(path string) error { return os.Truncate(path, 100) }, ErrChanged},
		{"replaced", func(path string) error {
			return errors.Join(os.Rename(path, path+".old"), os.WriteFile(path, nil, 0o600))
		}, ErrChanged},
		{"added to by something else", func(path string) error {
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteString("note to self\n")
			return errors.Join(err, f.Close())
		}, line.ErrNoSum},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := testPath(t)
			l := mustOpen(t, path, Options{})
			mustCommit(t, l, resultsOf(0, 3))
			if err := test.change(path); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := l.Commit(resultsOf(3, 4)); !errors.Is(err, test.want) {
					t.Errorf("commit: %v, want %v", err, test.want)
				}
			}
		})
	}
}

// readOnlyFS refuses as a file system does that is mounted so; a mode would not stop root.
type readOnlyFS struct{ disk.OS }

func (r readOnlyFS) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	if flag != os.O_RDONLY {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return r.OS.OpenFile(name, flag, perm)
}

func TestALockThatCannotBeTakenStopsTheCommit(t *testing.T) {
	path := testPath(t)
	l := mustOpen(t, path, Options{FS: &faultFS{lockErr: syscall.ENOSYS}})
	if err := l.Commit(resultsOf(0, 1)); !errors.Is(err, syscall.ENOSYS) {
		t.Errorf("commit: %v", err)
	}
	if size := fileSize(t, path); size != 0 {
		t.Errorf("%d bytes were written without the lock", size)
	}
}

func TestABatchThatCannotBeWrittenDownCostsNothing(t *testing.T) {
	spoil := map[string]func(*Result){
		"no id":                  func(r *Result) { r.ID = nil },
		"an id of two lines":     func(r *Result) { r.ID = []byte("\"a\n\"") },
		"no response":            func(r *Result) { r.Response = nil },
		"a response of two line": func(r *Result) { r.Response = []byte("{\n}") },
		"half a response":        func(r *Result) { r.Response = []byte(`{"choices":[`) },
		"an id that is no JSON":  func(r *Result) { r.ID = []byte(`r1`) },
		"a negative cost":        func(r *Result) { r.CostNanos = -1 },
		"a time out of range":    func(r *Result) { r.Time = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) },
	}
	path := testPath(t)
	l := mustOpen(t, path, Options{})
	mustCommit(t, l, resultsOf(0, 1))
	before := read(t, path)
	b := new(Group)
	for name, spoil := range spoil {
		b.Reset()
		b.Results = append(b.Results, testResult(1), testResult(2))
		spoil(&b.Results[1])
		if err := l.Commit(b); !errors.Is(err, ErrUnwritable) {
			t.Errorf("%s: %v", name, err)
		}
		if !bytes.Equal(read(t, path), before) {
			t.Errorf("%s: the file was written to", name)
		}
	}
	mustCommit(t, l, resultsOf(1, 3))
	checkHas(t, l, testResult(2))
}

func TestAClosedLedgerTakesNoCommit(t *testing.T) {
	l := mustOpen(t, testPath(t), Options{})
	mustCommit(t, l, resultsOf(0, 1))
	for range 2 {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := l.Commit(resultsOf(1, 2)); !errors.Is(err, ErrClosed) {
		t.Errorf("commit: %v", err)
	}
}
