package attach

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"llmpipe/stream/record/media"
	"llmpipe/stream/record/rawjson"
)

// File is a file that is attached to a request.
type File struct {
	Path string       // as the record has it
	At   rawjson.Span // the span of its mark in the record's body

	// Part is what the file is, by its first bytes. Its kind is None until the file has been
	// inspected.
	Part media.Part
	Type string // its media type

	Size    int64 // bytes
	ModTime time.Time
	Sum     [sha256.Size]byte // SHA-256 of the data, once it was sent
}

// AppendMark appends what stands for a file in a body until the file is read. path is a JSON
// string.
func AppendMark(dst, path []byte) []byte {
	dst = append(dst, `{"type":"attachment","path":`...)
	return append(append(dst, path...), '}')
}

// Frame returns the JSON before and after the file's data in a part, in an endpoint's form. The
// data between them is base64, or the inside of a JSON string if the file is text. An error says
// that the file is empty, or that the endpoint does not take such files.
//
// The forms are those of platform.openai.com/docs/api-reference/chat/create, of
// .../responses/create and of platform.claude.com/docs/en/api/messages/create. OpenAI's responses,
// and Anthropic, take no recordings.
func (f *File) Frame(form Form) (before, after string, err error) {
	if f.Size == 0 && f.Part.Apart {
		return "", "", errors.New("it is empty")
	}
	switch f.Part.Kind {
	case media.Text:
		return `{"type":"` + form.text() + `","text":"`, `"}`, nil
	case media.Image:
		switch form {
		case Chat:
			return `{"type":"image_url","image_url":{"url":"data:` + f.Type + `;base64,`, `"}}`, nil
		case Responses:
			return `{"type":"input_image","image_url":"data:` + f.Type + `;base64,`, `"}`, nil
		}
		return anthropicSource("image", f.Type), `"}}`, nil
	case media.Audio:
		if form == Chat {
			return `{"type":"input_audio","input_audio":{"format":"` + audioFormat(f.Type) + `","data":"`, `"}}`, nil
		}
		return "", "", fmt.Errorf("the %s endpoint does not take recordings", form)
	case media.Document:
		name := string(rawjson.AppendQuoted(nil, f.name()))
		switch form {
		case Chat:
			return `{"type":"file","file":{"filename":` + name + `,"file_data":"data:` + f.Type + `;base64,`, `"}}`, nil
		case Responses:
			return `{"type":"input_file","filename":` + name + `,"file_data":"data:` + f.Type + `;base64,`, `"}`, nil
		}
		return anthropicSource("document", f.Type), `"}}`, nil
	}
	return "", "", fmt.Errorf("it is not an image (PNG, JPEG, GIF, WebP), a PDF, a recording (WAV, MP3) or UTF-8 text")
}

// name returns the file's name without directories.
func (f *File) name() string { return path.Base(strings.ReplaceAll(f.Path, `\`, "/")) }

func anthropicSource(part, mediaType string) string {
	return `{"type":"` + part + `","source":{"type":"base64","media_type":"` + mediaType + `","data":"`
}

// audioFormat returns OpenAI's name for the format of a recording.
func audioFormat(mediaType string) string {
	if strings.HasSuffix(mediaType, "wav") {
		return "wav"
	}
	return "mp3"
}
