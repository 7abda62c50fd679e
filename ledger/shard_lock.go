package ledger

import (
	"fmt"

	"llmpipe/ledger/disk"
	"llmpipe/ledger/line"
)

// ShardLock is a shard that this process alone takes further. It ends with Release or with the
// process.
type ShardLock struct{ file *disk.LockFile }

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
	file, err := disk.TryLockFile(fsys, ledgerPath+".batch-"+shard)
	switch {
	case err != nil:
		return nil, fmt.Errorf("locking shard %s: %w", shard, err)
	case file == nil:
		return nil, nil
	}
	return &ShardLock{file}, nil
}

// Release gives the shard back. With remove, for a shard that is collected, the lock's file goes as
// well.
func (k *ShardLock) Release(remove bool) error { return k.file.Release(remove) }
