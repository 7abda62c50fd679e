package e2e

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// badLines are lines that cannot be sent. Each message must name what is wrong: it holds the words
// of says, and of code the error's code. An id that could be read is given back.
var badLines = []struct{ line, id, code, says string }{
	{`nope`, "", "invalid_json", "byte 2|plain text|--raw-input"},
	{`What is a pipe?`, "", "invalid_json", "byte 1|'W'|--raw-input"},
	{`{"id":1,"prompt":"x"`, "", "invalid_json", "byte 21|ends inside"},
	{`{"id":1,"prompt":"x`, "", "invalid_json", "ends inside"},
	{`{"id":1 "prompt":"x"}`, "", "invalid_json", `byte 9|'"'`},
	{`{"id":1,"prompt":"x",}`, "", "invalid_json", "byte 22|'}'"},
	{`{'id':1}`, "", "invalid_json", `byte 2|'\''`},
	{`{"id":01,"prompt":"x"}`, "", "invalid_json", "byte 8|'1'"},
	{`{"prompt":"x","t":NaN}`, "", "invalid_json", "byte 19|'N'"},
	{`{"prompt":"x","t":undefined}`, "", "invalid_json", "byte 19|'u'"},
	{`{"prompt":"a` + "\t" + `b"}`, "", "invalid_json", "byte 13|'\\t'"},
	{`{"prompt":"\x41"}`, "", "invalid_json", `byte 12|\x`},
	{`{"prompt":"x"} {"prompt":"y"}`, "", "trailing_data", "one JSON value|byte 16|'{'"},
	{`{"prompt":"x"};`, "", "trailing_data", "byte 15|';'"},
	{`[`, "", "invalid_json", "array over several lines|jq -c '.[]'"},
	{`  "prompt": "x",`, "", "trailing_data", "over several lines|jq -c ."},
	{`name,text`, "", "invalid_json", "CSV|--raw-input"},
	{"\xff\xfe" + `{` + "\x00", "", "invalid_json", "UTF-16|iconv"},
	{"BZh91AY", "", "invalid_json", "compressed|with gzip or zstd"},
	{strings.Repeat("[", 20_000), "", "invalid_json", "depth"},
	{`[{"prompt":"x"}]`, "", "not_a_record", "array|jq -c '.[]'"},
	{`42`, "", "not_a_record", "a number"},
	{`true`, "", "not_a_record", "a boolean"},
	{`null`, "", "not_a_record", "null"},
	{`{}`, "", "unknown_shape", "`prompt`|it is empty"},
	{`{"id":"shapeless","text":"x"}`, `"shapeless"`, "unknown_shape", "`prompt`|`messages`|text"},
	{`{"custom_id":"bodiless"}`, `"bodiless"`, "unknown_shape", "`custom_id` with `body`"},
	{`{"id":"array body","custom_id":"c1","body":[]}`, `"c1"`, "invalid_body", "`body` is an array"},
	{`{"custom_id":"c2","url":"/v1/images","body":{}}`, `"c2"`, "unknown_endpoint", "/v1/images|/v1/chat/completions"},
	{`{"custom_id":"c3","method":"GET","body":{}}`, `"c3"`, "unsupported_method", "GET|POST"},
	{`{"id":"m1","messages":"hello"}`, `"m1"`, "invalid_messages", "`messages` is a string, not an array"},
	{`{"id":"m2","messages":null}`, `"m2"`, "invalid_messages", "`messages` is null"},
	{`{"id":"i1","input":"x"}`, `"i1"`, "input_without_endpoint", "`input`|--endpoint embeddings"},
	{`{"id":"p1","prompt":["x"]}`, `"p1"`, "invalid_prompt", "`prompt` is an array, not a string"},
	{`{"id":"p2","prompt":null}`, `"p2"`, "invalid_prompt", "`prompt` is null"},
	{`{"id":"s1","prompt":"x","system":7}`, `"s1"`, "invalid_system", "`system` is a number"},
	{`{"id":"s2","prompt":"x","stream":true}`, `"s2"`, "stream_unsupported", "`stream`"},
	{`{"custom_id":"s3","body":{"messages":[],"stream":true}}`, `"s3"`, "stream_unsupported", "`stream`"},
	{`{"id":"n1","prompt":"x","model":null}`, `"n1"`, "invalid_model", "`model` is null"},
	{`{"id":{"a":1},"prompt":"x"}`, "", "invalid_id", "`id` is an object"},
	{`{"id":true,"prompt":"x"}`, "", "invalid_id", "`id` is a boolean"},
	{`{"id":"good 1","prompt":"another"}`, `"good 1"`, "duplicate_id", `"good 1"|earlier record`},
	{`{"id":"e1","error":{"type":"t","code":"c","message":"it broke"}}`, `"e1"`, "c", "it broke"},
	{`"` + strings.Repeat("x", 30_000) + `"`, "", "line_too_long", "30002 bytes|25000|--max-line"},
}

// TestBadLines has a good line before and after each bad one. Every bad line gets an error record
// with its number, every good one its answer, and --failed gets the bad lines' own bytes.
func TestBadLines(t *testing.T) {
	t.Parallel()
	var in, bad bytes.Buffer
	in.WriteString("\n") // blank lines are skipped, and counted
	for i, b := range badLines {
		fmt.Fprintf(&in, `{"id":"good %d","prompt":"line number %[1]d"}`+"\n", i+1)
		in.WriteString(b.line + "\n")
		bad.WriteString(b.line + "\n")
	}
	provider := newRecorder(t)
	dir := t.TempDir()
	p := llmpipe(t, dir, "--base-url", provider.URL, "-m", "m", "--ordered", "--max-line", "25000", "--failed", "failed.jsonl")
	p.Stdin = bytes.NewReader(in.Bytes())
	p.exits(t, 3)
	results := p.results(t)
	if len(results) != 2*len(badLines) || len(provider.requests()) != len(badLines) {
		t.Errorf("%d lines out and %d requests for %d lines in", len(results), len(provider.requests()), 2*len(badLines))
	}
	for i, b := range badLines {
		good, r := results[2*i], results[2*i+1]
		if want := fmt.Sprintf(`"good %d"`, i+1); good.Error != nil || string(good.ID) != want {
			t.Errorf("the line before %.60s: %s, %+v", b.line, good.ID, good.Error)
		} else if asked := provider.answerTo(t, good); !strings.Contains(asked.body, fmt.Sprintf("line number %d", i+1)) {
			t.Errorf("%s got the answer to %s", good.ID, asked.body)
		}
		if r.Error == nil {
			t.Errorf("%.60s was answered", b.line)
			continue
		}
		if wantType := map[bool]string{true: "upstream", false: "invalid_input"}[b.code == "c"]; r.Error.Type != wantType ||
			r.Error.Code != b.code || r.Line != 2*i+3 {
			t.Errorf("%.60s\nline %d, %s %s; want line %d, %s %s", b.line, r.Line, r.Error.Type, r.Error.Code, 2*i+3, wantType, b.code)
		}
		for _, words := range strings.Split(b.says, "|") {
			if !strings.Contains(r.Error.Message, words) {
				t.Errorf("%.60s\nsays %q, want %q", b.line, r.Error.Message, words)
			}
		}
		if b.id != "" && string(r.ID) != b.id {
			t.Errorf("%.60s\nid %s, want %s", b.line, r.ID, b.id)
		}
	}
	if failed := readFile(t, dir, "failed.jsonl"); failed != bad.String() {
		t.Errorf("--failed has %d bytes, want %d", len(failed), bad.Len())
	}
}
