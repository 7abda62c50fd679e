package ledger

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"llmpipe/ledger/disk"
)

// holderEnv makes the test binary a process that holds a shard; its value is the ledger's path.
const holderEnv = "LEDGER_TEST_HOLDER"

// runHolder locks shard s1, takes it as far as its batch, says so, and waits for its end.
func runHolder(path string) error {
	lock, err := LockShard(path, "s1", nil)
	if err != nil || lock == nil {
		return errors.Join(err, fmt.Errorf("lock %v", lock))
	}
	l, err := Open(path, Options{})
	if err != nil {
		return err
	}
	for _, step := range []ShardEntry{intentOf("s1", 1, 0, 3), uploaded("s1"), created("s1")} {
		if err := l.Commit(&Group{Shards: []ShardEntry{step}}); err != nil {
			return err
		}
	}
	fmt.Println("held")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func TestAShardIsTakenOverFromAProcessThatDied(t *testing.T) {
	path := testPath(t)
	l := mustOpen(t, path, Options{})
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), holderEnv+"="+path)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if said, err := bufio.NewReader(stdout).ReadString('\n'); said != "held\n" {
		t.Errorf("the other process said %q, %v", said, err)
	}
	if lock, err := LockShard(path, "s1", nil); lock != nil || err != nil {
		t.Errorf("the shard of another process: %v, %v", lock, err)
	}
	checkShardOf(t, l, 0, "")
	if err := l.Refresh(); err != nil {
		t.Error(err)
	}
	checkShardOf(t, l, 0, "s1")
	if s, ok := l.Shard("s1"); !ok || s.Step != ShardCreated || s.BatchID != "batch_s1" {
		t.Errorf("the shard is %+v", s)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the process ended well and was killed")
	}
	_ = stdin.Close() // which Wait has done
	lock, err := LockShard(path, "s1", nil)
	if err != nil || lock == nil {
		t.Fatalf("the shard of a dead process: %v, %v", lock, err)
	}
	mustStep(t, l, collected("s1", "completed"))
	if err := lock.Release(true); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path + ".batch-s1"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the lock's file: %v", err)
	}
}

func TestAShardHasOneOwner(t *testing.T) {
	path := testPath(t)
	first, err := LockShard(path, "a", nil)
	if first == nil || err != nil {
		t.Fatal(first, err)
	}
	if info, err := os.Stat(path + ".batch-a"); err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("the lock's file: %v, %v", info, err)
	}
	if second, err := LockShard(path, "a", nil); second != nil || err != nil {
		t.Errorf("a second owner: %v, %v", second, err)
	}
	other, err := LockShard(path, "b", nil)
	if other == nil || err != nil {
		t.Fatalf("another shard: %v, %v", other, err)
	}
	for _, lock := range []*ShardLock{first, other} {
		if err := lock.Release(false); err != nil {
			t.Error(err)
		}
	}
	again, err := LockShard(path, "a", nil)
	if again == nil || err != nil {
		t.Fatalf("after its release: %v, %v", again, err)
	}
	if err := again.Release(true); err != nil {
		t.Error(err)
	}
	for _, id := range []string{"", "a/b", "..", "a b"} {
		if _, err := LockShard(path, id, nil); err == nil {
			t.Errorf("%q is an id of a shard", id)
		}
	}
	if _, err := LockShard(path+"/not/there", "a", nil); !errors.Is(err, os.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("in a directory that is not there: %v", err)
	}
}

// takenFS lets another holder come and go, and take the file with it, between the opening and the
// locking of a file.
type takenFS struct {
	disk.OS
	t    *testing.T
	once sync.Once
}

func (f *takenFS) OpenFile(name string, flag int, perm os.FileMode) (disk.File, error) {
	file, err := f.OS.OpenFile(name, flag, perm)
	f.once.Do(func() {
		if err := os.Remove(name); err != nil {
			f.t.Error(err)
		}
	})
	return file, err
}

func TestALockOfARemovedFileIsNone(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("an open file can't be taken away there")
	}
	path := testPath(t)
	lock, err := LockShard(path, "a", &takenFS{t: t})
	if lock == nil || err != nil {
		t.Fatal(lock, err)
	}
	if second, err := LockShard(path, "a", nil); second != nil || err != nil {
		t.Errorf("a second owner: %v, %v", second, err)
	}
	if err := lock.Release(true); err != nil {
		t.Error(err)
	}
}

func TestRefreshSeesWhatOthersWroteAndWritesNothing(t *testing.T) {
	path := testPath(t)
	reader := mustOpen(t, path, Options{FS: &faultFS{lockErr: errDisk, truncateErr: errDisk}})
	if err := reader.Refresh(); err != nil {
		t.Errorf("a ledger that is not there: %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it was made: %v", err)
	}
	writer := mustOpen(t, path, Options{})
	mustStep(t, writer, intentOf("a", 1, 0, 2))
	mustCommit(t, writer, resultsOf(0, 1))
	torn := append(read(t, path), `{"kind":"result","i":"`...)
	write(t, path, torn)
	for range 2 {
		if err := reader.Refresh(); err != nil {
			t.Error(err)
		}
		checkHas(t, reader, testResult(0))
		checkShardOf(t, reader, 1, "a")
	}
	if string(read(t, path)) != string(torn) {
		t.Error("the file was changed")
	}
	if runtime.GOOS != "windows" {
		if err := os.Rename(path, path+".old"); err != nil {
			t.Fatal(err)
		}
		if err := reader.Refresh(); !errors.Is(err, ErrChanged) {
			t.Errorf("a ledger that was removed: %v", err)
		}
	}
	if err := reader.Close(); err != nil {
		t.Error(err)
	}
	if err := reader.Refresh(); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestStepsAreSyncedWhateverFsyncSays(t *testing.T) {
	tests := []struct {
		options Options
		want    int64 // syncs after a step, and as many after the next
	}{
		{Options{Fsync: FsyncAlways}, 1},
		{Options{Fsync: FsyncEverySecond}, 1},
		{Options{Fsync: FsyncNever}, 1},
		{Options{Fsync: FsyncEverySecond, Simulated: true}, 1},
		{Options{Fsync: FsyncNever, Simulated: true}, 0},
	}
	for _, test := range tests {
		path := testPath(t)
		synctest.Test(t, func(t *testing.T) {
			fsys := &faultFS{}
			test.options.FS = fsys
			l, err := Open(path, test.options)
			if err != nil {
				t.Fatal(err)
			}
			mustCommit(t, l, resultsOf(0, 1))
			before, dirs := fsys.syncs.Load(), fsys.dirSyncs.Load()
			mustStep(t, l, intentOf("a", 1, 1, 2))
			if got := fsys.syncs.Load() - before; got != test.want {
				t.Errorf("%v, simulated %v: synced %d times, want %d", test.options.Fsync, test.options.Simulated, got, test.want)
			}
			if got := fsys.dirSyncs.Load() - dirs; got != test.want {
				t.Errorf("%v, simulated %v: the file's name was synced %d times, want %d", test.options.Fsync, test.options.Simulated, got, test.want)
			}
			before = fsys.syncs.Load()
			time.Sleep(time.Hour) // the step has synced the result too
			synctest.Wait()
			if got := fsys.syncs.Load() - before; got != 0 {
				t.Errorf("%v, simulated %v: synced %d times more", test.options.Fsync, test.options.Simulated, got)
			}
			if test.want > 0 {
				fsys.syncErr = errDisk
				if err := l.Commit(&Group{Shards: []ShardEntry{uploaded("a")}}); !errors.Is(err, errDisk) {
					t.Errorf("a step that could not be synced: %v", err)
				}
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestGoroutinesCommitAtOnce(t *testing.T) {
	const goroutines, commits = 4, 15
	path := testPath(t)
	l := mustOpen(t, path, Options{Fsync: FsyncNever, Simulated: true})
	var group sync.WaitGroup
	for g := range goroutines {
		group.Go(func() {
			shard := fmt.Sprintf("s%d", g)
			from := g * commits
			if err := l.Commit(&Group{Shards: []ShardEntry{intentOf(shard, 1, from, from+commits)}}); err != nil {
				t.Error(err)
				return
			}
			for n := from; n < from+commits; n++ {
				b := resultsOf(n, n+1)
				if found := l.Look(keyOf(&b.Results[0])); found.Shard != shard {
					t.Errorf("record %d: %+v", n, found)
				}
				if err := errors.Join(l.Commit(b), l.Refresh()); err != nil {
					t.Error(err)
				}
				_ = l.Shards()
			}
			if err := l.ReadShard(shard, func(ShardRecord) error { return nil }); err != nil {
				t.Error(err)
			}
			if err := l.Commit(&Group{Shards: []ShardEntry{collected(shard, "completed")}}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	again := mustOpen(t, path, Options{Simulated: true})
	for _, s := range again.Shards() {
		if s.Pending() {
			t.Errorf("%s is pending", s.ID)
		}
	}
	if n := again.Summary().Results; n != goroutines*commits || len(again.Shards()) != goroutines {
		t.Errorf("%d results, %d shards", n, len(again.Shards()))
	}
}
