//go:build unix

package folder

import "syscall"

// nonblock has an open of what turned into a FIFO meanwhile come back at once, and one of a
// terminal not make it ours.
const nonblock = syscall.O_NONBLOCK | syscall.O_NOCTTY
