//go:build unix

package e2e

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// becomeNobody makes p run as a user who owns nothing. The tests' directories are root's alone, so
// it gets a copy of the program beside its files, and the way there.
func becomeNobody(t testing.TB, p *process) {
	t.Helper()
	const nobody = 65534
	for dir := p.Dir; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	program, err := exec.LookPath("llmpipe")
	if err != nil {
		t.Fatal(err)
	}
	from, err := os.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	p.Path = filepath.Join(p.Dir, "llmpipe")
	to, err := os.OpenFile(p.Path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if os.IsExist(err) {
		err = nil
	} else if err == nil {
		_, err = io.Copy(to, from)
		if closeErr := to.Close(); err == nil {
			err = closeErr
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	p.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
}
