package ledger

import "os"

// FileID tells one file of a machine from another: device and inode, on windows the volume's serial
// number and the file index.
type FileID struct{ Device, Inode uint64 }

// FileIDOf returns the identity of a regular file. It is false for a pipe, a terminal or a device,
// and where the system does not say.
func FileIDOf(f *os.File) (FileID, bool) {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return FileID{}, false
	}
	return fileID(f, info)
}
