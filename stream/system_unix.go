//go:build unix

package stream

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const sigpipe = syscall.SIGPIPE

// Signals returns the signals that a run handles. SIGHUP is left alone if it is ignored, as under
// nohup.
func Signals() []os.Signal {
	signals := []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGPIPE}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// wantsStatus reports whether sig asks for the status.
func wantsStatus(sig os.Signal) bool { return sig == syscall.SIGUSR1 }

// Die ends the process by sig, so that a shell sees what ended it. It returns only if that is not
// possible.
func Die(sig os.Signal) {
	s, ok := sig.(syscall.Signal)
	if !ok {
		return
	}
	signal.Reset(s)
	if s == syscall.SIGPIPE {
		// The runtime ignores the signal itself, and dies of it at a write to a closed stdout.
		_, _ = os.Stdout.Write([]byte{'\n'})
		return
	}
	if syscall.Kill(syscall.Getpid(), s) == nil {
		<-time.After(time.Second) // the signal may arrive at another thread
	}
}

// readerGone waits until the reader of f has gone away, and reports true then. It reports false if
// ctx ends first, or if f cannot tell.
func readerGone(ctx context.Context, f *os.File) bool {
	const interval = 200 // milliseconds between two looks at ctx
	fds := []unix.PollFd{{Fd: int32(f.Fd())}}
	for ctx.Err() == nil {
		n, err := unix.Poll(fds, interval)
		if err != nil && err != unix.EINTR {
			return false
		}
		if n > 0 && fds[0].Revents&(unix.POLLERR|unix.POLLNVAL) != 0 {
			return true
		}
		if n > 0 && fds[0].Revents&unix.POLLHUP != 0 {
			return false // a terminal or a socket that hung up: a write will tell
		}
	}
	return false
}
