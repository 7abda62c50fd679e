package disktest

import (
	"io/fs"
	"sync"

	"llmpipe/ledger/disk"
)

// Fault is the machine's file system, of which one call fails.
type Fault struct {
	disk.OS
	at  int   // the call that fails, counted from 0
	err error // with this; nil for a write that falls short and says nothing
	// part is how much of a write that fails is done, in percent.
	part int

	mu    sync.Mutex
	calls int
	what  string
}

// NewFault returns a file system whose call at fails with err; of a write so many percent are done
// before that. Where err is nil only a write fails: it falls short, and says nothing.
func NewFault(at int, err error, part int) *Fault { return &Fault{at: at, err: err, part: part} }

// What is the call that failed, "" if none has.
func (f *Fault) What() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.what
}

// call counts a call, and returns the error of the one that fails.
func (f *Fault) call(what string) error {
	if f.fails(what, f.err != nil) {
		return f.err
	}
	return nil
}

func (f *Fault) fails(what string, can bool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	if f.calls-1 != f.at || !can {
		return false
	}
	f.what = what
	return true
}

// Over reports whether the call that fails has been made.
func (f *Fault) Over() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls > f.at
}

// OpenFile opens a file.
func (f *Fault) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	if err := f.call("open"); err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	file, err := f.OS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &faultFile{file, f}, nil
}

// Stat describes a file.
func (f *Fault) Stat(name string) (fs.FileInfo, error) {
	if err := f.call("stat"); err != nil {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	return f.OS.Stat(name)
}

// SyncDir makes the names in a directory durable.
func (f *Fault) SyncDir(string) error { return f.call("sync of the directory") }

type faultFile struct {
	disk.File
	of *Fault
}

func (f *faultFile) WriteAt(text []byte, at int64) (int, error) {
	if !f.of.fails("write", true) {
		return f.File.WriteAt(text, at)
	}
	n, err := f.File.WriteAt(text[:len(text)*f.of.part/100], at)
	if err == nil {
		err = f.of.err
	}
	return n, err
}

func (f *faultFile) ReadAt(text []byte, at int64) (int, error) {
	if err := f.of.call("read"); err != nil {
		return 0, err
	}
	return f.File.ReadAt(text, at)
}

func (f *faultFile) Stat() (fs.FileInfo, error) {
	if err := f.of.call("fstat"); err != nil {
		return nil, err
	}
	return f.File.Stat()
}

func (f *faultFile) Truncate(size int64) error {
	if err := f.of.call("truncate"); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

func (f *faultFile) Reserve(end, size int64) error {
	if err := f.of.call("reserve"); err != nil {
		return err
	}
	return f.File.Reserve(end, size)
}

func (f *faultFile) SyncData() error { return f.of.call("sync") }

func (f *faultFile) Lock() error {
	if err := f.of.call("lock"); err != nil {
		return err
	}
	return f.File.Lock()
}

func (f *faultFile) Unlock() error {
	err := f.File.Unlock()
	return disk.Both(f.of.call("unlock"), err)
}

func (f *faultFile) Close() error {
	err := f.File.Close()
	return disk.Both(f.of.call("close"), err)
}
