//go:build unix

package ui

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// nullForBoth reports whether f is the null device, open for reading and writing. Go's runtime
// opens it so for a closed stdin, stdout or stderr (runtime.checkfds); the < and > of shells do
// not.
func nullForBoth(f *os.File) bool {
	null, err := os.Stat(os.DevNull)
	if err != nil {
		return false
	}
	info, err := f.Stat()
	return err == nil && os.SameFile(null, info) && access(f) == unix.O_RDWR
}

// shells are the programs that close a file for >&-.
var shells = []string{"sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish", "csh", "tcsh", "busybox"}

// shut reports whether the shell that started the process closed the standard file of that number.
// It did if the shell's own file of that number is not the null device, open for reading and
// writing. Without /proc this cannot be told, and shut reports false.
func shut(number int) bool {
	parent := fmt.Sprintf("/proc/%d", os.Getppid())
	name, err := os.ReadFile(parent + "/comm")
	if err != nil || !slices.Contains(shells, strings.TrimSpace(string(name))) {
		return false
	}
	opened, err := os.ReadFile(fmt.Sprintf("%s/fdinfo/%d", parent, number))
	if err != nil {
		return true // the shell's own file is closed, too
	}
	target, err := os.Readlink(fmt.Sprintf("%s/fd/%d", parent, number))
	return err != nil || target != os.DevNull || !readsAndWrites(string(opened))
}

// readsAndWrites reports whether the flags of an open file are O_RDWR. /proc gives them as "flags:"
// and octal digits.
func readsAndWrites(info string) bool {
	_, rest, _ := strings.Cut(info, "flags:")
	flags, _, _ := strings.Cut(strings.TrimSpace(rest), "\n")
	return strings.HasSuffix(flags, "2")
}

func readable(f *os.File) bool { return access(f) != unix.O_WRONLY }

func writable(f *os.File) bool { return access(f) != unix.O_RDONLY }

// access returns what f was opened for: O_RDONLY, O_WRONLY or O_RDWR; -1 if unknown.
func access(f *os.File) int {
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	if err != nil {
		return -1
	}
	return flags & unix.O_ACCMODE
}
