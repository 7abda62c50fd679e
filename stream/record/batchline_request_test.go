package record

import (
	"testing"
)

// What is shown of a request is a line that asks for the very same.
func TestRequestLines(t *testing.T) {
	for _, test := range []struct {
		endpoint   Endpoint
		line, want string
	}{
		{Chat, `{"id":"a","prompt":"x"}`,
			`{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":"m","messages":[{"role":"user","content":"x"}]}}`},
		{Chat, `{"id":7,"messages":[ {"role":"user", "content":"x"} ],"n":12345678901234567890}`, `{"custom_id":"7","method":"POST",` +
			`"url":"/v1/chat/completions","body":{"model":"m","messages":[ {"role":"user", "content":"x"} ],"n":12345678901234567890}}`},
		{Embeddings, `{"id":"a","prompt":"x"}`, `{"custom_id":"a","method":"POST","url":"/v1/embeddings","body":{"model":"m","input":"x"}}`},
		{Responses, `{"id":"a","prompt":"x"}`, `{"custom_id":"a","method":"POST","url":"/v1/responses","body":{"model":"m","input":"x"}}`},
		{Messages, `{"id":"a","prompt":"x"}`,
			`{"custom_id":"a","params":{"model":"m","max_tokens":4096,"messages":[{"role":"user","content":"x"}]}}`},
	} {
		d, err := NewDecoder(Options{Endpoint: test.endpoint, Model: "m"})
		if err != nil {
			t.Fatal(err)
		}
		var r, again Record
		if err := d.Decode(&r, []byte(test.line)); err != nil {
			t.Fatal(err)
		}
		got := AppendRequest(nil, &r)
		if string(got) != test.want+"\n" {
			t.Errorf("%s:\n%s, want\n%s", test.line, got, test.want)
		}
		if err := d.Decode(&again, got[:len(got)-1]); err != nil || string(again.Body) != string(r.Body) || again.Endpoint != r.Endpoint {
			t.Errorf("%s asks for %s, %v", got, again.Body, err)
		}
	}
}

// Whether a template reads its record is told from the template alone.
func TestSamePrompt(t *testing.T) {
	for template, want := range map[string]bool{
		"Sum this up.": true, "": false, "{{.text}}": false, "{{.}}": false, `{{"text"}}`: true, "{{if .a}}x{{end}}": false,
		"{{range .list}}x{{end}}": false, "{{$x := 1}}{{$x}}": true, "{{$}}": false, "{{json .}}": false, "{{truncate 3 .a.b}}": false,
		`{{define "t"}}{{.}}{{end}}{{template "t" .}}`: false, "{{(index . \"a\")}}": false, "{{with $y := 2}}{{$y}}{{end}}": true,
		"{{with .a}}{{.}}{{end}}": false, "{{/* .text */}}": true, "{{if true}}{{else}}{{.a}}{{end}}": false,
	} {
		d, err := NewDecoder(Options{Template: template})
		if err != nil {
			t.Fatal(template, err)
		}
		if got := d.SamePrompt(); got != want {
			t.Errorf("%s: %v, want %v", template, got, want)
		}
	}
}
