package ledger

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mend repairs in memory.
func mend(t testing.TB, data []byte) (kept, lost []byte, stats RepairStats) {
	t.Helper()
	m := mender{
		path: "x",
		keep: func(line []byte) error { kept = append(append(kept, line...), '\n'); return nil },
		lose: func(piece []byte) error { lost = append(append(lost, piece...), '\n'); return nil },
	}
	if err := m.mend(sectionLines(bytes.NewReader(data), 0, int64(len(data)))); err != nil {
		t.Fatal(err)
	}
	return kept, lost, m.stats
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
	for _, test := range []struct {
		name, ruin, kept, lost string
	}{
		{"a last newline is missing", full[:len(full)-1], full, ""},
		{"a torn line runs into the next", line(1)[:200] + line(2) + "\n", line(2) + "\n", line(1)[:200] + "\n"},
		{"torn at its start", line(1) + "\n{\"kind" + line(2) + "\n", line(1) + "\n" + line(2) + "\n", "{\"kind\n"},
		{"two seams side by side", line(1) + "x" + line(2) + "y" + line(3), line(1) + "\n" + line(2) + "\n" + line(3) + "\n", ""},
		{"a bad line between two seams", line(1) + "x" + line(2)[:100] + "#" + line(2)[101:] + "y" + line(3) + "\n",
			line(1) + "\n" + line(3) + "\n", line(2)[:100] + "#" + line(2)[101:] + "\n"},
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

// What looks like the end of one line and the beginning of the next may be in an answer.
func TestRepairKeepsAWholeLineThatLooksLikeTwo(t *testing.T) {
	r := testResult(0)
	r.Response = []byte(`[{"a":1,"crc":"01234567"},{"kind":"result","i":"0"}]`)
	line, err := appendResult(nil, &r, false)
	if err != nil {
		t.Fatal(err)
	}
	if kept, lost, _ := mend(t, line); !bytes.Equal(kept, line) {
		t.Errorf("kept %q and lost %q", kept, lost)
	}
}

// An answer may hold what looks like the beginning of many lines. A damaged one must not take hours.
func TestRepairIsNotSlowedByLookAlikes(t *testing.T) {
	r := testResult(0)
	r.Response = fmt.Appendf(nil, "[%s1]", strings.Repeat(`{"kind":"x"},`, 1<<18))
	line, err := appendResult(nil, &r, false)
	if err != nil {
		t.Fatal(err)
	}
	line[len(line)/2] ^= 1
	kept, lost, _ := mend(t, line)
	if len(kept) > 0 || !bytes.Equal(lost, line) {
		t.Errorf("kept %d bytes and lost %d of %d", len(kept), len(lost), len(line))
	}
}
