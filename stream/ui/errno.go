package ui

import (
	"errors"
	"syscall"
)

// IsErrno reports whether err is the system's error number n.
func IsErrno(err error, n syscall.Errno) bool {
	var e syscall.Errno
	return errors.As(err, &e) && e == n
}
