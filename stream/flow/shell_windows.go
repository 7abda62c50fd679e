package flow

import (
	"context"
	"os/exec"
)

// ShellCommand runs command in the system's shell language.
func ShellCommand(ctx context.Context, command string) *exec.Cmd {
	return exec.CommandContext(ctx, "cmd", "/C", command)
}
