package ledger

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mend repairs in memory.
func mend(t testing.TB, data []byte) (kept, lost []byte, stats RepairStats) {
	t.Helper()
	kept, lost, stats, err := mendAll(data)
	if err != nil {
		t.Fatal(err)
	}
	return kept, lost, stats
}

func mendAll(data []byte) (kept, lost []byte, stats RepairStats, err error) {
	m := mender{
		scanner: scanner{path: "x"},
		keep:    func(line []byte) error { kept = append(append(kept, line...), '\n'); return nil },
		lose:    func(piece []byte) error { lost = append(append(lost, piece...), '\n'); return nil },
	}
	err = m.mend(sectionLines(bytes.NewReader(data), 0, int64(len(data))))
	return kept, lost, m.stats, err
}

func TestRepairWritesACleanLedgerBesideTheOld(t *testing.T) {
	data, starts := smallLedger(t)
	path := testPath(t)
	out := filepath.Join(filepath.Dir(path), "clean.jsonl")
	bad := bytes.Clone(data)
	bad[starts[2]+100] ^= 1
	write(t, path, bad)
	stats, err := Repair(path, out)
	if err != nil {
		t.Fatal(err)
	}
	lost := bad[starts[2]:starts[3]]
	want := RepairStats{Kept: int64(len(starts) - 2), Lost: 1, LostBytes: int64(len(lost) - 1), Aside: out + ".lost"}
	if stats != want {
		t.Errorf("stats %+v, want %+v", stats, want)
	}
	if got := read(t, out+".lost"); !bytes.Equal(got, lost) {
		t.Errorf("saved aside %q, want %q", got, lost)
	}
	if !bytes.Equal(read(t, path), bad) {
		t.Error("the old ledger was changed")
	}
	l := mustOpen(t, out, Options{})
	for _, n := range []int{0, 2} {
		checkHas(t, l, testResult(n))
	}
	if _, err := Repair(path, out); err == nil {
		t.Error("a second repair wrote over the first")
	}
	if !bytes.Equal(read(t, out+".lost"), lost) {
		t.Error("a repair that failed took away the file of one that did not")
	}
}

func TestRepairOfAWholeLedgerIsACopy(t *testing.T) {
	data, starts := smallLedger(t)
	path := testPath(t)
	write(t, path, data)
	stats, err := Repair(path, path+".new")
	if err != nil {
		t.Fatal(err)
	}
	if want := (RepairStats{Kept: int64(len(starts) - 1)}); stats != want {
		t.Errorf("stats %+v, want %+v", stats, want)
	}
	if !bytes.Equal(read(t, path+".new"), data) {
		t.Error("the copy is another")
	}
	if _, err := os.Stat(path + ".new.lost"); err == nil {
		t.Error("there is a file of lost lines, and no lost line")
	}
}

func TestRepairFindsTheLinesInARuin(t *testing.T) {
	data, starts := smallLedger(t)
	line := func(n int) string { return string(data[starts[n] : starts[n+1]-1]) }
	full := string(data)
	later := strings.TrimSuffix(string(seal([]byte(lineStart+`later","x":1`), 0)), "\n")
	double := strings.TrimSuffix(string(resultWith(t, `[{"a":1,"crc":"01234567"},{"kind":"result","i":"0"}]`)), "\n")
	for _, test := range []struct {
		name, ruin, kept, lost string
	}{
		{"a last newline is missing", full[:len(full)-1], full, ""},
		{"a torn line runs into the next", line(1)[:200] + line(2) + "\n", line(2) + "\n", line(1)[:200] + "\n"},
		{"torn at its start", line(1) + "\n{\"kind" + line(2) + "\n", line(1) + "\n" + line(2) + "\n", "{\"kind\n"},
		{"two seams side by side", line(1) + "x" + line(2) + "y" + line(3), line(1) + "\n" + line(2) + "\n" + line(3) + "\n", ""},
		{"a bad line between two seams", line(1) + "x" + line(2)[:100] + "#" + line(2)[101:] + "y" + line(3) + "\n",
			line(1) + "\n" + line(3) + "\n", "x" + line(2)[:100] + "#" + line(2)[101:] + "y\n"},
		{"nothing between two lines", line(1) + line(2) + "\n", line(1) + "\n" + line(2) + "\n", ""},
		{"much between two lines", line(1) + "\x00\x00" + line(2) + "  \n", line(1) + "\n" + line(2) + "\n", "\x00\x00\n  \n"},
		{"an editor's newlines", line(1) + "\r\n" + line(2) + "\r\n", line(1) + "\n" + line(2) + "\n", ""},
		{"a line of a later kind", line(1) + "x" + later + "y" + line(2), line(1) + "\n" + later + "\n" + line(2) + "\n", ""},
		{"a line that looks like two", double + "\n", double + "\n", ""},
		{"two of them", double + "x" + double + "\n", double + "\n" + double + "\n", ""},
		{"one behind a torn line", line(1)[:200] + double + "\n", double + "\n", line(1)[:200] + "\n"},
		{"one that is damaged", double[:100] + "#" + double[101:] + "\n", "", double[:100] + "#" + double[101:] + "\n"},
		{"a hole of zeros", line(1) + "\n" + strings.Repeat("\x00", 999) + "\n" + line(2), line(1) + "\n" + line(2) + "\n",
			strings.Repeat("\x00", 999) + "\n"},
		{"nothing", "", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			kept, lost, _ := mend(t, []byte(test.ruin))
			if string(kept) != test.kept {
				t.Errorf("kept\n%s\nwant\n%s", kept, test.kept)
			}
			if string(lost) != test.lost {
				t.Errorf("lost\n%s\nwant\n%s", lost, test.lost)
			}
		})
	}
}

// resultWith is the line of a result with a response.
func resultWith(t testing.TB, response string) []byte {
	t.Helper()
	r := testResult(0)
	r.Response = []byte(response)
	line, err := appendResult(nil, &r, false)
	if err != nil {
		t.Fatal(err)
	}
	return line
}

// An answer may hold what looks like the beginning of many lines, or like the ends of as many. A damaged one must not take hours.
func TestRepairIsNotSlowedByLookAlikes(t *testing.T) {
	for _, look := range []string{`{"kind":"x"},`, runStart + `1,"a":2},`, `{"a":1,"crc":"01234567"},`, runStart + `1,"crc":"01234567"},`} {
		line := resultWith(t, "["+strings.Repeat(look, 1<<18)+"1]")
		line[len(line)/2] ^= 1
		kept, lost, _ := mend(t, line)
		if len(kept) > 0 || !bytes.Equal(lost, line) {
			t.Errorf("%s: kept %d bytes and lost %d of %d", look, len(kept), len(lost), len(line))
		}
	}
}

// A line that was sealed is one, whatever is in it: nothing in it is looked for.
func TestRepairTakesNoSealedLineApart(t *testing.T) {
	data, starts := smallLedger(t)
	whole := string(data[starts[1] : starts[2]-1])
	line := string(seal([]byte(batchStart+`created`+shardStart+`s1`+timeStart+`2026-01-01T00:00:00.000Z","round":"x","y":[`+whole+`]`), 0))
	if kept, lost, _ := mend(t, []byte(line)); len(kept) > 0 || string(lost) != line {
		t.Errorf("kept %q and lost %q", kept, lost)
	}
	later := seal([]byte(runStart+`2,"x":[`+whole+`]`), 0)
	if _, _, _, err := mendAll(later); !errors.Is(err, ErrVersion) {
		t.Errorf("a line of a later format: %v", err)
	}
}
