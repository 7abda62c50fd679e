package stream

import (
	"context"
	"os"
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
