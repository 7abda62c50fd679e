package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// newAnsweringBatches is a provider whose batches have ended when they are looked at. answer is asked for the choices and the number of
// tokens, as many for the prompt as for the completion, of each request of the nth batch, counted from 1.
func newAnsweringBatches(t *testing.T, answer func(batch int, id string) (choices string, tokens int)) string {
	var files []string
	return newFileBackend(t, func(step, body string, w http.ResponseWriter) {
		switch n := len(files); step {
		case "POST /files":
			files = append(files, body)
			fmt.Fprintf(w, `{"id":"file-%d","object":"file","bytes":%d,"filename":"f","purpose":"batch","status":"processed"}`, n+1, len(body))
		case "GET /files/ID":
			fmt.Fprintf(w, `{"id":"file-%d","object":"file","bytes":1,"filename":"f","purpose":"batch","status":"processed"}`, n)
		case "POST /batches":
			fmt.Fprintf(w, `{"id":"batch_%d","object":"batch","status":"validating","input_file_id":"file-%d"}`, n, n)
		case "GET /batches/ID":
			lines := strings.Count(files[n-1], "\n")
			fmt.Fprintf(w, `{"id":"batch_%d","object":"batch","status":"completed","output_file_id":"file-out","error_file_id":"",`+
				`"request_counts":{"total":%d,"completed":%d,"failed":0}}`, n, lines, lines)
		case "GET /files/ID/content":
			for _, line := range splitLines(files[n-1]) {
				_, rest, _ := strings.Cut(line, `"custom_id":"`)
				id, _, _ := strings.Cut(rest, `"`)
				choices, tokens := answer(n, id)
				fmt.Fprintf(w, `{"id":"b","custom_id":"%s","response":{"status_code":200,"request_id":"r","body":{"model":"gpt-4o-mini",`+
					`"choices":[%s],"usage":{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d}}},"error":null}`+"\n",
					id, choices, tokens, tokens, 2*tokens)
			}
		default:
			t.Errorf("asked for %s", step)
		}
	})
}

const saidChoice = `{"message":{"role":"assistant","content":"said"},"finish_reason":"stop"}`

// What was billed for an answer that nobody can use is spent all the same, though the record is asked about again.
func TestBatchBillsForAnswersWithoutChoices(t *testing.T) {
	t.Parallel()
	url := newAnsweringBatches(t, func(batch int, id string) (string, int) {
		if batch == 1 && id == "a000" {
			return "", 1000
		}
		return saidChoice, 10
	})
	dir := t.TempDir()
	p := llmpipe(t, dir, "--base-url", url, "-m", "gpt-4o-mini", "--mode", "batch", "--summary", "summary.json", "--budget", "1")
	p.Stdin = strings.NewReader(hello("a", "", 3) + hello("a", "", 1))
	if code := p.ends(t); code != 0 || len(p.lines()) != 4 {
		t.Fatalf("exit %d, %d lines: %s", code, len(p.lines()), p.err.String())
	}
	want := int64((miniPrice(1000, 1000) + 3*miniPrice(10, 10)) / 2 * dollar)
	if got := reported(t, dir); !within(1, got, want+1) {
		t.Errorf("the report says %d, want %d", got, want)
	}
	if s := readSummary(t, dir); s.Cost == nil || !within(1, int64(*s.Cost), want+1) {
		t.Errorf("the summary says %v, want %d", s.Cost, want)
	}
}

// A record that two commands asked about at the same moment, each its own way, costs what both cost.
func TestBatchBillsForAnswersThatAreNotUsed(t *testing.T) {
	t.Parallel()
	b := newBudgeted(t, "latency=0s&batch-latency=50ms")
	release := make(chan struct{})
	g := newGateway(t, b.sim, func(string) fate { <-release; return pass })
	input := hello("a", "", 3)
	now := b.on(t, input)
	for i, arg := range now.Args {
		if arg == b.sim.URL {
			now.Args[i] = g.URL
		}
	}
	if err := now.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is asked at once", func() bool { return g.count("POST /chat/completions") == 3 })
	if p := b.on(t, input, "--mode", "batch", "--detach"); p.ends(t) != 75 {
		t.Fatalf("said\n%s", p.err.String())
	}
	close(release)
	if code := now.comesBack(t); code != 0 {
		t.Fatalf("exit %d: %s", code, now.err.String())
	}
	half := reported(t, b.dir)
	eventually(t, "the batch has ended", func() bool { return listBatches(t, b.dir, b.sim)[0].State == "completed" })
	known := readFile(t, b.dir, "llmpipe.ledger.jsonl")
	for _, later := range []string{input, hello("b", "", 1)} { // whether or not the input still holds the records
		dir := t.TempDir()
		writeFile(t, dir, "llmpipe.ledger.jsonl", known)
		p := llmpipe(t, dir, "--base-url", b.sim.URL, "-m", "gpt-4o-mini", "--mode", "batch")
		p.Stdin = strings.NewReader(later)
		if code := p.ends(t); code != 0 {
			t.Fatalf("exit %d: %s", code, p.err.String())
		}
		listed := listBatches(t, dir, b.sim)[0]
		if listed.Cost == nil || !within(1, int64(*listed.Cost*dollar), half/2+1) {
			t.Errorf("%+v, want half of %d for the batch", listed, half)
		}
		if got := reported(t, dir); got < half+half/2-3 {
			t.Errorf("the report says %d, want %d and half of that", got, half)
		}
	}
}

// Records that are in a batch are paid for there: no other way asks about them too, neither realtime nor another provider's batches.
func TestBatchedRecordsAreNotAskedAboutElsewhere(t *testing.T) {
	t.Parallel()
	b := newBudgeted(t, "latency=0s&batch-latency=50ms")
	other := startSim(t, "latency=0s")
	input := hello("a", "", 3)
	if p := b.on(t, input, "--mode", "batch", "--detach"); p.ends(t) != 75 {
		t.Fatalf("said\n%s", p.err.String())
	}
	input += hello("a", "", 1) + hello("b", urgently, 2)
	for _, flags := range [][]string{{}, {"--limit", "2"}, {"--mode", "hybrid", "--base-url", other.URL}} {
		p := b.on(t, input, flags...)
		code := p.ends(t)
		if s := readSummary(t, b.dir); code != 75 || len(contents(t, p)) != 2 || s.OK != 2 || s.OK+s.Unsent != s.In {
			t.Errorf("%v: exit %d, %+v: %s", flags, code, s, p.err.String())
		}
		for _, want := range []string{"4 records in batches that are not collected yet", "hint: --mode batch collects them"} {
			if !strings.Contains(p.err.String(), want) {
				t.Errorf("%v: no %q in\n%s", flags, want, p.err.String())
			}
		}
	}
	if asked := b.sim.stats(t).Answered + other.batches(t).Answered; asked != 2 {
		t.Errorf("%d records were asked about", asked)
	}
	if p := b.on(t, input, "--mode", "batch"); p.ends(t) != 0 || b.sim.batches(t).Batches != 1 {
		t.Errorf("%d batches: %s", b.sim.batches(t).Batches, p.err.String())
	}
}
