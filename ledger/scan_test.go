package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"llmpipe/ledger/disk"
	"llmpipe/ledger/line"
)

func TestScanGivesBackWhatWasCommitted(t *testing.T) {
	path := testPath(t)
	run := RunInfo{ID: "run1", Time: testTime(), Version: "v1", Endpoint: "chat", Model: "m", Provider: "p", Simulated: true}
	l := mustOpen(t, path, Options{Run: run, Simulated: true, Emitted: &disk.ID{Device: 3, Inode: 4}})
	failed := testFailure(5)
	failed.Billed, failed.CostNanos, failed.PromptTokens = true, 77, 5
	failed.Message = "bad \xff byte"
	unknown := testFailure(6)
	unknown.Billed, unknown.CostKnown, unknown.Status, unknown.Code = true, false, 0, ""
	b := resultsOf(0, 1)
	b.Failures = append(b.Failures, failed, unknown, testFailure(7))
	b.Marks = []Mark{{Keys: []Key{{ID: 1, Request: 2}, {ID: 3, Request: 4}}, Proof: Proof{From: 5, To: 99, Sum: 7, Within: true}}}
	mustCommit(t, l, b)

	var got []string
	err := Scan(path, nil, func(e Entry) error {
		switch {
		case e.Run != nil:
			got = append(got, fmt.Sprintf("%+v", *e.Run))
		case e.Result != nil:
			got = append(got, describe(*e.Result))
		case e.Failure != nil:
			got = append(got, describeFailure(*e.Failure))
		case e.Emitted != nil:
			got = append(got, fmt.Sprintf("%+v", *e.Emitted))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	b.Results[0].Simulated = true
	failed.Message = "bad \ufffd byte"
	third := testFailure(7)
	want := []string{fmt.Sprintf("%+v", run), describe(b.Results[0])}
	for _, f := range []Failure{failed, unknown, third} {
		f.Simulated = true
		want = append(want, describeFailure(f))
	}
	mark := line.Emitted{File: disk.ID{Device: 3, Inode: 4}, Empty: true, Keys: b.Marks[0].Keys, Proof: b.Marks[0].Proof, Simulated: true}
	want = append(want, fmt.Sprintf("%+v", mark))
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("scanned\n%s\nwant\n%s", g, w)
	}
}

func describeFailure(f Failure) string {
	return fmt.Sprintf("id %s %+v billed %t %s %s %d %s", f.ID, f.Record, f.Billed, f.Type, f.Code, f.Status, f.Message)
}

func TestScanReadsCompressedLedgers(t *testing.T) {
	data, starts := smallLedger(t)
	split := starts[3]
	for name, compressed := range map[string][]byte{
		"plain":        data,
		"gzip":         gzipped(t, data),
		"gzip members": append(gzipped(t, data[:split]), gzipped(t, data[split:])...),
		"zstd":         zstandard(t, data),
		"zstd frames":  append(zstandard(t, data[:split]), zstandard(t, data[split:])...),
	} {
		t.Run(name, func(t *testing.T) {
			path := testPath(t)
			write(t, path, compressed)
			var lines bytes.Buffer
			if err := Scan(path, nil, func(e Entry) error {
				if e.Offset != int64(lines.Len()) {
					t.Errorf("offset %d, want %d", e.Offset, lines.Len())
				}
				_, err := fmt.Fprintf(&lines, "%s\n", e.Line)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(lines.Bytes(), data) {
				t.Errorf("scanned %q", lines.Bytes())
			}
			if name == "plain" {
				return
			}
			write(t, path, compressed[:len(compressed)-5])
			if err := Scan(path, nil, func(Entry) error { return nil }); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("cut short: %v", err)
			}
		})
	}
}

func gzipped(t *testing.T, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zstandard(t *testing.T, data []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(data, nil)
}

func TestScanStopsWhereItMust(t *testing.T) {
	data, starts := smallLedger(t)
	path := testPath(t)
	count := func() (lines int, err error) {
		err = Scan(path, nil, func(Entry) error { lines++; return nil })
		return lines, err
	}

	write(t, path, data[:len(data)-10])
	if lines, err := count(); err != nil || lines != len(starts)-2 {
		t.Errorf("a torn tail: %d lines, %v", lines, err)
	}
	bad := bytes.Clone(data)
	bad[starts[2]+80] ^= 4
	write(t, path, bad)
	damage := (*DamageError)(nil)
	if lines, err := count(); lines != 2 || !errors.As(err, &damage) || damage.Offset != int64(starts[2]) {
		t.Errorf("damage: %d lines, %v", lines, err)
	}
	write(t, path, []byte("note\n"))
	if _, err := count(); !errors.Is(err, ErrNotLedger) {
		t.Errorf("not a ledger: %v", err)
	}
	write(t, path, nil)
	if lines, err := count(); lines != 0 || err != nil {
		t.Errorf("an empty file: %d lines, %v", lines, err)
	}
	if err := Scan(path+".none", nil, func(Entry) error { return nil }); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	write(t, path, data)
	if err := Scan(path, nil, func(Entry) error { return errDisk }); err != errDisk {
		t.Errorf("an error of the function's own: %v", err)
	}
}

// malformedLines are lines with the right checksum and a beginning that can be read, and with
// members behind it that can't be. Opening a ledger finds the first ones, as it reads no more of
// the others than their beginning.
func malformedLines() (found, passed [][]byte) {
	const when = timeStart + `2026-01-01T00:00:00.000Z`
	step := func(name string) string { return batchStart + name + shardStart + `s1` + when + `"` }
	hash := strings.Repeat("0", 64)
	id := `0123456789abcdef` + requestStart + hash + when + costStart + `0`
	seals := func(bodies ...string) (lines [][]byte) {
		for _, body := range bodies {
			lines = append(lines, line.Seal([]byte(body), 0))
		}
		return lines
	}
	return seals(
			step("intent")+`,"round":"x"`+keysStart+`]`,
			step("intent")+keysStart+`"12"]`,
			step("intent"),
			step("uploaded")+`,"bytes":true`,
			emittedStart+`0000000000000000:0000000000000000"`+sizeStart+`1`+keysStart+`"12"]`,
		), seals(
			step("intent")+`,"round":1`+keysStart+`"`+hash[:32]+`"],"records":[{"id":`,
			resultStart+id+`,"id":1,"prompt_tokens":8.5,"response":{}`,
			resultStart+id+`,"id":1`,
			failureStart+id+`,"status":{}`,
			runStart+`1,"time":"now"`,
			shareStart+`job","runs":[{"run":"a"}]`,
			shareStart+`job","runs":[{"run":"a","ledger":"l","spent_usd":null}]`,
		)
}

// TestMalformedLinesAreDamage: what opening finds damaged scanning does too, and repairing takes
// out.
func TestMalformedLinesAreDamage(t *testing.T) {
	data, starts := smallLedger(t)
	found, passed := malformedLines()
	for i, line := range slices.Concat(found, passed) {
		ledger := slices.Concat(data, line)
		path := testPath(t)
		write(t, path, ledger)
		damaged := func(err error) bool {
			damage := (*DamageError)(nil)
			return errors.As(err, &damage) && damage.Offset == int64(starts[len(starts)-1])
		}
		l, err := Open(path, Options{Simulated: true, Emitted: &disk.ID{}})
		if err == nil {
			_ = l.Close()
		}
		if damaged(err) != (i < len(found)) {
			t.Errorf("%sopened: %v", line, err)
		}
		records := bytes.Contains(line, []byte(`"records"`)) // which are read when the batch is collected
		if err := Scan(path, nil, func(Entry) error { return nil }); !damaged(err) && !records {
			t.Errorf("%sscanned: %v", line, err)
		}
		if kept, lost, _ := repaired(t, ledger); !bytes.Equal(kept, data) || !bytes.Equal(lost, line) {
			t.Errorf("%skept %d bytes of %d and lost %q", line, len(kept), len(data), lost)
		}
	}
}

// FuzzScan: whatever a file holds, reading it ends in an error or in lines that verify, opening it
// agrees, and repairing it gives something that opens and scans, if it gives anything.
func FuzzScan(f *testing.F) {
	data, starts := smallLedger(f)
	f.Add(data)
	f.Add(data[starts[1]:])
	f.Add(line.Seal([]byte(`{"kind":"emitted","file":"0:0","keys":[]`), 0))
	f.Add(line.Seal([]byte(`{"kind":"result","i":"`), 0))
	f.Add(line.Seal([]byte(`{"kind":"batch"`), 0))
	found, passed := malformedLines()
	for _, line := range slices.Concat(found, passed) {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		path := testPath(t)
		for _, content := range [][]byte{content, sealedLines(content)} {
			write(t, path, content)
			lines := 0
			scanErr := Scan(path, nil, func(e Entry) error { lines++; return line.Verify(e.Line) })
			results := int64(0)
			l, openErr := Open(path, Options{Simulated: true})
			if openErr == nil {
				results = l.Summary().Results
				if err := l.Close(); err != nil {
					t.Fatal(err)
				}
			} else if scanErr == nil && compression(content) == "" {
				t.Fatalf("scanned %d lines, but not opened: %v", lines, openErr)
			}
			if repaired, _, _, err := repair(content); err == nil {
				write(t, path, repaired)
				if err := Scan(path, nil, func(Entry) error { return nil }); err != nil {
					t.Fatalf("repaired, but not whole: %v", err)
				}
				if got := mustOpen(t, path, Options{Simulated: true}).Summary().Results; got < results && scanErr == nil {
					t.Fatalf("%d results are left of %d", got, results)
				}
			}
		}
	})
}

// sealedLines gives every line a right checksum, so that fuzzing gets past it.
func sealedLines(content []byte) (sealed []byte) {
	for text := range bytes.Lines(content) {
		text = bytes.TrimSuffix(text, []byte("\n"))
		start := len(sealed)
		sealed = append(sealed, text[:max(0, len(text)-line.SumLen)]...)
		sealed = line.Seal(sealed, start)
	}
	return sealed
}

// Blank lines at the end, as an editor may leave them, are no damage: the ledger goes on behind
// them.
func TestBlankLines(t *testing.T) {
	for _, blank := range []string{"\n", "\n\n\n", "\r\n", " \t\n\n"} {
		data, _ := smallLedger(t)
		path := testPath(t)
		write(t, path, append(data, blank...))
		l := mustOpen(t, path, Options{})
		if err := l.Refresh(); err != nil {
			t.Fatalf("%q: %v", blank, err)
		}
		mustCommit(t, l, resultsOf(10, 12))
		if got := read(t, path); !bytes.HasPrefix(got, append(data, blank...)) {
			t.Errorf("%q: what stood there was written over", blank)
		}
		l = mustOpen(t, path, Options{})
		for _, n := range []int{0, 2, 10, 11} {
			checkHas(t, l, testResult(n))
		}
		scanned := 0
		if err := Scan(path, nil, func(Entry) error { scanned++; return nil }); err != nil || scanned < 5 {
			t.Errorf("%q: %d lines, %v", blank, scanned, err)
		}
		if kept, lost, stats := repaired(t, read(t, path)); len(lost) > 0 || stats.Lost > 0 || resultsIn(kept) != resultsIn(read(t, path)) {
			t.Errorf("%q: %+v, %q lost", blank, stats, lost)
		}
		if leftovers, err := filepath.Glob(path + ".broken-*"); err != nil || len(leftovers) > 0 {
			t.Errorf("%q: %q were saved aside, %v", blank, leftovers, err)
		}
	}
}
