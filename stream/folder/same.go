package folder

import (
	"crypto/sha256"
	"errors"
	"io/fs"
	"time"

	"llmpipe/stream/record/attach"
)

// Same reports whether a file holds what it did when it had a size, a time of its last change and a
// hash. While it has the same size and time it is not opened; where the time differs the hash
// decides. One that is not there any more says nothing else.
func (f *Folder) Same(path string, size int64, modTime time.Time, sum [sha256.Size]byte) bool {
	info, err := f.stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return true
	case err != nil || !info.Mode().IsRegular() || info.Size() != size:
		return false
	case info.ModTime().Equal(modTime):
		return true
	}
	file := attach.File{Path: path, Size: size, ModTime: info.ModTime()}
	return f.hash(&file) == nil && file.Sum == sum
}
