package disk

import (
	"os"

	"golang.org/x/sys/windows"
)

func idOf(f *os.File, _ os.FileInfo) (ID, bool) {
	var info windows.ByHandleFileInformation
	if err := windows.GetFileInformationByHandle(windows.Handle(f.Fd()), &info); err != nil {
		return ID{}, false
	}
	return ID{
		Device: uint64(info.VolumeSerialNumber),
		Inode:  uint64(info.FileIndexHigh)<<32 | uint64(info.FileIndexLow),
	}, true
}

// Reopen opens f, which is open for writing only, a second time for reading.
func Reopen(f *os.File) (*os.File, error) {
	name := make([]uint16, windows.MAX_LONG_PATH)
	n, err := windows.GetFinalPathNameByHandle(windows.Handle(f.Fd()), &name[0], uint32(len(name)), 0)
	if err != nil {
		return nil, os.NewSyscallError("GetFinalPathNameByHandle", err)
	}
	return os.Open(windows.UTF16ToString(name[:n]))
}
