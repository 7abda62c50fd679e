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
