package folder

import (
	"crypto/sha256"
	"errors"
	"io/fs"
	"time"

	"llmpipe/stream/record/attach"
)

// Same reports whether a file still has the contents that it had with the given size, modification
// time and hash. If the size and the time are the same, the file is not opened; if only the time
// differs, the hash decides. A file that is gone counts as the same.
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
