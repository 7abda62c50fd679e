package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"llmpipe/ledger/price"
	"llmpipe/ledger/report"
	"llmpipe/stream/ui"
)

// element is one of a page, with what the page says within it, and within it only.
type element struct {
	name  string
	attrs map[string]string
	text  string
}

// parsePage reads a page, which is XML as well, and refuses one whose tags do not match.
func parsePage(t *testing.T, page []byte) []*element {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(page))
	d.Entity = xml.HTMLEntity
	var all, open []*element
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, page)
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{name: token.Name.Local, attrs: map[string]string{}}
			for _, a := range token.Attr {
				e.attrs[a.Name.Local] = a.Value
			}
			all, open = append(all, e), append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				open[len(open)-1].text += string(token)
			}
		}
	}
}

// reportOver makes a report of records spread over a time.
func reportOver(records int, over time.Duration, name string) *report.Report {
	start := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	cost := price.Dollars(records) * 1_500_000
	failed := int64(records / 10)
	row := report.Row{
		Name: name, Results: int64(records) - failed, Failures: failed, PromptTokens: 1234567, CompletionTokens: 7654321,
		Cost: &cost, Latency: report.Latencies{P50: 800, P90: 1200, P95: 1500, P99: 2400},
	}
	moments := min(max(records, 2), 300)
	r := &report.Report{
		First: start, Last: start.Add(over), Runs: 2,
		Records:  report.Records{Total: int64(records), Answered: row.Results, Failed: failed, IDs: int64(records)},
		Attempts: report.Attempts{Answers: row.Results, Failures: failed},
		Figures:  report.Figures{Total: row, Models: []report.Row{row, row}, Providers: []report.Row{row}},
		Timeline: report.Timeline{
			Step: over / time.Duration(moments), Spans: []report.Span{{Start: start, Moments: make([]report.Moment, moments)}},
		},
		LatencyHistogram: []report.LatencyBucket{{From: 700, To: 816, Count: row.Results - 2}, {From: 2400, To: 2432, Count: 2}},
	}
	for i := range moments {
		m := &r.Timeline.Spans[0].Moments[i]
		m.Answers, m.Failures, m.Cost = row.Results/int64(moments), failed/int64(moments), cost/price.Dollars(moments)
	}
	if failed > 0 {
		r.Errors = []report.ErrorCount{{Type: name, Code: name, Status: 500, Count: failed, Open: failed, Message: name}}
		r.Open = []report.OpenFailure{{ID: name, Time: start, Model: name, Type: name, Code: name, Message: name}}
	}
	return r
}

const hostile = `</title></style></td><script>alert(1)</script><img src=x onerror="alert(2)">` +
	"'\u202e{{.Policy}}\x1b]0;title\a\x7f\u009b2J\b"

// pages are reports of every kind that there is.
func pages() map[string]*report.Report {
	unknown := reportOver(100, time.Hour, "local")
	unknown.Total.Cost, unknown.Total.UnknownCost = nil, 100
	unknown.Models[0].Cost, unknown.Models[0].UnknownCost = nil, 100
	partly := reportOver(100, time.Hour, "")
	partly.Total.UnknownCost, partly.Models[0].UnknownCost = 7, 7
	simulated := reportOver(100, time.Hour, "sim")
	simulated.Simulated = true
	failed := reportOver(20, time.Minute, "gone")
	failed.Records, failed.Attempts = report.Records{Total: 2, Failed: 2, IDs: 2}, report.Attempts{Failures: 2}
	failed.Total.Results, failed.Total.Latency, failed.LatencyHistogram = 0, report.Latencies{}, nil
	slow := reportOver(1000, time.Hour, "slow")
	slow.Total.Latency.P99 = math.MaxInt64
	slow.LatencyHistogram = append(slow.LatencyHistogram, report.LatencyBucket{From: math.MaxInt64 - 1, To: math.MaxInt64, Count: 10})
	batch := reportOver(100, time.Hour, "batch")
	batch.Total.Latency, batch.LatencyHistogram = report.Latencies{}, nil
	batch.Batches = &report.Batches{Made: 2, Pending: 1, SetAside: 5, Cost: 7}
	zero := price.Dollars(0)
	one := reportOver(1, 0, "one")
	one.Timeline.Spans[0].Moments, one.Timeline.Step = one.Timeline.Spans[0].Moments[:1], 10*time.Millisecond
	return map[string]*report.Report{
		"empty":       {Figures: report.Figures{Total: report.Row{Cost: &zero}}, SimulatedLeftOut: 3},
		"one":         one,
		"a second":    reportOver(50, time.Second, "fast"),
		"an hour":     reportOver(30_000, time.Hour, "gpt-4o"),
		"months":      reportOver(1_000_000, 200*24*time.Hour, "gpt-4o"),
		"ten million": reportOver(10_000_000, 20*365*24*time.Hour, "gpt-4o"),
		"unknown":     unknown, "batch": batch, "partly": partly, "simulated": simulated, "failed": failed, "slow": slow,
		"hostile": reportOver(100, time.Hour, hostile),
	}
}

// Whatever a ledger holds, its page is well-formed, loads and runs nothing, draws within its
// frames, and says what its pictures show.
func TestPages(t *testing.T) {
	for name, r := range pages() {
		t.Run(name, func(t *testing.T) {
			page, err := pageOf(r, []string{"a.jsonl", hostile})
			if err != nil {
				t.Fatal(err)
			}
			if len(page) > 200_000 {
				t.Errorf("the page has %d bytes", len(page))
			}
			pictures, charts := 0, 0
			for _, e := range parsePage(t, page) {
				switch e.name {
				case "script", "img", "link", "iframe", "object", "form", "a", "base":
					t.Errorf("there is an element %s", e.name)
				case "style":
					sum := sha256.Sum256([]byte(e.text))
					if want := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !bytes.Contains(page, []byte("Security-Policy")) ||
						!strings.Contains(policyOf(t, page), want) {
						t.Errorf("the policy %q does not allow the style %s", policyOf(t, page), want)
					}
				case "svg":
					if e.attrs["class"] == "plot" {
						pictures++
					}
				}
				if e.attrs["role"] == "img" {
					charts++
					if e.attrs["aria-label"] == "" {
						t.Error("a chart does not say what it shows")
					}
				}
				for attr, value := range e.attrs {
					if strings.HasPrefix(attr, "on") || attr == "src" || attr == "href" || attr == "style" {
						t.Errorf("%s has %s=%q", e.name, attr, value)
					}
					if share, ok := strings.CutSuffix(value, "%"); ok {
						if p, err := strconv.ParseFloat(share, 64); err != nil || !(p >= -0.01 && p <= 100.01) {
							t.Errorf("%s has %s=%q", e.name, attr, value)
						}
					}
				}
			}
			if pictures != charts || bytes.Contains(page, []byte("NaN")) || bytes.Contains(page, []byte("Inf")) {
				t.Errorf("%d pictures of %d are named, in\n%s", charts, pictures, page)
			}
		})
	}
}

func policyOf(t *testing.T, page []byte) string {
	t.Helper()
	for _, e := range parsePage(t, page) {
		if e.attrs["http-equiv"] == "Content-Security-Policy" {
			return e.attrs["content"]
		}
	}
	return ""
}

// What is in a ledger stands on its page as text, and no byte of it does anything to a terminal.
func TestPageEscapes(t *testing.T) {
	page, err := pageOf(pages()["hostile"], []string{hostile})
	if err != nil {
		t.Fatal(err)
	}
	if i := bytes.IndexFunc(page, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' || r == '\u202e' }); i >= 0 {
		t.Errorf("byte %d, %q, is a control character", i, page[i])
	}
	met := map[string]int{}
	for _, e := range parsePage(t, page) {
		if strings.Contains(e.text, ui.Printable(hostile)) {
			met[e.name]++
		}
	}
	// The ledger's name; an error's class, code and message; the model's name twice; of a record
	// without an answer the id, why, the message and the model.
	if want := "map[b:1 h1:1 small:2 td:2 th:4 title:1]"; fmt.Sprint(met) != want {
		t.Errorf("the name stands in %v, want %s", met, want)
	}
}

func TestPageSaysWhatItIsOf(t *testing.T) {
	for name, want := range map[string]string{
		"empty":     "There are no records yet.|3 simulated records left out.",
		"one":       "Everything happened within 10\u00a0ms, so there are no charts over time.",
		"partly":    "The costs here leave out 7 answers of unknown price.",
		"simulated": "Everything here is simulated: no provider was asked, and the cost is what real answers would have cost.",
		"unknown":   "",
		"an hour":   "",
	} {
		if got := strings.Join(notes(pages()[name]), "|"); got != want {
			t.Errorf("%s: notes %q, want %q", name, got, want)
		}
	}
	risky := &report.Report{Records: report.Records{Total: 1, IDs: 1}, Unsettled: report.Unsettled{
		Lost:   report.Exposure{Requests: 8, MayCost: 24_000_000},
		AtRisk: report.Exposure{Requests: 1, Unknown: 1},
	}}
	if got, want := strings.Join(notes(risky), "|"), "8 requests in flight when their runs were killed may have cost up to $0.024, "+
		"which is not included here.|1 request in flight may cost up to $0, which is not included here (1 of unknown price)."; got != want {
		t.Errorf("notes %q, want %q", got, want)
	}
	titles := map[string]string{
		"empty": "", "one": "", "an hour": "Spend Throughput Latency", "failed": "Spend Throughput", "unknown": "Throughput Latency",
		"batch": "Spend Throughput",
	}
	for name, want := range titles {
		var got []string
		for _, c := range charts(pages()[name]) {
			got = append(got, c.Title)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: charts %q, want %q", name, got, want)
		}
	}
	if f := costFigure(pages()["unknown"]); f.Value != "unknown" {
		t.Errorf("an unknown cost is %q", f.Value)
	}
}

func TestPageIsBounded(t *testing.T) {
	r := reportOver(100_000, time.Hour, "m")
	for i := range 3000 {
		r.Models = append(r.Models, report.Row{Name: fmt.Sprint(i), Cost: r.Total.Cost})
		r.Errors = append(r.Errors, report.ErrorCount{Type: "t", Code: fmt.Sprint(i), Count: 1})
	}
	page, err := pageOf(r, []string{"a"})
	if err != nil {
		t.Fatal(err)
	}
	if len(page) > 200_000 || !bytes.Contains(page, []byte("2,952 more are left out;")) ||
		!bytes.Contains(page, []byte("2,951 more kinds are left out;")) {
		t.Errorf("of 3,000 models and errors there is a page of %d bytes", len(page))
	}
	for _, c := range charts(r) {
		if len(c.Columns) > maxColumns {
			t.Errorf("%s has %d columns, want at most %d", c.Title, len(c.Columns), maxColumns)
		}
	}
}

// What is read has a contrast of 4.5 to its ground, and what is drawn one of 3 (WCAG 2.2, 1.4.3 and
// 1.4.11), in the light and in the dark.
func TestPageContrast(t *testing.T) {
	themes := regexp.MustCompile(`(?s):root \{\s+(--paper.*?)color-scheme`).FindAllStringSubmatch(pageStyle, -1)
	if len(themes) != 2 {
		t.Fatalf("%d themes", len(themes))
	}
	for _, theme := range themes {
		colour := map[string]string{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`).FindAllStringSubmatch(theme[1], -1) {
			colour[m[1]] = m[2]
		}
		for _, pair := range []struct {
			on, ground string
			least      float64
		}{
			{"ink", "paper", 4.5}, {"soft", "paper", 4.5}, {"note", "note-paper", 4.5}, {"ok", "paper", 3}, {"failed", "paper", 3},
		} {
			if got := contrast(t, colour[pair.on], colour[pair.ground]); got < pair.least {
				t.Errorf("%s on %s has a contrast of %.2f, want %.1f", pair.on, pair.ground, got, pair.least)
			}
		}
	}
}

// contrast is WCAG's contrast ratio of two colours in hexadecimal.
func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	luminance := func(hex string) float64 {
		n, err := strconv.ParseUint(hex, 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		linear := func(shift int) float64 {
			c := float64(n>>shift&0xff) / 255
			if c <= 0.04045 {
				return c / 12.92
			}
			return math.Pow((c+0.055)/1.055, 2.4)
		}
		return 0.2126*linear(16) + 0.7152*linear(8) + 0.0722*linear(0)
	}
	low, high := luminance(a), luminance(b)
	return (max(low, high) + 0.05) / (min(low, high) + 0.05)
}
