//go:build unix

package stream

import (
	"context"
	"os/exec"
)

// shellCommand runs command in the user's shell language.
func shellCommand(ctx context.Context, command string) *exec.Cmd {
	return exec.CommandContext(ctx, "/bin/sh", "-c", command)
}
