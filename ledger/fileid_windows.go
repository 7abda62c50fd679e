package ledger

import (
	"os"

	"golang.org/x/sys/windows"
)

func fileID(f *os.File, _ os.FileInfo) (FileID, bool) {
	var info windows.ByHandleFileInformation
	if err := windows.GetFileInformationByHandle(windows.Handle(f.Fd()), &info); err != nil {
		return FileID{}, false
	}
	return FileID{
		Device: uint64(info.VolumeSerialNumber),
		Inode:  uint64(info.FileIndexHigh)<<32 | uint64(info.FileIndexLow),
	}, true
}
