package e2e

import (
	"slices"
	"strings"
	"testing"
)

// checkSameLines compares lines in any order.
func checkSameLines(t testing.TB, what string, got, want []string) {
	t.Helper()
	got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestExportIsWhatTheFilterWrote: a line is the same when it is answered, replayed and exported, in
// every format.
func TestExportIsWhatTheFilterWrote(t *testing.T) {
	const records = 30
	j := newLedgerJob(t, records)
	first := j.lines(j.filter())
	checkOnceEach(t, "first run", parseOutput([]byte(strings.Join(first, "\n")+"\n")).ids, records)
	for _, format := range []string{"result", "raw", "batch", "text"} {
		exported := j.command("export", "-l", "job.jsonl", "-f", format)
		checkSameLines(t, format, exported, j.lines(j.filter("-f", format)))
		if len(exported) != records {
			t.Errorf("%s: %d lines", format, len(exported))
		}
	}
	checkSameLines(t, "as they were answered", j.command("export", "job.jsonl"), first)
	if n := j.sim.stats(t).Requests; n != records {
		t.Errorf("%d requests, want %d", n, records)
	}
}

// TestExportOfEditedRecords: of a record that was asked again, the newest answer alone.
func TestExportOfEditedRecords(t *testing.T) {
	const records = 20
	j := newLedgerJob(t, records)
	j.lines(j.filter())
	last := j.lines(j.filter("--set", "max_tokens=5"))
	checkSameLines(t, "edited", j.command("export", "job.jsonl"), last)
	if ids := recorded(t, j.ledger); len(ids) != records || ids["7"] != 2 {
		t.Errorf("record 7 is %d times in the ledger, want both", ids["7"])
	}
}

// TestExportSample chooses as the filter's --sample does: the same records each time, all of them
// in a larger sample.
func TestExportSample(t *testing.T) {
	j := newLedgerJob(t, 40)
	j.lines(j.filter())
	five := j.command("export", "job.jsonl", "--sample", "5")
	if len(five) != 5 {
		t.Fatalf("%d lines", len(five))
	}
	checkSameLines(t, "again", j.command("export", "job.jsonl", "--sample", "5"), five)
	checkSameLines(t, "the filter's", j.lines(j.filter("--sample", "5")), five)
	twelve := j.command("export", "job.jsonl", "--sample", "12")
	for _, line := range five {
		if !slices.Contains(twelve, line) {
			t.Errorf("a larger sample is without %s", line)
		}
	}
	if len(twelve) != 12 {
		t.Errorf("%d lines, want 12", len(twelve))
	}
	if other := j.command("export", "job.jsonl", "--sample", "12", "--seed", "1"); slices.Equal(other, twelve) {
		t.Error("another seed makes no difference")
	}
	if all := j.command("export", "job.jsonl", "--sample", "100"); len(all) != 40 {
		t.Errorf("%d lines of a sample larger than the ledger", len(all))
	}
}

// TestCompressedLedgers are read by export and report, and left alone by all who would write.
func TestCompressedLedgers(t *testing.T) {
	const records = 25
	j := newLedgerJob(t, records)
	want := j.lines(j.filter())
	report := j.command("report", "job.jsonl", "--json")
	plain := string(j.content())
	for kind, content := range map[string]string{"gz": gzipped(t, plain), "zst": zstandard(t, plain)} {
		name := "old." + kind
		writeFile(t, j.dir, name, content)
		checkSameLines(t, name, j.command("export", name), want)
		checkSameLines(t, name+" by -l", j.command("export", "-l", name), want)
		checkSameLines(t, name, j.command("report", name, "--json"), report)
		both := strings.Join(j.command("report", name, "job.jsonl"), "\n")
		if !strings.Contains(both, "records   25: 25 answered; 0 failed") || !strings.Contains(both, "attempts  50 answers") {
			t.Errorf("two ledgers: %q", both)
		}
		p := j.filter("-l", name)
		code := p.exit(t)
		j.refused(p, code, nil, records, "it is compressed", "hint: ")
		if readFile(t, j.dir, name) != content {
			t.Errorf("%s was changed", name)
		}
		writeFile(t, j.dir, name, content[:len(content)/2])
		p = llmpipe(t, j.dir, "export", name)
		if code := p.exit(t); code != 1 || !strings.Contains(p.err.String(), "error: reading ledger "+name) {
			t.Errorf("half of %s: exit %d: %s", name, code, &p.err)
		}
	}
}
