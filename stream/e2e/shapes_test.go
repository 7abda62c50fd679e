package e2e

import (
	"strings"
	"testing"
)

// shapes are the forms that a line may have, with the id that its answer carries and the request
// that it makes with -m small. An empty id is one that llmpipe makes of the content.
var shapes = []struct{ line, id, path, body string }{
	{
		`"Which tool would you take to an island?"`, "",
		"/chat/completions", `{"model":"small","messages":[{"role":"user","content":"Which tool would you take to an island?"}]}`,
	},
	{
		`{"prompt":"no name"}`, "",
		"/chat/completions", `{"model":"small","messages":[{"role":"user","content":"no name"}]}`,
	},
	{
		`{"id":"simple","prompt":"hi \u00e9\/\n"}`, `"simple"`,
		"/chat/completions", `{"model":"small","messages":[{"role":"user","content":"hi \u00e9\/\n"}]}`,
	},
	{
		`{"id": 7, "prompt": "p", "system": "s", "temperature": 0.10}`, `7`,
		"/chat/completions",
		`{"model":"small", "messages":[{"role":"system","content":"s"},{"role":"user","content":"p"}], "temperature": 0.10}`,
	},
	{
		`{"id":9007199254740993,"prompt":"large id"}`, `9007199254740993`,
		"/chat/completions", `{"model":"small","messages":[{"role":"user","content":"large id"}]}`,
	},
	{
		`{"id":1.50e3,"prompt":"id as spelt"}`, `1.50e3`,
		"/chat/completions", `{"model":"small","messages":[{"role":"user","content":"id as spelt"}]}`,
	},
	{
		`{"id":"\u00fc \"q\"","prompt":"id with escapes"}`, `"\u00fc \"q\""`,
		"/chat/completions", `{"model":"small","messages":[{"role":"user","content":"id with escapes"}]}`,
	},
	{
		`{"custom_id":"wins","id":"loses","prompt":"two ids"}`, `"wins"`,
		"/chat/completions", `{"model":"small","messages":[{"role":"user","content":"two ids"}]}`,
	},
	{
		`{"id":"body","messages":[{"role":"user","content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}]}],` +
			`"zeta":1,"model":"large","alpha":[1,2,{"b":1,"a":2}],"guided_json":{"type":"object"},"provider":{"order":["b","a"]},` +
			`"seed":9007199254740993,"big":1e400,"top_p":1.0}`, `"body"`,
		"/chat/completions",
		`{"messages":[{"role":"user","content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}]}],` +
			`"zeta":1,"model":"large","alpha":[1,2,{"b":1,"a":2}],"guided_json":{"type":"object"},"provider":{"order":["b","a"]},` +
			`"seed":9007199254740993,"big":1e400,"top_p":1.0}`,
	},
	{
		`{ "messages" : [ ] ,	"id" : "spaced" , "model" : "large" , "priority" : "high" }`, `"spaced"`,
		"/chat/completions", `{ "messages" : [ ]  , "model" : "large"  }`,
	},
	{
		`{"id":"vendor's priority","messages":[],"model":"large","priority":5}`, `"vendor's priority"`,
		"/chat/completions", `{"messages":[],"model":"large","priority":5}`,
	},
	{
		`{"custom_id":"batch","method":"POST","url":"/v1/chat/completions","body":{ "seed": 9007199254740993, "model":"large","messages":[] }}`,
		`"batch"`,
		"/chat/completions", `{ "seed": 9007199254740993, "model":"large","messages":[] }`,
	},
	{
		`{"custom_id":"embed","method":"POST","url":"/v1/embeddings","body":{"input":"x","model":"e","id":"inside","dimensions":1}}`, `"embed"`,
		"/embeddings", `{"input":"x","model":"e","id":"inside","dimensions":1}`,
	},
	{
		`{"custom_id":"respond","url":"/v1/responses","body":{"model":"large","input":[{"role":"user","content":"x"}]}}`, `"respond"`,
		"/responses", `{"model":"large","input":[{"role":"user","content":"x"}]}`,
	},
	{
		`{"custom_id":"complete","url":"/v1/completions","body":{"prompt":"x","model":"large","suffix":"\u2028"}}`, `"complete"`,
		"/completions", `{"prompt":"x","model":"large","suffix":"\u2028"}`,
	},
	{
		`{"custom_id":"no url","body":{"model":"large","messages":[]}}`, `"no url"`,
		"/chat/completions", `{"model":"large","messages":[]}`,
	},
}

// TestShapes sends every form of a line through one run, and compares what arrives at the provider
// byte for byte.
func TestShapes(t *testing.T) {
	t.Parallel()
	provider := newRecorder(t)
	p := llmpipe(t, t.TempDir(), "--base-url", provider.URL, "-m", "small", "--ordered")
	var in strings.Builder
	for _, s := range shapes {
		in.WriteString(s.line + "\n")
	}
	p.Stdin = strings.NewReader(in.String())
	p.exits(t, 0)
	results := p.results(t)
	if len(results) != len(shapes) || len(provider.requests()) != len(shapes) {
		t.Fatalf("%d lines out and %d requests for %d lines in", len(results), len(provider.requests()), len(shapes))
	}
	answered := map[string]bool{}
	for i, s := range shapes {
		r := results[i]
		id := string(r.ID)
		if s.id != "" && id != s.id || s.id == "" && len(id) < 2+32 {
			t.Errorf("%s\nid %s, want %s", s.line, id, s.id)
		}
		answered[id] = true
		asked := provider.answerTo(t, r)
		if asked.path != s.path || asked.body != s.body {
			t.Errorf("%s\nasked %s %s\nwant  %s %s", s.line, asked.path, asked.body, s.path, s.body)
		}
	}
	if len(answered) != len(shapes) {
		t.Errorf("%d ids in %d answers", len(answered), len(shapes))
	}
}

// TestShapesByFlags is about the forms that a flag asks for.
func TestShapesByFlags(t *testing.T) {
	t.Parallel()
	const chat = `{"model":"small","messages":[{"role":"user","content":`
	for _, c := range []struct {
		name                 string
		args                 []string
		line, id, path, body string
	}{
		{
			"template", []string{"-p", "{{.n}}: {{.text | trim}}"}, `{"id":3,"text":" a\"b ","n":9007199254740993,"temperature":1}`, `3`,
			"/chat/completions", chat + `"9007199254740993: a\"b"}]}`,
		},
		{
			"template over messages", []string{"-p", `{{index .messages 0 "content"}}`}, `{"id":"m","messages":[{"content":"inner"}]}`, `"m"`,
			"/chat/completions", chat + `"inner"}]}`,
		},
		{"template over a string", []string{"-p", "Say {{.}}"}, `"hi"`, "", "/chat/completions", chat + `"Say hi"}]}`},
		{"raw", []string{"-R"}, `{"id":"not an id"} \n`, "", "/chat/completions", chat + `"{\"id\":\"not an id\"} \\n"}]}`},
		{"raw with a template", []string{"-R", "-p", "Say {{.}}"}, `"hi"`, "", "/chat/completions", chat + `"Say \"hi\""}]}`},
		{
			"id field", []string{"--id-field", "key"}, `{"key":12,"id":"stays","prompt":"x"}`, `12`,
			"/chat/completions", `{"model":"small","id":"stays","messages":[{"role":"user","content":"x"}]}`,
		},
		{
			"embeddings", []string{"--endpoint", "embeddings"}, `{"id":1,"input":["a"],"dimensions":2}`, `1`,
			"/embeddings", `{"model":"small","input":["a"],"dimensions":2}`,
		},
		{"embeddings of a string", []string{"--endpoint", "embeddings"}, `"a"`, "", "/embeddings", `{"model":"small","input":"a"}`},
		{
			"responses", []string{"--endpoint", "responses", "--system", "be brief"}, `{"id":1,"prompt":"a"}`, `1`,
			"/responses", `{"model":"small","instructions":"be brief","input":"a"}`,
		},
		{
			"completions", []string{"--endpoint", "completions"}, `{"id":1,"prompt":"a","suffix":"b"}`, `1`,
			"/completions", `{"model":"small","prompt":"a","suffix":"b"}`,
		},
		{
			"system and fields", []string{"--system", "be brief", "--set", "seed=9007199254740993", "--set", `stop=["a"]`},
			`{"id":1,"prompt":"a","stop":null}`, `1`,
			"/chat/completions",
			`{"model":"small","seed":9007199254740993,"messages":[{"role":"system","content":"be brief"},{"role":"user","content":"a"}],` +
				`"stop":null}`,
		},
		{
			"a batch line takes no flags", []string{"--system", "be brief", "--set", "n=1"}, `{"custom_id":"c","body":{"messages":[]}}`, `"c"`,
			"/chat/completions", `{"messages":[]}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			provider := newRecorder(t)
			args := append([]string{"--base-url", provider.URL, "-m", "small", "--no-ledger"}, c.args...)
			p := llmpipe(t, t.TempDir(), args...)
			p.Stdin = strings.NewReader(c.line + "\n")
			if code := p.exit(t); code != 0 || len(p.lines()) != 1 {
				t.Fatalf("exit %d\n%s\n%s", code, p.out.String(), p.err.String())
			}
			r := p.results(t)[0]
			if id := string(r.ID); c.id != "" && id != c.id || c.id == "" && len(id) < 2+32 {
				t.Errorf("id %s, want %s", id, c.id)
			}
			if asked := provider.answerTo(t, r); asked.path != c.path || asked.body != c.body {
				t.Errorf("asked %s %s\nwant  %s %s", asked.path, asked.body, c.path, c.body)
			}
		})
	}
}
