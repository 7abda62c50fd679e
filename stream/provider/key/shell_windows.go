package key

import (
	"context"
	"os/exec"
)

// shell returns a command that the system's shell runs, with nothing on stdin.
func shell(ctx context.Context, command string) *exec.Cmd {
	return exec.CommandContext(ctx, "cmd", "/C", command)
}
