package e2e

import (
	"maps"
	"strings"
	"sync/atomic"
	"testing"
)

// dialects are those of files and batches that the simulator speaks.
var dialects = []string{"openai", "azure", "groq", "together", "mistral", "gemini", "novita"}

// In every dialect of the Batch API the same records get the same answers as one by one, in one
// batch, at half the price.
func TestBatchInEveryDialect(t *testing.T) {
	t.Parallel()
	const records = 1000
	for _, dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			sim := startSim(t, "latency=0s&batch-latency=300ms&dialect="+dialect)
			dir := t.TempDir()
			name := writePrompts(t, dir, records)
			single := llmpipe(t, dir, "--base-url", sim.URL, "-m", "gpt-4o-mini", "-l", "realtime.jsonl", name)
			single.exits(t, 0)
			p := llmpipe(t, dir, byBatch(sim.URL, name)...)
			p.exits(t, 0)
			if want, got := contents(t, single), contents(t, p); len(got) != records || !maps.Equal(want, got) {
				t.Errorf("%d answers, and they differ from %d that came one by one", len(got), len(want))
			}
			if want, got := costOf(t, single)/2, costOf(t, p); !same(want, got) {
				t.Errorf("it costs %g, want %g", got, want)
			}
			if c := sim.batches(t); c.Batches != 1 || c.Files != 1 || c.Answered != records {
				t.Errorf("the simulator counted %+v", c)
			}
		})
	}
}

// byDialect are the arguments for batches in a dialect.
func byDialect(dialect, url string, more ...string) []string {
	if dialect == "messages" {
		return byMessageBatch(url, more...)
	}
	return byBatch(url, more...)
}

// simIn is a simulator that speaks a dialect.
func simIn(t *testing.T, dialect, options string) *simServer {
	if dialect == "messages" {
		return startSim(t, options)
	}
	return startSim(t, options+"&dialect="+dialect)
}

// stepsIn are the steps that make a batch in a dialect, and list them.
func stepsIn(dialect string) (create, list string) {
	if dialect == "messages" {
		return "POST /messages/batches", "GET /messages/batches"
	}
	return "POST /batches", "GET /batches"
}

// noneIn is an empty list in a dialect.
func noneIn(dialect string) string {
	if dialect == "together" {
		return "[]"
	}
	return `{"object":"list","data":[],"has_more":false,"total":0}`
}

// unclear is a way in which the making of a batch gets no clear answer.
type unclear struct {
	name  string
	what  fate
	asked int  // how often a batch is asked for in the end
	list  fate // what becomes of the first looks at the list,
	looks int  // so many
	short bool // in every run of the tests
	more  string
}

// unclears are those that never may make two batches.
var unclears = []unclear{
	{name: "made, and reset", what: lose, asked: 1},
	{name: "made, and 502", what: made502, asked: 1},
	{name: "made, and 504", what: made504, asked: 1},
	{name: "made, and half an answer", what: halve, asked: 1},
	{name: "made, and an empty answer", what: madeEmpty, asked: 1},
	{name: "made, and no answer in time", what: madeSilent, asked: 1, more: "--timeout=1s"},
	{name: "made, and the list is down", what: made502, asked: 1, list: failed, looks: 9},
	{name: "made, and the list lags", what: lose, asked: 1, list: unlisted, looks: 3},
	{name: "made, and 300 others after it", what: made502, asked: 1, short: true},
	{name: "not made, and reset", what: drop, asked: 2},
	{name: "not made, and 502", what: lost502, asked: 2},
	{name: "not made, and 504, behind 300 others", what: lost504, asked: 2},
	{name: "not made, and 500", what: failed, asked: 2},
	{name: "not made, and the list is down", what: lost504, asked: 2, list: lost502, looks: 9},
}

// In every dialect a batch whose making got no clear answer is never made twice.
func TestBatchWhoseMakingIsUnclearInEveryDialect(t *testing.T) {
	t.Parallel()
	for _, dialect := range append(dialects, "messages") {
		for _, test := range unclears {
			if !test.short && !*long {
				continue
			}
			t.Run(dialect+": "+test.name, func(t *testing.T) {
				t.Parallel()
				options := "latency=0s&batch-latency=50ms"
				if strings.Contains(test.name, "300") {
					options += "&batch-foreign=300"
				}
				sim := simIn(t, dialect, options)
				create, list := stepsIn(dialect)
				var creates, lists atomic.Int64
				g := newGateway(t, sim, func(step string) fate {
					switch {
					case step == create && creates.Add(1) == 1:
						return test.what
					case step == list && lists.Add(1) <= int64(test.looks):
						return test.list
					}
					return pass
				})
				g.none = noneIn(dialect)
				dir := t.TempDir()
				args := byDialect(dialect, g.URL, writePrompts(t, dir, 10))
				if test.more != "" {
					args = append(args, test.more)
				}
				p := llmpipe(t, dir, args...)
				p.answers(t, 10)
				if c := sim.batches(t); c.Batches != 1 || c.Answered != 10 || g.created() != test.asked {
					t.Errorf("asked for %d batches; the simulator counted %+v: %s", g.created(), c, p.err.String())
				}
			})
		}
	}
}

// In every dialect a command that was killed at any step goes on where it was.
func TestBatchSurvivesAKillInEveryDialect(t *testing.T) {
	t.Parallel()
	kills := batchKills
	if !*long {
		kills = []kill{{"created, not written down", "POST /batches", 1, lose}}
	}
	for _, dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			survivesKills(t, dialect, kills)
		})
	}
}

// What a provider has no batches for is refused before anything is sent.
func TestBatchThatADialectDoesNotHave(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ dialect, path, endpoint, says string }{
		{"groq", "", "embeddings", "has no batches for embeddings"},
		{"together", "", "responses", "has no batches for responses"},
		{"mistral", "", "completions", "has no batches for completions"},
		{"novita", "", "embeddings", "has no batches for embeddings"},
		{"azure", "/openai/deployments/mine", "chat", "must name its deployment as the model"},
	} {
		t.Run(test.dialect, func(t *testing.T) {
			t.Parallel()
			sim := startSim(t, "latency=0s&dialect="+test.dialect)
			dir := t.TempDir()
			url := sim.URL
			if test.path != "" {
				url = strings.TrimSuffix(url, "/v1") + test.path
			}
			p := llmpipe(t, dir, byBatch(url, "--endpoint", test.endpoint, writePrompts(t, dir, 3))...)
			if code := p.exit(t); code != 1 {
				t.Errorf("exit %d", code)
			}
			p.says(t, test.says, "hint: use --mode realtime")
			if c := sim.batches(t); c.Files != 0 || c.Batches != 0 {
				t.Errorf("the simulator counted %+v", c)
			}
		})
	}
}

// A host that nobody knows is asked for its batches before anything is sent: a gateway to Mistral
// has them elsewhere, and a server without batches nowhere.
func TestBatchAtAnUnknownHost(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, options string
		on            func(step string) fate
		exit          int
		says          string
	}{
		{"Mistral", "&dialect=mistral", func(string) fate { return pass }, 0, "10 answered"},
		{"none", "", func(step string) fate {
			if strings.Contains(step, "/batches") {
				return refused
			}
			return pass
		}, 1, "seems to have no Batch API"},
		{"one that does not say", "", firstOf("LOOK /batches", failed), 0, "10 answered"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			sim := startSim(t, "latency=0s&batch-latency=20ms"+test.options)
			g := newGateway(t, sim, test.on)
			g.mute = true
			dir := t.TempDir()
			p := llmpipe(t, dir, byBatch(g.URL, writePrompts(t, dir, 10))...)
			if code := p.exit(t); code != test.exit {
				t.Errorf("exit %d", code)
			}
			p.says(t, test.says)
			if c := sim.batches(t); test.exit != 0 && c.Files != 0 {
				t.Errorf("the simulator counted %+v", c)
			}
		})
	}
}
