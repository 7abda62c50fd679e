package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDamagedLedger flips a byte in the middle: everything refuses the ledger and says where and
// what to do, and what it says helps.
func TestDamagedLedger(t *testing.T) {
	const records = 20
	j := newLedgerJob(t, records)
	j.done(records)
	text := j.content()
	at := bytes.Index(text, []byte(`"id":7,`))
	line := bytes.LastIndexByte(text[:at], '\n') + 1
	text[at+len(`"id":7,`)+20] ^= 0x01
	writeFile(t, j.dir, "job.jsonl", string(text))
	where, hint := fmt.Sprintf("reading ledger job.jsonl at byte %d: checksum mismatch", line), "hint: run llmpipe repair job.jsonl "
	p, code := j.run()
	j.refused(p, code, text, records, where, hint)
	for _, command := range []string{"export", "report"} {
		p := llmpipe(t, j.dir, command, "job.jsonl")
		code := p.exit(t)
		p.out.Reset() // what stands before the damage may be written
		j.refused(p, code, text, records, where, hint)
	}

	repair := llmpipe(t, j.dir, "repair", "job.jsonl")
	if code := repair.exit(t); code != 0 || !strings.Contains(repair.err.String(), "1 piece (") {
		t.Errorf("repair: exit %d: %s", code, &repair.err)
	}
	if !bytes.Equal(j.content(), text) {
		t.Error("repair changed the damaged ledger")
	}
	lost, err := os.ReadFile(j.ledger + ".repaired.lost")
	if end := line + bytes.IndexByte(text[line:], '\n') + 1; err != nil || !bytes.Equal(lost, text[line:end]) {
		t.Errorf("lost %q, %v, want %q", lost, err, text[line:end])
	}
	again := llmpipe(t, j.dir, "repair", "job.jsonl")
	code = again.exit(t)
	j.refused(again, code, text, records, "job.jsonl.repaired", "hint: move that file away, or name another with --out")
	if err := os.Rename(j.ledger+".repaired", j.ledger); err != nil {
		t.Fatal(err)
	}
	j.done(records)
	if n := j.sim.stats(t).Requests; n != records+1 {
		t.Errorf("%d requests, want the %d and the one that was damaged", n, records)
	}
}

// TestTornLedger cuts the last answer's line, as a machine that loses power does: the next run says
// so, keeps what it cut off, and goes on.
func TestTornLedger(t *testing.T) {
	const records = 20
	j := newLedgerJob(t, records)
	j.done(records)
	text := j.content()
	text = text[:bytes.LastIndex(text, []byte(`{"kind":"end"`))] // which a run that is cut off does not write
	writeFile(t, j.dir, "job.jsonl", string(text[:len(text)-10]))
	p, code := j.run()
	if code != 0 || !strings.Contains(p.err.String(), "its last line was torn") {
		t.Errorf("exit %d: %s", code, &p.err)
	}
	checkOnceEach(t, "output", parseOutput(p.out.Bytes()).ids, records)
	checkOnceEach(t, "ledger", recorded(t, j.ledger), records)
	start := bytes.LastIndexByte(text[:len(text)-1], '\n') + 1
	aside, err := filepath.Glob(j.ledger + ".broken-*")
	if err != nil || len(aside) != 1 {
		t.Fatalf("files aside: %q, %v", aside, err)
	}
	if saved, err := os.ReadFile(aside[0]); err != nil || !bytes.Equal(saved, text[start:len(text)-10]) {
		t.Errorf("%q was saved, %v, want %q", saved, err, text[start:len(text)-10])
	}
	if n := j.sim.stats(t).Requests; n != records+1 {
		t.Errorf("%d requests, want the %d and the one that was torn", n, records)
	}
}

// TestNotALedger names things that are no ledgers as one.
func TestNotALedger(t *testing.T) {
	const another = "hint: name another file with --ledger"
	j := newLedgerJob(t, 3)
	for _, test := range []struct{ name, content, want, hint string }{
		{"text", "Dear diary,\ntoday\n", "not a ledger: it begins with \"Dear diary,", another},
		{"text without a newline", "x", "not a ledger", another},
		{"prompts", `{"id":1,"prompt":"hello"}` + "\n", "not a ledger", another},
		{"answers", `{"id":1,"content":"hello"}` + "\n", "not a ledger", another},
		{"gzip", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", "it is compressed (gzip)", "hint: decompress it first"},
	} {
		writeFile(t, j.dir, "job.jsonl", test.content)
		p, code := j.run()
		j.refused(p, code, []byte(test.content), 0, "opening ledger job.jsonl: ", test.want, test.hint)
	}
	if err := os.Remove(j.ledger); err != nil {
		t.Fatal(err)
	}
	p, code := j.run("--ledger", "no/such/directory/job.jsonl")
	j.refused(p, code, nil, 0, "nothing was sent: writing ledger no/such/directory/job.jsonl", "hint: name a writable ledger")
	if err := os.Mkdir(j.ledger, 0o777); err != nil {
		t.Fatal(err)
	}
	p, code = j.run()
	j.refused(p, code, nil, 0, "opening ledger", "not a regular file")
}

// TestLedgerIsTheOutput: one file cannot be both, nor the file of --summary.
func TestLedgerIsTheOutput(t *testing.T) {
	j := newLedgerJob(t, 3)
	out, err := os.Create(j.ledger)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	p := j.filter()
	p.Stdout = out
	j.refused(p, p.exit(t), []byte{}, 0, "--ledger job.jsonl is the output")
	p, code := j.run("--summary", "job.jsonl")
	j.refused(p, code, []byte{}, 0, "--summary job.jsonl is the ledger")
}
