package report

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"llmpipe/stream/flow"
	"llmpipe/stream/ui"
)

// pageStart is the beginning of every page.
const pageStart = "<!DOCTYPE html>"

// checkPageName refuses to write a page over anything but a page, and does so before the ledgers
// are read. A user who takes --html for a switch names a ledger after it.
func checkPageName(name string, ledgers []string) error {
	for _, l := range ledgers { // even an empty one
		if flow.SameFile(name, l) {
			return ui.WithHint("name a file for the page after --html", fmt.Errorf("--html %s is a ledger", name))
		}
	}
	info, err := os.Stat(name)
	switch {
	case name == "-" || err != nil:
		return nil
	case info.IsDir():
		return ui.WithHint("name a file, such as report.html", fmt.Errorf("--html %s is a directory", name))
	case info.Size() == 0 || !info.Mode().IsRegular():
		return nil // there is nothing to lose
	}
	file, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("--html: %w", err)
	}
	defer file.Close()
	start := make([]byte, len(pageStart))
	if _, err := io.ReadFull(file, start); err != nil || !strings.EqualFold(string(start), pageStart) {
		return ui.WithHint("name another file: this one was not changed",
			fmt.Errorf("--html %s exists and is not an HTML page", name))
	}
	return nil
}

// writePage replaces a file with the page in one step. Until then, or if the disk is full, the old
// page stays. If the name is not a regular file, such as /dev/stdout, the page is written to it
// directly.
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
