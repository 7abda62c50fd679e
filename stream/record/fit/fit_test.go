package fit

import (
	"strings"
	"testing"

	"llmpipe/stream/record"
	"llmpipe/stream/record/schema"
)

// An answer fits, or does not, or was cut or refused, for which there is nothing to be said to it.
func TestOf(t *testing.T) {
	s, err := schema.New("s.json", []byte(`{"type":"object","required":["a"],"properties":{"a":{"type":"integer"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	const chat = `{"choices":[{"message":{"role":"assistant",%s},"finish_reason":"%s"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}`
	for _, test := range []struct {
		name, message, finish string
		parsed, code, says    string
	}{
		{"fits", `"content":"{\"a\": 1}"`, "stop", `{"a":1}`, "", ""},
		{"in a fence", `"content":"` + "```json\\n{\\\"a\\\":1}\\n```" + `"`, "stop", `{"a":1}`, "", ""},
		{"whole although it was cut", `"content":"{\"a\":1}"`, "length", `{"a":1}`, "", ""},
		{"another type", `"content":"{\"a\":\"1\"}"`, "stop", "", "", "does not fit the schema: at /a"},
		{"nothing", `"content":null`, "stop", "", "", "does not fit the schema"},
		{"cut", `"content":"{\"a\":"`, "length", "", "truncated", "raise max_tokens"},
		{"refused", `"content":null,"refusal":"No."`, "stop", "", "refusal", "refused"},
		{"filtered", `"content":"{"`, "content_filter", "", "refusal", "refused"},
	} {
		body := strings.Replace(strings.Replace(chat, "%s", test.message, 1), "%s", test.finish, 1)
		a, err := record.ParseAnswer(record.Chat, []byte(body))
		if err != nil {
			t.Fatal(test.name, err)
		}
		f := Of(&a, s)
		if string(f.Parsed) != test.parsed || (f.Wrong == nil) != (test.parsed != "") || f.Code != test.code {
			t.Errorf("%s: %+v", test.name, f)
		}
		if f.Wrong == nil {
			if got := string(Value(&a)); got != test.parsed {
				t.Errorf("%s: the value is %s", test.name, got)
			}
			continue
		}
		if err := f.Err(); err.Type != "schema" || err.Code != test.code || !strings.Contains(err.Message, test.says) {
			t.Errorf("%s: %+v", test.name, err)
		}
	}
}
