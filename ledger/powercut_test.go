package ledger

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"llmpipe/ledger/disk"
	"llmpipe/ledger/disk/disktest"
)

// survivals are what a power cut may leave of what was not synced.
var survivals = map[string]disktest.Survival{
	"nothing": disktest.Nothing, "everything": disktest.Everything,
	"a byte less": disktest.Torn(99), "half": disktest.Torn(50), "a little": disktest.Torn(3),
	"not the first": disktest.Without(0, 1<<30), "not the second": disktest.Without(1, 1<<30),
	"every other": disktest.Without(0, 2), "the others": disktest.Without(1, 2),
}

// smallJob commits what a job does, in two runs that overlap, and tells shown of each result that
// is safe. It ends at the first error, as a run does.
func smallJob(path string, fsync Fsync, fsys disk.FS, shown func(n int)) (err error) {
	var open []*Ledger
	defer func() {
		for _, l := range open {
			err = disk.Both(err, l.Close())
		}
	}()
	run := func(id string) (*Ledger, error) {
		l, err := Open(path, Options{Fsync: fsync, FS: fsys, Run: RunInfo{ID: id, Time: testTime()}, Emitted: &disk.ID{Device: 1, Inode: 2}})
		if err != nil {
			return nil, err
		}
		open = append(open, l)
		return l, l.Prepare()
	}
	n := 0
	commit := func(l *Ledger, results int) error {
		g := resultsOf(n, n+results)
		g.Failures = append(g.Failures, testFailure(100+n))
		if err := l.Commit(g); err != nil {
			return err
		}
		for range results {
			shown(n)
			n++
		}
		return l.Commit(marked(keyOf(&g.Results[0])))
	}
	first, err := run("run1")
	if err != nil {
		return err
	}
	if err := commit(first, 3); err != nil {
		return err
	}
	second, err := run("run2")
	if err != nil {
		return err
	}
	for i, l := range []*Ledger{second, first, second} {
		if err := commit(l, i+1); err != nil {
			return err
		}
	}
	intent := intentOf("s1", 1, 50, 52)
	for _, step := range []ShardEntry{intent, {Shard: "s1", Step: ShardUploaded, Time: testTime(), FileID: "f"}} {
		if err := first.Commit(&Group{Shards: []ShardEntry{step}}); err != nil {
			return err
		}
	}
	return commit(second, 2)
}

// TestPowerCuts cuts the power at every step of a job. Whatever is left of what was not synced, the
// ledger opens, has every result that was shown, and takes more.
func TestPowerCuts(t *testing.T) {
	t.Parallel()
	for _, fsync := range []Fsync{FsyncAlways, FsyncNever} {
		cuts := 0
		for ; ; cuts++ {
			dir := t.TempDir()
			path := filepath.Join(dir, "ledger.jsonl")
			power := disktest.NewPowerCut(cuts)
			shown := 0
			err := smallJob(path, fsync, power, func(int) {
				if !power.Off() {
					shown++
				}
			})
			if !power.Off() {
				if err != nil {
					t.Fatal(err)
				}
				break
			}
			if err != nil && !errors.Is(err, disktest.ErrPower) { // none where only room was to be given back
				t.Fatalf("power cut at step %d: %v", cuts, err)
			}
			for name, survival := range survivals {
				for _, named := range []bool{true, false} {
					if err := power.Restart(dir, survival, named); err != nil {
						t.Fatal(err)
					}
					safe := shown
					if fsync == FsyncNever {
						safe = 0
					}
					if err := afterPowerCut(path, safe); err != nil {
						left, _ := os.ReadFile(path)
						t.Fatalf("fsync %s, power cut at step %d, %s left: %v, of\n%q", fsync, cuts, name, err, left)
					}
				}
			}
		}
		if cuts < 20 {
			t.Errorf("the job has %d steps", cuts)
		}
	}
}

// afterPowerCut opens a ledger, looks for results, and adds one.
func afterPowerCut(path string, results int) (err error) {
	l, err := Open(path, Options{Fsync: FsyncNever, Run: RunInfo{ID: "run3"}})
	if err != nil {
		return err
	}
	defer func() {
		err = disk.Both(err, l.Close())
		err = disk.Both(err, os.RemoveAll(path+".broken-run3"))
	}()
	for n := range results {
		r, got := testResult(n), new(Result)
		if found := l.Look(keyOf(&r)); found.Result == 0 {
			return fmt.Errorf("result %d was shown and is not there", n)
		} else if err := l.ReadMatch(found.Result, r.ID, &r.Request, got); err != nil {
			return err
		}
	}
	if err := l.Prepare(); err != nil {
		return err
	}
	if err := l.Commit(resultsOf(90, 91)); err != nil {
		return err
	}
	return Scan(path, nil, func(Entry) error { return nil })
}
