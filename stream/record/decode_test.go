package record

import (
	"testing"

	"llmpipe/stream/record/rawjson"
)

// decode decodes one line with a decoder of its own.
func decode(t *testing.T, o Options, line string) (*Record, *Error) {
	t.Helper()
	d, err := NewDecoder(o)
	if err != nil {
		t.Fatal(err)
	}
	rec := &Record{Line: 7, File: "f"}
	e := d.Decode(rec, []byte(line))
	return rec, e
}

func TestDecodeBody(t *testing.T) {
	set := []Field{{"top_p", []byte("1")}, {"top_p", []byte("0.5")}, {"n", []byte("2")}}
	tests := []struct {
		name, line string
		opt        Options
		body, id   string
	}{
		{"string", `"Say \u0041\n"`, Options{}, `{"messages":[{"role":"user","content":"Say \u0041\n"}]}`, ""},
		{"string, all flags", `"hi"`, Options{Model: "m", System: "be \"brief\"", Set: set},
			`{"model":"m","messages":[{"role":"system","content":"be \"brief\""},{"role":"user","content":"hi"}],"top_p":0.5,"n":2}`, ""},
		{"string to embeddings", `"hi"`, Options{Endpoint: Embeddings}, `{"input":"hi"}`, ""},
		{"string to responses", `"hi"`, Options{Endpoint: Responses, System: "s", Model: "m"},
			`{"model":"m","instructions":"s","input":"hi"}`, ""},
		{"string to completions", `"hi"`, Options{Endpoint: Completions}, `{"prompt":"hi"}`, ""},
		{"raw", "say \"hi\"\t<&>\r", Options{Raw: true}, `{"messages":[{"role":"user","content":"say \"hi\"\t<&>"}]}`, ""},
		{"batch line", `{"custom_id":"a","id":9,"method":"POST","url":"/v1/embeddings","body": {"input" : 9007199254740993, "x":"\u0041" } }`,
			Options{Model: "m", System: "s", Set: set}, `{"input" : 9007199254740993, "x":"\u0041" }`, `"a"`},
		{"request body", `{"id":1e3, "guided_json":{"b":1,"a":2}, "messages": [ ] ,"temperature":1.0}`, Options{},
			`{ "guided_json":{"b":1,"a":2}, "messages": [ ] ,"temperature":1.0}`, `1e3`},
		{"id in the middle", `{"model":"m" , "id":"x" , "messages":[]}`, Options{}, `{"model":"m"  , "messages":[]}`, `"x"`},
		{"id at the end", `{"messages":[],"custom_id":"x"}`, Options{}, `{"messages":[]}`, `"x"`},
		{"all that is cut at the end", `{"messages":[], "id":null ,"custom_id":"x", "priority":"high" }`, Options{}, `{"messages":[]  }`,
			`"x"`},
		{"ids around, model lacking", `{"id":"x","priority":"low","messages":[],"id":"y"}`, Options{Model: "m"},
			`{"model":"m","messages":[]}`, `"y"`},
		{"numeric priority stays", `{"messages":[],"priority":3}`, Options{}, `{"messages":[],"priority":3}`, ""},
		{"set what is lacking", `{"messages":[],"model":"own","n":1}`, Options{Model: "m", Set: set},
			`{"top_p":0.5,"messages":[],"model":"own","n":1}`, ""},
		{"system prepended", `{"messages": [ {"role":"user","content":"u"}]}`, Options{System: "s"},
			`{"messages": [{"role":"system","content":"s"}, {"role":"user","content":"u"}]}`, ""},
		{"system into no messages", `{"messages":[]}`, Options{System: "s"}, `{"messages":[{"role":"system","content":"s"}]}`, ""},
		{"system there", `{"messages":[{"content":"x","role":"s\u0079stem"}]}`, Options{System: "s"},
			`{"messages":[{"content":"x","role":"s\u0079stem"}]}`, ""},
		{"developer there", `{"messages":[{"role":"developer"}]}`, Options{System: "s"}, `{"messages":[{"role":"developer"}]}`, ""},
		{"instructions lacking", `{"input":[]}`, Options{System: "s", Endpoint: Responses}, `{"instructions":"s","input":[]}`, ""},
		{"instructions there", `{"input":"","instructions":"i"}`, Options{System: "s", Endpoint: Responses},
			`{"input":"","instructions":"i"}`, ""},
		{"input and messages", `{"input":"i","messages":[]}`, Options{Endpoint: Responses}, `{"input":"i","messages":[]}`, ""},
		{"completions body", `{"id":1,"prompt":["a","b"],"suffix":"s"}`, Options{Endpoint: Completions}, `{"prompt":["a","b"],"suffix":"s"}`,
			`1`},
		{"simple", `{"id":"a","temperature":0, "p\u0072ompt":"p" ,"seed":1}`, Options{System: "s", Model: "m"},
			`{"model":"m","temperature":0, "messages":[{"role":"system","content":"s"},{"role":"user","content":"p"}] ,"seed":1}`, `"a"`},
		{"simple with system", `{"system":"own","prompt":"p","x":1}`, Options{System: "s"},
			`{"messages":[{"role":"system","content":"own"},{"role":"user","content":"p"}],"x":1}`, ""},
		{"simple, system null", `{"prompt":"p","system":null}`, Options{}, `{"messages":[{"role":"user","content":"p"}]}`, ""},
		{"simple, prompt twice", `{"prompt":"p","x":1,"prompt":"q"}`, Options{}, `{"x":1,"messages":[{"role":"user","content":"q"}]}`, ""},
		{"simple to responses", `{"system":"own","prompt":"p"}`, Options{Endpoint: Responses, System: "s"},
			`{"instructions":"own","input":"p"}`, ""},
		{"simple to embeddings", `{"prompt":"p","dimensions":3}`, Options{Endpoint: Embeddings}, `{"input":"p","dimensions":3}`, ""},
		{"simple with foreign input", `{"prompt":"p","input":"i"}`, Options{}, `{"messages":[{"role":"user","content":"p"}],` +
			`"input":"i"}`, ""},
		{"id field", `{"id":5,"key":"k","messages":[]}`, Options{IDField: "key"}, `{"id":5,"messages":[]}`, `"k"`},
		{"byte order mark and white space", "\xef\xbb\xbf \"hi\"\r", Options{}, `{"messages":[{"role":"user","content":"hi"}]}`, ""},
		{"bad UTF-8 and lone surrogates stay", "{\"prompt\":\"\xe9\\ud800\",\"v\":\"\xff\"}", Options{},
			"{\"messages\":[{\"role\":\"user\",\"content\":\"\xe9\\ud800\"}],\"v\":\"\xff\"}", ""},
		{"null id", `{"id":null,"messages":[]}`, Options{}, `{"messages":[]}`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			rec, e := decode(t, test.opt, test.line)
			if e != nil {
				t.Fatal(e)
			}
			if string(rec.Body) != test.body {
				t.Errorf("body\n got %s\nwant %s", rec.Body, test.body)
			}
			if string(rec.ID) != test.id {
				t.Errorf("id %s, want %s", rec.ID, test.id)
			}
			if (rec.ID == nil) != (rec.Content != [16]byte{}) {
				t.Errorf("id %s with content hash %x", rec.ID, rec.Content)
			}
			if string(rec.Input) != test.line || rec.Line != 7 || rec.File != "f" {
				t.Errorf("input %q, line %d of %q: not the caller's", rec.Input, rec.Line, rec.File)
			}
			if !rawjson.Valid(rec.Body) {
				t.Error("the body is not JSON")
			}
		})
	}
}
