package ledger

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"llmpipe/ledger/disk"
)

func TestAdmitKnowsWhatTheRunHasMet(t *testing.T) {
	var (
		a1 = Key{ID: 1, Request: 10}
		a2 = Key{ID: 1, Request: 20}
		b1 = Key{ID: 2, Request: 10}
	)
	l := mustOpen(t, testPath(t), Options{})
	steps := []struct {
		what string
		key  Key
		want Seen
	}{
		{"a first record", a1, NotSeen},
		{"the same again", a1, SeenSame},
		{"its id under another request", a2, SeenOther},
		{"that duplicate again", a2, SeenOther},
		{"the first is not forgotten over it", a1, SeenSame},
		{"another id under the same request", b1, NotSeen},
	}
	for _, step := range steps {
		if got := l.Look(step.key).Seen; got != step.want {
			t.Errorf("%s: look %v, want %v", step.what, got, step.want)
		}
		if got := l.Admit(step.key).Seen; got != step.want {
			t.Errorf("%s: admit %v, want %v", step.what, got, step.want)
		}
	}
	if n := l.Summary().Results; n != 0 {
		t.Errorf("%d results for records that were only met", n)
	}
}

func TestAnEditedRequestFindsTheNewestOther(t *testing.T) {
	path := testPath(t)
	l := mustOpen(t, path, Options{})
	b := resultsOf(0, 3)
	for i := range b.Results {
		b.Results[i].ID = []byte(`"same"`)
	}
	mustCommit(t, l, b)
	edited := testResult(7)
	edited.ID = b.Results[0].ID
	for _, l := range []*Ledger{l, mustOpen(t, path, Options{})} {
		found := l.Admit(keyOf(&edited))
		if found.Result != 0 || found.Seen != NotSeen || found.Other == 0 {
			t.Fatalf("found %+v, want another's result only", found)
		}
		var got Result
		if err := l.ReadMatch(found.Other, edited.ID, nil, &got); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Response, b.Results[2].Response) {
			t.Errorf("found %s, want the newest, %s", got.Response, b.Results[2].Response)
		}
	}
}

func TestReadMatchComparesWhatTheHashesStandFor(t *testing.T) {
	l := mustOpen(t, testPath(t), Options{})
	mustCommit(t, l, resultsOf(0, 1))
	r := testResult(0)
	ref := l.Look(keyOf(&r)).Result
	almost := r.Request
	almost[31]++
	var got Result
	if err := l.ReadMatch(ref, []byte(`"r1"`), &r.Request, &got); !errors.Is(err, ErrMismatch) {
		t.Errorf("another id: %v", err)
	}
	if err := l.ReadMatch(ref, r.ID, &almost, &got); !errors.Is(err, ErrMismatch) {
		t.Errorf("another request: %v", err)
	}
	if err := l.ReadMatch(ref, r.ID, nil, &got); err != nil {
		t.Errorf("any request: %v", err)
	}
	for _, ref := range []Ref{0, ref + 1, 1 << 40} {
		if err := l.Read(ref, &got); err == nil {
			t.Errorf("no error for ref %d, where no line begins", ref)
		}
	}
}

func TestSimulatedResultsDoNotExistForARealRun(t *testing.T) {
	path := testPath(t)
	simulated := mustOpen(t, path, Options{Simulated: true, Emitted: &disk.ID{Device: 1, Inode: 2}})
	b := resultsOf(0, 2)
	b.Marks = marked(keyOf(&b.Results[0])).Marks
	mustCommit(t, simulated, b)

	real := mustOpen(t, path, Options{Emitted: &disk.ID{Device: 1, Inode: 2}})
	if got := real.Summary(); got != (Summary{}) {
		t.Errorf("a real run counts %+v of a simulated one", got)
	}
	if found := real.Look(keyOf(&b.Results[0])); found != (Found{}) {
		t.Errorf("a real run finds %+v of a simulated one", found)
	}
	mustCommit(t, real, resultsOf(5, 6))

	again := mustOpen(t, path, Options{Simulated: true})
	for _, n := range []int{0, 1, 5} {
		r := testResult(n)
		r.Simulated = n < 5
		checkHas(t, again, r)
	}
	if got, want := again.Summary(), (Summary{Results: 3, SpentNanos: 3 * 13800, Simulated: 2 * 13800}); got != want {
		t.Errorf("a simulated run counts %+v, want %+v", got, want)
	}
}

// Of two records alike in one run both are written, also when the first one's mark is in the ledger
// before the second is read.
func TestEmittedIsOfBeforeTheMeeting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	options := Options{Emitted: &disk.ID{Device: 1, Inode: 2}}
	l := mustOpen(t, path, options)
	k := Key{ID: 1, Request: 2}
	l.Admit(k)
	mustCommit(t, l, marked(k))
	if l.Admit(k).Emitted {
		t.Error("written by this run counts as written before it")
	}
	if !mustOpen(t, path, options).Admit(k).Emitted {
		t.Error("the next run does not know what was written")
	}
}

func TestEmittedIsOfOneFile(t *testing.T) {
	path := testPath(t)
	here, there := disk.ID{Device: 1, Inode: 1 << 60}, disk.ID{Device: 1, Inode: 3}
	l := mustOpen(t, path, Options{Emitted: &here})
	b := resultsOf(0, 3)
	mustCommit(t, l, b)
	mustCommit(t, l, marked(keyOf(&b.Results[0]), keyOf(&b.Results[2]), Key{ID: 77, Request: 78}))
	nowhere := mustOpen(t, path, Options{})
	size := fileSize(t, path)
	mustCommit(t, nowhere, marked(keyOf(&b.Results[1])))
	if fileSize(t, path) != size {
		t.Error("a mark for no file was written down")
	}
	for _, test := range []struct {
		name string
		l    *Ledger
		want [3]bool
	}{
		{"the run that wrote", l, [3]bool{true, false, true}},
		{"the next to the same file", mustOpen(t, path, Options{Emitted: &here}), [3]bool{true, false, true}},
		{"one to another file", mustOpen(t, path, Options{Emitted: &there}), [3]bool{}},
		{"one to a pipe", nowhere, [3]bool{}},
	} {
		for n, want := range test.want {
			if found := test.l.Look(keyOf(&b.Results[n])); found.Emitted != want || found.Result == 0 {
				t.Errorf("%s: result %d: %+v, want emitted %v", test.name, n, found, want)
			}
		}
		if n := test.l.Summary().Results; n != 3 {
			t.Errorf("%s: %d results", test.name, n)
		}
	}
	if found := l.Look(Key{ID: 77, Request: 78}); !found.Emitted || found.Result != 0 || found.Seen != NotSeen {
		t.Errorf("a mark without a result: %+v", found)
	}
}

func fileSize(t testing.TB, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// A run that asks a simulator over the network, and may learn so late, has the simulated results
// and a real run's batches.
func TestRehearsal(t *testing.T) {
	path := testPath(t)
	b := resultsOf(0, 2)
	for i := range b.Results {
		b.Results[i].Simulated = true
	}
	late := mustOpen(t, path, Options{})
	late.Rehearse()
	mustCommit(t, late, b)
	knows := func(l *Ledger, want bool) {
		t.Helper()
		if got := l.Look(keyOf(&b.Results[1])).Result != 0; got != want {
			t.Errorf("finds a simulated result: %v, want %v", got, want)
		}
	}
	knows(late, true)
	if late.LeftOut() {
		t.Error("left out what it found")
	}
	real := mustOpen(t, path, Options{})
	knows(real, false)
	if !real.LeftOut() {
		t.Error("a real run does not know that it left something out")
	}
	knows(mustOpen(t, path, Options{Rehearsal: true}), true)
}
