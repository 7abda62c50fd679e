package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"llmpipe/ledger/line"
)

// otherLedger returns the bytes of a ledger of results 10 and 11.
func otherLedger(t testing.TB) []byte {
	t.Helper()
	path := testPath(t)
	l := mustOpen(t, path, Options{Fsync: FsyncNever, Run: RunInfo{ID: "run9", Time: testTime(), Model: "m"}})
	mustCommit(t, l, resultsOf(10, 12))
	return read(t, path)
}

// readers are all that read a ledger: each returns how many results it finds, and what it warns of.
var readers = map[string]func(path string) (results int, warned []string, err error){
	"open": func(path string) (results int, warned []string, err error) {
		l, err := Open(path, Options{Fsync: FsyncNever, Warn: func(s string) { warned = append(warned, s) }})
		if err != nil {
			return 0, nil, err
		}
		for n := range 12 {
			r, got := testResult(n), new(Result)
			if found := l.Look(keyOf(&r)); found.Result != 0 {
				results++
				err = errors.Join(err, l.ReadMatch(found.Result, r.ID, &r.Request, got))
				if !bytes.Equal(got.Response, r.Response) {
					err = errors.Join(err, fmt.Errorf("result %d is %s", n, got.Response))
				}
			}
		}
		return results, warned, errors.Join(err, l.Close())
	},
	"scan": func(path string) (results int, warned []string, err error) {
		err = Scan(path, func(s string) { warned = append(warned, s) }, func(e Entry) error {
			if e.Result != nil {
				results++
			}
			return line.Verify(e.Line)
		})
		return results, warned, err
	},
	"latest": func(path string) (results int, warned []string, err error) {
		err = ScanLatest([]string{path}, func(s string) { warned = append(warned, s) },
			func(string, Entry) error { results++; return nil })
		return results, warned, err
	},
	"shards": func(path string) (results int, warned []string, err error) {
		_, err = ScanShards(path, func(s string) { warned = append(warned, s) })
		text, readErr := os.ReadFile(path)
		return resultsIn(text), warned, errors.Join(err, readErr)
	},
	"repair": func(path string) (results int, warned []string, err error) {
		kept, lost, _, err := repair(mustRead(path))
		if len(lost) > 0 {
			warned = append(warned, string(lost))
		}
		return resultsIn(kept), warned, err
	},
}

func mustRead(path string) []byte {
	text, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	return text
}

// cat a b is a ledger, wherever the last line of a is torn: that line is all that is lost.
func TestALedgerBehindATornOne(t *testing.T) {
	t.Parallel()
	data, starts := smallLedger(t)
	other := otherLedger(t)
	withoutRun := other[bytes.IndexByte(other, '\n')+1:]
	path, clean := testPath(t), testPath(t)
	for size := range len(data) + 1 {
		if end := bytes.IndexByte(data[size:], '\n'); size%13 > 0 && end > 2 && size > 20 {
			continue
		}
		whole := 0 // of the lines that are whole, the last one's newline not asked for
		for _, start := range starts {
			if start <= size+1 && start > 0 {
				whole = start
			}
		}
		for name, behind := range map[string][]byte{"": other, " without its run line": withoutRun} {
			write(t, path, append(bytes.Clone(data[:size]), behind...))
			write(t, clean, append(bytes.Clone(data[:whole]), behind...))
			torn := max(0, size-whole)
			for reader, read := range readers {
				results, warned, err := read(path)
				if err != nil {
					t.Fatalf("cut to %d bytes, then another ledger%s: %s: %v", size, name, reader, err)
				}
				want, _, err := read(clean)
				if err != nil {
					t.Fatal(err)
				}
				if reader != "shards" && results != want {
					t.Fatalf("cut to %d bytes, then another ledger%s: %s: %d results, want %d", size, name, reader, results, want)
				}
				if (torn > 0) != (len(warned) > 0) {
					t.Fatalf("cut to %d bytes, then another ledger%s: %s: warned %q", size, name, reader, warned)
				}
				if torn > 0 && reader != "repair" && !strings.Contains(warned[0], fmt.Sprintf("%d bytes at byte %d,", torn, whole)) {
					t.Fatalf("cut to %d bytes, then another ledger%s: %s: warned %q", size, name, reader, warned)
				}
			}
		}
	}
}

// Several ledgers may be torn one behind the other, and zeros stand where a power failure kept
// writes from the disk.
func TestTornLedgersOneBehindTheOther(t *testing.T) {
	data, _ := smallLedger(t)
	other := otherLedger(t)
	zeros := strings.Repeat("\x00", 100)
	path := testPath(t)
	for _, before := range []string{
		string(data[:20]) + string(other[:30]), string(data[:5]) + string(data[:5]) + string(data[:5]), string(data[:40]) + string(other[:3]),
		zeros, string(data[:40]) + zeros, zeros + string(data[:40]), "    ", "   " + string(data[:40]),
	} {
		write(t, path, append([]byte(before), other...))
		for reader, read := range readers {
			results, warned, err := read(path)
			if err != nil || results != 2 || len(warned) != 1 {
				t.Errorf("behind %q: %s: %d results, warned %q, %v", before, reader, results, warned, err)
			}
		}
	}
}

// A ledger with a torn line in it takes commits, and says what it leaves out once.
func TestAJoinedLedgerGoesOn(t *testing.T) {
	data, starts := smallLedger(t)
	path := testPath(t)
	write(t, path, append(bytes.Clone(data[:starts[2]+50]), otherLedger(t)...))
	var warned []string
	l := mustOpen(t, path, Options{Warn: func(s string) { warned = append(warned, s) }})
	mustCommit(t, l, resultsOf(1, 3))
	for _, n := range []int{0, 1, 2, 10, 11} {
		checkHas(t, l, testResult(n))
	}
	if len(warned) != 1 {
		t.Errorf("warned %q", warned)
	}
	// Another ledger is added behind a torn end while this one is open, and one of a single line.
	write(t, path, append(append(read(t, path), data[:30]...), data[:starts[1]]...))
	mustCommit(t, l, resultsOf(4, 5))
	checkHas(t, l, testResult(4))
	if len(warned) != 2 {
		t.Errorf("warned %q", warned)
	}
	write(t, path, append(append(read(t, path), data[:30]...), data...))
	if err := l.Refresh(); err != nil {
		t.Fatal(err)
	}
	mustCommit(t, l, resultsOf(3, 4))
	if len(warned) != 3 {
		t.Errorf("warned %q", warned)
	}
	checkHas(t, l, testResult(3))
}

// What is no torn line is damage still, also before a line that is whole.
func TestWhatIsNoTornLineIsDamage(t *testing.T) {
	data, starts := smallLedger(t)
	first, second := data[:starts[1]-1], data[starts[1]:starts[2]-1]
	other := otherLedger(t)
	bad := bytes.Clone(second)
	bad[len(bad)/2] ^= 1
	path := testPath(t)
	for name, text := range map[string][]byte{
		"a whole line with a bad byte":     append(bytes.Clone(bad), other...),
		"a byte behind a whole line":       append(append(bytes.Clone(second), '*'), other...),
		"a space behind a whole line":      append(append(bytes.Clone(second), ' '), other...),
		"a bad byte in a torn line":        append(append(bytes.Clone(second[:50]), 0xff, '"', 'x'), other...),
		"the rest of a line":               append(bytes.Clone(second[10:]), other...),
		"the middle of a line":             append(bytes.Clone(second[10:60]), other...),
		"a torn line before a torn one":    append(append(bytes.Clone(second[:50]), other[:60]...), '\n'),
		"a torn line with a newline":       append(append(bytes.Clone(second[:50]), '\n'), other...),
		"another's line":                   append([]byte(`{"id":1}`), other...),
		"half of another's line":           append([]byte(`{"id":`), other...),
		"a torn line before a damaged one": append(append(bytes.Clone(second[:50]), bad...), '\n'),
	} {
		write(t, path, append(append(bytes.Clone(first), '\n'), text...))
		for reader, read := range readers {
			var damage *DamageError
			if _, _, err := read(path); reader != "repair" && (!errors.As(err, &damage) || damage.Offset != int64(len(first)+1)) {
				t.Errorf("%s: %s: %v", name, reader, err)
			}
		}
	}
}
