package socket

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// acknowledged is how many of the bytes sent over conn its other end has acknowledged; -1 where
// that cannot be told. What was not acknowledged was never read.
func acknowledged(conn net.Conn) int64 {
	c, ok := conn.(syscall.Conn)
	if !ok {
		return -1
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return -1
	}
	n := int64(-1)
	_ = raw.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		if err == nil {
			n = int64(info.Bytes_acked) - 1 // SYN takes a number, as a byte does
		}
	})
	return n
}
