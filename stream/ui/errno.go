package ui

import (
	"errors"
	"syscall"
)

// MoreFiles is the hint for an error that says that too many files are open.
const MoreFiles = "run ulimit -n 4096 to allow this process more open files and connections, or set fewer in flight with -c"

// IsErrno reports whether err is the system's error number n.
func IsErrno(err error, n syscall.Errno) bool {
	var e syscall.Errno
	return errors.As(err, &e) && e == n
}
