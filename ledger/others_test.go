package ledger

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"pgregory.net/rapid"
)

// What other ledgers hold is found as if cat had put them behind one another, behind what the own
// one holds, and nothing of them counts as spent here.
func TestOthersAreOneLedger(t *testing.T) {
	dir := t.TempDir()
	trial := 0
	rapid.Check(t, func(t *rapid.T) {
		trial++
		ids := rapid.SliceOfN(rapid.SliceOfN(rapid.IntRange(0, 30), 0, 8), 1, 5).Draw(t, "ids in each ledger, the first of them the own")
		var paths []string
		newest := map[int]string{}
		for n, held := range ids {
			path := fmt.Sprintf("%s/%d-%d.jsonl", dir, trial, n)
			paths = append(paths, path)
			if err := os.WriteFile(path, nil, filePerm); err != nil { // a commit of nothing makes none
				t.Fatal(err)
			}
			l, err := Open(path, Options{Fsync: FsyncNever})
			if err != nil {
				t.Fatal(err)
			}
			b := new(Group)
			for i, id := range held {
				r := testResult(id)
				r.Response = fmt.Appendf(nil, `{"ledger":%d,"line":%d}`, n, i)
				b.Results = append(b.Results, r)
			}
			if err := errors.Join(l.Commit(b), l.Close()); err != nil {
				t.Fatal(err)
			}
		}
		for n := 1; n <= len(ids); n++ { // the last word is the own ledger's
			of := n % len(ids)
			for i, id := range ids[of] {
				newest[id] = fmt.Sprintf(`{"ledger":%d,"line":%d}`, of, i)
			}
		}
		alone, err := Open(paths[0], Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer alone.Close()
		l, err := Open(paths[0], Options{Others: paths[1:]})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		own := alone.Summary()
		sum := l.Summary()
		others := sum.Others
		sum.Others = 0
		if sum != own {
			t.Fatalf("%+v, and %+v with others", own, sum)
		}
		theirs := map[int]bool{}
		for _, held := range ids[1:] {
			for _, id := range held {
				theirs[id] = true
			}
		}
		if others != int64(len(theirs)) {
			t.Errorf("%d results in others, want %d", others, len(theirs))
		}
		reader := l.NewReader()
		for id := range 31 {
			want := testResult(id)
			found := l.Look(KeyOf(want.ID, &want.Request))
			if (found.Result != 0) != (newest[id] != "") || found.Other != 0 {
				t.Fatalf("id %d: %+v, want %q", id, found, newest[id])
			}
			if found.Result == 0 {
				continue
			}
			var got Result
			if err := reader.ReadMatch(found.Result, want.ID, &want.Request, &got); err != nil || string(got.Response) != newest[id] {
				t.Errorf("id %d: %s, %v, want %s", id, got.Response, err, newest[id])
			}
			if l.Recent(found.Result) {
				t.Errorf("id %d was recorded before, and counts as new", id)
			}
		}
	})
}

// Simulated answers of others exist for simulated runs and for rehearsals, as the own ones do.
func TestOthersOfASimulator(t *testing.T) {
	theirs := testPath(t)
	mustCommit(t, mustOpen(t, theirs, Options{Simulated: true}), &Group{Results: []Result{testResult(1)}})
	for _, test := range []struct {
		o    Options
		want int64
	}{{Options{}, 0}, {Options{Simulated: true}, 1}, {Options{Rehearsal: true}, 1}} {
		test.o.Others = []string{theirs}
		l := mustOpen(t, testPath(t), test.o)
		if got := l.Summary().Others; got != test.want || l.LeftOut() != (test.want == 0) {
			t.Errorf("simulated %v, rehearsal %v: %d, left out %v", test.o.Simulated, test.o.Rehearsal, got, l.LeftOut())
		}
	}
}

// One that is damaged is refused by its name.
func TestOthersThatAreDamaged(t *testing.T) {
	path := testPath(t)
	mustCommit(t, mustOpen(t, path, Options{}), &Group{Results: []Result{testResult(1), testResult(2)}})
	data := read(t, path)
	data[len(data)/2] ^= 1
	write(t, path, data)
	_, err := Open(testPath(t), Options{Others: []string{path}})
	var damage *DamageError
	var other *OtherError
	if !errors.As(err, &damage) || damage.Path != path || !errors.As(err, &other) {
		t.Errorf("%v", err)
	}
}
