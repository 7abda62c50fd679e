package media

import (
	"bytes"

	"llmpipe/stream/record/rawjson"
)

// Scan appends the parts of a body, which is valid JSON, to dst.
func Scan(dst []Part, body []byte) []Part {
	s := scanner{src: body, parts: dst}
	s.element(rawjson.SkipSpace(body, 0))
	return s.parts
}

// scanner goes through a body once.
type scanner struct {
	src   []byte
	parts []Part
}

// found is what an object, with the objects inside it, says about a part.
type found struct {
	kind      Kind // by the object's own type
	media     Kind // by the media type
	plain     bool // the member called data holds text, or further parts
	elsewhere bool // it says where the data is
	data      rawjson.Span
	detail    Detail
}

// value walks through the value at i. It returns the position after the value, and what the value
// says about the part that it belongs to.
func (s *scanner) value(i int) (end int, in found) {
	if i >= len(s.src) {
		return i, found{}
	}
	switch s.src[i] {
	case '{':
		return s.object(i)
	case '[':
		return s.array(i), found{}
	}
	return rawjson.SkipValue(s.src, i), found{}
}

// array walks through the elements of an array. Each of them may be a part, or hold parts.
func (s *scanner) array(i int) (end int) {
	for i = rawjson.SkipSpace(s.src, i+1); i < len(s.src) && s.src[i] != ']'; {
		i = rawjson.NextElement(s.src, s.element(i))
	}
	return min(i+1, len(s.src))
}

// element walks through a value that is not a member of an object. Even without a type, it is a
// part if it has data and a media type.
func (s *scanner) element(i int) (end int) {
	end, f := s.value(i)
	if f.media != None && f.data.End > 0 && !f.plain {
		s.parts = append(s.parts, f.part(s.src))
	}
	return end
}

// object walks through an object. It is a part if its type gives a kind, and if it has data or says
// where the data is. Otherwise what it says is about the object around it.
func (s *scanner) object(i int) (end int, f found) {
	w := rawjson.WalkAt(s.src, i)
	for w.Next() {
		if w.Start < len(s.src) && s.src[w.Start] != '"' {
			var inner found
			w.At, inner = s.value(w.Start)
			f.take(inner)
			continue
		}
		f.member(string(w.Name), s.src, rawjson.Span{Start: w.Start, End: w.Start + len(w.Value())})
	}
	if f.kind != None && (f.data.End > 0 || f.elsewhere) && !f.plain {
		s.parts = append(s.parts, f.part(s.src))
		return w.At, found{}
	}
	f.kind = None
	return w.At, f
}

// take adds what an inner object says.
func (f *found) take(inner found) {
	if inner.media != None {
		f.media = inner.media
	}
	if inner.data.End > 0 {
		f.data = inner.data
	}
	if inner.detail != Auto {
		f.detail = inner.detail
	}
	f.plain = f.plain || inner.plain
	f.elsewhere = f.elsewhere || inner.elsewhere
}

// member adds what a member with a string value says.
func (f *found) member(name string, src []byte, value rawjson.Span) {
	text := src[value.Start+1 : value.End-1]
	switch name {
	case "type":
		if f.kind = typed(text); f.kind == None {
			f.plain = f.plain || string(text) == "text" || string(text) == "content"
		}
	case "media_type", "mime_type", "mimeType":
		f.media = kindOf(unslashed(text))
	case "detail":
		f.detail = detailOf(string(text))
	case "data", "bytes", "file_data", "url", "image_url", "file_url", "document_url", "audio_url", "video_url", "image", "audio", "video":
		media, encoded := dataURL(text)
		switch {
		case encoded:
			f.data, f.media = value, media
		case name == "data" || name == "bytes" || name == "file_data" && !bytes.Contains(text[:min(len(text), 16)], []byte(":")):
			f.data = value
		case len(text) > 0:
			f.elsewhere = true
		}
	case "file_id", "uri", "file_uri", "fileUri":
		f.elsewhere = f.elsewhere || len(text) > 0
	}
}

// dataURL returns the kind of the data in a data: URL, and reports whether text is such a URL with
// base64 in it.
func dataURL(text []byte) (Kind, bool) {
	head, ok := bytes.CutPrefix(text[:min(len(text), 128)], []byte("data:"))
	if !ok {
		return None, false
	}
	mediaType, _, ok := bytes.Cut(head, []byte(";base64,"))
	if !ok {
		return None, false
	}
	mediaType, _, _ = bytes.Cut(mediaType, []byte(";"))
	return kindOf(unslashed(mediaType)), true
}

// unslashed returns a media type with its slash unescaped: some programs escape it.
func unslashed(mediaType []byte) string {
	return string(bytes.ReplaceAll(mediaType, []byte(`\/`), []byte("/")))
}

// part makes the part that f describes. The media type counts for more than the part's own type:
// some send a PDF as an image_url.
func (f *found) part(src []byte) Part {
	p := Part{Kind: f.kind, Detail: f.detail, Encoded: f.data.End - f.data.Start}
	if f.media != None {
		p.Kind = f.media
	}
	if p.Encoded == 0 {
		return p
	}
	text := f.data.Of(src)
	text = text[1 : len(text)-1]
	if i := bytes.Index(text[:min(len(text), 128)], []byte(";base64,")); i >= 0 {
		text = text[i+len(";base64,"):]
	}
	p.readHeader(text)
	return p
}
