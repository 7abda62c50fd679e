package e2e

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// earlierLedger is a sample that an earlier version wrote; testdata/ledgers/README.md says what is
// in its folder.
type earlierLedger struct {
	folder string
	dir    string // where the test runs, with copies of the ledger and the input
	args   []string
}

// earlierLedgers calls f with each sample, as a test of its own.
func earlierLedgers(t *testing.T, f func(t *testing.T, l *earlierLedger)) {
	folders, err := filepath.Glob(filepath.Join(root, "testdata", "ledgers", "*", "*"))
	if err != nil || len(folders) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	for _, folder := range folders {
		l := &earlierLedger{folder: folder}
		t.Run(filepath.Base(folder), func(t *testing.T) {
			t.Parallel()
			l.dir, l.args = t.TempDir(), splitLines(l.read(t, "args"))
			for _, name := range []string{"ledger.jsonl", "input.jsonl"} {
				l.write(t, name, l.read(t, name))
			}
			f(t, l)
		})
	}
}

// read returns a file of the sample.
func (l *earlierLedger) read(t *testing.T, name string) string { return readFile(t, l.folder, name) }

// write makes a file where the test runs.
func (l *earlierLedger) write(t *testing.T, name, text string) {
	t.Helper()
	writeFile(t, l.dir, name, text)
}

// run is the sample's command again, on the copies, and without --detach: a simulator in the same
// process does not outlive it.
func (l *earlierLedger) run(t *testing.T) *process {
	args := []string{
		"--base-url", "sim:?latency=0s&batch-latency=1ms", "-l", "ledger.jsonl", "--summary", "summary.json", "input.jsonl",
	}
	for _, arg := range l.args {
		if arg != "--detach" {
			args = append(args, arg)
		}
	}
	return llmpipe(t, l.dir, args...)
}

// answers are the lines that hold an answer: a record that failed is asked again.
func answers(lines []string) []string {
	var found []string
	for _, line := range lines {
		if !strings.Contains(line, `"error":`) {
			found = append(found, line)
		}
	}
	return found
}

// spentReport is what a report says of money and tokens, which stays so whatever the version. What
// became of the records it says otherwise than the first versions, which counted every failure.
type spentReport struct {
	First, Last string
	Runs        int64
	Kept        json.Number `json:"kept_usd"`
	Lost        json.RawMessage
	Total       spentRow
	Models      []spentRow
	Providers   []spentRow
}

type spentRow struct {
	Name       string
	Results    int64
	Prompt     int64        `json:"prompt_tokens"`
	Completion int64        `json:"completion_tokens"`
	Cached     int64        `json:"cached_tokens"`
	Reasoning  int64        `json:"reasoning_tokens"`
	Cost       *json.Number `json:"cost_usd"`
	Unknown    int64        `json:"unknown_cost"`
}

func spentBy(t *testing.T, text string) (r spentReport) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return r
}

// A ledger of an earlier version gives every answer back, byte for byte and without a request, and
// says that the same was spent.
func TestEarlierLedgersAreRecalled(t *testing.T) {
	t.Parallel()
	earlierLedgers(t, func(t *testing.T, l *earlierLedger) {
		report := llmpipe(t, l.dir, "report", "--json", "ledger.jsonl")
		code, want := report.exit(t), spentBy(t, l.read(t, "report.json"))
		got := spentBy(t, report.out.String())
		if want.Kept == "" { // which it did not say yet
			got.Kept = ""
		}
		if code != 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("report: exit %d: %s\n%s\nwant %+v", code, &report.out, &report.err, want)
		}
		again := l.run(t)
		again.exit(t)
		recorded := answers(splitLines(l.read(t, "out.jsonl")))
		lines := again.out.String()
		for _, line := range recorded {
			// Behind all else may stand who answered, where this run asks another.
			if !strings.Contains(lines, strings.TrimSuffix(line, "}")) {
				t.Errorf("not written again: %s", line)
			}
		}
		s := readSummary(t, l.dir)
		records := len(splitLines(l.read(t, "input.jsonl")))
		if s.In != records || s.Skipped != len(recorded) {
			t.Errorf("%d of %d records were answered: %+v\n%s", len(recorded), records, s, &again.err)
		}
		before, after := l.read(t, "ledger.jsonl"), readFile(t, l.dir, "ledger.jsonl")
		appended, ok := strings.CutPrefix(after, before)
		if !ok {
			t.Fatal("the ledger was changed")
		}
		if asked := strings.Count(appended, `{"kind":"result"`); asked != s.OK-s.Skipped {
			t.Errorf("%d answers were paid for, %+v", asked, s)
		}
	})
}

// A run that died at a step of a batch is taken up from its ledger: what was answered by then is
// not asked again, all else is.
func TestEarlierBatchesAreTakenUp(t *testing.T) {
	t.Parallel()
	earlierLedgers(t, func(t *testing.T, l *earlierLedger) {
		ledger := []byte(l.read(t, "ledger.jsonl"))
		for _, step := range []string{"intent", "created"} {
			at := bytes.Index(ledger, []byte(`{"kind":"batch","step":`+strconv.Quote(step)))
			if at < 0 {
				return
			}
			end := at + bytes.IndexByte(ledger[at:], '\n') + 1
			l.write(t, "ledger.jsonl", string(ledger[:end]))
			recorded := bytes.Count(ledger[:end], []byte(`{"kind":"result"`))
			p := l.run(t)
			p.exit(t)
			records := splitLines(l.read(t, "input.jsonl"))
			s := readSummary(t, l.dir)
			bad := len(records) - s.OK
			if s.Skipped != recorded || s.Unsent != 0 || bad != s.Failed || bad > 1 {
				t.Errorf("after %s: %d were recorded, %+v\n%s", step, recorded, s, &p.err)
			}
		}
	})
}
