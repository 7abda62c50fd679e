package record

import (
	"encoding/base64"
	"strings"
	"testing"
)

// What a request can be billed for at most: its text a token a byte, images by their arithmetic,
// and what is open where something has no bound of its own.
func TestMostTokens(t *testing.T) {
	data := base64.StdEncoding.EncodeToString([]byte(
		"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x04\x00\x00\x00\x04\x00" + strings.Repeat("x", 60_000)))
	for _, c := range []struct {
		name, body string
		endpoint   Endpoint
		most       int64 // beside the text
		open       bool
	}{
		{"text", `{"model":"gpt-4o","messages":[{"role":"user","content":"image"}]}`, Chat, 0, false},
		{"an image", `{"model":"gpt-4o","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,` +
			data + `"}}]}]}`, Chat, 765, false},
		{"an image by URL", `{"model":"gpt-4o-mini","messages":[{"role":"user","content":[` +
			`{"type":"image_url","image_url":{"url":"https://a"}}]}]}`, Chat, 2833 + 8*5667, false},
		{"base64 that is text to a model", `{"model":"gpt-4o","messages":[{"role":"user","content":"` + data + `"}]}`, Chat, 0, false},
		{"a file", `{"model":"gpt-4o","input":[{"role":"user","content":[{"type":"input_file","file_id":"f"}]}]}`, Responses, 0, true},
		{"what was said before", `{"model":"gpt-4o","input":"go on","previous_response_id":"resp_1"}`, Responses, 0, true},
		{"nothing was said before", `{"model":"gpt-4o","input":"go on","previous_response_id":null}`, Responses, 0, false},
		{"a conversation", `{"model":"gpt-4o","input":"go on","conversation":{"id":"c"}}`, Responses, 0, true},
		{"a prompt of theirs", `{"model":"gpt-4o","input":"go on","prompt":{"id":"p"}}`, Responses, 0, true},
	} {
		d, err := NewDecoder(Options{Endpoint: c.endpoint})
		if err != nil {
			t.Fatal(err)
		}
		var rec Record
		if err := d.Decode(&rec, []byte(c.body)); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		text := int64(len(rec.Body))
		for i := range rec.Media {
			text -= int64(rec.Media[i].Encoded)
		}
		if most, open := rec.MostTokens(rec.Body, rec.Model); most != text+c.most || open != c.open {
			t.Errorf("%s: %d beside %d of text, open %t", c.name, most-text, text, open)
		}
	}
}
