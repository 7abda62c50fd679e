package stream

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// checkPageName refuses a page's name, before the time for reading is spent, where a ledger stands.
func checkPageName(name string, ledgers []string) error {
	for _, l := range ledgers {
		if sameFile(name, l) {
			return fmt.Errorf("--html %s is a ledger", name)
		}
	}
	info, err := os.Stat(name)
	if name == "-" || err != nil {
		return nil // there is nothing to lose
	}
	if info.IsDir() {
		return fmt.Errorf("--html %s is a directory", name)
	}
	if !info.Mode().IsRegular() {
		return nil
	}
	file, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("--html: %w", err)
	}
	defer file.Close()
	const ledgerLine = `{"kind":"`
	start := make([]byte, len(ledgerLine))
	if _, err := io.ReadFull(file, start); err == nil && string(start) == ledgerLine {
		return fmt.Errorf("--html %s is a ledger", name)
	}
	return nil
}

// writePage replaces a file by the page at once: who looks meanwhile sees the old one, and so does who finds the disk full. A name
// that is no regular file, such as /dev/stdout, is written to.
func writePage(name string, page []byte) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("--html: %w", err)
		}
	}()
	if resolved, err := filepath.EvalSymlinks(name); err == nil {
		name = resolved
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return writeTo(name, page)
	}
	file, err := os.CreateTemp(filepath.Dir(name), "."+strings.TrimPrefix(filepath.Base(name), ".")+"-*")
	if err != nil {
		return err
	}
	_, err = file.Write(page)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

func writeTo(name string, page []byte) error {
	file, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.Write(page)
	return errors.Join(err, file.Close())
}
