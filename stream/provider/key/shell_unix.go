//go:build unix

package key

import (
	"context"
	"os/exec"
	"syscall"
)

// shell returns a command that a shell runs, with stdin from /dev/null. When ctx ends, the
// command's whole process group is killed.
func shell(ctx context.Context, command string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", command)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd
}
