package media

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"slices"
	"strings"
	"testing"
)

// What OpenAI's guide reckons by hand (developers.openai.com/api/docs/guides/images-vision), and
// the other providers' pages.
func TestCountOfImages(t *testing.T) {
	for _, c := range []struct {
		model         string
		width, height int
		detail        Detail
		want          int64
	}{
		{"gpt-4o", 1024, 1024, High, 765},
		{"gpt-4o", 2048, 4096, High, 1105},
		{"gpt-4o", 4096, 8192, Low, 85},
		{"gpt-4o-2024-11-20", 512, 512, Auto, 255},
		{"openai/gpt-4o-mini", 1024, 1024, Auto, 25_501},
		{"gpt-4o-mini-2024-07-18", 4096, 8192, Low, 2833},
		{"ft:gpt-4o-mini-2024-07-18:org::id", 512, 512, Auto, 8500},
		{"gpt-4.1", 1024, 1024, High, 765},
		{"gpt-5", 1024, 1024, High, 630},
		{"gpt-5.1-chat-latest", 1024, 1024, High, 630},
		{"o3", 1024, 1024, High, 675},
		{"o1-pro", 4096, 8192, Low, 75},
		{"computer-use-preview", 1024, 1024, High, 581},
		{"gpt-4.1-mini", 1024, 1024, Auto, (1024*162 + 99) / 100},
		{"gpt-4.1-mini", 1800, 2400, Auto, (1452*162 + 99) / 100},
		{"gpt-4.1-nano", 1800, 2400, Auto, (1452*246 + 99) / 100},
		{"o4-mini", 1024, 1024, Auto, (1024*172 + 99) / 100},
		{"gpt-5-mini-2025-08-07", 1800, 2400, High, (1452*162 + 99) / 100},
		{"gpt-5.4", 1024, 1024, High, (1024*120 + 99) / 100},
		{"claude-sonnet-4-5", 1000, 1000, Auto, 1334},
		{"anthropic/claude-sonnet-4.5", 200, 200, Auto, 54},
		{"us.anthropic.claude-opus-4-1-20250805-v1:0", 3000, 2000, Auto, 1600},
		{"claude-opus-4-7", 2000, 1500, Auto, 4000},
		{"claude-opus-4-7", 4000, 3000, Auto, 4784},
		{"gemini-2.5-flash", 384, 384, Auto, 258},
		{"gemini-2.5-flash", 960, 540, Auto, 2 * 258},
		{"google/gemini-2.0-flash-001", 1536, 1536, Auto, 4 * 258},
		{"gemini-3-pro-preview", 4000, 4000, Auto, 1120},
	} {
		got := Count(c.model, []Part{{Kind: Image, Detail: c.detail, Width: c.width, Height: c.height}})
		if got.Likely != c.want || got.Most < got.Likely || got.Open {
			t.Errorf("%s, %d by %d: %+v, want %d", c.model, c.width, c.height, got, c.want)
		}
	}
}

// An image whose size is not known counts as the largest, for every size and detail.
func TestCountByURL(t *testing.T) {
	for _, model := range []string{
		"gpt-4o", "gpt-4o-mini", "gpt-4.1-mini", "gpt-5", "gpt-5.2", "gpt-5.4", "gpt-5.6-luna", "gpt-6.2-astra", "o4-mini", "o3",
		"claude-sonnet-4-5", "claude-opus-4-8", "claude-next", "gemini-2.5-pro", "gemini-3-pro",
	} {
		elsewhere := Count(model, []Part{{Kind: Image}})
		if elsewhere.Open || elsewhere.Most == 0 || elsewhere.Likely > elsewhere.Most {
			t.Errorf("%s: %+v", model, elsewhere)
		}
		for width := 1; width < 20_000; width += 1 + width/5 {
			for height := 1; height < 20_000; height += 1 + height/5 {
				for detail := Auto; detail <= Original; detail++ {
					one := Count(model, []Part{{Kind: Image, Detail: detail, Width: width, Height: height}})
					if one.Most > elsewhere.Most || one.Likely > one.Most || one.Likely <= 0 {
						t.Fatalf("%s, %d by %d: %+v, and %+v by URL", model, width, height, one, elsewhere)
					}
				}
			}
		}
	}
	if sum := Count("gpt-4o-mini", []Part{{Kind: Image, Width: 1024, Height: 1024}}); sum.Context > 800 {
		t.Errorf("gpt-4o-mini's images take %d tokens of its context", sum.Context)
	}
}

func TestCountOfOtherThings(t *testing.T) {
	const encoded = 400_000 // 300,000 bytes
	for _, c := range []struct {
		name, model string
		part        Part
		likely      int64
		most        int64 // 0: open
	}{
		{"37.5 s of speech", "gpt-audio", Part{Kind: Audio, Encoded: encoded}, 32 * 38, 0},
		{"a WAV", "gpt-4o-audio-preview", Part{Kind: Audio, Encoded: encoded, Rate: 48_000}, 70, 70},
		{"an MP3", "gpt-4o-audio-preview", Part{Kind: Audio, Encoded: encoded}, 380, 3010},
		{"an MP3 for Gemini", "gemini-2.5-flash", Part{Kind: Audio, Encoded: encoded}, 32 * 38, 32 * 301},
		{"a PDF", "gpt-4o", Part{Kind: Document, Encoded: encoded}, 7 * 2500, 0},
		{"a PDF for Gemini", "gemini-2.5-flash", Part{Kind: Document, Encoded: encoded}, 7 * 258, 0},
		{"plain text", "gpt-4o", Part{Kind: Text, Encoded: encoded}, 75_001, 300_003},
		{"a film", "gemini-2.5-flash", Part{Kind: Video, Encoded: encoded}, 263 * 3, 0},
		{"an image for nobody knows whom", "llava", Part{Kind: Image, Encoded: encoded}, 1600, 0},
	} {
		got := Count(c.model, []Part{c.part})
		if got.Likely != c.likely || got.Most != c.most || got.Open != (c.most == 0) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

// A picture in each format, in each of the places where an API has it.
func TestScan(t *testing.T) {
	picture := image.NewGray(image.Rect(0, 0, 640, 480))
	var asPNG, asJPEG, asGIF bytes.Buffer
	if png.Encode(&asPNG, picture) != nil || jpeg.Encode(&asJPEG, picture, nil) != nil || gif.Encode(&asGIF, picture, nil) != nil {
		t.Fatal("no picture")
	}
	profile := append([]byte("\xff\xd8\xff\xe2\xff\xf0"), make([]byte, 0xfff0-2)...)
	late := append(slices.Repeat(profile[2:], 2), asJPEG.Bytes()[2:]...)
	late = append([]byte("\xff\xd8"), late...)
	lossy := append([]byte("RIFF\x00\x00\x00\x00WEBPVP8 \x00\x00\x00\x00\x30\x01\x00\x9d\x01\x2a"), le16(640, 480)...)
	lossless := append([]byte("RIFF\x00\x00\x00\x00WEBPVP8L\x00\x00\x00\x00\x2f"), le32(639|479<<14)...)
	lossless = append(lossless, make([]byte, 16)...)
	extended := append([]byte("RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00"), 127, 2, 0, 223, 1, 0)
	places := []string{
		`{"type":"image_url","image_url":{"url":"data:image/png;base64,%s","detail":"low"}}`,
		`{"type":"image_url","image_url":{"detail":"low","url":"data:image\/png;base64,%s"}}`,
		`{"image_url":"data:image/png;base64,%s","type":"input_image","detail":"low"}`,
		`{"type":"image","detail":"low","source":{"type":"base64","media_type":"image/png","data":"%s"}}`,
		`{"type":"tool_result","content":[{"type":"image","detail":"low","source":{"data":"%s","type":"base64","media_type":"image/png"}}]}`,
		`{"type":"file","detail":"low","file":{"file_data":"data:image/png;base64,%s"}}`,
		`{"detail":"low","inline_data":{"mime_type":"image/png","data":"%s"}}`,
	}
	for name, data := range map[string][]byte{
		"PNG": asPNG.Bytes(), "JPEG": asJPEG.Bytes(), "GIF": asGIF.Bytes(), "JPEG behind a profile": late,
		"WebP": lossy, "lossless WebP": lossless, "extended WebP": extended,
	} {
		encoded := base64.StdEncoding.EncodeToString(data)
		wrapped := strings.Join(slices.Collect(chunks(encoded, 76)), `\r\n`)
		for _, place := range places {
			for _, text := range []string{encoded, wrapped, strings.ReplaceAll(encoded, "/", `\/`), base64.RawURLEncoding.EncodeToString(data)} {
				body := fmt.Sprintf(`{"messages":[{"role":"user","content":[{"type":"text","text":"see"}, `+place+`]}]}`, text)
				parts := Scan(nil, []byte(body))
				if len(parts) != 1 {
					t.Fatalf("%s, %s: %+v", name, place, parts)
				}
				p := parts[0]
				if p.Kind != Image || p.Width != 640 || p.Height != 480 || p.Detail != Low || p.Encoded < len(text) || p.Encoded > len(text)+40 {
					t.Errorf("%s, %s: %+v", name, place, p)
				}
			}
		}
	}
}

func TestScanOfOtherParts(t *testing.T) {
	wav := append([]byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00"), le32(24_000)...)
	wav = append(wav, le32(48_000)...)
	sound := base64.StdEncoding.EncodeToString(wav)
	for _, c := range []struct {
		part string
		want []Part
	}{
		{`{"type":"text","text":"image"}`, nil},
		{`{"type":"image","words":"a picture of an image"}`, nil},
		{`{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}`, []Part{{Kind: Image}}},
		{`{"type":"image_url","image_url":"https://example.com/a.png"}`, []Part{{Kind: Image}}},
		{`{"type":"input_image","file_id":"file-1","detail":"high"}`, []Part{{Kind: Image, Detail: High}}},
		{`{"type":"image","source":{"type":"url","url":"https://example.com/a.png"}}`, []Part{{Kind: Image}}},
		{`{"type":"document","source":{"type":"file","file_id":"file_1"}}`, []Part{{Kind: Document}}},
		{`{"type":"document","source":{"type":"text","media_type":"text/plain","data":"words"}}`, nil},
		{`{"type":"document","source":{"type":"content","content":[{"type":"image","source":{"type":"url","url":"https://a"}}]}}`,
			[]Part{{Kind: Image}}},
		{`{"type":"input_file","file_url":"https://example.com/a.pdf"}`, []Part{{Kind: Document}}},
		{`{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,AAAA"}}`, []Part{{Kind: Document, Encoded: 34}}},
		{`{"type":"image_url","image_url":{"url":"data:application/pdf;base64,AAAA"}}`, []Part{{Kind: Document, Encoded: 34}}},
		{`{"type":"input_audio","input_audio":{"data":"` + sound + `","format":"wav"}}`,
			[]Part{{Kind: Audio, Encoded: len(sound) + 2, Rate: 48_000}}},
		{`{"type":"video_url","video_url":{"url":"https://example.com/a.mp4"}}`, []Part{{Kind: Video}}},
		{`{"type":"image_url","image_url":{"url":"https://a"}},{"type":"image_url","image_url":{"url":"https://b"}}`,
			[]Part{{Kind: Image}, {Kind: Image}}},
	} {
		got := Scan(nil, []byte(`{"model":"m","messages":[{"content":[`+c.part+`],"role":"user"}],"url":"x","type":"y"}`))
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.part, got, c.want)
		}
	}
}

// What is no header has no size, and ends nothing.
func FuzzScan(f *testing.F) {
	f.Add([]byte("\xff\xd8\xff\xff\xff\xc0\x00"))
	f.Add([]byte("RIFF\xff\xff\xff\xffWAVEfmt \xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		encoded := base64.StdEncoding.EncodeToString(data)
		for _, body := range []string{
			`{"type":"image","image":"data:image/x;base64,` + encoded + `"}`, `{"type":"audio","source":{"data":"` + encoded + `"}}`,
		} {
			parts := Scan(nil, []byte(body))
			if len(parts) != 1 || parts[0].Width < 0 || parts[0].Height < 0 || parts[0].Rate < 0 {
				t.Fatalf("%+v", parts)
			}
			for _, model := range []string{"", "gpt-4o", "gpt-5.4", "claude-x", "gemini-2"} {
				if sum := Count(model, parts); sum.Likely < 0 || sum.Most < 0 {
					t.Errorf("%s: %+v of %+v", model, sum, parts)
				}
			}
		}
	})
}

func chunks(s string, n int) func(func(string) bool) {
	return func(yield func(string) bool) {
		for ; len(s) > n; s = s[n:] {
			if !yield(s[:n]) {
				return
			}
		}
		yield(s)
	}
}

func le16(numbers ...uint16) (out []byte) {
	for _, n := range numbers {
		out = binary.LittleEndian.AppendUint16(out, n)
	}
	return out
}

func le32(n uint32) []byte { return binary.LittleEndian.AppendUint32(nil, n) }
