//go:build !linux

package disk

import "os"

// syncData is fsync, which on darwin is F_FULLFSYNC and so reaches the disk itself.
func syncData(f *os.File) error { return f.Sync() }
