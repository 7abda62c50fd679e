package stream

import (
	"fmt"
	"os"
	"path/filepath"

	"llmpipe/stream/ui"
)

// checkCut refuses to cut the file of a flag to nothing when the run needs it for something else.
func (c *Config) checkCut(flag, name string) error {
	if name == "-" {
		return ui.WithHint("stdout is for results; "+flag+" /dev/stderr works", fmt.Errorf("%s - names no file", flag))
	}
	for _, input := range c.Files {
		if SameFile(name, input) {
			return fmt.Errorf("%s %s is an input", flag, name)
		}
	}
	for _, other := range []struct{ flag, name, what string }{
		{"--ledger", c.Ledger.Path, "the ledger"},
		{"--failed", c.Failed, "the file of --failed"},
		{"--summary", c.Summary, "the file of --summary"},
	} {
		if other.flag != flag && SameFile(name, other.name) {
			return fmt.Errorf("%s %s is %s", flag, name, other.what)
		}
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil // not there yet, or opening it will say what is wrong
	}
	for what, stream := range map[string]any{"the input": c.Stdin, "the output": c.Stdout} {
		if isFile(stream, info) {
			return fmt.Errorf("%s %s is %s", flag, name, what)
		}
	}
	return nil
}

// isFile reports whether stream is the regular file that info describes.
func isFile(stream any, info os.FileInfo) bool {
	f, ok := stream.(*os.File)
	if !ok || info == nil {
		return false
	}
	other, err := f.Stat()
	return err == nil && other.Mode().IsRegular() && os.SameFile(info, other)
}

// SameFile reports whether two names mean one regular file, which need not be there yet.
func SameFile(a, b string) bool {
	if a == "" || b == "" {
		return false
	}
	first, err := os.Stat(a)
	if err == nil {
		second, err := os.Stat(b)
		return err == nil && first.Mode().IsRegular() && os.SameFile(first, second)
	}
	a, errA := filepath.Abs(a)
	b, errB := filepath.Abs(b)
	return errA == nil && errB == nil && a == b
}
