package disk

import (
	"io"
	"io/fs"
	"os"
)

// FS is a file system.
type FS interface {
	OpenFile(name string, flag int, perm fs.FileMode) (File, error)
	Stat(name string) (fs.FileInfo, error)
	Remove(name string) error
	SyncDir(name string) error // makes the names in a directory durable
	Mount(name string) Mount   // what a file is on, or is going to be made on
}

// File is an open file of an [FS].
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Stat() (fs.FileInfo, error)
	Truncate(size int64) error
	// Reserve keeps disk space in hand for size bytes behind end, the file's size. They are no part
	// of the file: no reader sees them, and a process that dies at any moment leaves the file as it
	// was. What is written behind end uses them up; a size of 0 gives back what is left.
	Reserve(end, size int64) error
	SyncData() error        // makes the content durable, and the size
	Lock() error            // waits until no other process holds the file's lock
	TryLock() (bool, error) // is false at once where another holds it
	Unlock() error
}

// OS is the file system of the machine.
type OS struct{}

// OpenFile opens a file as [os.OpenFile] does.
func (OS) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &osFile{File: f}, nil
}

// Stat describes a file as [os.Stat] does.
func (OS) Stat(name string) (fs.FileInfo, error) { return os.Stat(name) }

// Remove takes a file away as [os.Remove] does.
func (OS) Remove(name string) error { return os.Remove(name) }

type osFile struct {
	*os.File
	reserve reserve
}

func (f *osFile) Reserve(end, size int64) error { return f.reserve.hold(f.File, end, size) }

// WriteAt makes the reserve smaller by what it writes.
func (f *osFile) WriteAt(p []byte, at int64) (int, error) {
	f.reserve.use(int64(len(p)))
	return f.File.WriteAt(p, at)
}

func (f *osFile) Close() error { return Both(f.reserve.drop(), f.File.Close()) }

func (f *osFile) SyncData() error        { return syncData(f.File) }
func (f *osFile) Lock() error            { return lock(f.File) }
func (f *osFile) TryLock() (bool, error) { return tryLock(f.File) }
func (f *osFile) Unlock() error          { return unlock(f.File) }
