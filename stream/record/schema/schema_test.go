package schema

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

const ticket = `{"type":"object","additionalProperties":false,"required":["team","urgent"],
	"properties":{"team":{"enum":["sales","support"]},"urgent":{"type":"boolean"}}}`

func mustNew(t testing.TB, text string) *Schema {
	t.Helper()
	s, err := New("dir/ticket of mine.json", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCheck(t *testing.T) {
	s := mustNew(t, ticket)
	const fits = `{"team":"sales","urgent":true}`
	for _, content := range []string{
		fits, " \n" + fits + "\n", "```json\n" + fits + "\n```", "```\n" + fits + "```", "```" + fits + "```", "\ufeff" + fits,
		"```JSON\n{ \"team\" : \"sales\",\n\"urgent\":true }\n```\n",
	} {
		if parsed, wrong := s.Check([]byte(content)); wrong != nil || string(parsed) != fits {
			t.Errorf("%q: %s, %v", content, parsed, wrong)
		}
	}
	for content, says := range map[string]string{
		"":                                       "it is empty",
		"Here it is: " + fits:                    "not one JSON value",
		fits + " I hope this helps.":             "something follows the value at byte 32",
		fits + fits:                              "something follows",
		`{"team":"sales","urgent":tr`:            "unexpected EOF",
		`{"team":"sales"}`:                       "missing property 'urgent'",
		`{"team":"sales","urgent":"yes"}`:        "at /urgent: got string, want boolean",
		`{"team":"it","urgent":true}`:            "at /team: value must be one of 'sales', 'support'",
		`{"team":"sales","urgent":true,"x":1}`:   "additional properties 'x' not allowed",
		`{"team":"sales","urgent":1e1000000000}`: "out of range",
		"```json\n" + fits:                       "not one JSON value",
		strings.Repeat(" ", maxChecked) + fits + strings.Repeat("x", maxChecked): "and at most",
	} {
		parsed, wrong := s.Check([]byte(content))
		if wrong == nil || !strings.Contains(wrong.String(), says) {
			t.Errorf("%.60q: %s, %v, want %q", content, parsed, wrong, says)
		}
	}
}

// What is said of an answer that does not fit is short, and in the same order each time.
func TestViolationsAreFew(t *testing.T) {
	s := mustNew(t, `{"type":"array","items":{"type":"string"}}`)
	_, wrong := s.Check([]byte("[" + strings.Repeat("1,", 9999) + "1]"))
	if wrong == nil || len(wrong.All) != mostViolations || wrong.All[0].Path != "/0" || !strings.HasSuffix(wrong.String(), "; and more") {
		t.Errorf("%v", wrong)
	}
	long := mustNew(t, `{"properties":{"`+strings.Repeat("é", 900)+`":{"type":"string"}}}`)
	_, wrong = long.Check([]byte(`{"` + strings.Repeat("é", 900) + `":1}`))
	if said := wrong.String(); len(said) > mostSaid || !strings.HasSuffix(said, "é…") {
		t.Errorf("%d bytes: %q", len(said), said)
	}
}

func TestNameOfASchema(t *testing.T) {
	for file, want := range map[string]string{
		"ticket.json": "ticket", "dir/my ticket.v2.json": "my_ticket_v2", "": "answer", "....json": "answer", "日本.json": "answer",
		strings.Repeat("x", 100): strings.Repeat("x", 64),
	} {
		s, err := New(file, []byte("true"))
		if err != nil || s.Name() != want {
			t.Errorf("%q: %q, %v, want %q", file, s.Name(), err, want)
		}
	}
}

// A schema that is wrong, or not whole, says so and where, and nothing is opened for it.
func TestSchemasThatAreNone(t *testing.T) {
	for text, says := range map[string]string{
		"":                                     "not JSON",
		"{":                                    "not JSON",
		`{"type":"strin"}`:                     "at /type: ",
		`{"properties":{"a":{"type":7}}}`:      "at /properties/a/type: ",
		`{"$ref":"other.json"}`:                "refers to",
		`{"$ref":"file:///etc/passwd"}`:        "refers to file:///etc/passwd: it is in another file",
		`{"$ref":"http://127.0.0.1:1/s"}`:      "refers to http://127.0.0.1:1/s: it is in another file",
		`{"$ref":"#/$defs/none"}`:              "none",
		`{"pattern":"("}`:                      "regex",
		`{"$schema":"http://example.com/own"}`: "example.com/own",
		`{"minimum":1e1000000000}`:             "out of range",
	} {
		_, err := New("s.json", []byte(text))
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "schema:#") {
			t.Errorf("%s: %v, want %q", text, err, says)
		}
	}
	for _, version := range []string{
		"http://json-schema.org/draft-04/schema#", "http://json-schema.org/draft-06/schema#", "http://json-schema.org/draft-07/schema#",
		"https://json-schema.org/draft/2019-09/schema", "https://json-schema.org/draft/2020-12/schema",
	} {
		s := mustNew(t, `{"$schema":"`+version+`","definitions":{"n":{"type":"integer"}},"properties":{"n":{"$ref":"#/definitions/n"}}}`)
		if _, wrong := s.Check([]byte(`{"n":"x"}`)); wrong == nil {
			t.Errorf("%s: a string is taken for an integer", version)
		}
	}
}

func TestStrict(t *testing.T) {
	for text, why := range map[string]string{
		ticket: "",
		`{"type":"object","properties":{},"required":[],"additionalProperties":false}`: "",
		`{"type":"object","additionalProperties":false,"required":["a"],"properties":{"a":{"anyOf":[{"type":"null"},{"$ref":"#/$defs/b"}]}},
			"$defs":{"b":{"type":"array","items":{"type":"string"},"minItems":1}}}`: "",
		`true`:             `the root does not have "type"`,
		`{"type":"array"}`: `the root does not have "type"`,
		`{"type":"object","anyOf":[{}],"additionalProperties":false}`:          "the root has anyOf",
		`{"type":"object","properties":{"a":{}},"required":["a"]}`:             "additionalProperties: false",
		`{"type":"object","properties":{"a":{}},"additionalProperties":false}`: `does not require "a"`,
		`{"type":"object","properties":{"a":{"type":"object"}},"required":["a"],` +
			`"additionalProperties":false}`: "/properties/a does not set",
		`{"type":"object","allOf":[],"additionalProperties":false}`: "has allOf",
		`{"type":"object","properties":{"a":{"type":"string","minLength":3}},"required":["a"],` +
			`"additionalProperties":false}`: "/properties/a uses minLength",
		`{"type":"object","additionalProperties":false,"$defs":{"x":{"type":["object","null"]}}}`: "/$defs/x does not set",
	} {
		s, err := New("s.json", []byte(text))
		if err != nil {
			if why == "has allOf" {
				continue // an empty allOf is no schema at all
			}
			t.Fatal(text, err)
		}
		err = s.Strict()
		if (err == nil) != (why == "") || err != nil && !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, want %q", text, err, why)
		}
	}
}

// No schema and no answer takes more than its size is worth.
func TestSchemaBombs(t *testing.T) {
	var doubling strings.Builder
	doubling.WriteString(`{"$ref":"#/$defs/a0","$defs":{`)
	for i := range 40 {
		fmt.Fprintf(&doubling, `"a%d":{"anyOf":[{"$ref":"#/$defs/a%d"},{"$ref":"#/$defs/a%d"}]},`, i, i+1, i+1)
	}
	doubling.WriteString(`"a40":{"type":"string"}}}`)
	if _, err := New("s.json", []byte(doubling.String())); err == nil || !strings.Contains(err.Error(), "too often") {
		t.Errorf("what doubles forty times: %v", err)
	}
	// Through the items of arrays it does not double: each level looks at another value.
	mustNew(t, `{"$defs":{"n":{"type":["array","null"],"items":{"$ref":"#/$defs/n"}}},"$ref":"#/$defs/n"}`)
	endless := mustNew(t, `{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}},"$ref":"#/$defs/a"}`)
	if _, wrong := endless.Check([]byte("1")); wrong == nil {
		t.Error("a schema that only leads to itself takes a value")
	}
	unique := mustNew(t, `{"uniqueItems":true}`)
	items := make([]int, 100_000)
	for i := range items {
		items[i] = i
	}
	text, _ := json.Marshal(items)
	if _, wrong := unique.Check(text); wrong != nil {
		t.Errorf("%v", wrong)
	}
	deep := mustNew(t, `{"$defs":{"n":{"type":"array","items":{"$ref":"#/$defs/n"}}},"$ref":"#/$defs/n"}`)
	if _, wrong := deep.Check([]byte(strings.Repeat("[", 400_000) + strings.Repeat("]", 400_000))); wrong == nil {
		t.Error("400,000 levels fit")
	}
	if _, wrong := deep.Check([]byte(strings.Repeat("[", 5000) + strings.Repeat("]", 5000))); wrong != nil {
		t.Errorf("5,000 levels: %v", wrong)
	}
}

func FuzzCheck(f *testing.F) {
	f.Add(ticket, `{"team":"sales","urgent":true}`)
	f.Add(`{"uniqueItems":true}`, `[1,1.0,1e0]`)
	f.Fuzz(func(t *testing.T, schema, content string) {
		s, err := New("s.json", []byte(schema))
		if err != nil {
			return
		}
		parsed, wrong := s.Check([]byte(content))
		if (wrong == nil) == (parsed == nil) {
			t.Errorf("%s, %v", parsed, wrong)
		}
		if wrong != nil && (len(wrong.String()) > mostSaid || len(wrong.All) == 0) {
			t.Errorf("%q", wrong)
		}
		if parsed != nil {
			if again, wrong := s.Check(parsed); wrong != nil || string(again) != string(parsed) {
				t.Errorf("%s once more: %s, %v", parsed, again, wrong)
			}
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	s := mustNew(b, ticket)
	content := []byte("```json\n{\"team\":\"sales\",\"urgent\":true}\n```")
	for b.Loop() {
		if _, wrong := s.Check(content); wrong != nil {
			b.Fatal(wrong)
		}
	}
}
