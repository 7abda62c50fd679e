package record

import (
	"encoding/json"
	"strings"
	"testing"

	"llmpipe/stream/record/media"
)

// TestAttach has what becomes of a prompt with files and addresses, as the endpoints want it. A
// file has a mark in its place.
func TestAttach(t *testing.T) {
	const mark = `{"type":"attachment","path":"a.png"}`
	for _, c := range []struct {
		endpoint   Endpoint
		template   string
		line, want string
	}{
		{Chat, "Say {{.word}}", `{"id":1,"word":"hi","image":"a.png"}`,
			`{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"Say hi"},` + mark + `]}]}`},
		{Responses, "Say {{.word}}", `{"id":1,"word":"hi","image":["a.png"]}`,
			`{"model":"m","input":[{"role":"user","content":[{"type":"input_text","text":"Say hi"},` + mark + `]}]}`},
		{Messages, "Say {{.word}}", `{"id":1,"word":"hi","image":["a.png"]}`,
			`{"model":"m","max_tokens":4096,"messages":[{"role":"user","content":[{"type":"text","text":"Say hi"},` + mark + `]}]}`},
		{Chat, "", `{"id":1,"temperature":0,"image":["a.png"],"prompt":"hi","n":2}`,
			`{"model":"m","temperature":0,"messages":[{"role":"user","content":[{"type":"text","text":"hi"},` + mark + `]}],"n":2}`},
		{Chat, "", `{"prompt":"hi","system":"s","image":"a.png"}`,
			`{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"hi"},` + mark + `]}]}`},
		{Chat, "", `{"prompt":"hi","image":null}`, `{"model":"m","messages":[{"role":"user","content":"hi"}]}`},
		{Chat, "", `{"prompt":"hi","image":[]}`, `{"model":"m","messages":[{"role":"user","content":"hi"}]}`},
		{Chat, "", `{"prompt":"hi","image":["https://h/a.png?x=1","a.png"]}`, `{"model":"m","messages":[{"role":"user","content":` +
			`[{"type":"text","text":"hi"},{"type":"image_url","image_url":{"url":"https://h/a.png?x=1"}},` + mark + `]}]}`},
		{Responses, "", `{"prompt":"hi","image":["https://h/a.png","https://h/A.PDF"]}`, `{"model":"m","input":[{"role":"user","content":` +
			`[{"type":"input_text","text":"hi"},{"type":"input_image","image_url":"https://h/a.png"},` +
			`{"type":"input_file","file_url":"https://h/A.PDF"}]}]}`},
		{Messages, "", `{"prompt":"hi","max_tokens":1,"image":["https://h/a.png","https://h/a.pdf","data:image/png;base64,aGk="]}`,
			`{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"hi"},` +
				`{"type":"image","source":{"type":"url","url":"https://h/a.png"}},` +
				`{"type":"document","source":{"type":"url","url":"https://h/a.pdf"}},` +
				`{"type":"image","source":{"type":"base64","media_type":"image/png","data":"aGk="}}]}],"max_tokens":1}`},
		{Chat, "", `{"prompt":"hi","image":["data:audio/mpeg;base64,aGk=","data:application/pdf;base64,aGk="]}`,
			`{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"hi"},` +
				`{"type":"input_audio","input_audio":{"format":"mp3","data":"aGk="}},` +
				`{"type":"file","file":{"filename":"data.pdf","file_data":"data:application/pdf;base64,aGk="}}]}]}`},
	} {
		d, err := NewDecoder(Options{Endpoint: c.endpoint, Template: c.template, Model: "m", Attach: []string{"image"}})
		if err != nil {
			t.Fatal(err)
		}
		var rec Record
		if err := d.Decode(&rec, []byte(c.line)); err != nil {
			t.Errorf("%s: %v", c.line, err)
			continue
		}
		if string(rec.Body) != c.want || !json.Valid(rec.Body) {
			t.Errorf("%s, %s\n%s\nwant\n%s", c.endpoint, c.line, rec.Body, c.want)
		}
		if marks := strings.Count(c.want, mark); len(rec.Files) != marks {
			t.Errorf("%s: %d files, want %d", c.line, len(rec.Files), marks)
		}
		for i := range rec.Files {
			for _, model := range []string{"m", "another model", ""} {
				body := rec.Body
				if model != "m" {
					body = rec.WithModel(nil, model)
				}
				if at := string(rec.FileAt(body, i).Of(body)); at != mark || rec.Files[i].Path != "a.png" {
					t.Errorf("%s with model %q: the file is at %s", c.line, model, at)
				}
			}
		}
	}
}

// TestAttachWithoutPlace has what cannot be attached, by record and by flags.
func TestAttachWithoutPlace(t *testing.T) {
	for _, c := range []struct{ line, code, says string }{
		{`{"prompt":"hi"}`, "missing_field", `"image"`},
		{`"hi"`, "missing_field", "a string"},
		{`{"prompt":"hi","image":3}`, "invalid_attachment", "a number"},
		{`{"prompt":"hi","image":[["a"]]}`, "invalid_attachment", "an array"},
		{`{"prompt":"hi","image":""}`, "invalid_attachment", "empty"},
		{`{"prompt":"hi","image":"http://h/a.png"}`, "invalid_attachment", "--attach-http"},
		{`{"prompt":"hi","image":"ftp://h/a.png"}`, "invalid_attachment", "ftp:"},
		{`{"prompt":"hi","image":"file:///a.png"}`, "invalid_attachment", "write the file's path"},
		{`{"prompt":"hi","image":"file:///etc/passwd"}`, "invalid_attachment", ""},
		{`{"prompt":"hi","image":"https://me:pa55@h/a.png"}`, "invalid_attachment", "user name"},
		{`{"prompt":"hi","image":"https://h:pa55/a.png"}`, "invalid_attachment", "not a valid URL"},
		{`{"prompt":"hi","image":"https://h/a.pdf"}`, "invalid_attachment", "--endpoint responses"},
		{`{"prompt":"hi","image":"data:,hi"}`, "invalid_attachment", "base64"},
		{`{"prompt":"hi","image":"data:image/png;base64,h\"i"}`, "invalid_attachment", "base64"},
		{`{"prompt":"hi","image":"data:image/tiff;base64,aGk="}`, "invalid_attachment", "image/tiff"},
		{`{"messages":[],"image":"a.png"}`, "attachment_without_place", "already a request"},
		{`{"messages":[]}`, "attachment_without_place", "already a request"},
		{`{"custom_id":"a","body":{"messages":[]}}`, "attachment_without_place", "already a request"},
	} {
		d, err := NewDecoder(Options{Model: "m", Attach: []string{"image"}})
		if err != nil {
			t.Fatal(err)
		}
		got := d.Decode(new(Record), []byte(c.line))
		if got == nil || got.Type != TypeInvalidInput || got.Code != c.code || !strings.Contains(got.Message, c.says) {
			t.Errorf("%s: %v, want %s", c.line, got, c.code)
		}
		if got != nil && strings.Contains(got.Message, "pa55") {
			t.Errorf("%s: what may be a secret is told: %v", c.line, got)
		}
	}
	for _, o := range []Options{
		{Endpoint: Embeddings, Attach: []string{"a"}}, {Endpoint: Completions, Attach: []string{"a"}},
		{Raw: true, Attach: []string{"a"}}, {Attach: []string{"a", "prompt"}},
	} {
		if _, err := NewDecoder(o); err == nil || !strings.Contains(err.Error(), "--attach") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// TestAttachFingerprint has that a path is a part of what is asked, and that the field's name and
// what the file is are not.
func TestAttachFingerprint(t *testing.T) {
	of := func(field, line string) [32]byte {
		d, err := NewDecoder(Options{Model: "m", Attach: []string{field}})
		if err != nil {
			t.Fatal(err)
		}
		var rec Record
		if err := d.Decode(&rec, []byte(line)); err != nil {
			t.Fatal(err)
		}
		request := rec.Request
		rec.Files[0].Part.Kind = media.Image
		rec.Looked()
		if rec.Request != request || len(rec.Media) != 1 {
			t.Error("looking at a file changes its request")
		}
		return request
	}
	one := of("a", `{"prompt":"hi","a":"x.png"}`)
	if of("b", `{"b":["x.png"],"prompt":"hi"}`) != one {
		t.Error("one request, two fingerprints")
	}
	if of("a", `{"prompt":"hi","a":"y.png"}`) == one {
		t.Error("two files, one fingerprint")
	}
}
