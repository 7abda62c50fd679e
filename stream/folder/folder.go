package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"llmpipe/stream/provider"
	"llmpipe/stream/record"
	"llmpipe/stream/record/attach"
)

// Folder is a directory that files are attached from. It may be used by several goroutines.
type Folder struct {
	root *os.Root
	dirs []string // its absolute names: as it was given, and without links
	most int64

	// Limits are what whoever is asked takes of files; nil where that is not known.
	Limits *provider.FileLimits
}

// Open opens a directory of which files of at most so many bytes are attached. The error names it.
func Open(dir string, most int64) (*Folder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	f := &Folder{root: root, most: most}
	if name, err := filepath.Abs(dir); err == nil {
		f.dirs = append(f.dirs, name)
		if real, err := filepath.EvalSymlinks(name); err == nil && real != name {
			f.dirs = append(f.dirs, real)
		}
	}
	return f, nil
}

// Close closes the directory; that of no folder does nothing.
func (f *Folder) Close() error {
	if f == nil {
		return nil
	}
	return f.root.Close()
}

// below is a path as the root takes it: one that is absolute has to lie below the directory.
func (f *Folder) below(path string) (string, error) {
	if !filepath.IsAbs(path) {
		return path, nil
	}
	for _, dir := range f.dirs {
		if name, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(name) {
			return name, nil
		}
	}
	return "", errOutside
}

var (
	errOutside    = errors.New("it lies outside the directory that files are attached from; --attach-root names another")
	errNotRegular = errors.New("it is no regular file")
	errChanged    = errors.New("it changed while the run was under way; the next run asks about what it is then")
)

// stat says what a path stands for, and opens nothing.
func (f *Folder) stat(path string) (fs.FileInfo, error) {
	name, err := f.below(path)
	if err != nil {
		return nil, err
	}
	return f.root.Stat(name)
}

// open opens a regular file, and says what it is.
func (f *Folder) open(path string) (*os.File, fs.FileInfo, error) {
	before, err := f.stat(path)
	if err != nil {
		return nil, nil, err
	}
	if !before.Mode().IsRegular() { // to open a device may do something
		return nil, nil, notRegular(before)
	}
	name, err := f.below(path)
	if err != nil {
		return nil, nil, err
	}
	file, err := f.root.OpenFile(name, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = notRegular(info)
	}
	if err != nil {
		_ = file.Close() // nothing was written
		return nil, nil, err
	}
	return file, info, nil
}

// notRegular says what a thing is that is no regular file.
func notRegular(info fs.FileInfo) error {
	switch mode := info.Mode(); {
	case mode.IsDir():
		return fmt.Errorf("%w: it is a directory", errNotRegular)
	case mode&fs.ModeNamedPipe != 0:
		return fmt.Errorf("%w: it is a FIFO", errNotRegular)
	case mode&fs.ModeSocket != 0:
		return fmt.Errorf("%w: it is a socket", errNotRegular)
	case mode&fs.ModeDevice != 0:
		return fmt.Errorf("%w: it is a device", errNotRegular)
	}
	return errNotRegular
}

// failure is a record's error for what is wrong with one of its files.
func failure(file *attach.File, err error) *record.Error {
	code := "attachment_unreadable"
	switch {
	case errors.Is(err, errOutside), leadsOut(err):
		code, err = "attachment_outside", errOutside
	case errors.Is(err, fs.ErrNotExist):
		code, err = "attachment_missing", errors.New("there is no such file")
	case errors.Is(err, errNotRegular):
		code = "attachment_not_regular"
	case errors.Is(err, errChanged):
		code = "attachment_changed"
	case errors.As(err, new(*tooLargeError)):
		code = "attachment_too_large"
	case errors.As(err, new(*notTakenError)):
		code = "attachment_not_taken"
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err // the name is said already
	}
	return &record.Error{Type: record.TypeInvalidInput, Code: code, Message: record.Cut(fmt.Sprintf("the file %q: %v", file.Path, err))}
}

// leadsOut reports whether an error of a root says that a name or a link leads out of it: the
// standard library exports no name for that.
func leadsOut(err error) bool { return strings.HasSuffix(err.Error(), "path escapes from parent") }

// tooLargeError is the error of what is larger than it may be.
type tooLargeError struct {
	size, most int64
	why        string
}

func (e *tooLargeError) Error() string {
	return fmt.Sprintf("%d bytes are over the %d that %s", e.size, e.most, e.why)
}

// notTakenError is the error of a file that the endpoint does not take.
type notTakenError struct{ error }
