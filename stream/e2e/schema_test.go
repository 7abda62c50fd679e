//go:build unix

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"llmpipe/ledger"
	"llmpipe/ledger/report"
	"llmpipe/stream/record/schema"
	"llmpipe/stream/ui"
)

// ticket is a schema that OpenAI takes as strict. Its teams are to be filled in.
const ticket = `{"type":"object","properties":{"team":{"type":"string","enum":[%s]},"urgent":{"type":"boolean"},` +
	`"note":{"type":"string"}},"required":["team","urgent","note"],"additionalProperties":false}`

// ticketSchema is ticket with two teams, as a text and to check answers by.
func ticketSchema(t *testing.T) (text string, s *schema.Schema) {
	t.Helper()
	text = fmt.Sprintf(ticket, `"billing","tech"`)
	s, err := schema.New("s.json", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return text, s
}

// tickets are n records for a template.
func tickets(n int) string {
	return repeat(1, n, func(i int) string {
		return fmt.Sprintf(`{"id":"t%d","priority":%q,"body":"mail number %[1]d"}`, i, []string{"low", "high"}[i%2])
	})
}

// shapedLine is what tests read of the line of a record whose answer is to fit a schema.
type shapedLine struct {
	paid
	Parsed   json.RawMessage `json:"parsed"`
	Content  *string         `json:"content"`
	Attempts int             `json:"attempts"`
	SameAs   *string         `json:"same_as"`
	Error    *struct {
		Type string `json:"type"`
		Code string `json:"code"`
	} `json:"error"`
}

func shapedLines(t testing.TB, out string) []shapedLine {
	t.Helper()
	var lines []shapedLine
	for text := range strings.Lines(out) {
		var l shapedLine
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		lines = append(lines, l)
	}
	return lines
}

// fits checks that each line holds a value that fits, or is an error of the schema's, and returns
// how many those are.
func fits(t testing.TB, s *schema.Schema, lines []shapedLine) (failed int) {
	t.Helper()
	for _, l := range lines {
		if l.Error != nil {
			failed++
			if l.Error.Type != "schema" || l.Parsed != nil || l.Content == nil {
				t.Errorf("%s: error %+v, parsed %s", l.ID, l.Error, l.Parsed)
			}
			continue
		}
		if _, wrong := s.Check(l.Parsed); wrong != nil || l.Content == nil {
			t.Errorf("%s: parsed %s: %s", l.ID, l.Parsed, wrong)
		}
	}
	return failed
}

// TestSchema has three in ten answers spoilt: each record ends as a value that fits or as an error
// of the schema's, and all that count agree with the server, whether records are new or recorded.
func TestSchema(t *testing.T) {
	t.Parallel()
	const records = 300
	for _, test := range []struct{ endpoint, mode string }{
		{"chat", "realtime"}, {"responses", "realtime"}, {"messages", "realtime"},
		{"chat", "batch"}, {"responses", "batch"}, {"messages", "batch"}, {"chat", "hybrid"}, {"messages", "hybrid"},
	} {
		t.Run(test.endpoint+", "+test.mode, func(t *testing.T) {
			t.Parallel()
			endpoint, model := test.endpoint, "gpt-4o-mini"
			if endpoint == "messages" {
				model = "claude-haiku-4-5"
			}
			dir := t.TempDir()
			text, s := ticketSchema(t)
			writeFile(t, dir, "s.json", text)
			sim := startSim(t, "latency=1ms&batch-latency=10ms&misfit=0.3")
			run := func(want int, args ...string) (*process, ui.Summary) {
				p := llmpipe(t, dir, append([]string{"--base-url", sim.URL, "-m", model, "--endpoint", endpoint, "-p", "Sort: {{.body}}",
					"--schema", "s.json", "--summary", "sum.json", "--mode", test.mode}, args...)...)
				p.Stdin = strings.NewReader(tickets(records))
				p.exits(t, want)
				var sum ui.Summary
				readJSON(t, dir, "sum.json", &sum)
				return p, sum
			}
			p, sum := run(3)
			stats, lines := sim.stats(t), shapedLines(t, p.out.String())
			answered := stats.Answered + stats.Batch.Answered
			promptTokens, completionTokens := stats.Batch.tokens()
			promptTokens, completionTokens = promptTokens+stats.PromptTokens, completionTokens+stats.CompletionTokens
			if (stats.Answered > 0) != (test.mode != "batch") || (stats.Batch.Batches > 1) != (test.mode != "realtime") {
				t.Errorf("%d answered at once, %d batches", stats.Answered, stats.Batch.Batches)
			}
			failed := fits(t, s, lines)
			if len(lines) != records || failed == 0 || int(sum.Failed) != failed {
				t.Errorf("%d lines, %d of them errors: %+v", len(lines), failed, sum)
			}
			for _, kind := range []string{"fence", "prose", "missing", "type", "cut"} {
				if stats.Faults["misfit-"+kind] == 0 {
					t.Errorf("no answer with %s: %v", kind, stats.Faults)
				}
			}
			attempts, cost, prompt, completion := 0, int64(0), int64(0), int64(0)
			for _, l := range lines {
				attempts += l.Attempts
				cost += int64(*l.Cost)
				prompt += l.Usage.Prompt
				completion += l.Usage.Completion
			}
			if attempts != answered || prompt != promptTokens || completion != completionTokens {
				t.Errorf("%d attempts, %d and %d tokens; the server counts %+v", attempts, prompt, completion, stats)
			}
			if endpoint != "messages" && cost != stats.bill(t) {
				t.Errorf("the lines cost %d, the server bills %d", cost, stats.bill(t))
			}
			if int64(*sum.CostUSD) != cost || reported(t, dir) != cost || sum.PromptTokens != prompt || sum.CompletionTokens != completion ||
				int(sum.Reasked) != answered-records {
				t.Errorf("the lines cost %d, the report says %d, the summary %+v", cost, reported(t, dir), sum)
			}
			r, err := report.New(report.Options{}, filepath.Join(dir, "llmpipe.ledger.jsonl"))
			if err != nil {
				t.Fatal(err)
			}
			if r.Schema == nil || r.Schema.Reasked != sum.Reasked || int(r.Total.Results)+failed != records || int(r.Total.Failures) != failed ||
				r.Total.PromptTokens != prompt || r.Schema.Misfits != sum.Reasked+sum.Failed {
				t.Errorf("the report says %+v, %+v", r.Total, r.Schema)
			}

			// What fits is recorded, and its line is the same again; what failed is asked again.
			again, sum := run(3)
			was := map[string]bool{}
			for _, line := range p.lines() {
				was[line] = true
			}
			for _, line := range again.lines() {
				if strings.Contains(line, `"parsed"`) && strings.Contains(p.out.String(), line[:strings.Index(line, ",")]+`,"content"`) && !was[line] {
					t.Errorf("the line is another than before: %s", line)
				}
			}
			if int(sum.Skipped) != records-failed {
				t.Errorf("%d recorded, want %d", sum.Skipped, records-failed)
			}
			fits(t, s, shapedLines(t, again.out.String()))
			e := llmpipe(t, dir, "export", "llmpipe.ledger.jsonl")
			e.exits(t, 0)
			var fit []string
			for _, line := range again.lines() {
				if strings.Contains(line, `"parsed"`) {
					fit = append(fit, line+"\n")
				}
			}
			if sortedLines(e.out.String()) != sortedLines(strings.Join(fit, "")) {
				t.Errorf("export has other lines:\n%s\nwant\n%s", sortedLines(e.out.String()), sortedLines(strings.Join(fit, "")))
			}
		})
	}
}

// TestSchemaTwins has records come twice, as the same and as equal ones: they share what became of
// one, which is asked again and paid for once.
func TestSchemaTwins(t *testing.T) {
	t.Parallel()
	const records = 100
	text, s := ticketSchema(t)
	for _, mode := range []string{"realtime", "batch", "hybrid"} {
		for _, flag := range []string{"--ordered", "--dedupe"} {
			t.Run(mode+" "+flag, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				writeFile(t, dir, "s.json", text)
				input := tickets(records)
				if flag == "--dedupe" {
					input += strings.ReplaceAll(input, `"id":"t`, `"id":"u`)
				} else {
					input += input
				}
				sim := startSim(t, "latency=50ms&batch-latency=20ms&misfit=0.5")
				p := llmpipe(t, dir, "--base-url", sim.URL, "-m", "gpt-4o-mini", "-p", "Sort: {{.body}}", "--schema", "s.json",
					"--summary", "sum.json", "--mode", mode, flag)
				p.Stdin = strings.NewReader(input)
				p.exits(t, 3)
				var sum ui.Summary
				readJSON(t, dir, "sum.json", &sum)
				lines, cost, attempts, stats := shapedLines(t, p.out.String()), int64(0), 0, sim.stats(t)
				for _, l := range lines {
					if l.Cost != nil {
						cost += int64(*l.Cost)
					}
					if l.SameAs == nil {
						attempts += l.Attempts
					}
				}
				failed, bill, answered := fits(t, s, lines), stats.bill(t), stats.Answered+stats.Batch.Answered
				if len(lines) != 2*records || int(sum.Failed) != failed || int(sum.Misfits["#"]) != failed ||
					cost != bill || int64(*sum.CostUSD) != bill || int(sum.Reasked) > answered-records {
					t.Errorf("%d lines, %d failed, they cost %d of %d for %d answers: %+v", len(lines), failed, cost, bill, answered, sum)
				}
				if flag == "--dedupe" && attempts != answered {
					t.Errorf("%d attempts, %d answers", attempts, answered)
				}
				if n := paidTurns(t, dir); n != answered+int(sum.Same) {
					t.Errorf("%d results, for %d answers and %d that are the same", n, answered, sum.Same)
				}
			})
		}
	}
}

// TestSchemaRecordedTwins has records come twice whose recorded answers do not fit: with what that
// cost in the first line, all lines cost what the server bills.
func TestSchemaRecordedTwins(t *testing.T) {
	t.Parallel()
	const records = 60
	text, s := ticketSchema(t)
	later := strings.ReplaceAll(tickets(records), `"id":"t`, `"id":"u`)
	beside := ""
	for line := range strings.Lines(tickets(records)) {
		beside += line + line
	}
	for _, test := range []struct{ name, first, later, args string }{
		{"in flight", beside, "", "-c 8"},
		{"in flight, in batches", beside, "", "--mode batch"},
		{"one after the other", tickets(records), tickets(records), "-c 8"},
		{"equal, in flight", beside + later, "", "--dedupe -c 8"},
		{"equal, one after the other", tickets(records), later, "--dedupe -c 8"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			writeFile(t, dir, "s.json", text)
			sim := startSim(t, "latency=1ms&batch-latency=10ms&misfit=0.6")
			for i, input := range [][]string{{tickets(records), ""}, {test.first, test.later}} {
				args := append(strings.Fields("--schema s.json --summary sum.json --reask "+strconv.Itoa(i)), strings.Fields(test.args)...)
				p := llmpipe(t, dir, append([]string{"--base-url", sim.URL, "-m", "gpt-4o-mini", "-p", "Sort: {{.body}}"}, args...)...)
				out := new(transcript)
				p.Stdout = out
				in, err := p.StdinPipe()
				if err != nil {
					t.Fatal(err)
				}
				p.starts(t)
				_, _ = io.WriteString(in, input[0])
				sent := strings.Count(input[0], "\n")
				if later := input[1]; later != "" {
					eventually(t, "the first lines", func() bool { return strings.Count(out.String(), "\n") == sent })
					_, _ = io.WriteString(in, later)
					sent += strings.Count(later, "\n")
				}
				_ = in.Close()
				if code := p.wait(t); code != 3 {
					t.Fatalf("exit %d: %s", code, p.err.String())
				}
				lines, cost, bill := shapedLines(t, out.String()), int64(0), sim.stats(t).bill(t)
				for _, l := range lines {
					if l.Cost != nil {
						cost += int64(*l.Cost)
					}
				}
				fits(t, s, lines)
				if cost != bill || reported(t, dir) != bill || len(lines) != sent {
					t.Errorf("%d lines cost %d, and %d by the report; the bill is %d", len(lines), cost, reported(t, dir), bill)
				}
				paidTurns(t, dir)
			}
		})
	}
}

// TestSchemaBeside has other flags beside --schema: each record ends as a value that fits or as an
// error, and a run says that it cost what the servers bill for it.
func TestSchemaBeside(t *testing.T) {
	t.Parallel()
	const records = 60
	text, s := ticketSchema(t)
	for _, mode := range []string{"realtime", "batch"} {
		for _, test := range []struct {
			name, args string
			lines      func(n int) bool
		}{
			{"recorded elsewhere", "-l own.jsonl --seen llmpipe.ledger.jsonl", nil},
			{"recorded with another request", "--match id --system Again", nil},
			{"a slice", "-l own.jsonl --slice 0/2", func(n int) bool { return n > 0 && n < records }},
			{"in order", "-l own.jsonl --ordered", nil},
			{"no more than some", "-l own.jsonl --limit 20", func(n int) bool { return n == 20 }},
			{"only checked", "-l own.jsonl --schema-check s.json", nil},
			{"another provider", "-l own.jsonl --fallback url=ELSEWHERE", nil},
		} {
			t.Run(mode+", "+test.name, func(t *testing.T) {
				t.Parallel()
				other := strings.Contains(test.args, "ELSEWHERE")
				if other && mode == "batch" {
					t.Skip("batches go to one provider")
				}
				dir := t.TempDir()
				writeFile(t, dir, "s.json", text)
				options, quota := "latency=1ms&batch-latency=10ms&misfit=0.5", ""
				if other {
					quota = "&quota=" + strconv.Itoa(records/2)
				}
				sim, elsewhere := startSim(t, options+quota), startSim(t, options)
				bill := func() int64 { return sim.stats(t).bill(t) + elsewhere.stats(t).bill(t) }
				run := func(args string) []shapedLine {
					before := bill()
					if !strings.Contains(args, "--schema-check") {
						args += " --schema s.json"
					}
					p := llmpipe(t, dir, append([]string{"--base-url", sim.URL, "-m", "gpt-4o-mini", "-p", "Sort: {{.body}}", "--mode", mode,
						"--summary", "sum.json"}, strings.Fields(strings.ReplaceAll(args, "ELSEWHERE", elsewhere.URL))...)...)
					p.Stdin = strings.NewReader(tickets(records))
					p.exits(t, 3)
					var sum ui.Summary
					readJSON(t, dir, "sum.json", &sum)
					lines := shapedLines(t, p.out.String())
					if failed := fits(t, s, lines); int64(*sum.CostUSD) != bill()-before || int(sum.Failed) != failed || int(sum.OK) != len(lines)-failed {
						t.Errorf("%s: %d lines, %d of them errors, the bill is %d: %+v", args, len(lines), failed, bill()-before, sum)
					}
					return lines
				}
				if strings.Contains(test.args, "--seen") || strings.Contains(test.args, "--match") {
					run("--limit 30")
				}
				lines := run(test.args)
				if n := len(lines); test.lines == nil && n != records || test.lines != nil && !test.lines(n) {
					t.Errorf("%d lines", n)
				}
				if other && (elsewhere.stats(t).Answered == 0 || sim.stats(t).Answered == 0) {
					t.Error("one of the providers was not asked")
				}
			})
		}
	}
}

// TestSchemaBudget never passes a budget by asking again, and keeps what was paid.
func TestSchemaBudget(t *testing.T) {
	t.Parallel()
	for mode, budget := range map[string]int64{"realtime": 1_000_000, "batch": 500_000, "hybrid": 700_000} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			writeFile(t, dir, "s.json", fmt.Sprintf(ticket, `"billing","tech"`))
			sim := startSim(t, "latency=1ms&batch-latency=10ms&misfit=0.9")
			for range 2 { // the next run finds no room either
				p := llmpipe(t, dir, "--base-url", sim.URL, "-m", "gpt-4o-mini", "-p", "Sort: {{.body}}", "--set", "max_tokens=40",
					"--schema", "s.json", "--reask", "5", "--mode", mode, "--budget", strconv.FormatFloat(float64(budget)/1e9, 'f', -1, 64))
				p.Stdin = strings.NewReader(tickets(200))
				p.exits(t, 4)
				spent, kept, atRisk := ledgerSays(t, filepath.Join(dir, "llmpipe.ledger.jsonl"))
				if bill := sim.stats(t).bill(t); bill > budget || bill != spent || kept != 0 || atRisk != 0 || bill < budget/2 {
					t.Errorf("the bill is %d of %d; the ledger says %d, %d and %d", bill, budget, spent, kept, atRisk)
				}
			}
		})
	}
}

// TestSchemaChanged asks again only about what no longer fits, with no other flag, and its new line
// follows the old one.
func TestSchemaChanged(t *testing.T) {
	t.Parallel()
	const records = 100
	dir := t.TempDir()
	sim := startSim(t, "latency=1ms")
	run := func(teams string) string { return appendFor(t, dir, sim, teams) }
	writeFile(t, dir, "in.jsonl", tickets(records))
	other := strings.Count(run(`"billing","tech"`), `"parsed":{"team":"tech"`)
	if other == 0 || other == records {
		t.Fatalf("%d of %d are for one team", other, records)
	}
	for range 2 {
		news := run(`"billing"`)
		if n := sim.stats(t).Requests - records; n != other {
			t.Fatalf("%d were asked again, want %d", n, other)
		}
		if news != "" && strings.Count(news, `"parsed":{"team":"billing"`) != other {
			t.Errorf("the new lines are\n%s", news)
		}
	}
}

// appendFor asks for tickets of some teams, and returns what that has appended to out.jsonl.
func appendFor(t *testing.T, dir string, sim *simServer, teams string) string {
	t.Helper()
	writeFile(t, dir, "s.json", fmt.Sprintf(ticket, teams))
	p := shell(t, dir, `llmpipe "$@" >> out.jsonl`,
		"--base-url", sim.URL, "-m", "gpt-4o-mini", "-p", "Sort: {{.body}}", "--schema", "s.json", "in.jsonl")
	before := ""
	if _, err := os.Stat(filepath.Join(dir, "out.jsonl")); err == nil {
		before = readFile(t, dir, "out.jsonl")
	}
	p.exits(t, 0)
	after := readFile(t, dir, "out.jsonl")
	if !strings.HasPrefix(after, before) {
		t.Fatal("lines were changed")
	}
	return after[len(before):]
}

// TestSchemaChangedAndKilled leaves things as a kill does between the record of a newer answer and
// its line, or between the line and its mark: the next run writes the line once.
func TestSchemaChangedAndKilled(t *testing.T) {
	t.Parallel()
	for _, written := range []bool{false, true} {
		dir := t.TempDir()
		sim := startSim(t, "latency=1ms")
		writeFile(t, dir, "in.jsonl", tickets(100))
		old := appendFor(t, dir, sim, `"billing","tech"`)
		ledgerBefore := readFile(t, dir, "llmpipe.ledger.jsonl")
		news := appendFor(t, dir, sim, `"billing"`)
		asked := sim.stats(t).Requests
		if !written {
			if err := os.Truncate(filepath.Join(dir, "out.jsonl"), int64(len(old))); err != nil {
				t.Fatal(err)
			}
		}
		left := ledgerBefore
		for line := range strings.Lines(readFile(t, dir, "llmpipe.ledger.jsonl")[len(left):]) {
			if !strings.HasPrefix(line, `{"kind":"emitted"`) {
				left += line
			}
		}
		writeFile(t, dir, "llmpipe.ledger.jsonl", left)
		want := news
		if written {
			want = ""
		}
		if got := appendFor(t, dir, sim, `"billing"`); sortedLines(got) != sortedLines(want) || news == "" {
			t.Errorf("with the lines written %v the next run writes\n%s, want\n%s", written, got, want)
		}
		if n := sim.stats(t).Requests; n != asked {
			t.Errorf("%d were asked again", n-asked)
		}
	}
}

// killedTurns kills runs at any moment between an answer, the next turn and its commit: no answer
// that was recorded is paid for again, and of batches none is lost.
func killedTurns(t *testing.T, mode string, kills int) {
	const records, concurrency = 150, 8
	dir := t.TempDir()
	text, s := ticketSchema(t)
	writeFile(t, dir, "s.json", text)
	sim := startSim(t, "latency=5ms&jitter=1&batch-latency=20ms&misfit=0.6")
	start := func(reask int) *process {
		p := llmpipe(t, dir, "--base-url", sim.URL, "-m", "gpt-4o-mini", "-p", "Sort: {{.body}}", "--schema", "s.json",
			"-c", strconv.Itoa(concurrency), "--reask", strconv.Itoa(reask), "--mode", mode)
		p.Stdin = strings.NewReader(tickets(records))
		return p
	}
	for range kills {
		p := start(2)
		p.starts(t)
		within := 60
		if mode != "realtime" {
			within = 600 // which is about as long as one takes
		}
		time.Sleep(time.Duration(rand.IntN(within)) * time.Millisecond)
		_ = p.Process.Kill()
		_ = p.Wait()
	}
	p := start(2)
	p.exits(t, 3)
	if lines := shapedLines(t, p.out.String()); len(lines) != records || fits(t, s, lines) == 0 {
		t.Errorf("%d lines", len(lines))
	}
	stats := sim.stats(t)
	most := kills * 2 * concurrency
	if mode == "batch" {
		most = 0
	}
	if lost := stats.Answered + stats.Batch.Answered - paidTurns(t, dir); lost < 0 || lost > most {
		t.Errorf("%d answers were lost in %d kills", lost, kills)
	}
}

// paidTurns counts the results in the ledger, each of which is another record's, or another turn
// that says what the ones before it took.
func paidTurns(t *testing.T, dir string) (results int) {
	t.Helper()
	before := map[string]ledger.Earlier{}
	err := ledger.Scan(filepath.Join(dir, "llmpipe.ledger.jsonl"), nil, func(e ledger.Entry) error {
		if e.Result == nil {
			return nil
		}
		results++
		r, all := e.Result, before[string(e.Result.ID)]
		if got := r.Earlier; got.Turns != all.Turns || got.CostNanos != all.CostNanos || got.PromptTokens != all.PromptTokens ||
			got.Attempts != all.Attempts {
			t.Errorf("before the answer to %s were %+v, and it says %+v", r.ID, all, got)
		}
		all.Turns, all.CostNanos, all.PromptTokens = all.Turns+1, all.CostNanos+r.CostNanos, all.PromptTokens+r.PromptTokens
		all.Attempts += r.Attempts
		before[string(r.ID)] = all
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return results
}

func TestSchemaKilled(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"realtime", "batch", "hybrid"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			killedTurns(t, mode, 4)
		})
	}
}

// TestSchemaKilledOften is fifty kills.
func TestSchemaKilledOften(t *testing.T) {
	needsLong(t, "some seconds")
	for _, mode := range []string{"realtime", "batch", "hybrid"} {
		t.Run(mode, func(t *testing.T) { killedTurns(t, mode, 50) })
	}
}

// TestSchemaRefused says what is wrong with a schema, and where, before anything is asked.
func TestSchemaRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, dir, "good.json", fmt.Sprintf(ticket, `"a"`))
	writeFile(t, dir, "bad.json", `{"type":"object","properties":{"a":{"type":"text"}}}`)
	for _, test := range []struct {
		args string
		says string
	}{
		{"--schema bad.json", "bad.json: it is not a valid schema: at /properties/a/type"},
		{"--schema none.json", "none.json"},
		{"--schema good.json --schema-check good.json", "--schema checks answers too"},
		{"--schema good.json --endpoint embeddings", "a schema cannot be used"},
		{"--schema good.json --endpoint completions", "a schema cannot be used"},
		{"--schema good.json --pack 2 --endpoint embeddings", "--pack makes several"},
		{"--reask 2", "--reask needs --schema"},
		{"--schema good.json --reask -1", "--reask is negative"},
	} {
		p := llmpipe(t, dir, append([]string{"--base-url", "sim:"}, strings.Fields(test.args)...)...)
		p.Stdin = strings.NewReader(`{"prompt":"x"}`)
		p.exits(t, 2)
		p.says(t, test.says)
	}
}
