package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"llmpipe/ledger/disk"
	"llmpipe/ledger/line"
)

// ShardLock is a shard that this process alone takes further. It ends with Release or with the
// process.
type ShardLock struct {
	fs   disk.FS
	name string
	file disk.File
}

// LockShard tries to make a shard this process's own, by the lock of the file LEDGER.batch-SHARD
// beside the ledger, which it makes. It does not wait: where another holder has the shard, in this
// process or another, the lock and the error are nil. The holder before may have taken the shard
// further, or collected it: only a [Ledger.Refresh] tells what is left to do. A nil fsys is the
// machine's.
func LockShard(ledgerPath, shard string, fsys disk.FS) (*ShardLock, error) {
	if !line.ValidShardID(shard) {
		return nil, fmt.Errorf("locking shard %q: not an id of a shard", shard)
	}
	if fsys == nil {
		fsys = disk.OS{}
	}
	k := &ShardLock{fs: fsys, name: ledgerPath + ".batch-" + shard}
	for {
		held, err := k.try()
		switch {
		case errors.Is(err, errNameless):
			continue // its last holder took the file away between our opening and locking it
		case err != nil:
			return nil, fmt.Errorf("locking shard %s: %w", shard, err)
		case !held:
			return nil, nil
		}
		return k, nil
	}
}

var errNameless = errors.New("the locked file has no name any more")

// try opens and locks the file, and gives the lock back where it is worth nothing: where the error
// is errNameless.
func (k *ShardLock) try() (held bool, err error) {
	k.file, err = k.fs.OpenFile(k.name, os.O_RDWR|os.O_CREATE, filePerm)
	if err != nil {
		return false, err
	}
	if held, err = k.file.TryLock(); err != nil || !held {
		return false, disk.Both(err, k.file.Close())
	}
	if err = k.named(); err != nil {
		return false, disk.Both(err, k.file.Close())
	}
	return true, nil
}

// named is errNameless where the name is no longer that of the locked file.
func (k *ShardLock) named() error {
	locked, err := k.file.Stat()
	if err != nil {
		return err
	}
	named, err := k.fs.Stat(k.name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(locked, named) {
		return errNameless
	}
	return err
}

// Release gives the shard back. With remove, for a shard that is collected, the lock's file goes as
// well. One that stays, after a crash or because another process was just looking at it, harms
// nobody.
func (k *ShardLock) Release(remove bool) error {
	var err error
	if remove {
		err = disk.RemoveLocked(k.fs, k.name, k.file)
	} else {
		err = k.file.Close()
	}
	if err != nil {
		return fmt.Errorf("releasing %s: %w", k.name, err)
	}
	return nil
}
