package flow

import (
	"os"
	"path/filepath"
)

// IsFile reports whether stream is the regular file that info describes.
func IsFile(stream any, info os.FileInfo) bool {
	f, ok := stream.(*os.File)
	if !ok || info == nil {
		return false
	}
	other, err := f.Stat()
	return err == nil && other.Mode().IsRegular() && os.SameFile(info, other)
}

// SameFile reports whether two names mean the same regular file, which need not exist yet.
func SameFile(a, b string) bool {
	if a == "" || b == "" {
		return false
	}
	first, err := os.Stat(a)
	if err == nil {
		second, err := os.Stat(b)
		return err == nil && first.Mode().IsRegular() && os.SameFile(first, second)
	}
	a, errA := filepath.Abs(a)
	b, errB := filepath.Abs(b)
	return errA == nil && errB == nil && a == b
}

// FileSize returns f's size in bytes, or 0 if the system does not say. The ledger then forgets its
// marks: a line may come twice, but none is lost.
func FileSize(f *os.File) int64 {
	info, err := f.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}
