package media

import (
	"bytes"
	"image"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
)

func TestOfFile(t *testing.T) {
	picture := image.NewGray(image.Rect(0, 0, 30, 20))
	var asPNG, asJPEG bytes.Buffer
	if err := png.Encode(&asPNG, picture); err != nil {
		t.Fatal(err)
	}
	if err := jpeg.Encode(&asJPEG, picture, nil); err != nil {
		t.Fatal(err)
	}
	wav := "RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data"
	for _, c := range []struct {
		name, head string
		size       int64 // 0: that of head
		kind       Kind
		mediaType  string
	}{
		{"png", asPNG.String(), 0, Image, "image/png"},
		{"jpeg", asJPEG.String(), 0, Image, "image/jpeg"},
		{"gif", "GIF89a\x1e\x00\x14\x00", 0, Image, "image/gif"},
		{"webp", "RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x1d\x00\x00\x13\x00\x00", 0, Image, "image/webp"},
		{"pdf", "%PDF-1.7\n%\xe2\xe3", 0, Document, "application/pdf"},
		{"wav", wav, 0, Audio, "audio/wav"},
		{"mp3 with a tag", "ID3\x04\x00", 0, Audio, "audio/mpeg"},
		{"mp3 without", "\xff\xfb\x90\x64", 0, Audio, "audio/mpeg"},
		{"aac", "\xff\xf1\x50\x80", 0, None, ""},
		{"avi", "RIFF\x00\x00\x00\x00AVI LIST", 0, None, ""},
		{"text", "Grüße\r\n\tvon hier", 0, Text, "text/plain"},
		{"nothing", "", 0, Text, "text/plain"},
		{"half a letter at the end", "Gr\xc3", 0, None, ""},
		{"half a letter, and more to come", "Gr\xc3", 4, Text, "text/plain"},
		{"no letter, and more to come", "Gr\xff", 4, None, ""},
		{"latin-1", "Gr\xfc\xdfe", 0, None, ""},
		{"a NUL", "a\x00b", 0, None, ""},
		{"a program", "\x7fELF\x02\x01\x01\x00", 0, None, ""},
	} {
		size := max(c.size, int64(len(c.head)))
		p, mediaType := OfFile([]byte(c.head), size)
		if p.Kind != c.kind || mediaType != c.mediaType {
			t.Errorf("%s: kind %d, %q; want %d, %q", c.name, p.Kind, mediaType, c.kind, c.mediaType)
		}
		if p.Kind == Image && (p.Width != 30 || p.Height != 20) {
			t.Errorf("%s: %d by %d", c.name, p.Width, p.Height)
		}
		if c.name == "wav" && p.Rate != 16_000 {
			t.Errorf("%s: %d bytes a second", c.name, p.Rate)
		}
		if !p.Apart || int64(p.Encoded) < size || int64(p.Encoded) > size/3*4+4 {
			t.Errorf("%s: %d bytes in base64 of %d, apart: %v", c.name, p.Encoded, size, p.Apart)
		}
	}
}

// A JPEG may have a profile before its size.
func TestOfFileNeedsMore(t *testing.T) {
	profile := "\xff\xd8\xff\xe2\x20\x00" + strings.Repeat("x", 0x2000-2)
	frame := "\xff\xc0\x00\x11\x08\x00\x14\x00\x1e\x03"
	whole := []byte(profile + frame)
	p, _ := OfFile(whole[:ShortHeadBytes], int64(len(whole)))
	if p.Kind != Image || !p.NeedsMore(whole[:ShortHeadBytes]) {
		t.Fatalf("%+v", p)
	}
	if p, _ = OfFile(whole, int64(len(whole))); p.Width != 30 || p.Height != 20 || p.NeedsMore(whole) {
		t.Errorf("%+v", p)
	}
}
