//go:build unix

package disk

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// sizes returns a file's size, and what it takes of the disk.
func sizes(t *testing.T, name string) (size, taken int64) {
	t.Helper()
	var stat unix.Stat_t
	if err := unix.Stat(name, &stat); err != nil {
		t.Fatal(err)
	}
	return stat.Size, stat.Blocks * 512 // st_blocks is in those, stat(2)
}

// What is kept in hand is no part of the file, and nothing else in its directory.
func TestWhatIsReservedIsNotSeen(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "f")
	f := openFile(t, name).(*osFile)
	const end, most = 5, 1 << 20
	if _, err := f.WriteAt([]byte("hello"), 0); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int64{most / 2, most, most / 4, 1} {
		if err := f.Reserve(end, size); err != nil {
			t.Fatal(err)
		}
		got, taken := sizes(t, name)
		if got != end {
			t.Fatalf("the file has %d bytes with %d reserved", got, size)
		}
		if held := taken + f.reserve.ballast.size; held < size {
			t.Errorf("%d bytes are held of %d", held, size)
		}
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 1 {
		t.Errorf("in the directory: %v, %v", names, err)
	}
	if _, err := f.WriteAt([]byte(", world"), end); err != nil {
		t.Fatal(err)
	}
	if err := f.Reserve(end+7, 0); err != nil {
		t.Fatal(err)
	}
	size, taken := sizes(t, name)
	if text, err := os.ReadFile(name); err != nil || string(text) != "hello, world" || size != 12 {
		t.Errorf("%q of %d bytes, %v", text, size, err)
	}
	if taken+f.reserve.ballast.size >= most/4 {
		t.Errorf("%d bytes are held when all is given back", taken)
	}
}

// Where somebody has written behind the end, giving back cuts nothing off.
func TestGivingBackCutsNothing(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	f := openFile(t, name)
	if err := f.Reserve(0, 1<<16); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte("of another"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Reserve(3, 0); err != nil {
		t.Fatal(err)
	}
	if size, _ := sizes(t, name); size != 10 {
		t.Errorf("%d bytes are left", size)
	}
}

func TestALimitIsFoundBeforeItIsMet(t *testing.T) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	low := limit
	low.Cur = 1 << 30
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &low); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
			t.Error(err)
		}
	}()
	f := openFile(t, filepath.Join(t.TempDir(), "f"))
	if err := f.Reserve(1<<30-1, 2); !errors.Is(err, syscall.EFBIG) {
		t.Errorf("beyond the limit: %v", err)
	}
}

// A ballast is as large as what is yet to be written, has no name, and is gone when it is dropped.
func TestABallastGivesWayToWhatIsWritten(t *testing.T) {
	dir := t.TempDir()
	f := openFile(t, filepath.Join(dir, "f")).(*osFile)
	if err := f.reserve.ballast.hold(f.Name(), 200_000); err != nil {
		t.Fatal(err)
	}
	held := func() int64 {
		info, err := f.reserve.ballast.file.Stat()
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() != f.reserve.ballast.size {
			t.Errorf("the ballast has %d bytes and says %d", info.Size(), f.reserve.ballast.size)
		}
		return info.Size()
	}
	if n := held(); n != 200_000 {
		t.Errorf("%d bytes are held", n)
	}
	if _, err := f.WriteAt(make([]byte, 150_000), 0); err != nil {
		t.Fatal(err)
	}
	if n := held(); n != 50_000 {
		t.Errorf("%d bytes are held after a write", n)
	}
	if err := f.Reserve(150_000, 100_000); err != nil { // as a ballast, once there is one
		t.Fatal(err)
	}
	if n := held(); n != 100_000 {
		t.Errorf("%d bytes are held again", n)
	}
	if _, err := f.WriteAt(make([]byte, 150_000), 150_000); err != nil {
		t.Fatal(err)
	}
	if n := held(); n != 0 {
		t.Errorf("%d bytes are held after a write of more than there was", n)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 1 {
		t.Errorf("in the directory: %v, %v", names, err)
	}
	if err := f.Reserve(300_000, 0); err != nil || f.reserve.ballast.file != nil {
		t.Errorf("given back: %v", err)
	}
}
