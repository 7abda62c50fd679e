package output

import (
	"io"
	"os"
)

// appendsToContent reports whether f holds something already and writes go to its end: cmd's >>
// starts there, and > at 0.
func appendsToContent(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	at, err := f.Seek(0, io.SeekCurrent)
	return err == nil && at > 0 && at == info.Size()
}
