package disk

import "os"

// ID identifies a file on one machine: by device and inode, or on Windows by the volume's serial
// number and the file index.
type ID struct{ Device, Inode uint64 }

// IDOf returns the identity of a regular file. It is false for a pipe, a terminal or a device, and
// if the system does not say.
func IDOf(f *os.File) (ID, bool) {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return ID{}, false
	}
	return idOf(f, info)
}
