package stream

import (
	"context"
	"os"
	"syscall"
)

const sigpipe = syscall.SIGPIPE

// Signals returns the signals that a run handles.
func Signals() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM} }

// wantsStatus reports whether sig asks for the status; no signal does on Windows.
func wantsStatus(os.Signal) bool { return false }

// Die does nothing: on Windows a process cannot end by a signal, and its exit code says what ended
// it.
func Die(os.Signal) {}

// readerGone reports false: on Windows only a write shows that the reader has gone away.
func readerGone(context.Context, *os.File) bool { return false }
