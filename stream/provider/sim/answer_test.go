package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// An answer depends on the seed and the body, not on what came before it or on
// how much fails.
func TestSimDeterministic(t *testing.T) {
	bodies := make([]string, 50)
	for i := range bodies {
		bodies[i] = fmt.Sprintf(`{"model":"gpt-5","n":2,"messages":[{"role":"user","content":"prompt %d"}]}`, i)
	}
	ask := func(o Options, order []int) map[int]string {
		s := New(o)
		defer s.Close()
		answers := map[int]string{}
		for _, i := range order {
			for answers[i] == "" {
				if w := post(s, "/v1/chat/completions", bodies[i]); w.Code == http.StatusOK {
					answers[i] = w.Body.String()
				}
			}
		}
		return answers
	}
	order := rand.New(rand.NewPCG(1, 2)).Perm(len(bodies))
	first := ask(Options{Seed: 5}, order)
	slices.Reverse(order)
	if second := ask(Options{Seed: 5, Fail: 0.3}, order); !maps.Equal(first, second) {
		t.Error("another order gave other answers")
	}
	other := ask(Options{Seed: 6}, order)
	for i := range bodies {
		if other[i] == first[i] {
			t.Errorf("another seed gave the same answer to %s", bodies[i])
		}
	}
	if distinct := len(slices.Compact(slices.Sorted(maps.Values(first)))); distinct != len(bodies) {
		t.Errorf("%d different answers to %d bodies", distinct, len(bodies))
	}
}

// Outputs have the mean asked for, and lie between a third of it and three
// times it.
func TestSimOutputLengths(t *testing.T) {
	for _, mean := range []int{5, 20, 300} {
		low, high, sum := math.MaxInt, 0, 0
		const draws = 20_000
		for i := range uint64(draws) {
			n := logNormal(mix(9, i), mean)
			low, high, sum = min(low, n), max(high, n), sum+n
		}
		if got := float64(sum) / draws; math.Abs(got-float64(mean)) > 0.03*float64(mean) {
			t.Errorf("mean %d: %.2f", mean, got)
		}
		if third := int(math.Round(float64(mean) / 3)); low != third || high > 3*mean || high < 2*mean {
			t.Errorf("mean %d: from %d to %d", mean, low, high)
		}
	}
}

// Whatever is asked: the answer is JSON, its words are the tokens billed, and
// they keep to max_tokens.
func TestSimAnswerLaw(t *testing.T) {
	s := New(Options{Truncate: 0.3})
	defer s.Close()
	rapid.Check(t, func(rt *rapid.T) {
		prompt, err := json.Marshal(rapid.String().Draw(rt, "prompt"))
		if err != nil {
			rt.Fatal(err)
		}
		most := rapid.IntRange(0, 200).Draw(rt, "max_tokens")
		n := rapid.IntRange(1, 4).Draw(rt, "n")
		model := rapid.SampledFrom([]string{"gpt-4o-mini", "o3", "gpt-5-nano"}).Draw(rt, "model")
		limit := ""
		if most > 0 {
			limit = fmt.Sprintf(`"max_completion_tokens":%d,`, most)
		}
		w := post(s, "/v1/chat/completions",
			fmt.Sprintf(`{%s"n":%d,"model":%q,"messages":[{"role":"user","content":%s}]}`, limit, n, model, prompt))
		var got wireCompletion
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK || len(got.Choices) != n {
			rt.Fatalf("answered %d %s: %v", w.Code, w.Body, err)
		}
		words := 0
		for _, c := range got.Choices {
			words += len(strings.Fields(c.Message.Content))
			if !utf8.ValidString(c.Message.Content) || c.Finish != "stop" && c.Finish != "length" {
				rt.Fatalf("choice %+v", c)
			}
		}
		u := got.Usage
		if u.Completion != words+u.Details.Reasoning || u.Total != u.Prompt+u.Completion || most > 0 && u.Completion > n*most {
			rt.Fatalf("usage %+v for %d words, max_tokens %d, n %d", u, words, most, n)
		}
		if (u.Details.Reasoning > 0) != (model != "gpt-4o-mini") {
			rt.Fatalf("model %s: usage %+v", model, u)
		}
	})
}

func TestSimEcho(t *testing.T) {
	long := strings.Repeat("é", 40)
	tests := []struct{ content, want string }{
		{`"hi"`, `"hi":`},
		{`"a \"quoted\"\nword"`, `"a "quoted" word":`},
		{`"one two three four five six seven eight nine"`, `"one two three four five six seven eight…":`},
		{`"` + long + ` end"`, `"` + strings.Repeat("é", 16) + `… end":`},
		{`"bad ` + "\xff" + `utf-8"`, `"bad utf-8":`},
		{`"  "`, `this:`},
		{`null`, `this:`},
		{`[{"type":"text","text":"first part"},{"type":"text","text":"second"}]`, `"first part":`},
	}
	for _, test := range tests {
		var q request
		body := `{"model":"m","messages":[{"role":"system","content":null},{"role":"user","content":` + test.content + `}]}`
		if fault := q.parse(chat, &Options{}, []byte(body)); fault != nil {
			t.Errorf("%s: %v", test.content, fault)
			continue
		}
		text := string(q.writeText(nil, &choice{visible: 30}))
		if !strings.HasPrefix(text, opening+" "+test.want+" ") || len(strings.Fields(text)) != 30 {
			t.Errorf("%s: %q", test.content, text)
		}
	}
}

// What the user said last is quoted, not the rules or the answers before it.
func TestSimEchoesTheUser(t *testing.T) {
	var q request
	body := `{"model":"m","messages":[{"role":"system","content":"rules"},{"content":"question","role":"user"},` +
		`{"role":"assistant","content":"reply"}]}`
	if fault := q.parse(chat, &Options{}, []byte(body)); fault != nil {
		t.Fatal(fault)
	}
	if string(q.echo) != `"question"` {
		t.Errorf("quotes %s", q.echo)
	}
}

func TestSimParseAllocates(t *testing.T) {
	var q request
	body := []byte(hello)
	got := testing.AllocsPerRun(100, func() {
		if fault := q.parse(chat, &Options{}, body); fault != nil {
			t.Fatal(fault)
		}
	})
	// The model's name and the closures over the parser's state.
	if got > 6 {
		t.Errorf("%v allocations", got)
	}
}

func TestSimStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := New(Options{})
		defer s.Close()
		if first := s.Stats(); first.Requests != 0 || !first.First.IsZero() {
			t.Errorf("at first: %+v", first)
		}
		chat := decode[wireCompletion](t, post(s, "/v1/chat/completions", hello)).Usage
		time.Sleep(time.Second)
		thought := decode[wireCompletion](t, post(s, "/chat/completions", strings.Replace(hello, "gpt-4o-mini", "o3", 1))).Usage
		time.Sleep(time.Second)
		post(s, "/v1/embeddings", `{"model":"e","input":"12345"}`)
		post(s, "/v1/embeddings", `{`)
		get(s, "/v1/models")
		want := Stats{
			Requests: 5, Answered: 3, ByStatus: map[int]int64{200: 4, 400: 1}, PeakInFlight: 1,
			Models: map[string]ModelStats{
				"gpt-4o-mini": {Answered: 1, PromptTokens: 14, CompletionTokens: int64(chat.Completion)},
				"o3": {Answered: 1, PromptTokens: 14, CompletionTokens: int64(thought.Completion),
					ReasoningTokens: int64(thought.Details.Reasoning)},
				"e": {Answered: 1, PromptTokens: 2},
			},
			PromptTokens: 30, CompletionTokens: int64(chat.Completion + thought.Completion),
			First: start, Last: start.Add(2 * time.Second),
		}
		if got := fmt.Sprintf("%+v", s.Stats()); got != fmt.Sprintf("%+v", want) {
			t.Errorf("\n got %s\nwant %+v", got, want)
		}
		served := decode[Stats](t, get(s, "/stats"))
		if served.Requests != 5 || !maps.Equal(served.Models, want.Models) || !maps.Equal(served.ByStatus, want.ByStatus) ||
			!served.Last.Equal(want.Last) {
			t.Errorf("/stats says %+v", served)
		}
	})
}
