package media

import (
	"encoding/base64"
	"unicode/utf8"
)

// HeadBytes is how many of a file's first bytes [OfFile] may need. For most files ShortHeadBytes
// are enough.
const (
	HeadBytes      = longHead
	ShortHeadBytes = shortHead
)

// OfFile returns what a file of size bytes is, judged by its first bytes, and its media type. It
// knows images (PNG, JPEG, GIF, WebP), recordings (WAV, MP3), PDFs and text in UTF-8; the Kind of
// any other file is None. The part is Apart, because its data is not in a body yet.
func OfFile(head []byte, size int64) (p Part, mediaType string) {
	p.Kind, mediaType = kindByMagic(head)
	p.Encoded, p.Apart = base64.StdEncoding.EncodedLen(int(size)), true
	switch p.Kind {
	case Image:
		p.Width, p.Height = imageSize(head)
	case Audio:
		p.Rate = wavRate(head)
	case None:
		if isText(head, int64(len(head)) < size) {
			p.Kind, mediaType = Text, "text/plain"
		}
	}
	return p, mediaType
}

// NeedsMore reports whether more of a file's first bytes may give what p lacks: the size of a JPEG
// may come after a colour profile and a preview.
func (p *Part) NeedsMore(head []byte) bool { return p.Kind == Image && p.Width == 0 && isJPEG(head) }

// kindByMagic returns the kind and the media type of a file from its first bytes: an image as
// imageSize knows it, a PDF by ISO 32000-1, 7.5.2, an MP3 by its ID3 tag (id3.org/id3v2.3.0, 3.1)
// or the header of its first frame (ISO/IEC 11172-3, 2.4.1.3: eleven bits of sync, then two of the
// version, then the layer, 01 for the third).
func kindByMagic(head []byte) (Kind, string) {
	begins := func(magic string) bool { return len(head) >= len(magic) && string(head[:len(magic)]) == magic }
	riff := func(form string) bool { return begins("RIFF") && len(head) >= 12 && string(head[8:12]) == form }
	switch {
	case begins("\x89PNG\r\n\x1a\n"):
		return Image, "image/png"
	case begins("\xff\xd8\xff"):
		return Image, "image/jpeg"
	case begins("GIF87a"), begins("GIF89a"):
		return Image, "image/gif"
	case riff("WEBP"):
		return Image, "image/webp"
	case begins("%PDF-"):
		return Document, "application/pdf"
	case riff("WAVE"):
		return Audio, "audio/wav"
	case begins("ID3"), len(head) > 2 && head[0] == 0xff && head[1]&0xe6 == 0xe2:
		return Audio, "audio/mpeg"
	}
	return None, ""
}

// isText reports whether head may be the beginning of a text: UTF-8 without a NUL, which no text
// has. If more follows, the last character may be cut off.
func isText(head []byte, more bool) bool {
	for i := 0; i < len(head); {
		r, size := utf8.DecodeRune(head[i:])
		if r == utf8.RuneError && size == 1 {
			return more && !utf8.FullRune(head[i:])
		}
		if r == 0 {
			return false
		}
		i += size
	}
	return true
}
