package sim

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/png"
	"testing"
)

// What OpenAI's guide reckons by hand.
func TestSimImageTokens(t *testing.T) {
	for _, c := range []struct {
		model         string
		width, height int
		detail        string
		want          int
	}{
		{"gpt-4o", 1024, 1024, "high", 765},
		{"gpt-4o", 2048, 4096, "high", 1105},
		{"gpt-4o", 4096, 8192, "low", 85},
		{"gpt-4o-mini-2024-07-18", 1024, 1024, "", 25_501},
		{"gpt-4.1-mini", 1024, 1024, "", 1659},
		{"gpt-4.1-mini", 1800, 2400, "", 2353},
		{"gpt-5", 1024, 1024, "auto", 630},
		{"o3", 1024, 1024, "high", 675},
		{"claude-sonnet-4-5", 200, 200, "", 54},
		{"anthropic/claude-sonnet-4.5", 1000, 1000, "", 1334},
		{"claude-3-haiku-20240307", 3000, 2000, "", 1600},
		{"gemini-2.5-flash", 1000, 700, "", 516},
	} {
		if got := imageTokens(c.model, c.width, c.height, c.detail); got != c.want {
			t.Errorf("%s, %d by %d, %s: %d tokens, want %d", c.model, c.width, c.height, c.detail, got, c.want)
		}
	}
}

func TestSimPictures(t *testing.T) {
	var encoded bytes.Buffer
	if err := png.Encode(&encoded, image.NewGray(image.Rect(0, 0, 300, 300))); err != nil {
		t.Fatal(err)
	}
	data := base64.StdEncoding.EncodeToString(encoded.Bytes())
	sound := base64.StdEncoding.EncodeToString(append([]byte("ID3"), make([]byte, 79_997)...))
	pdf := base64.StdEncoding.EncodeToString(append([]byte("%PDF-1.7 /Type /Pages /Type /Page /Type/Page "),
		make([]byte, 79_956)...))
	page := imageTokens("gpt-4o", pageWidth, pageHeight, "")
	for part, want := range map[string]int{
		`{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}`:                   765,
		`{"type":"image_url","image_url":{"url":"https://example.com/a.png","detail":"low"}}`:    85,
		`{"type":"image_url","image_url":{"url":"data:image/png;base64,` + data + `"}}`:          255,
		`{"type":"input_image","detail":"low","image_url":"data:image/png;base64,` + data + `"}`: 85,
		`{"type":"input_audio","input_audio":{"data":"` + sound + `","format":"mp3"}}`:           109,
		`{"type":"file","file":{"file_data":"data:application/pdf;base64,` + pdf + `"}}`:         1600 + 2*page,
	} {
		var q request
		body := fmt.Sprintf(`{"messages":[{"role":"user","content":[%s]}],"model":"gpt-4o"}`, part)
		if fault := q.parse(chat, &Options{}, []byte(body)); fault != nil {
			t.Fatal(fault)
		}
		if got := q.promptTokens + q.otherTokens - perMessage - perReply; got != want {
			t.Errorf("%.80s: %d tokens, want %d", part, got, want)
		}
	}
}

// max_tokens bounds everything, what is shown, or nothing.
func TestSimOverrun(t *testing.T) {
	for overrun, beyond := range map[Overrun]func(shown, reasoning int) bool{
		"":               func(shown, reasoning int) bool { return shown+reasoning > 10 },
		OverrunReasoning: func(shown, reasoning int) bool { return shown > 10 || reasoning == 0 },
		OverrunAll:       func(shown, _ int) bool { return shown <= 10 },
	} {
		var q request
		if fault := q.parse(chat, &Options{}, []byte(`{"messages":[{"content":"x"}],"model":"gpt-5","max_tokens":10}`)); fault != nil {
			t.Fatal(fault)
		}
		u := q.answer(&Options{Output: 500, Overrun: overrun}, false).usage
		if beyond(u.completion-u.reasoning, u.reasoning) {
			t.Errorf("overrun %q: %+v", overrun, u)
		}
	}
}
