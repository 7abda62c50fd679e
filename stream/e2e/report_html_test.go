package e2e

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// TestReportHTML holds the page against what report --json says of the same ledger.
func TestReportHTML(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, "p.jsonl", repeat(0, 399, func(i int) string { return fmt.Sprintf(`{"id":%d,"prompt":"%[1]d"}`, i) }))
	run := func(code int, args ...string) string {
		t.Helper()
		p := llmpipe(t, dir, args...)
		if got := p.exit(t); got != code {
			t.Fatalf("%q: exit code %d, want %d, said %s", args, got, code, &p.err)
		}
		return p.out.String()
	}
	run(3, "-q", "--base-url", "sim:?latency=5ms&jitter=0.5&fail=0.2&seed=3", "--retries", "0", "-l", "l.jsonl", "p.jsonl")
	type figures struct {
		Results    int64       `json:"results"`
		Failures   int64       `json:"failures"`
		Prompt     int64       `json:"prompt_tokens"`
		Completion int64       `json:"completion_tokens"`
		Cost       json.Number `json:"cost_usd"`
		Latency    struct {
			P50, P95, P99 int64
		} `json:"latency_ms"`
	}
	var report struct {
		Total  figures
		Models []figures
	}
	if err := json.Unmarshal([]byte(run(0, "report", "--json", "l.jsonl")), &report); err != nil {
		t.Fatal(err)
	}
	if out := run(0, "report", "--html", "page.html", "l.jsonl"); out != "" {
		t.Errorf("stdout got %q", out)
	}
	page := run(0, "report", "--html", "-", "l.jsonl")
	if page != readFile(t, dir, "page.html") {
		t.Error("the page on stdout is another than that in a file")
	}
	text := strings.ReplaceAll(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page, "|"), "\u00a0", " ")
	text = regexp.MustCompile(`\|\s*\|[\s|]*`).ReplaceAllString(text, "|")
	f := report.Total
	for _, want := range []string{
		fmt.Sprintf("|%d answered|%d failed (", f.Results, f.Failures),
		fmt.Sprintf("|%s|%s prompt|%s completion|", thousands(f.Prompt+f.Completion), thousands(f.Prompt), thousands(f.Completion)),
		fmt.Sprintf("|%d ms|p95 %d ms|p99 %d ms|", f.Latency.P50, f.Latency.P95, f.Latency.P99),
		"|l.jsonl|Everything here is simulated", "|Spend|", "|Throughput|", "|Latency|", "|By model|",
		fmt.Sprintf("|server_error| (500)|The server had an error while processing your request. Sorry about that!|%d|%[1]d|", f.Failures),
		"|Without an answer|Run the same command again: it sends only these.|", "|Runs|", "|done, some failed|",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if n := strings.Count(page, `<data value="`+f.Cost.String()+`">`); len(report.Models) != 1 || n != 1 { // in its one row
		t.Errorf("%d models, the cost %s stands in the page %d times", len(report.Models), f.Cost, n)
	}
	run(1, "report", "--html", "l.jsonl", "l.jsonl")
	run(2, "report", "--html", "page.html", "--json", "l.jsonl")
	run(0, "report", "l.jsonl") // which is as it was
}

// thousands writes n, which is below a million, as 12,345.
func thousands(n int64) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}
