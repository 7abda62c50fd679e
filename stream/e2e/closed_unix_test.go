//go:build unix

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A closed stdout or stdin is an error before anything is asked, and not a place where answers
// vanish. The null device is none, nor is a process that was given nothing else, as daemons are.
func TestClosedStandardFiles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		script string
		code   int
		says   string
	}{
		{`echo hello | llmpipe -R --no-ledger >&-`, 1, "stdout is closed"},
		{`echo hello | llmpipe -R >&-`, 1, "stdout is closed"},
		{`echo hello | llmpipe -R --no-ledger 1< /dev/null`, 1, "stdout is closed"},
		{`llmpipe -R --no-ledger <&-`, 1, "stdin is closed"},
		{`llmpipe -R --no-ledger - <&-`, 1, "stdin is closed"},
		{`llmpipe models >&-`, 1, "stdout is closed"},
		{`echo hello | llmpipe estimate -R >&-`, 1, "stdout is closed"},
		{`echo hello > in; llmpipe -R --no-ledger in <&-`, 0, "1 ok"},
		{`echo hello | llmpipe -R --no-ledger > /dev/null`, 0, "1 ok"},
		{`llmpipe -R --no-ledger < /dev/null`, 0, "0 in"},
		{`echo hello | llmpipe -R --no-ledger 2>&-`, 0, ""},
		{`echo hello > in; llmpipe -R --no-ledger in < /dev/null 1<>/dev/null 2>&1`, 0, ""},
	} {
		t.Run(c.script, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			cmd := exec.Command("/bin/sh", "-c", c.script)
			cmd.Dir, cmd.Env = dir, append(cleanEnv(), "OPENAI_BASE_URL=sim:")
			var said strings.Builder
			cmd.Stderr = &said
			_ = cmd.Run()
			if code := cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(said.String(), c.says) {
				t.Errorf("exit %d, %s", code, &said)
			}
			if _, err := os.Stat(filepath.Join(dir, "llmpipe.sim.jsonl")); err == nil {
				t.Error("there is a ledger of a run that could not start")
			}
		})
	}
}
