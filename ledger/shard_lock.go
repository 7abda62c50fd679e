package ledger

import (
	"fmt"

	"llmpipe/ledger/disk"
	"llmpipe/ledger/line"
)

// ShardLock makes this process the only one that advances a shard. It ends with Release or with the
// process.
type ShardLock struct{ file *disk.LockFile }

// LockShard tries to lock a shard for this process, with the lock of the file LEDGER.batch-SHARD
// next to the ledger, which it creates. It does not wait: if the shard has another holder, in this
// process or another, the lock and the error are nil. The holder before may have advanced or
// collected the shard: call [Ledger.Refresh] to find out what is left to do. A nil fsys is the
// operating system's.
func LockShard(ledgerPath, shard string, fsys disk.FS) (*ShardLock, error) {
	if !line.ValidShardID(shard) {
		return nil, fmt.Errorf("locking shard %q: not a valid shard id", shard)
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

// Release gives the shard back. With remove, for a shard that is collected, it also removes the
// lock's file.
func (k *ShardLock) Release(remove bool) error { return k.file.Release(remove) }
