package sim

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// fits checks a value by a schema, as far as the tests' schemas go, and says what is wrong with it.
func fits(root, schema, value any) string {
	if yes, ok := schema.(bool); ok {
		if yes {
			return ""
		}
		return "there may be nothing"
	}
	s, ok := schema.(map[string]any)
	if !ok {
		return ""
	}
	if ref, ok := s["$ref"].(string); ok {
		at := root
		for name := range strings.SplitSeq(strings.TrimPrefix(ref, "#"), "/") {
			if name != "" {
				at = at.(map[string]any)[name]
			}
		}
		if wrong := fits(root, at, value); wrong != "" {
			return wrong
		}
	}
	for _, name := range []string{"anyOf", "oneOf"} {
		if choices, ok := s[name].([]any); ok &&
			!slices.ContainsFunc(choices, func(c any) bool { return fits(root, c, value) == "" }) {
			return fmt.Sprintf("%v is none of %s", value, name)
		}
	}
	if all, ok := s["allOf"].([]any); ok {
		for _, part := range all {
			if wrong := fits(root, part, value); wrong != "" {
				return wrong
			}
		}
	}
	if constant, ok := s["const"]; ok && !reflect.DeepEqual(constant, value) {
		return fmt.Sprintf("%v is not %v", value, constant)
	}
	if enum, ok := s["enum"].([]any); ok && !slices.ContainsFunc(enum, func(e any) bool { return reflect.DeepEqual(e, value) }) {
		return fmt.Sprintf("%v is none of %v", value, enum)
	}
	kinds, _ := s["type"].([]any)
	if kind, ok := s["type"].(string); ok {
		kinds = []any{kind}
	}
	if len(kinds) > 0 && !slices.ContainsFunc(kinds, func(kind any) bool { return isKind(kind.(string), value) }) {
		return fmt.Sprintf("%v is not of type %v", value, kinds)
	}
	return fitsInside(root, s, value)
}

func isKind(kind string, value any) bool {
	switch v := value.(type) {
	case nil:
		return kind == "null"
	case bool:
		return kind == "boolean"
	case string:
		return kind == "string"
	case float64:
		return kind == "number" || kind == "integer" && v == math.Trunc(v)
	case []any:
		return kind == "array"
	}
	return kind == "object"
}

func fitsInside(root any, s map[string]any, value any) string {
	number := func(name string, otherwise float64) float64 {
		if n, ok := s[name].(float64); ok {
			return n
		}
		return otherwise
	}
	within := func(n float64, least, most string) string {
		if n < number(least, math.Inf(-1)) || n > number(most, math.Inf(1)) {
			return fmt.Sprintf("%v: not from %v to %v", value, s[least], s[most])
		}
		return ""
	}
	switch v := value.(type) {
	case string:
		if pattern, ok := s["pattern"].(string); ok && !regexp.MustCompile(pattern).MatchString(v) {
			return fmt.Sprintf("%q does not match %s", v, pattern)
		}
		return within(float64(utf8.RuneCountInString(v)), "minLength", "maxLength")
	case float64:
		if m := number("multipleOf", 0); m > 0 && math.Abs(v/m-math.Round(v/m)) > 1e-9 {
			return fmt.Sprintf("%v is no multiple of %v", v, m)
		}
		if v <= number("exclusiveMinimum", math.Inf(-1)) || v >= number("exclusiveMaximum", math.Inf(1)) {
			return fmt.Sprintf("%v is at a bound", v)
		}
		return within(v, "minimum", "maximum")
	case []any:
		prefix, _ := s["prefixItems"].([]any)
		for i, e := range v {
			items := s["items"]
			if i < len(prefix) {
				items = prefix[i]
			}
			if wrong := fits(root, items, e); wrong != "" {
				return wrong
			}
			if s["uniqueItems"] == true && slices.ContainsFunc(v[:i], func(o any) bool { return reflect.DeepEqual(o, e) }) {
				return fmt.Sprintf("%v is there twice", e)
			}
		}
		return within(float64(len(v)), "minItems", "maxItems")
	case map[string]any:
		known, _ := s["properties"].(map[string]any)
		for name, e := range v {
			schema, ok := known[name]
			if !ok {
				schema = s["additionalProperties"]
			}
			if wrong := fits(root, schema, e); wrong != "" {
				return name + ": " + wrong
			}
		}
		required, _ := s["required"].([]any)
		for _, name := range required {
			if _, ok := v[name.(string)]; !ok {
				return fmt.Sprintf("%v is missing", name)
			}
		}
		return within(float64(len(v)), "minProperties", "maxProperties")
	}
	return ""
}

// schemas are what answers have to fit.
var schemas = map[string]string{
	"a ticket": `{"type":"object","properties":{"team":{"type":"string","enum":["billing","support"]},"urgent":{"type":"boolean"},` +
		`"score":{"type":"number","minimum":0,"maximum":1},"tags":{"type":"array","items":{"type":"string","maxLength":9},"maxItems":2}},` +
		`"required":["team","urgent","score","tags"],"additionalProperties":false}`,
	"optional and nullable": `{"type":"object","properties":{"a":{"type":["string","null"]},"b":{"anyOf":[{"type":"integer"},` +
		`{"type":"null"}]},` +
		`"c":{"type":"string"}},"required":["a"],"additionalProperties":false}`,
	"references": `{"$defs":{"step":{"type":"object","properties":{"say":{"type":"string"},"n":{"$ref":"#/$defs/n"}},"required":["say","n"],` +
		`"additionalProperties":false},"n":{"type":"integer","minimum":1,"maximum":3}},"type":"object","properties":{"steps":{"type":"array",` +
		`"items":{"$ref":"#/$defs/step"},"minItems":2}},"required":["steps"],"additionalProperties":false}`,
	"a list within itself": `{"type":"object","properties":{"value":{"type":"integer"},"next":{"anyOf":[{"$ref":"#"},{"type":"null"}]}},` +
		`"required":["value","next"],"additionalProperties":false}`,
	"a tree": `{"$defs":{"node":{"type":"object","properties":{"name":{"type":"string"},"children":{"type":"array",` +
		`"items":{"$ref":"#/$defs/node"}}},"required":["name","children"]}},"$ref":"#/$defs/node"}`,
	"bounds": `{"type":"object","properties":{"i":{"type":"integer","exclusiveMinimum":5,"exclusiveMaximum":7},` +
		`"m":{"type":"integer","multipleOf":7,"minimum":100},"n":{"type":"number","multipleOf":0.25,"maximum":-3},"s":{"type":"string",` +
		`"minLength":200,"maxLength":201},"p":{"type":"string","pattern":"^[A-Z]{2}-[0-9]{4,6}$"},` +
		`"q":{"type":"string","pattern":"^(yes|no)\\s\\w+$","minLength":12},"x":{"type":"number","exclusiveMinimum":0,` +
		`"exclusiveMaximum":0.001}},` +
		`"required":["i","m","n","s","p","q","x"]}`,
	"arrays": `{"type":"object","properties":{"u":{"type":"array","items":{"enum":[1,2,3]},"uniqueItems":true,"minItems":3},` +
		`"t":{"type":"array","prefixItems":[{"const":"x"},{"type":"integer"}],"items":false},"e":{"type":"array","maxItems":0}},` +
		`"required":["u","t","e"]}`,
	"all of it": `{"allOf":[{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]},` +
		`{"properties":{"b":{"const":true},"a":{"minimum":40}},"required":["b"]}]}`,
	"any names": `{"type":"object","additionalProperties":{"type":"integer"},"minProperties":3,"required":["k"]}`,
	"one or the other": `{"oneOf":[{"type":"object","properties":{"kind":{"const":"a"}},"required":["kind"]},` +
		`{"type":"object","properties":{"kind":{"const":"b"},"n":{"type":"integer"}},"required":["kind","n"]}]}`,
	"a date": `{"type":"object","properties":{"d":{"type":"string","format":"date","pattern":"^\\d{4}-\\d\\d-\\d\\d$"}},"required":["d"]}`,
}

// textOf asks for an answer, and returns what it says or calls, and why it ended.
func textOf(t *testing.T, s *Server, path, body string) (text, name, finish string) {
	t.Helper()
	w := post(s, path, body)
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s for %s", w.Code, w.Body, body)
	}
	var a struct {
		Choices []struct {
			Finish  string `json:"finish_reason"`
			Message struct {
				Content *string
				Calls   []struct {
					ID, Type string
					Function struct{ Name, Arguments string }
				} `json:"tool_calls"`
			}
		}
		Status string
		Output []struct {
			Type, Name, Arguments string
			Content               []struct{ Text string }
		}
		Usage struct {
			Completion int `json:"completion_tokens"`
			Output     int `json:"output_tokens"`
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		t.Fatal(err)
	}
	switch {
	case len(a.Choices) > 0 && len(a.Choices[0].Message.Calls) > 0:
		f := a.Choices[0].Message.Calls[0].Function
		text, name, finish = f.Arguments, f.Name, a.Choices[0].Finish
	case len(a.Choices) > 0:
		text, finish = *a.Choices[0].Message.Content, a.Choices[0].Finish
	default:
		last := a.Output[len(a.Output)-1]
		text, name, finish = last.Arguments, last.Name, a.Status
		if last.Type == "message" {
			text = last.Content[0].Text
		}
	}
	if want := (len(text) + bytesPerToken - 1) / bytesPerToken; max(a.Usage.Completion, a.Usage.Output) != want && a.Choices != nil {
		t.Errorf("%+v for %d tokens", a.Usage, want)
	}
	return text, name, finish
}

// What a schema asks for is what comes, at both endpoints and as a function's arguments, whatever
// the seed.
func TestStructuredAnswersFit(t *testing.T) {
	for seed := range uint64(40) {
		s := New(Options{Seed: seed})
		for name, schema := range schemas {
			var root any
			if err := json.Unmarshal([]byte(schema), &root); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for path, body := range map[string]string{
				"/v1/chat/completions": `{"model":"m","messages":[{"role":"user","content":"a"}],"response_format":{"type":"json_schema",` +
					`"json_schema":{"name":"x","strict":true,"schema":` + schema + `}}}`,
				"/v1/responses": `{"model":"m","input":"a","text":{"format":{"type":"json_schema","name":"x","schema":` + schema + `}}}`,
				"/chat/completions": `{"model":"m","messages":[{"role":"user","content":"a"}],"tool_choice":"required",` +
					`"tools":[{"type":"function","function":{"name":"f","parameters":` + schema + `}}]}`,
			} {
				text, _, _ := textOf(t, s, path, body)
				var value any
				if err := json.Unmarshal([]byte(text), &value); err != nil {
					t.Fatalf("%s: %s: %v", name, text, err)
				}
				if wrong := fits(root, root, value); wrong != "" {
					t.Errorf("seed %d, %s: %s: %s", seed, name, text, wrong)
				}
			}
		}
		s.Close()
	}
}

// The forms that an answer may be asked for, and what is wrong with some.
func TestStructuredForms(t *testing.T) {
	const (
		chatPath, responsesPath = "/v1/chat/completions", "/v1/responses"
		ask                     = `{"model":"m","messages":[{"role":"user","content":"hello there"}],`
		askResponse             = `{"model":"m","input":"hello there",`
		tools                   = `"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}},` +
			`{"type":"function","function":{"name":"g","parameters":{"type":"object","properties":{"a":{"const":1}},"required":["a"]}}}],`
		flatTools = `"tools":[{"type":"function","name":"g","parameters":{"type":"object","properties":{"a":{"const":1}},"required":["a"]}}],`
	)
	s := New(Options{})
	defer s.Close()
	for _, c := range []struct{ name, path, body, calls, finish string }{
		{"an object", chatPath, ask + `"response_format":{"type":"json_object"}}`, "", "stop"},
		{"an object of a response", responsesPath, askResponse + `"text":{"format":{"type":"json_object"}}}`, "", "completed"},
		{"any function", chatPath, ask + tools + `"tool_choice":"required"}`, "f", "tool_calls"},
		{"a function", chatPath, ask + tools + `"tool_choice":{"type":"function","function":{"name":"g"}}}`, "g", "stop"},
		{"one of the allowed", chatPath, ask + tools + `"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required",` +
			`"tools":[{"type":"function","function":{"name":"g"}}]}}}`, "g", "tool_calls"},
		{"a response's function", responsesPath, askResponse + flatTools + `"tool_choice":{"type":"function","name":"g"}}`, "g", "completed"},
		{"a function rather than an object", chatPath, ask + tools + `"tool_choice":"required","response_format":{"type":"json_object"}}`, "f",
			"tool_calls"},
	} {
		text, name, finish := textOf(t, s, c.path, c.body)
		var object map[string]any
		err := json.Unmarshal([]byte(text), &object)
		if err != nil || name != c.calls || finish != c.finish || name == "g" && object["a"] != 1.0 {
			t.Errorf("%s: %q calls %q and ends with %q, %v", c.name, text, name, finish, err)
		}
	}
	for name, members := range map[string]string{
		"text": `"response_format":{"type":"text"}}`, "none": tools + `"tool_choice":"none"}`, "auto": tools + `"tool_choice":"auto"}`,
		"null": `"response_format":null,"tool_choice":null}`,
	} {
		if text, call, _ := textWords(t, s, ask+members); !strings.HasPrefix(text, opening) || call != "" {
			t.Errorf("%s: %q calls %q", name, text, call)
		}
	}
	for members, param := range map[string]string{
		`"response_format":{"type":"xml"}}`:                                     "response_format",
		`"response_format":"json"}`:                                             "response_format",
		`"response_format":{"type":"json_schema","json_schema":{"name":"x"}}}`:  "response_format.json_schema.schema",
		`"response_format":{"type":"json_schema","json_schema":{"schema":{}}}}`: "response_format.json_schema.name",
		`"tool_choice":"required"}`:                                             "tool_choice",
		tools + `"tool_choice":{"type":"function","function":{"name":"h"}}}`:    "tool_choice",
		tools + `"tool_choice":"sometimes"}`:                                    "tool_choice",
		`"tools":[],"tool_choice":{"type":"function","function":{"name":"f"}}}`: "tool_choice",
	} {
		if w := post(s, chatPath, ask+members); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"param":"`+param+`"`) {
			t.Errorf("%s: %d %s", members, w.Code, w.Body)
		}
	}
}

// textWords is textOf for an answer in words.
func textWords(t *testing.T, s *Server, body string) (text, call, finish string) {
	t.Helper()
	w := post(s, "/v1/chat/completions", body)
	got := decode[wireCompletion](t, w)
	return got.Choices[0].Message.Content, "", got.Choices[0].Finish
}

// An answer that is cut keeps to its bound, and says so.
func TestStructuredAnswersAreCut(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	body := `{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"é"}],"response_format":{"type":"json_object"}}`
	text, _, finish := textOf(t, s, "/v1/chat/completions", body)
	if len(text) > 20 || finish != "length" || json.Valid([]byte(text)) {
		t.Errorf("%q, %s", text, finish)
	}
}

// Schemas that cannot be met, or are none, end all the same.
func TestOddSchemas(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	for _, schema := range []string{
		`{"$ref":"#"}`, `{"$ref":"#/nowhere"}`, `{"$ref":"https://example.com/x"}`, `{"allOf":[{"$ref":"#"},{"$ref":"#"}]}`,
		`{"anyOf":[{"$ref":"#"},{"$ref":"#"},{"$ref":"#"},{"$ref":"#"},{"$ref":"#"},{"$ref":"#"},{"$ref":"#"},` +
			`{"$ref":"#"}]}`, `true`, `false`, `[]`, `7`,
		`{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}`,
		`{"type":"object","properties":{"a":{"$ref":"#"},"b":{"$ref":"#"},"c":{"$ref":"#"}},"required":["a","b",` +
			`"c"]}`, `{"type":"array","items":{"$ref":"#"},"minItems":1}`,
		`{"type":"string","pattern":"(?=x)y"}`, `{"type":"string","pattern":"^a{3}$","maxLength":1}`, `{"type":"wood"}`, `{"type":[]}`,
		`{"enum":[]}`, `{"anyOf":[]}`, `{"type":"integer","minimum":9,"maximum":1}`, `{"type":"integer","multipleOf":0}`,
		`{"type":"number","minimum":1e300}`, `{"type":"array","uniqueItems":true,"items":{"const":1},"minItems":3}`,
	} {
		body := `{"model":"m","messages":[{"role":"user","content":"a"}],"response_format":{"type":"json_schema",` +
			`"json_schema":{"name":"x","schema":` +
			schema + `}}}`
		if text, _, _ := textOf(t, s, "/v1/chat/completions", body); !json.Valid([]byte(text)) {
			t.Errorf("%s: %s", schema, text)
		}
	}
}
