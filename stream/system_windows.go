package stream

import (
	"context"
	"io"
	"os"
	"os/exec"
	"syscall"
)

const sigpipe = syscall.SIGPIPE

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

// shellCommand runs command in the system's shell language.
func shellCommand(ctx context.Context, command string) *exec.Cmd {
	return exec.CommandContext(ctx, "cmd", "/C", command)
}
