package stream

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"llmpipe/ledger"
	"llmpipe/ledger/disk"
	"llmpipe/ledger/disk/disktest"
	"llmpipe/stream/journal"
	"llmpipe/stream/ui"
)

// fewRecords is a job that is small enough to be run for each of its calls.
const fewRecords = 12

// idsIn are the ids in whole lines of output.
func idsIn(out []byte) (ids []string) {
	for line := range bytes.Lines(out) {
		if id, _, ok := bytes.Cut(bytes.TrimPrefix(line, []byte(`{"id":`)), []byte(",")); ok && line[len(line)-1] == '\n' {
			ids = append(ids, string(id))
		}
	}
	return ids
}

// answeredIn are the ids of a ledger's results. It must be one that opens.
func answeredIn(t *testing.T, path string) map[string]bool {
	t.Helper()
	l, err := ledger.Open(path, ledger.Options{Simulated: true})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ids := make(map[string]bool)
	err = ledger.Scan(path, nil, func(e ledger.Entry) error {
		if e.Result != nil {
			ids[string(e.Result.ID)] = true
		}
		return nil
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return ids
}

// tryOn runs the small job with its ledger on a file system. A run that does not begin is one that
// failed.
func tryOn(t *testing.T, path string, fsys disk.FS, stdout io.Writer) *trial {
	t.Helper()
	r := &trial{}
	cfg := Config{
		Stdin: prompts(fewRecords), Stdout: stdout, Stderr: &r.said, MaxLine: 1 << 20,
		Ledger:  journal.Config{Path: path, FS: fsys},
		Retries: 1,
	}
	cfg.Provider.BaseURL, cfg.Provider.Connections = "sim:?latency=0", 4
	cfg.Pace.Concurrency = 4
	cfg.Decode.Model = "m"
	var err error
	if r.Outcome, err = Run(t.Context(), cfg); err != nil {
		r.Outcome = &Outcome{Err: err}
	}
	if errors.Is(r.Err, errMiscount) {
		t.Error(r.Err)
	}
	return r
}

// litWriter takes what is written as long as there is power.
type litWriter struct {
	bytes.Buffer
	power *disktest.PowerCut
}

func (w *litWriter) Write(p []byte) (int, error) {
	if w.power.Off() {
		return len(p), nil
	}
	return w.Buffer.Write(p)
}

// TestPowerCutsOfARun: at whatever step of a job the power goes, and whatever is left of what was
// not synced, nothing that was shown is missing from the ledger, which opens.
func TestPowerCutsOfARun(t *testing.T) {
	cuts := 0
	for ; ; cuts++ {
		dir := t.TempDir()
		path := filepath.Join(dir, "ledger.jsonl")
		out := &litWriter{power: disktest.NewPowerCut(cuts)}
		r := tryOn(t, path, out.power, out)
		if !out.power.Off() {
			if r.Err != nil || len(idsIn(out.Bytes())) != fewRecords {
				t.Fatalf("without a cut: %v, %d lines", r.Err, len(idsIn(out.Bytes())))
			}
			break
		}
		for name, survival := range map[string]disktest.Survival{
			"nothing": disktest.Nothing, "everything": disktest.Everything, "half": disktest.Torn(50),
			"not the first": disktest.Without(0, 1<<30), "every other": disktest.Without(1, 2),
		} {
			for _, named := range []bool{false, true} {
				if err := out.power.Restart(dir, survival, named); err != nil {
					t.Fatal(err)
				}
				safe := answeredIn(t, path)
				for _, id := range idsIn(out.Bytes()) {
					if !safe[id] {
						t.Fatalf("power cut at step %d, %s left: record %s was shown, and is not recorded", cuts, name, id)
					}
				}
				var again bytes.Buffer
				if r := tryOn(t, path, nil, &again); r.Err != nil || len(idsIn(again.Bytes())) != fewRecords {
					t.Fatalf("power cut at step %d, %s left: then %v, %d lines", cuts, name, r.Err, len(idsIn(again.Bytes())))
				}
			}
		}
	}
	if cuts < 5 {
		t.Errorf("a run has %d steps", cuts)
	}
}

// TestFaultsOfARun: whatever call of a job fails, and however, the run ends as failed and says what
// to do, unless it got over it; nothing that was shown is missing from the ledger, which opens; and
// the same command does the rest.
func TestFaultsOfARun(t *testing.T) {
	for _, fault := range []struct {
		err  error
		part int
	}{
		{syscall.EIO, 0}, {syscall.EIO, 50}, {syscall.ENOSPC, 0}, {syscall.ENOSPC, 99}, {nil, 30}, {nil, 0},
	} {
		calls := 0
		for ; ; calls++ {
			path := filepath.Join(t.TempDir(), "ledger.jsonl")
			fsys := disktest.NewFault(calls, fault.err, fault.part)
			var out bytes.Buffer
			r := tryOn(t, path, fsys, &out)
			what := fmt.Sprintf("%s, call %d fails with %v, %d%% done", fsys.What(), calls, fault.err, fault.part)
			shown := idsIn(out.Bytes())
			if r.Err == nil && len(shown) != fewRecords {
				t.Fatalf("%s: no error, and %d lines", what, len(shown))
			}
			if r.Err != nil && fault.err != nil && !errors.Is(r.Err, fault.err) {
				t.Errorf("%s: the error is %v", what, r.Err)
			}
			if r.Err != nil && !strings.Contains(r.Err.Error(), "ledger") {
				t.Errorf("%s: the error is %v", what, r.Err)
			}
			if hint := ui.HintOf(r.Err); r.Err != nil && hint == "" {
				t.Errorf("%s: no hint with %v", what, r.Err)
			}
			safe := answeredIn(t, path)
			for _, id := range shown {
				if !safe[id] {
					t.Fatalf("%s: record %s was shown, and is not recorded", what, id)
				}
			}
			var again bytes.Buffer
			if r := tryOn(t, path, nil, &again); r.Err != nil || len(idsIn(again.Bytes())) != fewRecords {
				t.Fatalf("%s: then %v, %d lines", what, r.Err, len(idsIn(again.Bytes())))
			}
			if !fsys.Over() {
				break
			}
		}
		if calls < 10 {
			t.Errorf("a run makes %d calls", calls)
		}
	}
}
