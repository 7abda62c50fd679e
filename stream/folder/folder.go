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

	// Limits are the provider's limits on files; nil if they are not known.
	Limits *provider.FileLimits
}

// Open opens a directory to attach files from, of at most most bytes each. The error names the
// directory.
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

// Close closes the directory. On a nil folder it does nothing.
func (f *Folder) Close() error {
	if f == nil {
		return nil
	}
	return f.root.Close()
}

// below returns the path relative to the directory. An absolute path outside the directory is an
// error.
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
	errOutside    = errors.New("it is outside the directory that files are attached from; --attach-root names another directory")
	errNotRegular = errors.New("it is not a regular file")
	errChanged    = errors.New("it changed during the run; the next run sends its new content")
)

// stat returns the file info of a path, and opens nothing.
func (f *Folder) stat(path string) (fs.FileInfo, error) {
	name, err := f.below(path)
	if err != nil {
		return nil, err
	}
	return f.root.Stat(name)
}

// open opens a regular file and returns its info.
func (f *Folder) open(path string) (*os.File, fs.FileInfo, error) {
	before, err := f.stat(path)
	if err != nil {
		return nil, nil, err
	}
	if !before.Mode().IsRegular() { // opening a device may have side effects
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

// notRegular returns the error for something that is not a regular file, and says what it is.
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

// failure turns an error with a file into its record's error.
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
		err = path.Err // the message already has the name
	}
	return &record.Error{Type: record.TypeInvalidInput, Code: code, Message: record.Cut(fmt.Sprintf("the file %q: %v", file.Path, err))}
}

// leadsOut reports whether an error of a root says that a name or a link leads out of it: the
// standard library exports no name for that.
func leadsOut(err error) bool { return strings.HasSuffix(err.Error(), "path escapes from parent") }

// tooLargeError is the error for files above a size limit.
type tooLargeError struct {
	size, most int64
	why        string
}

func (e *tooLargeError) Error() string {
	return fmt.Sprintf("its %d bytes are more than the %d that %s", e.size, e.most, e.why)
}

// notTakenError is the error for a file of a kind that the endpoint does not accept.
type notTakenError struct{ error }
