package schema

import (
	"encoding/json"
	"strings"
	"testing"
)

// A request asks for the shape in its endpoint's own way, and says nothing where it does already.
func TestAppendTo(t *testing.T) {
	s := mustNew(t, `{"type": "object","properties":{},"required":[],"additionalProperties":false}`)
	const text = `{"type":"object","properties":{},"required":[],"additionalProperties":false}`
	const format = `"format":{"type":"json_schema",`
	const named = `"name":"ticket_of_mine","strict":true,"schema":` + text
	for _, test := range []struct {
		form       Form
		body, want string
	}{
		{Chat, `{"messages":[]}`, `{"messages":[],"response_format":{"type":"json_schema","json_schema":{` + named + `}}}`},
		{Chat, `{}`, `{"response_format":{"type":"json_schema","json_schema":{` + named + `}}}`},
		{Chat, `{ }`, `{ "response_format":{"type":"json_schema","json_schema":{` + named + `}}}`},
		{Chat, `{"response_format":{"type":"text"}}`, `{"response_format":{"type":"text"}}`},
		{Responses, `{"input":"x"}`, `{"input":"x","text":{` + format + named + `}}}`},
		{Responses, `{"text":{"verbosity":"low"},"input":"x"}`, `{"text":{"verbosity":"low",` + format + named + `}},"input":"x"}`},
		{Responses, `{"text":{},"input":"x"}`, `{"text":{` + format + named + `}},"input":"x"}`},
		{Responses, `{"text":{"format":{"type":"text"}}}`, `{"text":{"format":{"type":"text"}}}`},
		{Messages, `{"messages":[]}`, `{"messages":[],"output_config":{` + format + `"schema":` + text + `}}}`},
		{Messages, `{"output_config":{"effort":"low"}}`, `{"output_config":{"effort":"low",` + format + `"schema":` + text + `}}}`},
	} {
		got, at, put := s.AppendTo([]byte("-"), []byte(test.body), test.form)
		if string(got) != "-"+test.want || !json.Valid(got[1:]) {
			t.Errorf("%s:\n%s, want\n%s", test.body, got, test.want)
		}
		if put != len(test.want)-len(test.body) || put > 0 && test.want[:at]+test.want[at+put:] != test.body {
			t.Errorf("%s: %d bytes at %d", test.body, put, at)
		}
	}
	loose := mustNew(t, `{"type":"object"}`)
	if got, _, _ := loose.AppendTo(nil, []byte(`{}`), Chat); strings.Contains(string(got), "strict") {
		t.Errorf("%s is strict", got)
	}
}
