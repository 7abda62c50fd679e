package socket

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// acknowledged returns how many of the bytes sent over conn the other end has acknowledged; -1 if
// that is unknown. Bytes that stay unacknowledged were never read, except perhaps after a reset.
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
			n = int64(info.Bytes_acked) - 1 // the SYN takes a sequence number, like a byte
		}
	})
	return n
}
