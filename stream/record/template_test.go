package record

import (
	"strings"
	"testing"
)

func TestTemplate(t *testing.T) {
	const line = `{"id":"i","text":" a\"b ","n":9007199254740993,"f":1.50,"yes":true,"none":null,"tags":["x",{"y":1e3}],` +
		`"o":{"b":null,"a":"é"}}`
	tests := []struct{ template, prompt string }{
		{`no fields`, `no fields`},
		{`{{.text}}|{{trim .text}}|{{.text | truncate 2}}`, ` a\"b |a\"b| a`},
		{`{{.n}} {{.f}} {{.yes}} {{.id}}`, `9007199254740993 1.50 true i`},
		{`{{.tags}} {{.o}}`, `[\"x\",{\"y\":1e3}] {\"a\":\"é\",\"b\":null}`},
		{`{{json .text}} {{json .none}} {{json 1.5}} {{json (len .tags)}} {{json .yes}} {{json false}}`, `\" a\\\"b \" null 1.5 2 true false`},
		{`{{range .tags}}<{{.}}>{{end}}`, `<x><{\"y\":1e3}>`},
		{`{{index .tags 0}} {{index .o "a"}} {{index . "tags" 1 "y"}}`, `x é 1e3`},
		{`{{if .none}}yes{{else}}no{{end}}`, `no`},
		{`{{with .o.a}}{{.}}{{end}} {{truncate 9 .o.a}} {{truncate 0 .o.a}}`, `é é `},
		{`{{if eq .n "9007199254740993"}}same{{end}}`, `same`},
	}
	for _, test := range tests {
		rec, e := decode(t, Options{Template: test.template, Model: "m"}, line)
		if e != nil {
			t.Errorf("%s: %v", test.template, e)
			continue
		}
		want := `{"model":"m","messages":[{"role":"user","content":"` + test.prompt + `"}]}`
		if string(rec.Body) != want || string(rec.ID) != `"i"` {
			t.Errorf("%s\n got %s of %s\nwant %s", test.template, rec.Body, rec.ID, want)
		}
	}
}

// Fields of the record that a body would have do not reach it: with a template a record is data.
func TestTemplateTakesNoBodyFields(t *testing.T) {
	rec, e := decode(t, Options{Template: "{{.model}}"}, `{"model":"own","temperature":1,"messages":3,"priority":"high"}`)
	if want := `{"messages":[{"role":"user","content":"own"}]}`; e != nil || string(rec.Body) != want {
		t.Errorf("got %s, %v", rec.Body, e)
	}
	if rec.Priority != "high" || rec.ID != nil || rec.Content == [16]byte{} {
		t.Errorf("priority %q, id %s, content %x", rec.Priority, rec.ID, rec.Content)
	}
}

func TestTemplateOverText(t *testing.T) {
	for _, test := range []struct {
		opt  Options
		line string
	}{
		{Options{Template: "<{{.}}>"}, `"a\u0062"`},
		{Options{Template: "<{{.}}>", Raw: true}, "ab\r"},
	} {
		rec, e := decode(t, test.opt, test.line)
		if want := `{"messages":[{"role":"user","content":"<ab>"}]}`; e != nil || string(rec.Body) != want {
			t.Errorf("%q: got %s, %v", test.line, rec.Body, e)
		}
	}
}

func TestTemplateErrors(t *testing.T) {
	const record = `{"text":"a","none":null,"o":{"p":1},"bad":"` + "\xe9" + `"}`
	tests := []struct{ template, line, code, message string }{
		{`{{.title}}`, record, "missing_field", `.title names the field "title", which is missing; the record has bad, none, o, text`},
		{`{{if .title}}{{end}}`, record, "missing_field", `"title"`},
		{`{{.o.q}}`, record, "missing_field", `.o.q names the field "q"`},
		{`{{index . "q"}}`, record, "missing_field", `"q"`},
		{`{{.a}}`, `{}`, "missing_field", "the record is empty"},
		{`{{.none}}`, record, "null_field", "null"},
		{`{{trim .none}}`, record, "template_failed", "null"},
		{`{{index .tags 1}}`, `{"tags":[1]}`, "template_failed", "the length of the array is 1"},
		{`{{index .o.p 1}}`, record, "template_failed", "neither an object nor an array"},
		{`{{index .none "a"}}`, record, "template_failed", "neither an object nor an array"},
		{`{{truncate -1 .text}}`, record, "template_failed", "the length is negative"},
		{`{{.text.x}}`, record, "missing_field", `the template's .text.x names the field "x" of a value that is not an object`},
		{`{{.bad}}`, record, "invalid_utf8", "0xE9"},
		{`{{.text}}`, `"a"`, "missing_field", "write {{.}} for the line"},
		{`{{.text}}`, `7`, "not_a_record", "a number"},
		{`{{.text}}`, `{`, "invalid_json", "byte 2"},
	}
	for _, test := range tests {
		_, e := decode(t, Options{Template: test.template}, test.line)
		if e == nil || e.Type != TypeInvalidInput || e.Code != test.code || !strings.Contains(e.Message, test.message) {
			t.Errorf("%s\n got %v\nwant %s: …%s…", test.template, e, test.code, test.message)
		}
	}
}

// A template neither takes for ever nor overflows the stack on JSON that nests as deep as JSON may.
func TestTemplateDeep(t *testing.T) {
	const depth = 9_990
	line := `{"a":` + strings.Repeat(`[{"b":`, depth/2) + "1" + strings.Repeat(`}]`, depth/2) + `}`
	rec, e := decode(t, Options{Template: "{{json .a}}"}, line)
	if e != nil || len(rec.Body) < len(line) {
		t.Errorf("body of %d bytes, %v", len(rec.Body), e)
	}
}
