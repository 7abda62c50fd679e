package ledger

import (
	"testing"

	"llmpipe/ledger/disk"
)

// A file that results are written to may be cut and keep its inode: what it held before must not
// pass for what it holds now.
func TestMarksOfACutFileAreForgotten(t *testing.T) {
	file, other := disk.ID{Device: 1, Inode: 2}, disk.ID{Device: 1, Inode: 3}
	b := resultsOf(0, 2)
	first, second := keyOf(&b.Results[0]), keyOf(&b.Results[1])
	mark := func(t *testing.T, l *Ledger, size int64, keys ...Key) {
		t.Helper()
		mustCommit(t, l, &Group{Emitted: keys, EmittedSize: size})
	}
	tests := []struct {
		name string
		then func(t *testing.T, path string) // after both were written to file, up to byte 200
		size int64                           // of file, when the next run begins
		want [2]bool
	}{
		{"nothing happened", func(*testing.T, string) {}, 200, [2]bool{true, true}},
		{"it grew", func(*testing.T, string) {}, 300, [2]bool{true, true}},
		{"it was cut before the next run", func(*testing.T, string) {}, 199, [2]bool{}},
		{"it was emptied before the next run", func(*testing.T, string) {}, 0, [2]bool{}},
		{"a run that began with it empty died before its first line", func(t *testing.T, path string) {
			mustCommit(t, mustOpen(t, path, Options{Emitted: &file}), &Group{})
		}, 200, [2]bool{}},
		{"a simulated run began with it empty", func(t *testing.T, path string) {
			mustCommit(t, mustOpen(t, path, Options{Emitted: &file, Simulated: true}), &Group{})
		}, 200, [2]bool{}},
		{"a run that began with it empty wrote one line", func(t *testing.T, path string) {
			l := mustOpen(t, path, Options{Emitted: &file})
			mustCommit(t, l, &Group{})
			mark(t, l, 100, second)
		}, 200, [2]bool{false, true}},
		{"it was cut and written to", func(t *testing.T, path string) {
			mark(t, mustOpen(t, path, Options{Emitted: &file, EmittedSize: 50}), 150, first)
		}, 150, [2]bool{true, false}},
		{"another file was emptied", func(t *testing.T, path string) {
			mustCommit(t, mustOpen(t, path, Options{Emitted: &other}), &Group{})
		}, 200, [2]bool{true, true}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := testPath(t)
			l := mustOpen(t, path, Options{Emitted: &file})
			mustCommit(t, l, b)
			mark(t, l, 200, first, second)
			test.then(t, path)
			next := mustOpen(t, path, Options{Emitted: &file, EmittedSize: test.size})
			for i, k := range []Key{first, second} {
				if found := next.Look(k); found.Emitted != test.want[i] || found.Result == 0 {
					t.Errorf("record %d: %+v, want emitted %v", i, found, test.want[i])
				}
			}
		})
	}
}

func TestABatchWithNothingInItIsWrittenOnceForAnEmptyFile(t *testing.T) {
	path := testPath(t)
	l := mustOpen(t, path, Options{Emitted: &disk.ID{Device: 1, Inode: 2}})
	mustCommit(t, l, &Group{})
	size := fileSize(t, path)
	mustCommit(t, l, &Group{})
	if size == 0 || fileSize(t, path) != size {
		t.Errorf("%d bytes after the first commit, %d after the second", size, fileSize(t, path))
	}
}
