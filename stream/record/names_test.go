package record

import (
	"strings"
	"testing"

	"llmpipe/stream/record/media"
)

func TestNames(t *testing.T) {
	for _, e := range []Endpoint{Chat, Embeddings, Responses, Completions} {
		if got, err := ParseEndpoint(e.String()); err != nil || got != e {
			t.Errorf("%s: %v, %v", e, got, err)
		}
		for _, url := range []string{e.Path(), strings.TrimPrefix(e.Path(), "/v1")} {
			if got, ok := EndpointOf(url); !ok || got != e {
				t.Errorf("%s: %v, %v", url, got, ok)
			}
		}
	}
	if _, err := ParseEndpoint("images"); err == nil {
		t.Error("images are an endpoint")
	}
	if _, ok := EndpointOf("/v1/images"); ok {
		t.Error("/v1/images is an endpoint's url")
	}
	for _, f := range []Format{FormatResult, FormatBatch, FormatRaw, FormatText} {
		if got, err := ParseFormat(f.String()); err != nil || got != f {
			t.Errorf("%s: %v, %v", f, got, err)
		}
	}
	if _, err := ParseFormat("csv"); err == nil {
		t.Error("csv is a format")
	}
	if Endpoint(9).String() != "Endpoint(9)" || Endpoint(9).Path() != "" || Format(9).String() != "Format(9)" {
		t.Error("what is none has a name")
	}
}

func TestUnmarshalText(t *testing.T) {
	var e Endpoint
	if err := e.UnmarshalText([]byte("responses")); err != nil || e != Responses {
		t.Errorf("endpoint %s, %v", e, err)
	}
	var f Format
	if err := f.UnmarshalText([]byte("raw")); err != nil || f != FormatRaw {
		t.Errorf("format %s, %v", f, err)
	}
	if e.UnmarshalText([]byte("x")) == nil || f.UnmarshalText([]byte("x")) == nil {
		t.Error("x is taken")
	}
}

func TestTextBytes(t *testing.T) {
	image := strings.Repeat("iVBORw0KGgo+/9A=", 4096)
	text := strings.Repeat("some words and more words ", 100)
	lines := strings.Repeat(image[:76]+`\n`, 2000)
	const (
		stray = 3 * media.StrayTokens
		most  = 3 * 1600 // of an image for a model of which nothing is known
	)
	tests := []struct {
		name, content string
		least, most   int
	}{
		{"base64 in lines", `[{"url":"data:image/jpeg;base64,` + lines + `"}]`, most, most + 300},
		{"base64 in lines of Windows", `[{"url":"` + strings.ReplaceAll(lines, `\n`, `\r\n`) + `"}]`, stray, stray + 300},
		{"base64 with its slashes escaped", `[{"url":"data:image\/png;base64,` + strings.ReplaceAll(image, "/", `\/`) + `"}]`,
			most, most + 300},
		{"text counts whole", `"` + text + `"`, len(text), len(text) + 200},
		{"an image counts as a picture, not by its bytes", `[{"type":"image_url","image_url":{"url":"data:image/png;base64,` + image + `"}}]`,
			most, most + 300},
		{"an image somewhere else counts as well", `[{"type":"image_url","image_url":{"url":"https://example.com/cat.png"}}]`,
			most, most + 300},
		{"a recording counts by its seconds", `[{"type":"input_audio","input_audio":{"data":"` + image + `"}}]`, 3 * 32 * 6, 3*32*7 + 300},
		{"two images", `[{"url":"` + image + `"},{"url":"` + image + `"}]`, 2 * stray, 2*stray + 300},
		{"a long word is text", `"` + strings.Repeat("x", blobSize/2) + `"`, blobSize / 2, blobSize},
		{"text in another script", `"` + strings.Repeat("文", 2000) + `"`, 6000, 6200},
	}
	d, err := NewDecoder(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		var rec Record
		if err := d.Decode(&rec, []byte(`{"messages":[{"role":"user","content":`+test.content+`}]}`)); err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if rec.TextBytes < test.least || rec.TextBytes > test.most {
			t.Errorf("%s: %d bytes, want %d to %d", test.name, rec.TextBytes, test.least, test.most)
		}
	}
}
