package disk

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// reserve reserves nothing on Windows: it only checks whether there is space, including quotas.
type reserve struct{}

// hold is [File.Reserve].
func (reserve) hold(f *os.File, _, size int64) error {
	dir, err := windows.UTF16PtrFromString(filepath.Dir(f.Name()))
	if err != nil {
		return err
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(dir, &free, nil, nil); err == nil && uint64(size) > free {
		return &os.PathError{Op: "reserve", Path: f.Name(), Err: windows.ERROR_DISK_FULL}
	}
	return nil
}

func (reserve) use(int64)   {}
func (reserve) drop() error { return nil }
