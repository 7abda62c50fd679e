package record

import (
	"bytes"
	"reflect"
	"testing"
	"unicode/utf8"

	"llmpipe/stream/record/mend"
	"llmpipe/stream/record/rawjson"
)

// FuzzDecode: no line makes a panic, what is decoded is a request that can be sent, and a decoder
// remembers nothing of the line before.
func FuzzDecode(f *testing.F) {
	for _, line := range []string{
		`{"id":"a","messages":[{"role":"user","content":"x"}],"vendor":[1, 2],"priority":"high"}`, `"text"`,
		`{"prompt":"p","system":"s","n":2}`,
		`{"custom_id":"c","url":"/v1/embeddings","body":{"input":["a"]}}`, `{"input":"i","custom_id":1}`, `{"error":{"message":"m"}}`,
		"caf\xe9", "",
		`{"pr\u006fmpt":"\ud800","prompt":null}`, `{"id":1,"id":2,"messages":[],"id":3}`, `{"text":{"a":[null,true,1e3]}}`,
		`{"messages": [ ] , "id" : 1 }`,
	} {
		f.Add([]byte(line), uint8(0), false)
		f.Add([]byte(line), uint8(6), true)
	}
	f.Fuzz(func(t *testing.T, line []byte, kind uint8, flags bool) {
		o := Options{Endpoint: Endpoint(kind % 4), Raw: kind&4 != 0}
		if kind&8 != 0 {
			o.Template = `{{range $k, $v := .}}{{$k}}={{$v}}{{end}}{{.text}}{{json .}}`
		}
		if flags {
			o.Model = "m"
			o.Set = []Field{{"top_p", []byte("1")}}
			if o.Endpoint.takesSystem() {
				o.System = "s"
			}
			if !o.Raw && kind&16 != 0 {
				o.IDField = "key"
			}
		}
		d, err := NewDecoder(o)
		if err != nil {
			t.Fatal(err)
		}
		var rec, again Record
		given := bytes.Clone(line)
		e := d.Decode(&rec, line)
		if !bytes.Equal(line, given) {
			t.Fatalf("the line was changed to %q", line)
		}
		checkDecoded(t, &rec, e)
		d.Decode(&Record{}, []byte(`{"id":"z","messages":[{"role":"user"}],"model":"other","priority":"p","a":{"b":[1]}}`))
		e2 := d.Decode(&again, line)
		if (e == nil) != (e2 == nil) || rec.Request != again.Request || rec.Content != again.Content || !bytes.Equal(rec.Body, again.Body) {
			t.Fatalf("the second time it is %s, not %s", again.Body, rec.Body)
		}
	})
}

func checkDecoded(t *testing.T, rec *Record, e *Error) {
	if rec.ID != nil && !rawjson.IsString(rec.ID) && !rawjson.IsNumber(rec.ID) {
		t.Fatalf("id %s", rec.ID)
	}
	if e != nil {
		if e.Type != TypeInvalidInput && e.Type != TypeUpstream || e.Message == "" {
			t.Fatalf("error %+v", e)
		}
		return
	}
	if !rawjson.Valid(rec.Body) || rec.Body[0] != '{' || rec.N < 1 || rec.MaxTokens < 0 {
		t.Fatalf("body %s, n %d, max tokens %d", rec.Body, rec.N, rec.MaxTokens)
	}
	if rec.ID == nil && rec.Content == [16]byte{} {
		t.Fatal("neither an id nor what one is made of")
	}
	other := rec.WithModel(nil, "another")
	if model := rawjson.ValueOf(rawjson.AppendMembers(nil, other, 0), other, "model"); !rawjson.Valid(other) || string(model) != `"another"` {
		t.Fatalf("with another model: %s", other)
	}
	for _, m := range rawjson.AppendMembers(nil, rec.Body, 0) {
		if key := m.Key.Of(rec.Body); !bytes.Contains(rec.Input, m.Value.Of(rec.Body)) && !ours(string(rawjson.NameOf(key))) {
			t.Fatalf("%s in %s is not in the line", key, rec.Body)
		}
	}
}

// ours says whether a member of a body may come from the flags or from a prompt.
func ours(name string) bool {
	switch name {
	case "messages", "input", "prompt", "instructions", "model", "top_p":
		return true
	}
	return false
}

// FuzzAnswer: no body makes a panic, and what is found in it is JSON.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{
		chatBody, `{"data":[{"embedding":[1]},{"embedding":"x"}],"usage":{"prompt_tokens":1}}`, `{"choices":[{"text":"a"},{}]}`,
		`{"output":[{"type":"message","content":[{"text":"a"},{"text":"b"},{"refusal":"c"}]},{"type":"function_call"}],` +
			`"status":"incomplete"}`,
		`{"error":{"message":"m","code":1,"metadata":{"raw":"r"}}}`, `[{"error":"x"}]`, `<html>`, `{"detail":[]}`,
		`{"`, `{"choices":`, `{"choices":[{"message":`, `{"choices":[{"message":{"tool_calls":[`,
		`{"choices":[{"message":{"content":"a"}}],"choices":[]}`, `{"a":NaN}`, "{\"a\":\"\n\"}x",
		"data: {\"choices\":[{\"text\":\"a\"}]}\ndata: [DONE]",
		`{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"a"}}]},"finish_reason":"stop"}]}`,
	} {
		f.Add([]byte(body), uint8(0))
		f.Add([]byte(body), uint8(2))
	}
	f.Fuzz(func(t *testing.T, body []byte, kind uint8) {
		if e := ParseError(body); e.Message == "" {
			t.Fatalf("error %+v", e)
		}
		if mended, ok := mend.Answer(body); ok && !rawjson.Valid(mended) {
			t.Fatalf("mended to %s", mended)
		}
		dense := rawjson.Compact(nil, body)
		a, err := ParseAnswer(Endpoint(kind%5), body)
		if err != nil {
			_, _ = RecallAnswer(Endpoint(kind%5), body) // nonsense, but no panic
			return
		}
		if !rawjson.Valid(dense) || newHasher().sum("", dense) != newHasher().sum("", body) {
			t.Fatalf("compacted to %s", dense)
		}
		for _, part := range [][]byte{a.Content, a.Embedding, a.More, a.ToolCalls, a.Refusal, a.FinishReason, a.Model, a.Error} {
			if part != nil && !rawjson.Valid(part) {
				t.Fatalf("part %s", part)
			}
		}
		whole, err1 := ParseAnswer(Endpoint(kind%5), dense)
		again, err2 := RecallAnswer(Endpoint(kind%5), dense)
		if err1 != nil || err2 != nil || !reflect.DeepEqual(whole, again) {
			t.Fatalf("recalled %+v (%v), parsed %+v (%v)", again, err2, whole, err1)
		}
		if u := a.Usage; u.Prompt < 0 || u.Completion < 0 || u.Total < 0 || u.Cached < 0 || u.Reasoning < 0 {
			t.Fatalf("usage %+v", u)
		}
	})
}

// FuzzFormat: what comes out is one line, of valid JSON and UTF-8 where that was put in.
func FuzzFormat(f *testing.F) {
	f.Add([]byte(`"id"`), []byte(pretty(chatBody)), "code", "file", []byte(`{"a":1}`), int64(1), uint8(0))
	f.Add([]byte("17"), []byte(`{"data":[{"embedding":[1]},{"embedding":[2]}]}`), "", "", []byte("text\xff"), int64(-1), uint8(7))
	f.Fuzz(func(t *testing.T, id, body []byte, text, name string, input []byte, n int64, kind uint8) {
		if !rawjson.Valid(id) || id[0] != '"' && !rawjson.IsNumber(id) {
			id = nil
		}
		r := &Result{ID: rawjson.TrimSpace(id), Line: n, File: name, CostNanos: n, CostKnown: kind&4 != 0, Attempts: int(n), LatencyMS: n,
			Provider:       name,
			DowngradedFrom: text, Input: input}
		a, err := ParseAnswer(Endpoint(kind>>3%4), body)
		if err != nil {
			r.Err = &Error{Type: name, Code: text, Status: int(n), Message: string(body)}
		} else {
			r.Answer, r.Response = &a, body
			r.InputIsText = !rawjson.Valid(input)
		}
		format := []Format{FormatResult, FormatBatch, FormatRaw}[kind%3]
		line := format.Append([]byte("before"), r)
		line, ok := bytes.CutPrefix(line, []byte("before"))
		if !ok || bytes.Count(line, []byte("\n")) > 1 && !bytes.Contains(input, []byte("\n")) ||
			line[len(line)-1] != '\n' || !rawjson.Valid(line) {
			t.Fatalf("line %q", line)
		}
		if utf8.Valid(body) && utf8.Valid(id) && utf8.Valid(input) && !utf8.Valid(line) {
			t.Fatalf("not UTF-8: %q", line)
		}
	})
}
