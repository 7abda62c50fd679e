//go:build unix

package flow

import (
	"context"
	"os/exec"
)

// ShellCommand runs command in the user's shell language.
func ShellCommand(ctx context.Context, command string) *exec.Cmd {
	return exec.CommandContext(ctx, "/bin/sh", "-c", command)
}
