package record

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestValidCustomID(t *testing.T) {
	for id, want := range map[string]bool{
		"r1": true, "Az09_-": true, strings.Repeat("x", 64): true,
		"": false, strings.Repeat("x", 65): false, "a b": false, "a.b": false, "é": false, "a\n": false, "a/b": false, "a@": false, "[": false,
		"`": false, "{": false, ":": false,
	} {
		if got := ValidCustomID(id); got != want {
			t.Errorf("%q: %t", id, got)
		}
	}
}

// batchLine is a line of a batch's input file.
func batchLine(dst []byte, id, path string, body []byte) []byte {
	return append(append(AppendBatchHead(dst, id, path), body...), "}\n"...)
}

// The bytes of a batch's input, as OpenAI's guide to batches shows them.
func TestBatchLine(t *testing.T) {
	for _, c := range []struct {
		name     string
		id       string
		endpoint Endpoint
		body     string
		want     string
	}{
		{"chat", "r-1", Chat, `{"model":"m","messages":[{"role":"user","content":"<é>\n"}],"seed":9007199254740993}`,
			`{"custom_id":"r-1","method":"POST","url":"/v1/chat/completions","body":` +
				`{"model":"m","messages":[{"role":"user","content":"<é>\n"}],"seed":9007199254740993}}`},
		{"embeddings", "r-2", Embeddings, `{"input":["a", "b"], "model" : "m"}`,
			`{"custom_id":"r-2","method":"POST","url":"/v1/embeddings","body":{"input":["a", "b"], "model" : "m"}}`},
		{"responses", "r-3", Responses, `{"input":"x","model":"m","temperature":0.0}`,
			`{"custom_id":"r-3","method":"POST","url":"/v1/responses","body":{"input":"x","model":"m","temperature":0.0}}`},
		{"completions", "r-4", Completions, `{"prompt":"x","model":"m"}`,
			`{"custom_id":"r-4","method":"POST","url":"/v1/completions","body":{"prompt":"x","model":"m"}}`},
		{"an odd id", `a"b`, Chat, `{}`, `{"custom_id":"a\"b","method":"POST","url":"/v1/chat/completions","body":{}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := batchLine([]byte("before\n"), c.id, c.endpoint.Path(), []byte(c.body))
			if string(got) != "before\n"+c.want+"\n" {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// A line of the input says what was put in, whatever that was, and is one line.
func TestBatchLineLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.StringMatching(`[A-Za-z0-9_-]{1,64}`).Draw(t, "id")
		endpoint := Endpoint(rapid.IntRange(0, 3).Draw(t, "endpoint"))
		fields := rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "fields")
		body, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		line := batchLine(nil, id, endpoint.Path(), body)
		var got struct {
			ID   string            `json:"custom_id"`
			URL  string            `json:"url"`
			Body map[string]string `json:"body"`
		}
		if err := json.Unmarshal(line, &got); err != nil || bytes.IndexByte(line, '\n') != len(line)-1 {
			t.Fatalf("%q: %v", line, err)
		}
		read, known := EndpointOf(got.URL)
		if !ValidCustomID(id) || got.ID != id || !known || read != endpoint || len(got.Body) != len(fields) {
			t.Fatalf("%s of %s: %+v", line, body, got)
		}
		for k, v := range fields {
			if got.Body[k] != v {
				t.Fatalf("%q is %q, was %q", k, got.Body[k], v)
			}
		}
	})
}
