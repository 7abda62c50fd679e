package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"llmpipe/ledger/disk"
	"llmpipe/ledger/line"
)

// smallLedger returns the bytes of a ledger of every kind of line, and the offsets its lines begin
// at, the file's size last.
func smallLedger(t testing.TB) (data []byte, starts []int) {
	t.Helper()
	path := testPath(t)
	l := mustOpen(t, path, Options{Run: RunInfo{ID: "run1", Time: testTime(), Model: "m"}, Emitted: &disk.ID{Device: 1, Inode: 2}})
	b := resultsOf(0, 2)
	b.Failures = append(b.Failures, testFailure(8))
	b.Marks = []Mark{{Keys: []Key{keyOf(&b.Results[0]), keyOf(&b.Results[1])}, Proof: proofOf(outputLines, 0, 26)}}
	mustCommit(t, l, b)
	mustCommit(t, l, resultsOf(2, 3))
	commitShardLife(t, l)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	starts = []int{0}
	for i, c := range data {
		if c == '\n' {
			starts = append(starts, i+1)
		}
	}
	return data, starts
}

func write(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// resultsIn counts the result lines.
func resultsIn(data []byte) int { return bytes.Count(data, []byte(resultStart)) }

func TestTruncatedAnywhereItLosesTheTornLineOnly(t *testing.T) {
	data, starts := smallLedger(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "ledger.jsonl")
	for size := range len(data) + 1 {
		whole := 0
		for _, start := range starts {
			if start <= size {
				whole = start
			}
		}
		write(t, path, data[:size])
		var warned []string
		l, err := Open(path, Options{Fsync: FsyncNever, Run: RunInfo{ID: "run2"}, Warn: func(s string) { warned = append(warned, s) }})
		if err != nil {
			t.Fatalf("cut to %d bytes: %v", size, err)
		}
		if got, want := l.Summary().Results, int64(resultsIn(data[:whole])); got != want {
			t.Fatalf("cut to %d bytes: %d results, want %d", size, got, want)
		}
		checkShardLines(t, l, data[:whole])
		mustCommit(t, l, resultsOf(20, 21))
		checkHas(t, l, testResult(20))
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if after := read(t, path); !bytes.HasPrefix(after, data[:whole]) || resultsIn(after) != resultsIn(data[:whole])+1 {
			t.Fatalf("cut to %d bytes and added to: %q", size, after)
		}
		aside := path + ".broken-run2"
		if whole == size {
			if len(warned) > 0 {
				t.Fatalf("cut to %d bytes, between two lines: warned %q", size, warned)
			}
			continue
		}
		if torn := read(t, aside); !bytes.Equal(torn, data[whole:size]) {
			t.Fatalf("cut to %d bytes: %q was saved aside, want %q", size, torn, data[whole:size])
		}
		if len(warned) != 1 || !strings.Contains(warned[0], aside) {
			t.Fatalf("cut to %d bytes: warned %q", size, warned)
		}
		if err := os.Remove(aside); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEveryTornTailIsKept(t *testing.T) {
	path := testPath(t)
	l := mustOpen(t, path, Options{Run: RunInfo{ID: "run1"}})
	for n, tail := range []string{"first", "second", "\x00\x00"} {
		mustCommit(t, l, resultsOf(n, n+1))
		write(t, path, append(read(t, path), tail...))
	}
	mustCommit(t, l, resultsOf(5, 6))
	for name, want := range map[string]string{"": "first", "-2": "second", "-3": "\x00\x00"} {
		if got := read(t, path+".broken-run1"+name); string(got) != want {
			t.Errorf("%q was saved in broken-run1%s, want %q", got, name, want)
		}
	}
}

func TestAFlippedByteIsFoundAndCostsItsRecord(t *testing.T) {
	data, starts := smallLedger(t)
	path := testPath(t)
	for _, flip := range []byte{0x01, 0x20, 0xff} {
		line := 0
		for at := range data {
			if at == starts[line+1] {
				line++
			}
			bad := bytes.Clone(data)
			bad[at] ^= flip
			last := at == len(data)-1
			write(t, path, bad)
			checkDamage(t, path, last, int64(starts[line]))
			want := append(bytes.Clone(data[:starts[line]]), data[starts[line+1]:]...)
			if data[at] == '\n' {
				want = data // the lines are whole, only what was behind them is not
			}
			if got, _, _ := repaired(t, bad); string(got) != string(want) {
				t.Fatalf("byte %d ^ %#x: repaired to\n%s\nwant\n%s", at, flip, got, want)
			}
		}
	}
}

// checkDamage fails unless the ledger is refused at the offset; a damaged last newline makes a torn
// tail, which is not damage.
func checkDamage(t *testing.T, path string, last bool, offset int64) {
	t.Helper()
	l, err := Open(path, Options{})
	if last && err == nil {
		if got := l.end; got != offset {
			t.Fatalf("the ledger ends at byte %d, want %d", got, offset)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		return
	}
	damage := (*DamageError)(nil)
	if !errors.As(err, &damage) {
		t.Fatalf("opening: %v, want damage at byte %d", err, offset)
	}
	if want := fmt.Sprintf("reading ledger %s at byte %d: %v", path, offset, damage.Err); err.Error() != want {
		t.Fatalf("opening: %v, want %s", err, want)
	}
}

func TestWhatIsNoLedgerIsRefusedAndLeftAlone(t *testing.T) {
	for name, content := range map[string]string{
		"a line of text":        "dear diary\n",
		"text without newline":  "dear diary",
		"results of a pipeline": `{"id":"r1","content":"yes"}` + "\n",
		"an empty line":         "\n",
		"zeros and a newline":   strings.Repeat("\x00", 100) + "\n",
		"gzip":                  "\x1f\x8b\x08\x00\x00",
		"zstd":                  "\x28\xb5\x2f\xfd\x00\n",
	} {
		t.Run(name, func(t *testing.T) {
			path := testPath(t)
			write(t, path, []byte(content))
			if _, err := Open(path, Options{}); !errors.Is(err, ErrNotLedger) {
				t.Errorf("open: %v", err)
			}
			if _, err := Repair(path, path+".out"); !errors.Is(err, ErrNotLedger) {
				t.Errorf("repair: %v", err)
			}
			if got := read(t, path); string(got) != content {
				t.Errorf("the file is now %q", got)
			}
			if _, err := os.Stat(path + ".out"); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("repair left a file: %v", err)
			}
		})
	}
	if _, err := Open(t.TempDir(), Options{}); err == nil {
		t.Error("a directory was opened")
	}
}

func TestANewerFormatIsRefused(t *testing.T) {
	path := testPath(t)
	newer := line.Seal([]byte(`{"kind":"run","format":2,"what":"else"`), 0)
	write(t, path, newer)
	if _, err := Open(path, Options{}); !errors.Is(err, ErrVersion) {
		t.Errorf("open: %v", err)
	}
	if err := Scan(path, nil, func(Entry) error { return nil }); !errors.Is(err, ErrVersion) {
		t.Errorf("scan: %v", err)
	}
	if _, err := Repair(path, path+".out"); !errors.Is(err, ErrVersion) {
		t.Errorf("repair: %v", err)
	}
}

func TestKindsAndMembersOfLaterVersionsAreSkipped(t *testing.T) {
	path := testPath(t)
	l := mustOpen(t, path, Options{Fsync: FsyncNever})
	mustCommit(t, l, resultsOf(0, 1))
	later := line.Seal([]byte(`{"kind":"batch","step":"pondered"`), 0)
	later = append(later, line.Seal([]byte(`{"kind":"weather","rain":true`), 0)...)
	r := testResult(1)
	text, err := line.AppendResult(nil, &r, "", false)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.Replace(text[:len(text)-1-line.SumLen], []byte(`,"response":`), []byte(`,"mood":["good",{"very":1}],"response":`), 1)
	later = append(later, line.Seal(text, 0)...)
	write(t, path, append(read(t, path), later...))
	mustCommit(t, l, resultsOf(2, 3))
	for n := range 3 {
		checkHas(t, l, testResult(n))
	}
	var kinds []string
	if err := Scan(path, nil, func(e Entry) error { kinds = append(kinds, string(e.Kind)); return nil }); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(kinds, " "), "run result batch weather result result"; got != want {
		t.Errorf("scanned %s, want %s", got, want)
	}

	whole := read(t, path)
	write(t, path, append(whole, "{\"kind\":\"weather\",\"rain\":true,\"crc\":\"00000000\"}\n"...))
	damage := (*DamageError)(nil)
	if _, err := Open(path, Options{}); !errors.As(err, &damage) || damage.Err != line.ErrChecksum {
		t.Errorf("an unknown kind with a wrong checksum: %v", err)
	}
	marks := line.Seal([]byte(`{"kind":"emitted","file":"0000000000000001:0000000000000002","size":0,"keys":["none"]`), 0)
	write(t, path, append(whole[:len(whole):len(whole)], marks...))
	if _, err := Open(path, Options{Emitted: &disk.ID{Device: 1, Inode: 2}}); !errors.As(err, &damage) || damage.Err != line.ErrMalformed {
		t.Errorf("marks without keys: %v", err)
	}
}

// swapFS calls swap once, before the second read of a file.
type swapFS struct {
	disk.OS
	reads int
	swap  func()
}

func (f *swapFS) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	file, err := f.OS.OpenFile(name, flag, perm)
	return swapFile{file, f}, err
}

type swapFile struct {
	disk.File
	fs *swapFS
}

func (f swapFile) ReadAt(p []byte, at int64) (int, error) {
	if f.fs.reads++; f.fs.reads == 2 {
		f.fs.swap()
	}
	return f.File.ReadAt(p, at)
}

// While a ledger is read, another process may cut off a torn tail and write over it. The two halves
// that are then read are no damage.
func TestATailReplacedBetweenTwoReadsIsNoDamage(t *testing.T) {
	path := testPath(t)
	other := mustOpen(t, path, Options{Fsync: FsyncNever})
	mustCommit(t, other, resultsOf(0, 1))
	write(t, path, append(read(t, path), bytes.Repeat([]byte("x"), 3*line.ReadSize)...))
	long := resultsOf(1, 2)
	long.Results[0].Response = fmt.Appendf(nil, "%q", strings.Repeat("y", 2*line.ReadSize))
	swapped := &swapFS{swap: func() { mustCommit(t, other, long); mustCommit(t, other, resultsOf(2, 3)) }}
	l := mustOpen(t, path, Options{FS: swapped})
	checkHas(t, l, testResult(0))
	mustCommit(t, l, resultsOf(3, 4))
	checkHas(t, l, long.Results[0])
	checkHas(t, l, testResult(2))
}
