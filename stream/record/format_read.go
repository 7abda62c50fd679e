package record

import (
	"bytes"

	"llmpipe/stream/record/rawjson"
)

// LineKind is the kind of an output line, as far as its beginning shows.
type LineKind uint8

// The kinds of lines.
const (
	LineOther    LineKind = iota // the line is not of any format
	LineShort                    // the line ends before its kind shows
	LineAnswered                 // the line of a record that was answered
	LineFailed                   // the line of a record that failed
)

// ReadLine reads an output line, or its beginning, in any format except the text ones. id is the
// record's id, a JSON token, or nil if the line ends before the id does. In a batch line the id is
// always a string.
func ReadLine(line []byte) (id []byte, kind LineKind) {
	r := lineReader{rest: line}
	r.must(`{"id":`)
	id = r.token()
	if bytes.HasPrefix(id, []byte(batchIDStart)) && r.take(`,"custom_id":`) {
		id = r.token()
		switch {
		case r.take(`,"response":{"status_code":200,`):
			kind = LineAnswered
		case r.take(`,"response":null,"error":{`), r.take(`,"response":{"status_code":`) && r.digits() > 0:
			kind = LineFailed
		}
		return r.says(id, kind)
	}
	if r.take(`,"content":`) || r.take(`,"embedding":`) || r.take(`,"response":`) {
		return r.says(id, LineAnswered)
	}
	if r.take(`,"file":`) {
		r.token()
	}
	if r.take(`,"line":`) && r.digits() > 0 && r.take(`,"error":{"type":`) {
		kind = LineFailed
	}
	return r.says(id, kind)
}

// lineReader takes a line's beginning apart.
type lineReader struct {
	rest  []byte
	short bool // the line ended within the text last looked for
	other bool // something else was there
}

// take consumes text if the line goes on with it.
func (r *lineReader) take(text string) bool {
	n := min(len(text), len(r.rest))
	if string(r.rest[:n]) != text[:n] || r.short || r.other {
		return false
	}
	if n < len(text) {
		r.short = true
		return false
	}
	r.rest = r.rest[n:]
	return true
}

func (r *lineReader) must(text string) {
	if !r.take(text) && !r.short {
		r.other = true
	}
}

// token consumes a string, a number or null.
func (r *lineReader) token() []byte {
	if r.short || r.other {
		return nil
	}
	end := 0
	if rawjson.IsString(r.rest) {
		var whole bool
		if end, whole = stringEnd(r.rest); !whole {
			end = len(r.rest)
		}
	} else {
		for end < len(r.rest) && rawjson.IsLiteral(r.rest[end]) {
			end++
		}
		if end == 0 && len(r.rest) > 0 {
			r.other = true
			return nil
		}
	}
	token := r.rest[:end]
	if r.rest = r.rest[end:]; len(r.rest) == 0 {
		r.short = true
		return nil
	}
	return token
}

// stringEnd returns the position after the string at the start of src, and whether src holds all of
// that string.
func stringEnd(src []byte) (int, bool) {
	for i := 1; i < len(src); i++ {
		switch src[i] {
		case '\\':
			i++
		case '"':
			return i + 1, true
		}
	}
	return 0, false
}

func (r *lineReader) digits() int {
	n := 0
	for n < len(r.rest) && rawjson.IsDigit(r.rest[n]) {
		n++
	}
	if r.rest = r.rest[n:]; len(r.rest) == 0 {
		r.short = true
	}
	return n
}

func (r *lineReader) says(id []byte, kind LineKind) ([]byte, LineKind) {
	switch {
	case r.other:
		return nil, LineOther
	case kind != LineOther:
		return id, kind
	case r.short:
		return id, LineShort
	}
	return nil, LineOther
}

// Begins reports whether half is the beginning of an output line for the result r. Only the part
// before the cost is compared: the figures at the line's end, and the record after them, may
// differ. In text, half is the beginning of a line of the answer; in text0, of the answer.
func (f Format) Begins(half []byte, r *Result) bool {
	line := f.Append(nil, r)
	if f == FormatText0 {
		return bytes.HasPrefix(line, half)
	}
	if f == FormatText {
		for each := range bytes.Lines(line) {
			if bytes.HasPrefix(each, half) {
				return true
			}
		}
		return false
	}
	line = line[:len(line)-len("}\n")]
	if i := bytes.LastIndex(line, []byte(`,"cost_usd":`)); i >= 0 && f == FormatResult {
		line = line[:i]
	}
	n := min(len(line), len(half))
	return bytes.Equal(line[:n], half[:n])
}
