//go:build unix

package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var lostAnswers = regexp.MustCompile(`(\d+) answers in flight could not be recorded`)

// TestFullLedger lets the ledger grow up to some limits, as on a disk that is full: the run stops
// and says so, what it has shown is safe, and where there is no room for an answer none is asked
// for.
func TestFullLedger(t *testing.T) {
	const records = 300
	j := newLedgerJob(t, records)
	lost := 0
	for _, blocks := range []int{1, 3, 17, 40, 63} {
		p := shell(t, j.dir, `ulimit -f $1; exec llmpipe --base-url "$2" -m gpt-4o-mini -c 8 -l job.jsonl prompts.jsonl`,
			strconv.Itoa(blocks), j.sim.URL)
		code := p.exit(t)
		said := p.err.String()
		for _, want := range []string{"writing ledger job.jsonl: ", "file too large", "hint: "} {
			if code != 1 || !strings.Contains(said, want) {
				t.Errorf("%d blocks: exit %d, said %q, without %q", blocks, code, said, want)
			}
		}
		if nothing := strings.Contains(said, "error: nothing was sent: "); nothing != (blocks < 8) { // a block of the disk
			t.Errorf("%d blocks: said %q", blocks, said)
		}
		if m := lostAnswers.FindStringSubmatch(said); m != nil {
			n, _ := strconv.Atoi(m[1])
			lost += n
		}
		if text := j.content(); len(text) > 0 && text[len(text)-1] != '\n' {
			t.Errorf("%d blocks: the ledger ends amid a line", blocks)
		}
		ids := recorded(t, j.ledger)
		checkOnceEach(t, "ledger", ids, len(ids))
		shown := parseOutput(p.out.Bytes())
		for id := range shown.ids {
			if ids[id] == 0 {
				t.Errorf("%d blocks: record %s was shown and is not recorded", blocks, id)
			}
		}
		// What was shown is all that is recorded, too: nothing is kept back that is safe.
		if len(shown.ids) != len(ids) || shown.torn != 0 {
			t.Errorf("%d blocks: %d shown and %d lines that are not whole, of %d recorded", blocks, len(shown.ids), shown.torn, len(ids))
		}
		if n := j.sim.stats(t).Answered; n != len(ids)+lost {
			t.Errorf("%d blocks: %d answers, %d recorded, and %d were said to be lost", blocks, n, len(ids), lost)
		}
	}
	j.done(records)
	if n := j.sim.stats(t).Answered; n != records+lost {
		t.Errorf("%d answers, want %d and the %d that were lost", n, records, lost)
	}
}

// TestFullOutput: when stdout takes no more, what is in flight is recorded.
func TestFullOutput(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("there is no /dev/full")
	}
	defer full.Close()
	const records = 600 // more than can be asked by the time that the first are written
	j := newLedgerJob(t, records)
	p := j.filter("-c", "8")
	p.Stdout = full
	if code := p.exit(t); code != 1 || !strings.Contains(p.err.String(), "error: writing to stdout: ") {
		t.Errorf("exit %d: %s", code, &p.err)
	}
	asked := j.sim.stats(t).Requests
	if n := len(recorded(t, j.ledger)); n != asked || n == records {
		t.Errorf("%d recorded of %d asked", n, asked)
	}
	j.done(records)
	if n := j.sim.stats(t).Requests; n != records {
		t.Errorf("%d requests, want %d", n, records)
	}
}

// ordinary makes p run as somebody whom file modes stop, which they do not root.
func ordinary(t testing.TB, p *process) {
	t.Helper()
	if os.Geteuid() == 0 {
		becomeNobody(t, p)
	}
}

// TestLedgerThatMayNotBeWritten gives its answers back, and asks nothing whose answer it could not
// keep.
func TestLedgerThatMayNotBeWritten(t *testing.T) {
	const records = 20
	j := newLedgerJob(t, records)
	j.done(records)
	text := j.content()
	if err := os.Chmod(j.ledger, 0o444); err != nil {
		t.Fatal(err)
	}
	outs := map[string]int{"cut": redirect, "appended": appendTo}
	for range 2 {
		for name, flags := range outs {
			out, err := os.OpenFile(filepath.Join(j.dir, name), flags, 0o666)
			if err != nil {
				t.Fatal(err)
			}
			defer out.Close()
			p := j.filter()
			p.Stdout = out
			ordinary(t, p)
			if code := p.exit(t); code != 0 {
				t.Errorf("%s: exit %d: %s", name, code, &p.err)
			}
			if n := len(readOutput(t, filepath.Join(j.dir, name)).ids); n != records {
				t.Errorf("%s: %d records", name, n)
			}
		}
	}
	writePrompts(t, j.dir, records+1)
	for _, mode := range []os.FileMode{0o444, 0} {
		if err := os.Chmod(j.ledger, mode); err != nil {
			t.Fatal(err)
		}
		p := j.filter()
		ordinary(t, p)
		code := p.exit(t)
		if mode != 0 && len(p.lines()) != records {
			t.Errorf("mode %o: %d lines", mode, len(p.lines()))
		}
		if mode != 0 && !strings.Contains(p.err.String(), "error: nothing was sent: writing ledger job.jsonl: ") {
			t.Errorf("mode %o: %s", mode, &p.err)
		}
		p.out.Reset()
		j.refused(p, code, nil, records, "permission denied")
	}
	if err := os.Chmod(j.ledger, 0o600); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(j.content(), text) {
		t.Error("the ledger was changed")
	}
}
