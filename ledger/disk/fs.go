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
	Mount(name string) Mount   // the mount that a file is on, or would be created on
}

// File is an open file of an [FS].
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Stat() (fs.FileInfo, error)
	Truncate(size int64) error
	// Reserve reserves disk space for size bytes after end, which is the file's size. The space is not
	// part of the file: no reader sees it, and a process that dies at any moment leaves the file
	// unchanged. Writing after end uses it up; a size of 0 releases what is left.
	Reserve(end, size int64) error
	SyncData() error        // makes the content durable, and the size
	Lock() error            // waits until no other process holds the file's lock
	TryLock() (bool, error) // is false at once if another process holds it
	Unlock() error
}

// OS is the operating system's file system.
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

// Remove removes a file as [os.Remove] does.
func (OS) Remove(name string) error { return os.Remove(name) }

type osFile struct {
	*os.File
	reserve reserve
}

func (f *osFile) Reserve(end, size int64) error { return f.reserve.hold(f.File, end, size) }

// WriteAt subtracts what it writes from the reserve.
func (f *osFile) WriteAt(p []byte, at int64) (int, error) {
	f.reserve.use(int64(len(p)))
	return f.File.WriteAt(p, at)
}

func (f *osFile) Close() error { return Both(f.reserve.drop(), f.File.Close()) }

func (f *osFile) SyncData() error        { return syncData(f.File) }
func (f *osFile) Lock() error            { return lock(f.File) }
func (f *osFile) TryLock() (bool, error) { return tryLock(f.File) }
func (f *osFile) Unlock() error          { return unlock(f.File) }
