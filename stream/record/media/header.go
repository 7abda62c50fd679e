package media

import (
	"encoding/base64"
	"encoding/binary"
)

// How many bytes of a part's data are decoded for its header: enough for most parts, and enough for
// a JPEG whose size comes after a colour profile and a preview.
const (
	shortHead = 1 << 10
	longHead  = 256 << 10
)

// readHeader reads an image's size, or a recording's rate, from the first bytes of its base64.
func (p *Part) readHeader(encoded []byte) {
	head := decode(encoded, shortHead)
	switch p.Kind {
	case Audio:
		p.Rate = wavRate(head)
	case Image:
		p.Width, p.Height = imageSize(head)
		if p.Width == 0 && isJPEG(head) {
			p.Width, p.Height = jpegSize(decode(encoded, longHead))
		}
	}
}

// decode decodes base64 in a JSON string, and returns about the first most bytes. The base64 may
// have either alphabet, line breaks, and escaped slashes.
func decode(encoded []byte, most int) []byte {
	text := make([]byte, 0, min(len(encoded), most/3*4+4))
	for i := 0; i < len(encoded) && len(text) < cap(text); i++ {
		switch c := encoded[i]; {
		case c == '\\' && i+1 < len(encoded) && encoded[i+1] != '/':
			i++ // a line break
		case c == '\\', c == '=':
		case c == '-':
			text = append(text, '+')
		case c == '_':
			text = append(text, '/')
		default:
			text = append(text, c)
		}
	}
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(text)))
	n, _ := base64.RawStdEncoding.Decode(out, text) // it ends at anything that is not base64
	return out[:n]
}

// imageSize reads the size in pixels of a PNG (www.w3.org/TR/png, IHDR), a GIF
// (www.w3.org/Graphics/GIF/spec-gif89a.txt, 18), a WebP (RFC 9649, 2.5 to 2.7) or a JPEG. It
// returns 0, 0 if head is none of these, or too short.
func imageSize(head []byte) (width, height int) {
	at := func(i int) int { return int(head[i]) }
	switch {
	case len(head) >= 24 && string(head[:8]) == "\x89PNG\r\n\x1a\n":
		return int(binary.BigEndian.Uint32(head[16:]) & 0x7fffffff), int(binary.BigEndian.Uint32(head[20:]) & 0x7fffffff)
	case len(head) >= 10 && string(head[:4]) == "GIF8":
		return int(binary.LittleEndian.Uint16(head[6:])), int(binary.LittleEndian.Uint16(head[8:]))
	case len(head) >= 30 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP":
		switch string(head[12:16]) {
		case "VP8 ":
			return int(binary.LittleEndian.Uint16(head[26:])) & 0x3fff, int(binary.LittleEndian.Uint16(head[28:])) & 0x3fff
		case "VP8L":
			bits := int(binary.LittleEndian.Uint32(head[21:]))
			return bits&0x3fff + 1, bits>>14&0x3fff + 1
		case "VP8X":
			return at(24) | at(25)<<8 | at(26)<<16 + 1, at(27) | at(28)<<8 | at(29)<<16 + 1
		}
	case isJPEG(head):
		return jpegSize(head)
	}
	return 0, 0
}

func isJPEG(head []byte) bool { return len(head) > 3 && string(head[:3]) == "\xff\xd8\xff" }

// jpegSize returns the size in the frame segment of a JPEG (ITU-T T.81, B.2.2); 0, 0 if head does
// not hold that segment.
func jpegSize(head []byte) (width, height int) {
	for i := 2; i+9 <= len(head) && head[i] == 0xff; {
		marker := head[i+1]
		switch {
		case marker == 0xff: // a fill byte
			i++
			continue
		case marker == 0x01, marker >= 0xd0 && marker <= 0xd8: // these have no length
			i += 2
			continue
		case marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc:
			return int(binary.BigEndian.Uint16(head[i+7:])), int(binary.BigEndian.Uint16(head[i+5:]))
		}
		i += 2 + int(binary.BigEndian.Uint16(head[i+2:]))
	}
	return 0, 0
}

// wavRate returns the bytes per second of a WAV, from its fmt chunk; 0 if head is not a WAV with
// such a chunk.
func wavRate(head []byte) int {
	if len(head) < 12 || string(head[:4]) != "RIFF" || string(head[8:12]) != "WAVE" {
		return 0
	}
	for i := 12; i+20 <= len(head); {
		size := int(binary.LittleEndian.Uint32(head[i+4:]))
		if string(head[i:i+4]) == "fmt " {
			return int(binary.LittleEndian.Uint32(head[i+16:]) & 0x7fffffff)
		}
		if size < 0 || size > len(head) {
			return 0
		}
		i += 8 + size + size%2
	}
	return 0
}
