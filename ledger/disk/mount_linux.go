package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Mount returns the mount that a file is on, or would be created on.
func (OS) Mount(name string) Mount {
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		info, err = os.Stat(filepath.Dir(name))
	}
	if err != nil {
		return Mount{}
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if !ok || err != nil {
		return Mount{}
	}
	device := strconv.FormatUint(uint64(unix.Major(stat.Dev)), 10) + ":" + strconv.FormatUint(uint64(unix.Minor(stat.Dev)), 10)
	return parseMounts(string(mounts), device)
}
