package sim

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/gif"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestSimRefusesFiles has what OpenAI and Anthropic refuse of images, recordings and PDFs, and what
// they take.
func TestSimRefusesFiles(t *testing.T) {
	in64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	encoded := func(width int) string {
		var b bytes.Buffer
		if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, width, 1))); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	var animated bytes.Buffer
	if err := gif.Encode(&animated, image.NewGray(image.Rect(0, 0, 2, 2)), nil); err != nil {
		t.Fatal(err)
	}
	asPNG := encoded(10)
	url := func(mediaType, data string) string {
		return `{"type":"image_url","image_url":{"url":"data:` + mediaType + `;base64,` + in64(data) + `"}}`
	}
	input := func(mediaType, data string) string {
		return `{"type":"input_image","image_url":"data:` + mediaType + `;base64,` + in64(data) + `"}`
	}
	sound := func(format, data string) string {
		return `{"type":"input_audio","input_audio":{"format":"` + format + `","data":"` + in64(data) + `"}}`
	}
	source := func(kind, mediaType, data string) string {
		return `{"type":"` + kind + `","source":{"type":"base64","media_type":"` + mediaType + `","data":"` + in64(data) + `"}}`
	}
	pages := func(n int) string { return "%PDF-1.7 /Type /Pages " + strings.Repeat("/Type /Page ", n) }
	for _, c := range []struct {
		endpoint    *endpoint
		model, part string
		code, says  string // "" for what is taken
	}{
		{chat, "gpt-4o", url("image/png", asPNG), "", ""},
		{chat, "gpt-4o", url("image/gif", animated.String()), "", ""},
		{chat, "gpt-4o", url("image/jpeg", asPNG), "", ""}, // it is looked at
		{chat, "gpt-4o", url("image/png", "\x89PNG"), "invalid_image_format", "You uploaded an unsupported image."},
		{chat, "gpt-4o", url("image/png", "BM and a bitmap"), "invalid_image_format", "You uploaded an unsupported image."},
		{chat, "gpt-4o", url("image/svg+xml", "<svg/>"), "invalid_image_format", "You uploaded an unsupported image."},
		{chat, "gpt-4o", url("application/pdf", "%PDF-1.7"), "invalid_image_format", "Invalid MIME type. Only image types are supported."},
		{chat, "gpt-4o", `{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}`, "", ""},
		{chat, "gpt-4o", `{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,` + in64("%PDF-1.7") + `"}}`,
			"", ""},
		{chat, "gpt-4o", `{"type":"file","file":{"file_id":"file-1"}}`, "", ""},
		{chat, "gpt-4o", `{"type":"file","file":{"file_data":"https://example.com/a.pdf"}}`, "invalid_value",
			"Invalid file data: 'messages[0].content[1].file.file_data'. Expected a base64-encoded data URL"},
		{chat, "gpt-4o", sound("mp3", "ID3 and so on"), "", ""},
		{chat, "gpt-4o", sound("mp3", "\xff\xfb\x90\x00"), "", ""},
		{chat, "gpt-4o", sound("wav", "RIFF\x00\x00\x00\x00WAVEfmt "), "", ""},
		{chat, "gpt-4o", sound("wav", "ID3 and so on"), "", "The audio file could not be decoded"},
		{chat, "gpt-4o", sound("ogg", "OggS"), "invalid_value", "Supported values are: 'wav' and 'mp3'."},
		{chat, "gpt-4o",
			`{"type":"file","file":{"file_data":"data:application/pdf;base64,` + in64("%PDF-"+strings.Repeat("x", openaiFileBytes)) + `"}}`,
			"file_too_large", "bytes, and at most 52428800 are allowed"},
		{chat, "gpt-4o", strings.Repeat(url("image/png", asPNG)+",", openaiImages) + url("image/png", asPNG), "invalid_value", "501 images"},
		{responses, "gpt-4o", input("image/png", asPNG), "", ""},
		{responses, "gpt-4o", input("application/pdf", "%PDF-1.7"), "invalid_value",
			"Invalid 'input[0].content[1].image_url'. Expected a base64-encoded data URL with an image MIME type"},
		{responses, "gpt-4o", `{"type":"input_file","file_url":"https://example.com/a.pdf"}`, "", ""},
		{messages, "claude-haiku-4-5", source("image", "image/png", asPNG), "", ""},
		{messages, "claude-haiku-4-5", source("image", "image/jpeg", asPNG), "",
			"messages.0.content.1.image.source.base64: The image was specified using the image/jpeg media type, but the image appears to be"},
		{messages, "claude-haiku-4-5", source("image", "image/bmp", "BM"), "", "media_type: Input should be 'image/jpeg', 'image/png'"},
		{messages, "claude-haiku-4-5", source("image", "image/png", "no image"), "", "Could not process image"},
		{messages, "claude-haiku-4-5", source("image", "image/png", asPNG+strings.Repeat("x", 4<<20)), "", "image exceeds 5 MB maximum: 5592"},
		{messages, "claude-haiku-4-5", source("image", "image/png", encoded(8001)), "", "max allowed size: 8000 pixels"},
		{messages, "claude-haiku-4-5",
			strings.Repeat(source("image", "image/png", asPNG)+",", 20) + source("image", "image/png", encoded(2001)), "",
			"many-image requests: 2000 pixels"},
		{messages, "claude-haiku-4-5", strings.Repeat(source("image", "image/png", asPNG)+",", 100) + source("image", "image/png", asPNG), "",
			"a maximum of 100 images"},
		{messages, "claude-opus-4-7", strings.Repeat(source("image", "image/png", asPNG)+",", 100) + source("image", "image/png", asPNG), "", ""},
		{messages, "claude-haiku-4-5", source("document", "application/pdf", pages(100)), "", ""},
		{messages, "claude-haiku-4-5", source("document", "application/pdf", pages(101)), "", "A maximum of 100 PDF pages may be provided."},
		{messages, "claude-opus-4-7", source("document", "application/pdf", pages(600)), "", ""},
		{messages, "claude-haiku-4-5", source("document", "application/pdf", "no PDF"), "", "The PDF specified was not valid."},
		{messages, "claude-haiku-4-5", `{"type":"image","source":{"type":"url","url":"https://example.com/a.png"}}`, "", ""},
	} {
		var q request
		body := fmt.Sprintf(`{"model":"%s","max_tokens":9,"%s":[{"role":"user","content":[{"type":"text","text":"x"},%s]}]}`, c.model,
			c.endpoint.prompt, c.part)
		fault := q.parse(c.endpoint, &Options{}, []byte(body))
		if (fault == nil) != (c.says == "" && c.code == "") {
			t.Errorf("%.100s: %v", c.part, fault)
		}
		if fault != nil && (fault.status != http.StatusBadRequest || fault.code != c.code || !strings.Contains(fault.message, c.says)) {
			t.Errorf("%.100s: %d %q %q", c.part, fault.status, fault.code, fault.message)
		}
	}
}

// TestSimRefusesLargeMessages has a request that is over what Anthropic lets in.
func TestSimRefusesLargeMessages(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/v1/messages", strings.NewReader(strings.Repeat(" ", anthropicBody+1)))
	r.Header.Set("Anthropic-Version", "2023-06-01")
	w := httptest.NewRecorder()
	New(Options{}).ServeHTTP(w, r)
	if w.Code != http.StatusRequestEntityTooLarge ||
		!strings.Contains(w.Body.String(), "Request exceeds the maximum allowed number of bytes.") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
