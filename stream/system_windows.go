package stream

import (
	"context"
	"io"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

const sigpipe = syscall.SIGPIPE

// errNoData is ERROR_NO_DATA: the pipe is being closed.
const errNoData = syscall.Errno(232)

// Signals are those that a run wants to hear of.
func Signals() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM} }

// wantsStatus reports whether sig asks for the status; no signal does on Windows.
func wantsStatus(os.Signal) bool { return false }

// Die cannot end a process by a signal on Windows; its exit code tells.
func Die(os.Signal) {}

// readerGone cannot tell on Windows: a write will.
func readerGone(context.Context, *os.File) bool { return false }

// appendsToContent reports whether writes to f go behind what it holds already: cmd's >> starts there, and > at 0.
func appendsToContent(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	at, err := f.Seek(0, io.SeekCurrent)
	return err == nil && at > 0 && at == info.Size()
}

// isClosedPipe reports whether a write failed because nobody reads any more.
func isClosedPipe(err error) bool {
	return isErrno(err, syscall.ERROR_BROKEN_PIPE) || isErrno(err, errNoData)
}

// shellCommand runs command in the system's shell language.
func shellCommand(ctx context.Context, command string) *exec.Cmd {
	return exec.CommandContext(ctx, "cmd", "/C", command)
}

// drawable makes the console understand control sequences, and reports whether it does.
func drawable(f *os.File) bool {
	console := windows.Handle(f.Fd())
	var mode uint32
	if windows.GetConsoleMode(console, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(console, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
