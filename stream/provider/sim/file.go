package sim

import (
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"
)

// storedFile is a file that /v1/files serves. Its bytes are on disk, because a hundred thousand
// requests must not be held in memory.
type storedFile struct {
	id, name, purpose string
	bytes             int64
	created           time.Time
	visible           time.Time // before that it is neither found nor listed
	ready             time.Time // before that it is "uploaded", and no batch finds it
	path              string
}

// files holds the files of one simulator, in a directory that is created for the first of them and
// removed by close.
type files struct {
	mu     sync.Mutex
	dir    string // "" until there is a file
	closed bool
	all    []*storedFile // in the order of arrival
}

// create opens a new file. The caller writes it, closes it, and then keeps or discards it.
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

// discard closes and removes a file that create opened. If it cannot be removed now, close removes
// it.
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

// remove deletes a file and reports whether it was there. If the system cannot remove an open file,
// its bytes go with the directory.
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

// close removes everything. It ignores errors: nobody could act on them, and the system clears its
// temporary directory.
func (f *files) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	f.all = nil
	if f.dir != "" {
		_ = os.RemoveAll(f.dir)
	}
}

// outputFile is a file that a batch writes. It is created only if it gets a line: a batch without
// an answer has no output file.
type outputFile struct {
	files *files
	file  *os.File
	bytes int64
	buf   []byte
	err   error // the first error of writing
}

// outputBuffer is how many bytes of output a batch holds before it writes them.
const outputBuffer = 64 << 10

// line appends a line. The text must end with a newline.
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

// end completes the file and lists it. It returns the file's id, or nil if no line was written.
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

// discard removes the file, unless end has completed it.
func (o *outputFile) discard() {
	if o.file != nil {
		o.files.discard(o.file)
	}
}
