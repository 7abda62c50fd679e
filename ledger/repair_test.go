package ledger

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"llmpipe/ledger/line"
)

// repaired is what a repair keeps and loses, in memory.
func repaired(t testing.TB, data []byte) (kept, lost []byte, stats RepairStats) {
	t.Helper()
	kept, lost, stats, err := repair(data)
	if err != nil {
		t.Fatal(err)
	}
	return kept, lost, stats
}

func repair(data []byte) (kept, lost []byte, stats RepairStats, err error) {
	r := repairer{
		scan: scanner{path: "x"},
		keep: func(text []byte) error { kept = append(append(kept, text...), '\n'); return nil },
		lose: func(piece []byte) error { lost = append(append(lost, piece...), '\n'); return nil },
	}
	err = r.all(line.Section(bytes.NewReader(data), 0, int64(len(data))))
	return kept, lost, r.stats, err
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

func TestRepairLeavesAHealthyLedgerAlone(t *testing.T) {
	data, starts := smallLedger(t)
	lines := int64(len(starts) - 1)
	blank := append(append(bytes.Clone(data[:starts[1]]), '\n'), data[starts[1]:]...) // as an editor may leave it
	for name, c := range map[string]struct {
		content []byte
		healthy bool
	}{
		"whole": {data, true}, "empty": {nil, true}, "a line with nothing in it": {blank, true},
		"without the last newline": {data[:len(data)-1], false},
		"torn":                     {data[:len(data)-9], false},
		"with carriage returns":    {bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n")), false},
		"a newline damaged":        {append(append(bytes.Clone(data[:starts[1]-1]), 'x'), data[starts[1]:]...), false},
	} {
		path := testPath(t)
		write(t, path, c.content)
		stats, err := Repair(path, path+".new")
		if err != nil || stats.Healthy != c.healthy {
			t.Errorf("%s: %+v, %v", name, stats, err)
		}
		if want := (RepairStats{Healthy: true, Kept: lines}); len(c.content) > 0 && c.healthy && stats != want {
			t.Errorf("%s: %+v, want %+v", name, stats, want)
		}
		if files, err := filepath.Glob(path + ".*"); err != nil || (len(files) == 0) != c.healthy {
			t.Errorf("%s: it left %q, %v", name, files, err)
		}
		if !bytes.Equal(read(t, path), c.content) {
			t.Errorf("%s: the ledger was changed", name)
		}
	}
}

func TestRepairFindsTheLinesInARuin(t *testing.T) {
	data, starts := smallLedger(t)
	at := func(n int) string { return string(data[starts[n] : starts[n+1]-1]) }
	full := string(data)
	later := strings.TrimSuffix(string(line.Seal([]byte(lineStart+`later","x":1`), 0)), "\n")
	double := strings.TrimSuffix(string(resultWith(t, `[{"a":1,"crc":"01234567"},{"kind":"result","i":"0"}]`)), "\n")
	for _, test := range []struct {
		name, ruin, kept, lost string
	}{
		{"a last newline is missing", full[:len(full)-1], full, ""},
		{"a torn line runs into the next", at(1)[:200] + at(2) + "\n", at(2) + "\n", at(1)[:200] + "\n"},
		{"torn at its start", at(1) + "\n{\"kind" + at(2) + "\n", at(1) + "\n" + at(2) + "\n", "{\"kind\n"},
		{"two seams side by side", at(1) + "x" + at(2) + "y" + at(3), at(1) + "\n" + at(2) + "\n" + at(3) + "\n", ""},
		{"a bad line between two seams", at(1) + "x" + at(2)[:100] + "#" + at(2)[101:] + "y" + at(3) + "\n",
			at(1) + "\n" + at(3) + "\n", "x" + at(2)[:100] + "#" + at(2)[101:] + "y\n"},
		{"nothing between two lines", at(1) + at(2) + "\n", at(1) + "\n" + at(2) + "\n", ""},
		{"much between two lines", at(1) + "\x00\x00" + at(2) + "  \n", at(1) + "\n" + at(2) + "\n", "\x00\x00\n  \n"},
		{"an editor's newlines", at(1) + "\r\n" + at(2) + "\r\n", at(1) + "\n" + at(2) + "\n", ""},
		{"a line of a later kind", at(1) + "x" + later + "y" + at(2), at(1) + "\n" + later + "\n" + at(2) + "\n", ""},
		{"a line that looks like two", double + "\n", double + "\n", ""},
		{"two of them", double + "x" + double + "\n", double + "\n" + double + "\n", ""},
		{"one behind a torn line", at(1)[:200] + double + "\n", double + "\n", at(1)[:200] + "\n"},
		{"one that is damaged", double[:100] + "#" + double[101:] + "\n", "", double[:100] + "#" + double[101:] + "\n"},
		{"a hole of zeros", at(1) + "\n" + strings.Repeat("\x00", 999) + "\n" + at(2), at(1) + "\n" + at(2) + "\n",
			strings.Repeat("\x00", 999) + "\n"},
		{"nothing", "", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			kept, lost, _ := repaired(t, []byte(test.ruin))
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
	text, err := line.AppendResult(nil, &r, "", false)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// An answer may hold what looks like the beginning of many lines, or like the ends of as many. A
// damaged one must not take hours.
func TestRepairIsNotSlowedByLookAlikes(t *testing.T) {
	for _, look := range []string{`{"kind":"x"},`, runStart + `1,"a":2},`, `{"a":1,"crc":"01234567"},`, runStart + `1,"crc":"01234567"},`} {
		line := resultWith(t, "["+strings.Repeat(look, 1<<18)+"1]")
		line[len(line)/2] ^= 1
		kept, lost, _ := repaired(t, line)
		if len(kept) > 0 || !bytes.Equal(lost, line) {
			t.Errorf("%s: kept %d bytes and lost %d of %d", look, len(kept), len(lost), len(line))
		}
	}
}

// A line that was sealed is one, whatever is in it: nothing in it is looked for.
func TestRepairTakesNoSealedLineApart(t *testing.T) {
	data, starts := smallLedger(t)
	whole := string(data[starts[1] : starts[2]-1])
	text := batchStart + `created` + shardStart + `s1` + timeStart + `2026-01-01T00:00:00.000Z","round":"x","y":[` + whole + `]`
	sealed := string(line.Seal([]byte(text), 0))
	if kept, lost, _ := repaired(t, []byte(sealed)); len(kept) > 0 || string(lost) != sealed {
		t.Errorf("kept %q and lost %q", kept, lost)
	}
	later := line.Seal([]byte(runStart+`2,"x":[`+whole+`]`), 0)
	if _, _, _, err := repair(later); !errors.Is(err, ErrVersion) {
		t.Errorf("a line of a later format: %v", err)
	}
}
