//go:build unix

package lane

import "golang.org/x/sys/unix"

// fewDescriptors is how many open ones are counted at most, at a system call each: whoever inherits
// more is no shell's child.
const fewDescriptors = 4096

// descriptors are how many the process may have open, and how many are open now; 0 where there is
// room for enough more in any case. The limit is the hard one: Go raises the other to it when a
// program starts.
func descriptors(enough int) (most, open int) {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil || uint64(limit.Cur) >= uint64(enough+fewDescriptors) {
		return 0, 0
	}
	most = int(limit.Cur)
	for fd := range min(most, fewDescriptors) {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil {
			open++
		}
	}
	return most, open
}
