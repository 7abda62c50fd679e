package stream

import (
	"context"
	"os/exec"
)

// shellCommand runs command in the system's shell language.
func shellCommand(ctx context.Context, command string) *exec.Cmd {
	return exec.CommandContext(ctx, "cmd", "/C", command)
}
