package record

import (
	"encoding/json"
	"strings"
	"testing"

	"llmpipe/stream/record/schema"
)

// A schema is in the request, and not in what the request is known by; a model can be replaced in
// it all the same.
func TestRecordsWithASchema(t *testing.T) {
	s, err := schema.New("s.json", []byte(`{"type":"object"}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		endpoint Endpoint
		line     string
		asks     bool
	}{
		{Chat, `{"id":1,"prompt":"x"}`, true},
		{Chat, `"x"`, true},
		{Chat, `{"id":1,"messages":[{"role":"user","content":"x"}],"model":"own"}`, true},
		{Chat, `{"id":1,"messages":[],"response_format":{"type":"json_object"}}`, false},
		{Chat, `{"custom_id":"a","url":"/v1/chat/completions","body":{"model":"own","messages":[]}}`, false},
		{Responses, `{"id":1,"prompt":"x"}`, true},
		{Responses, `{"id":1,"text":{"verbosity":"low"},"input":"x","model":"own"}`, true},
		{Messages, `{"id":1,"prompt":"x"}`, true},
	} {
		options := Options{Endpoint: test.endpoint, Model: "m"}
		decode := func(o Options) (r Record) {
			d, err := NewDecoder(o)
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Decode(&r, []byte(test.line)); err != nil {
				t.Fatal(test.line, err)
			}
			return r
		}
		bare := decode(options)
		options.Schema = s
		shaped := decode(options)
		options.OnlyCheck = true
		checked := decode(options)
		if string(checked.Body) != string(bare.Body) {
			t.Errorf("%s: %s", test.line, checked.Body)
		}
		if asks := strings.Contains(string(shaped.Body), `"json_schema"`); asks != test.asks || !json.Valid(shaped.Body) {
			t.Errorf("%s asks for a shape: %s", test.line, shaped.Body)
		}
		if shaped.Request != bare.Request || shaped.TextBytes-bare.TextBytes != len(shaped.Body)-len(bare.Body) {
			t.Errorf("%s: another request, or %d bytes of text", test.line, shaped.TextBytes)
		}
		with := string(shaped.WithModel(nil, "other"))
		if !json.Valid([]byte(with)) || !strings.Contains(with, `"model":"other"`) || strings.Contains(with, `"own"`) {
			t.Errorf("with another model: %s", with)
		}
	}
	for _, e := range []Endpoint{Embeddings, Completions} {
		if _, err := NewDecoder(Options{Endpoint: e, Schema: s}); err == nil {
			t.Errorf("a schema for %s", e)
		}
	}
}

// A conversation is taken further in its own place; the model is found behind it all the same, and
// what has no conversation, or was answered with nothing, is asked as it was.
func TestContinue(t *testing.T) {
	const said, then = `"{\"a\":\"x\"}"`, `at "/a": got string`
	for _, test := range []struct {
		endpoint         Endpoint
		line, said, want string
	}{
		{Chat, `{"id":1,"prompt":"p"}`, said, `{"model":"m","messages":[{"role":"user","content":"p"},` +
			`{"role":"assistant","content":"{\"a\":\"x\"}"},` +
			`{"role":"user","content":"at \"/a\": got string"}]}`},
		{Chat, `{"messages":[],"model":"own"}`, `"s"`, `{"messages":[{"role":"assistant","content":"s"},` +
			`{"role":"user","content":"at \"/a\": got string"}],"model":"own"}`},
		{Responses, `{"input":"p","model":"own"}`, `"s"`, `{"input":[{"role":"user","content":"p"},{"role":"assistant","content":"s"},` +
			`{"role":"user","content":"at \"/a\": got string"}],"model":"own"}`},
		{Chat, `{"messages":[],"model":"own"}`, `" \n"`, `{"messages":[],"model":"own"}`},
		{Completions, `{"prompt":"p","model":"own"}`, `"s"`, `{"prompt":"p","model":"own"}`},
	} {
		d, err := NewDecoder(Options{Endpoint: test.endpoint, Model: "m"})
		if err != nil {
			t.Fatal(err)
		}
		var r Record
		if err := d.Decode(&r, []byte(test.line)); err != nil {
			t.Fatal(test.line, err)
		}
		request, text, body := r.Request, r.TextBytes, len(r.Body)
		r.Continue([]byte(test.said), then)
		if string(r.Body) != test.want {
			t.Errorf("%s:\n%s, want\n%s", test.line, r.Body, test.want)
		}
		if r.Request != request || r.TextBytes-text != len(r.Body)-body {
			t.Errorf("%s: another request, or %d bytes of text", test.line, r.TextBytes)
		}
		with := string(r.WithModel(nil, "other"))
		if !json.Valid([]byte(with)) || strings.Count(with, `"other"`) != 1 || strings.Contains(with, `"own"`) {
			t.Errorf("with another model: %s", with)
		}
	}
}
