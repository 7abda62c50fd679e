//go:build unix

package folder

import "syscall"

// nonblock makes an open return at once if the file has become a FIFO since the check, and keeps
// a terminal from becoming our controlling terminal.
const nonblock = syscall.O_NONBLOCK | syscall.O_NOCTTY
