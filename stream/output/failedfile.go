package output

import (
	"bufio"
	"fmt"
	"os"

	"llmpipe/stream/flow"
)

// failedFile is the file of --failed: the failed records' own lines, ready to be fed in again.
type failedFile struct {
	file *os.File
	w    *bufio.Writer
}

func newFailedFile(file *os.File) *failedFile {
	if file == nil {
		return nil
	}
	return &failedFile{file: file, w: bufio.NewWriter(file)}
}

// add writes t's line as it was read.
func (f *failedFile) add(t *flow.Task) error {
	var err error
	if t.Spill != nil {
		err = t.CopySpill(f.w)
	} else {
		_, err = f.w.Write(t.Input)
	}
	if err == nil {
		err = f.w.WriteByte('\n')
	}
	return f.wrap(err)
}

func (f *failedFile) flush() error { return f.wrap(f.w.Flush()) }

func (f *failedFile) close() error { return f.wrap(f.file.Close()) }

func (f *failedFile) wrap(err error) error {
	if err != nil {
		return fmt.Errorf("--failed: %w", err)
	}
	return nil
}
