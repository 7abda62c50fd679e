package record

import (
	"encoding/json"
	"strings"
	"testing"

	"llmpipe/stream/record/schema"
)

// A schema is in the request, and not in what the request is known by; a model can be replaced in it
// all the same.
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
