package stream

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"llmpipe/ledger/disk"
)

// network is a file system that other machines may have, too.
type network struct {
	disk.OS
	mount disk.Mount
	fails error // what its locks fail with, nil where it has some
}

func (n *network) Mount(string) disk.Mount { return n.mount }

func (n *network) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	f, err := n.OS.OpenFile(name, flag, perm)
	if err == nil && n.fails != nil {
		f = &lockless{f, n.fails}
	}
	return f, err
}

// lockless is a file without a lock.
type lockless struct {
	disk.File
	fails error
}

func (f *lockless) Lock() error            { return f.fails }
func (f *lockless) TryLock() (bool, error) { return false, f.fails }

// Locks that other machines may not see are told of, once a run, and with what to do instead.
func TestLocksThatEndAtThisMachine(t *testing.T) {
	for name, test := range map[string]struct {
		mount disk.Mount
		seen  []string
		told  int
	}{
		"local":              {disk.Mount{Point: "/", Type: "ext4"}, nil, 0},
		"unknown":            {disk.Mount{}, nil, 0},
		"nfs with locks":     {disk.Mount{Point: "/net", Type: "nfs4", Options: []string{"rw", "local_lock=none"}}, nil, 0},
		"nfs":                {disk.Mount{Point: "/net", Type: "nfs", Options: []string{"rw", "nolock"}}, nil, 1},
		"sshfs":              {disk.Mount{Point: "/net", Type: "fuse.sshfs"}, nil, 1},
		"a ledger a machine": {disk.Mount{Point: "/net", Type: "fuse.sshfs"}, []string{"none-*.jsonl"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "job.jsonl")
			r := try(t, "sim:?latency=0s", prompts(3), func(c *Config) {
				c.Ledger.Path, c.Ledger.FS, c.Ledger.Seen = path, &network{mount: test.mount}, test.seen
			})
			if n := strings.Count(r.said.String(), "may hold only on this machine"); r.ExitCode() != ExitOK || n != test.told {
				t.Errorf("exit %d, told %d times: %s", r.ExitCode(), n, &r.said)
			}
			if n := strings.Count(r.said.String(), "hint: "); n != test.told {
				t.Errorf("%d hints: %s", n, &r.said)
			}
		})
	}
}

// Without locks nothing is asked, and nothing is left behind but the ledger.
func TestNoLocks(t *testing.T) {
	for _, seen := range [][]string{nil, {"none-*.jsonl"}} {
		dir := t.TempDir()
		path := filepath.Join(dir, "job.jsonl")
		none := &network{fails: fmt.Errorf("%w: %w", disk.ErrNoLocks, syscall.ENOLCK)}
		r := try(t, "sim:?latency=0s", prompts(20), func(c *Config) {
			c.Ledger.Path, c.Ledger.FS, c.Ledger.Seen = path, none, seen
		})
		if s := r.Summary; r.ExitCode() != ExitFailed || s.OK != 0 || s.Failed != 0 || r.lines() != 0 {
			t.Errorf("exit %d, %+v", r.ExitCode(), s)
		}
		for _, want := range []string{"its file system does not support locks", syscall.ENOLCK.Error()} {
			if !strings.Contains(r.Err.Error(), want) {
				t.Errorf("%q is not in %q", want, r.Err)
			}
		}
		left, err := filepath.Glob(path + ".*")
		if err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	}
}
