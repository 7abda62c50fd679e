package record

import (
	"strings"
	"testing"
)

func TestDecodeErrors(t *testing.T) {
	chat, embed, responses, completions := Options{}, Options{Endpoint: Embeddings}, Options{Endpoint: Responses},
		Options{Endpoint: Completions}
	tests := []struct {
		name, line    string
		opt           Options
		code, message string // message is a part of it
		id            string
	}{
		{"plain text", "hello", chat, "invalid_json", "byte 1: invalid character 'h'", ""},
		{"plain text's way out", "hello", chat, "invalid_json", "--raw-input", ""},
		{"comma too many", `{"a":1,}`, chat, "invalid_json", "byte 8", ""},
		{"byte after a mark", "\xef\xbb\xbf{\"a\":1,}", chat, "invalid_json", "byte 11", ""},
		{"cut line", `{"a":"b`, chat, "invalid_json", "byte 8: the line ends inside a value", ""},
		{"control character", "{\"a\":\"\x01\"}", chat, "invalid_json", "byte 7", ""},
		{"array over lines", "[", chat, "invalid_json", "jq -c '.[]'", ""},
		{"object over lines", `  "a": 1,`, chat, "trailing_data", "over several lines", ""},
		{"csv", "id,text", chat, "invalid_json", "looks like CSV", ""},
		{"utf-16 with a mark", "\xff\xfe{\x00", chat, "invalid_json", "UTF-16", ""},
		{"utf-16 without", "\x00{", chat, "invalid_json", "UTF-16", ""},
		{"bzip2", "BZh9", chat, "invalid_json", "compressed", ""},
		{"two values", `{"a":1} {}`, chat, "trailing_data", "byte 9, '{'", ""},
		{"number", "12", chat, "not_a_record", "a number", ""},
		{"boolean", "false", chat, "not_a_record", "a boolean", ""},
		{"null", "null", chat, "not_a_record", "null", ""},
		{"array", "[1]", chat, "not_a_record", "an array", ""},
		{"no shape", `{"id":4,"text":"x"}`, chat, "unknown_shape", "it has id, text", "4"},
		{"empty object", `{}`, chat, "unknown_shape", "it is empty", ""},
		{"custom_id alone", `{"custom_id":"a"}`, chat, "unknown_shape", "`custom_id` with `body`", `"a"`},
		{"messages no array", `{"id":4,"messages":"x"}`, chat, "invalid_messages", "a string", "4"},
		{"messages to embeddings", `{"messages":[]}`, embed, "messages_without_endpoint", "embeddings", ""},
		{"messages to completions", `{"messages":[]}`, completions, "messages_without_endpoint", "--endpoint chat", ""},
		{"messages to responses", `{"messages":[]}`, responses, "messages_without_endpoint", "responses", ""},
		{"input to chat", `{"id":"i","input":"x"}`, chat, "input_without_endpoint", "--endpoint embeddings or --endpoint responses", `"i"`},
		{"input to completions", `{"input":"x"}`, completions, "input_without_endpoint", "--endpoint embeddings", ""},
		{"prompt no string", `{"prompt":["a"]}`, chat, "invalid_prompt", "an array", ""},
		{"system no string", `{"prompt":"a","system":1}`, chat, "invalid_system", "a number", ""},
		{"system to embeddings", `{"prompt":"a","system":"s"}`, embed, "system_without_place", "embeddings", ""},
		{"system to completions", `{"prompt":"a","system":"s"}`, completions, "system_without_place", "completions", ""},
		{"system and instructions", `{"prompt":"a","system":"s","instructions":"i"}`, responses, "invalid_system", "both", ""},
		{"stream", `{"prompt":"a","id":"i","str\u0065am":true}`, chat, "stream_unsupported", "streamed", `"i"`},
		{"stream in a batch line", `{"custom_id":"i","body":{"stream":true}}`, chat, "stream_unsupported", "streamed", `"i"`},
		{"model no string", `{"prompt":"a","model":null}`, chat, "invalid_model", "null", ""},
		{"id an object", `{"prompt":"a","id":{}}`, chat, "invalid_id", "an object", ""},
		{"custom_id a boolean", `{"prompt":"a","custom_id":true,"id":1}`, chat, "invalid_id", "`custom_id` is a boolean", ""},
		{"id field missing", `{"prompt":"a"}`, Options{IDField: "key"}, "missing_id", `no field "key" for an id; it has prompt`, ""},
		{"id field null", `{"prompt":"a","key":null}`, Options{IDField: "key"}, "missing_id", "null", ""},
		{"id field of a string", `"a"`, Options{IDField: "key"}, "missing_id", "a string", ""},
		{"body no object", `{"custom_id":"a","body":[]}`, chat, "invalid_body", "an array", `"a"`},
		{"unknown url", `{"custom_id":"a","body":{},"url":"/v1/images"}`, chat, "unknown_endpoint",
			`"/v1/images" is not one of /v1/chat/completions`, `"a"`},
		{"url no string", `{"custom_id":"a","body":{},"url":3}`, chat, "unknown_endpoint", "3", `"a"`},
		{"method", `{"custom_id":"a","body":{},"method":"GET"}`, chat, "unsupported_method", "GET", `"a"`},
		{"raw, not UTF-8", "caf\xe9", Options{Raw: true}, "invalid_utf8", "byte 4 of the line, 0xE9", ""},
		{"nothing", "", chat, "invalid_json", "byte 1", ""},
		{"a bomb of arrays", strings.Repeat("[", 100_000), chat, "invalid_json", "byte 10001: exceeded max depth", ""},
		{"a bomb of objects", strings.Repeat(`{"a":`, 100_000), chat, "invalid_json", "exceeded max depth", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			rec, e := decode(t, test.opt, test.line)
			if e == nil {
				t.Fatalf("no error; body %s", rec.Body)
			}
			if e.Type != TypeInvalidInput || e.Code != test.code || !strings.Contains(e.Message, test.message) {
				t.Errorf("got %v\nwant %s: …%s…", e, test.code, test.message)
			}
			if string(rec.ID) != test.id {
				t.Errorf("id %s, want %s", rec.ID, test.id)
			}
			if rec.Body != nil {
				t.Errorf("a body in spite of the error: %s", rec.Body)
			}
		})
	}
}

// A record that the stage before could not answer is not asked, and says why.
func TestDecodeUpstream(t *testing.T) {
	tests := []struct{ name, template, line, code, message string }{
		{"message", "{{.content}}", `{"id":"a","content":null,"error":{"type":"t","code":"c","status":429,"message":"slow down"}}`, "c",
			"slow down"},
		{"text", "{{.content}}", `{"id":"a","error":"boom"}`, "", "boom"},
		{"nothing said", "{{.content}}", `{"id":"a","error":""}`, "", "the record failed in the previous stage"},
		{"no template, no shape", "", `{"id":"a","error":{"message":"boom"}}`, "", "boom"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			rec, e := decode(t, Options{Template: test.template}, test.line)
			want := Error{Type: TypeUpstream, Code: test.code, Message: test.message}
			if e == nil || *e != want {
				t.Errorf("got %+v, want %+v", e, want)
			}
			if string(rec.ID) != `"a"` {
				t.Errorf("id %s", rec.ID)
			}
		})
	}
	if _, e := decode(t, Options{Template: "{{.content}}"}, `{"content":"x","error":null}`); e != nil {
		t.Errorf("error null is an error: %v", e)
	}
}

func TestNewDecoderErrors(t *testing.T) {
	field := func(key, value string) []Field { return []Field{{key, []byte(value)}} }
	tests := []struct {
		name    string
		opt     Options
		message string
	}{
		{"template", Options{Template: "{{.a"}, "--prompt: template: prompt:1"},
		{"system without a place", Options{System: "s", Endpoint: Embeddings}, "--system: the embeddings endpoint"},
		{"raw with ids", Options{Raw: true, IDField: "a"}, "--id-field"},
		{"endpoint", Options{Endpoint: 9}, "Endpoint(9)"},
		{"set stream", Options{Set: field("stream", "true")}, "not streamed"},
		{"set messages", Options{Set: field("messages", "[]")}, "--set messages"},
		{"set model twice", Options{Model: "m", Set: field("model", `"n"`)}, "--model"},
		{"set instructions twice", Options{Endpoint: Responses, System: "s", Set: field("instructions", `"n"`)}, "--system"},
		{"set no JSON", Options{Set: field("x", "y")}, "not JSON"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := NewDecoder(test.opt)
			if err == nil || !strings.Contains(err.Error(), test.message) {
				t.Errorf("got %v, want …%s…", err, test.message)
			}
		})
	}
}

func TestParseField(t *testing.T) {
	f, err := ParseField(`a.b= {"c":"d=e"}`)
	if err != nil || f.Key != "a.b" || strings.TrimSpace(string(f.Value)) != `{"c":"d=e"}` {
		t.Errorf("got %s=%s, %v", f.Key, f.Value, err)
	}
	for arg, message := range map[string]string{
		"top=foo": `field top: "foo" is not JSON`,
		"top=":    `"" is not JSON`,
		"top":     "KEY=JSON",
		"=1":      "KEY=JSON",
		"a=1 2":   "not JSON",
	} {
		if _, err := ParseField(arg); err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("%s: got %v, want …%s…", arg, err, message)
		}
	}
}
