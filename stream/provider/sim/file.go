package sim

import (
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"
)

// storedFile is a file as /v1/files knows it. Its bytes are on disk: a hundred
// thousand requests must not be held in memory.
type storedFile struct {
	id, name, purpose string
	bytes             int64
	created           time.Time
	visible           time.Time // until then only its uploader has heard of it
	ready             time.Time // until then it is "uploaded", and no batch finds it
	path              string
}

// files holds the files of one simulator, in a directory that is made for
// the first of them and removed by close.
type files struct {
	mu     sync.Mutex
	dir    string // "" until there is a file
	closed bool
	all    []*storedFile // in the order of arrival
}

// create opens a new file, to be written, closed and then kept or discarded.
func (f *files) create() (*os.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, fs.ErrClosed
	}
	if f.dir == "" {
		dir, err := os.MkdirTemp("", "llmpipe-sim-")
		if err != nil {
			return nil, err
		}
		f.dir = dir
	}
	return os.CreateTemp(f.dir, "file-")
}

// discard closes and removes what create opened. Close removes what cannot be
// removed now.
func (f *files) discard(file *os.File) {
	_ = file.Close()
	_ = os.Remove(file.Name())
}

// keep lists a file that is complete.
func (f *files) keep(file *storedFile) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, file)
}

// find returns the file with that id, or nil.
func (f *files) find(id string) *storedFile {
	f.mu.Lock()
	defer f.mu.Unlock()
	if i := f.index(id); i >= 0 {
		return f.all[i]
	}
	return nil
}

func (f *files) index(id string) int {
	now := time.Now()
	return slices.IndexFunc(f.all, func(file *storedFile) bool { return file.id == id && !now.Before(file.visible) })
}

// list returns the visible files of a purpose ("" for any), oldest first.
func (f *files) list(purpose string) []*storedFile {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	var out []*storedFile
	for _, file := range f.all {
		if (purpose == "" || purpose == file.purpose) && !now.Before(file.visible) {
			out = append(out, file)
		}
	}
	return out
}

// remove deletes a file, and tells whether there was one. Where an open file
// cannot be removed, its bytes go with the directory.
func (f *files) remove(id string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := f.index(id)
	if i < 0 {
		return false
	}
	_ = os.Remove(f.all[i].path)
	f.all = slices.Delete(f.all, i, i+1)
	return true
}

// close removes everything. There is nobody to tell when that fails, and the
// system clears its temporary directory.
func (f *files) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	f.all = nil
	if f.dir != "" {
		_ = os.RemoveAll(f.dir)
	}
}

// outputFile is a file that a batch writes. It exists from its first line on: a
// batch without an answer has no output file.
type outputFile struct {
	files *files
	file  *os.File
	bytes int64
	buf   []byte
	err   error // the first that writing met
}

// outputBuffer is what a batch holds of its output before it is written.
const outputBuffer = 64 << 10

// line appends a line, which ends in a newline.
func (o *outputFile) line(text []byte) {
	o.buf = append(o.buf, text...)
	if len(o.buf) >= outputBuffer {
		o.flush()
	}
}

func (o *outputFile) flush() {
	if o.err != nil || len(o.buf) == 0 {
		return
	}
	if o.file == nil {
		if o.file, o.err = o.files.create(); o.err != nil {
			return
		}
	}
	n, err := o.file.Write(o.buf)
	o.bytes += int64(n)
	o.buf, o.err = o.buf[:0], err
}

// end completes the file and lists it. It returns its id, or nil when no line
// was written.
func (o *outputFile) end(id, name string) (*string, error) {
	o.flush()
	if o.err != nil || o.file == nil {
		return nil, o.err
	}
	if err := o.file.Close(); err != nil {
		return nil, err
	}
	o.files.keep(&storedFile{id: id, name: name, purpose: "batch_output", bytes: o.bytes, created: time.Now(), path: o.file.Name()})
	o.file = nil
	return &id, nil
}

// discard removes what was not ended.
func (o *outputFile) discard() {
	if o.file != nil {
		o.files.discard(o.file)
	}
}
