package ledger

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"testing"

	"llmpipe/ledger/disk"
	"llmpipe/ledger/line"
)

// marked is a group of marks that any file proves.
func marked(keys ...Key) *Group { return &Group{Marks: []Mark{{Keys: keys}}} }

// proofOf is what the bytes of a file between two offsets prove.
func proofOf(file string, from, to int) Proof {
	p := Proof{From: int64(from), To: int64(from)}
	p.Add([]byte(file[from:to]))
	return p
}

// earlierMark is a mark as earlier versions wrote them, without a proof.
func earlierMark(file disk.ID, size int, empty bool, keys ...Key) []byte {
	return line.AppendEmitted(nil, &line.Emitted{
		File: file, Proof: Proof{To: int64(size), Missing: true}, Empty: empty, Keys: keys,
	})
}

func appendTo(t *testing.T, path string, text []byte) {
	t.Helper()
	write(t, path, append(read(t, path), text...))
}

const outputLines = "{\"id\":\"id0\"}\n{\"id\":\"id1\"}\n{\"id\":\"id2\"}\n" // 13 bytes each, with the newline

// A file that results are written to may be cut, overwritten, or made anew, and keep its inode:
// what it held before must not pass for what it holds now.
func TestAMarkHoldsWhereTheFileProvesIt(t *testing.T) {
	file := disk.ID{Device: 1, Inode: 2}
	b := resultsOf(0, 3)
	keys := []Key{keyOf(&b.Results[0]), keyOf(&b.Results[1]), keyOf(&b.Results[2])}
	const other = "{\"id\":\"idX\"}\n"
	tests := []struct {
		name   string
		now    string // what the file holds
		want   [3]bool
		proven []Extent
	}{
		{"nothing happened", outputLines, [3]bool{true, true, true}, []Extent{{0, 39}}},
		{"it grew", outputLines + other, [3]bool{true, true, true}, []Extent{{0, 39}}},
		{"its last line was cut off", outputLines[:26], [3]bool{true, true, false}, []Extent{{0, 26}}},
		{"it was cut amid a line", outputLines[:25], [3]bool{true, false, false}, []Extent{{0, 13}}},
		{"it was emptied", "", [3]bool{}, nil},
		{"it was made anew, and is longer", other + other + other + other, [3]bool{}, nil},
		{"its first line was overwritten", other + outputLines[13:], [3]bool{false, true, true}, []Extent{{13, 39}}},
		{"its second line was overwritten", outputLines[:13] + other + outputLines[26:], [3]bool{true, false, true}, []Extent{{0, 13}, {26, 39}}},
		{"a byte was changed", outputLines[:38] + " ", [3]bool{true, true, false}, []Extent{{0, 26}}},
		{"a line was put before", other + outputLines, [3]bool{}, nil},
		{"zeros are in its place", string(make([]byte, 39)), [3]bool{}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := testPath(t)
			l := mustOpen(t, path, Options{Emitted: &file})
			mustCommit(t, l, b)
			for i, k := range keys {
				mustCommit(t, l, &Group{Marks: []Mark{{Keys: []Key{k}, Proof: proofOf(outputLines, 13*i, 13*i+13)}}})
			}
			next := mustOpen(t, path, Options{
				Emitted: &file, EmittedSize: int64(len(test.now)), EmittedFile: bytes.NewReader([]byte(test.now)),
			})
			for i, k := range keys {
				if found := next.Look(k); found.Emitted != test.want[i] || found.Claimed || found.Result == 0 {
					t.Errorf("record %d: %+v, want emitted %v", i, found, test.want[i])
				}
			}
			if w := next.Written(); !slices.Equal(w.Proven, test.proven) || !w.Began || w.Claimed {
				t.Errorf("written %+v, want %v proven", w, test.proven)
			}
			unread := mustOpen(t, path, Options{Emitted: &file, EmittedSize: int64(len(test.now))})
			if found := unread.Look(keys[0]); found.Emitted {
				t.Error("of a file that cannot be read")
			}
		})
	}
}

// What proves marks may be as long as it likes, and lie within what others prove.
func TestProofsOfAnySize(t *testing.T) {
	file := disk.ID{Device: 1, Inode: 2}
	text := bytes.Repeat([]byte("0123456789abcdef\n"), windowSize/5)
	b := resultsOf(0, 4)
	g := &Group{}
	for i, p := range []Proof{
		proofOf(string(text), 0, len(text)), proofOf(string(text), windowSize-1, windowSize+1),
		proofOf(string(text), 5, 5), proofOf(string(text), 3*windowSize, len(text)),
	} {
		p.Within = i > 0
		g.Marks = append(g.Marks, Mark{Keys: []Key{keyOf(&b.Results[i])}, Proof: p})
	}
	path := testPath(t)
	l := mustOpen(t, path, Options{Emitted: &file})
	mustCommit(t, l, b)
	mustCommit(t, l, g)
	next := mustOpen(t, path, Options{Emitted: &file, EmittedSize: int64(len(text)), EmittedFile: bytes.NewReader(text)})
	for i := range b.Results {
		if !next.Look(keyOf(&b.Results[i])).Emitted {
			t.Errorf("record %d is not known", i)
		}
	}
	if w := next.Written(); !slices.Equal(w.Proven, []Extent{{0, int64(len(text))}}) {
		t.Errorf("proven %v", w.Proven)
	}
}

// Ledgers of two hosts with the same files, in one: each host's marks hold where its own file is.
func TestMarksOfClonedHosts(t *testing.T) {
	file := disk.ID{Device: 1, Inode: 2}
	var ledgers [2][]byte
	var outputs [2]string
	for host := range ledgers {
		path := testPath(t)
		l := mustOpen(t, path, Options{Emitted: &file})
		for n := range 5 {
			b := resultsOf(10*host+n, 10*host+n+1)
			mustCommit(t, l, b)
			text := fmt.Sprintf("{\"id\":%s}\n", b.Results[0].ID)
			from := len(outputs[host])
			outputs[host] += text
			mustCommit(t, l, &Group{Marks: []Mark{{Keys: []Key{keyOf(&b.Results[0])}, Proof: proofOf(outputs[host], from, from+len(text))}}})
		}
		ledgers[host] = read(t, path)
	}
	for host, output := range outputs {
		for order := range 2 {
			path := testPath(t)
			write(t, path, append(bytes.Clone(ledgers[order]), ledgers[1-order]...))
			l := mustOpen(t, path, Options{Emitted: &file, EmittedSize: int64(len(output)), EmittedFile: bytes.NewReader([]byte(output))})
			for other := range 2 {
				for n := range 5 {
					r := testResult(10*other + n)
					if found := l.Look(keyOf(&r)); found.Emitted != (other == host) || found.Result == 0 {
						t.Errorf("host %d, record %s: %+v", host, r.ID, found)
					}
				}
			}
		}
	}
}

// Marks without a proof are claims. A file may be cut and keep its inode: those of before are then
// forgotten.
func TestClaimsOfACutFileAreForgotten(t *testing.T) {
	file, other := disk.ID{Device: 1, Inode: 2}, disk.ID{Device: 1, Inode: 3}
	b := resultsOf(0, 2)
	first, second := keyOf(&b.Results[0]), keyOf(&b.Results[1])
	tests := []struct {
		name string
		then []byte // in the ledger, after both were written to file, up to byte 200
		size int64  // of file, when the next run begins
		want [2]bool
	}{
		{"nothing happened", nil, 200, [2]bool{true, true}},
		{"it grew", nil, 300, [2]bool{true, true}},
		{"it was cut before the next run", nil, 199, [2]bool{}},
		{"it was emptied before the next run", nil, 0, [2]bool{}},
		{"a run began with it empty", earlierMark(file, 0, true), 200, [2]bool{}},
		{"it was cut and written to", earlierMark(file, 150, false, first), 150, [2]bool{true, false}},
		{"another file was emptied", earlierMark(other, 0, true), 200, [2]bool{true, true}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := testPath(t)
			mustCommit(t, mustOpen(t, path, Options{}), b)
			appendTo(t, path, earlierMark(file, 200, true, first, second))
			appendTo(t, path, test.then)
			next := mustOpen(t, path, Options{Emitted: &file, EmittedSize: test.size, EmittedFile: bytes.NewReader(nil)})
			for i, k := range []Key{first, second} {
				if found := next.Look(k); found.Claimed != test.want[i] || found.Emitted || found.Result == 0 {
					t.Errorf("record %d: %+v, want claimed %v", i, found, test.want[i])
				}
			}
			if w := next.Written(); w.Claimed != (test.want[0] || test.want[1]) {
				t.Errorf("written %+v", w)
			}
			mustCommit(t, next, marked(first, second))
			if w := mustOpen(t, path, Options{Emitted: &file, EmittedSize: 300}).Written(); w.Claimed {
				t.Errorf("claims are left when all are proven: %+v", w)
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

// A run verifies the marks of others, as they come, and takes its own as they are.
func TestMarksOfProcessesThatWriteToOneFile(t *testing.T) {
	file, path := disk.ID{Device: 1, Inode: 2}, testPath(t)
	output := testPath(t)
	write(t, output, nil)
	reader, err := os.Open(output)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	l := mustOpen(t, path, Options{Emitted: &file, EmittedFile: reader})
	other := mustOpen(t, path, Options{Emitted: &file, EmittedFile: reader})
	b := resultsOf(0, 3)
	mustCommit(t, l, b)
	write(t, output, []byte(outputLines))
	for i, by := range []*Ledger{l, other, other} {
		p := proofOf(outputLines, 13*i, 13*i+13)
		if i == 2 {
			p.Sum++ // it is not what the file holds
		}
		mustCommit(t, by, &Group{Marks: []Mark{{Keys: []Key{keyOf(&b.Results[i])}, Proof: p}}})
	}
	if err := l.Refresh(); err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{true, true, false} {
		if got := l.Look(keyOf(&b.Results[i])).Emitted; got != want {
			t.Errorf("record %d: emitted is %v", i, got)
		}
	}
}

// A newer result takes the place of one whose line was written: its own line is yet to be.
func TestANewerResultIsNotWritten(t *testing.T) {
	path, file := testPath(t), disk.ID{Device: 1, Inode: 2}
	text := []byte("a line\n")
	proof := Proof{}
	proof.Add(text)
	options := Options{Emitted: &file, EmittedSize: int64(len(text)), EmittedFile: bytes.NewReader(text)}
	r := testResult(0)
	l := mustOpen(t, path, options)
	mustCommit(t, l, resultsOf(0, 1))
	mustCommit(t, l, &Group{Marks: []Mark{{Keys: []Key{keyOf(&r)}, Proof: proof}}})
	if found := mustOpen(t, path, options).Look(keyOf(&r)); !found.Emitted {
		t.Fatalf("%+v", found)
	}
	mustCommit(t, l, resultsOf(0, 1))
	for name, l := range map[string]*Ledger{"as it was": l, "opened again": mustOpen(t, path, options)} {
		if found := l.Look(keyOf(&r)); found.Emitted {
			t.Errorf("%s: %+v", name, found)
		}
	}
}
