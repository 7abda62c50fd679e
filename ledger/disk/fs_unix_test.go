//go:build unix

package disk

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// A file system without locks is told from one that has failed, and both say what the system said.
func TestLocksThatAreRefused(t *testing.T) {
	for errno, none := range map[unix.Errno]bool{
		unix.ENOLCK: true, unix.EOPNOTSUPP: true, unix.ENOSYS: true, unix.EIO: false, unix.EWOULDBLOCK: false,
	} {
		if err := lockError(errno); errors.Is(err, ErrNoLocks) != none || !errors.Is(err, errno) {
			t.Errorf("%v is %v", errno, err)
		}
	}
}

// A ledger that may only be read is locked for reading.
func TestLockOfAFileThatIsOpenForReading(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lock")
	writer := openFile(t, name)
	reader, err := OS{}.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := reader.Lock(); err != nil {
		t.Fatal(err)
	}
	if held, err := writer.TryLock(); held || err != nil {
		t.Errorf("while it is held for reading: %v, %v", held, err)
	}
}
