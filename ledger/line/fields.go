package line

import (
	"bytes"
	"encoding/hex"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// field is a member of a line's object.
type field struct {
	name  []byte // without its quotes; our names need no unquoting
	value []byte
	text  []byte // of a string, in memory that is reused
}

// string sets dst. It does not allocate if the text equals before.
func (f *field) string(dst *string, before string) bool {
	if len(f.value) < 2 || f.value[0] != '"' {
		return false
	}
	text := f.value[1 : len(f.value)-1]
	if bytes.IndexByte(text, '\\') >= 0 {
		var err error
		if f.text, err = jsontext.AppendUnquote(f.text[:0], f.value); err != nil {
			return false
		}
		text = f.text
	}
	if before != string(text) {
		before = string(text)
	}
	*dst = before
	return true
}

func (f *field) integer(dst *int64) bool {
	text, sign := f.value, int64(1)
	if len(text) > 0 && text[0] == '-' {
		text, sign = text[1:], -1
	}
	v, ok := parseInt(text)
	*dst = sign * v
	return ok
}

func (f *field) count(dst *int) bool {
	var v int64
	ok := f.integer(&v)
	*dst = int(v)
	return ok
}

func (f *field) cost(nanos *int64, known *bool) (ok bool) {
	*nanos, *known, ok = parseCost(f.value)
	return ok
}

func (f *field) request(dst *[32]byte) bool {
	if len(f.value) != 2+2*len(dst) {
		return false
	}
	_, err := hex.Decode(dst[:], f.value[1:len(f.value)-1])
	return err == nil
}

func (f *field) time(dst *time.Time) bool {
	if len(f.value) != 2+len(TimeLayout) {
		return false
	}
	// time.Parse has a fast path for RFC3339Nano, and TimeLayout is a case of it. The string does not
	// escape.
	t, err := time.Parse(time.RFC3339Nano, string(f.value[1:len(f.value)-1]))
	*dst = t
	return err == nil
}

func (f *field) bool(dst *bool) bool {
	*dst = string(f.value) == "true"
	return *dst || string(f.value) == "false"
}

// each calls element with every element of an array, none of which may be empty. It reports whether
// the array was whole and every element was accepted.
func (f *field) each(element func([]byte) bool) bool {
	array := f.value
	if len(array) < 2 || array[0] != '[' {
		return false
	}
	for array = array[1:]; len(array) > 0 && array[0] != ']'; {
		n := lengthOf(array)
		if n == 0 || !element(array[:n]) {
			return false
		}
		if array = array[n:]; len(array) > 0 && array[0] == ',' {
			array = array[1:]
		}
	}
	return string(array) == "]"
}

// fields iterates over the members of a line that Verify has passed. A line with the right checksum
// was valid JSON when it was sealed, so it is not checked again. Members are only found, at a
// fraction of the cost of parsing.
type fields struct {
	field
	rest []byte // from the comma before the next member, or the object's brace
}

// start begins with a line.
func (f *fields) start(line []byte) { f.rest = line }

// decode calls set with each member of a line. It returns ErrMalformed for a line that is not whole,
// and for a member that set does not accept.
func decode(line []byte, set func(*field) bool) error {
	m := fields{rest: line}
	for {
		more, err := m.next()
		if err != nil || !more {
			return err
		}
		if !set(&m.field) {
			return ErrMalformed
		}
	}
}

// decodeObject is decode for the object that is a member's value, or an element of one.
func decodeObject(object []byte, set func(*field) bool) error {
	if len(object) == 0 || object[0] != '{' {
		return ErrMalformed
	}
	return decode(append([]byte{','}, object[1:]...), set) // as behind another member
}

// next moves to the next member, and is false after the last. An error is ErrMalformed.
func (f *fields) next() (bool, error) {
	if string(f.rest) == "}" {
		return false, nil
	}
	if len(f.rest) < 2 || f.rest[1] != '"' {
		return false, ErrMalformed
	}
	name := f.rest[2:]
	end := bytes.IndexByte(name, '"')
	if end < 0 || end+1 >= len(name) || name[end+1] != ':' {
		return false, ErrMalformed
	}
	value := name[end+2:]
	n := len(value) - SumLen // of a response, which the checksum follows
	if string(name[:end]) != responseName {
		n = lengthOf(value)
	}
	if n <= 0 || n >= len(value) {
		return false, ErrMalformed
	}
	f.name, f.value, f.rest = name[:end], value[:n], value[n:]
	return true, nil
}

// responseName is the member that stands last in a result, so its end is known without a search.
const responseName = "response"

// lengthOf returns the length of the value that src begins with; if the value has no end, that is
// all of src.
func lengthOf(src []byte) int {
	depth := 0
	for i := 0; i < len(src); {
		switch src[i] {
		case '"':
			i = stringEnd(src, i)
		case '{', '[':
			depth++
			i++
			continue
		case '}', ']':
			if depth--; depth < 0 {
				return i
			}
			i++
		case ',', ':':
			if depth == 0 {
				return i
			}
			i++
			continue
		default:
			i++
			continue
		}
		if depth == 0 {
			return i
		}
	}
	return len(src)
}

// stringEnd returns the position after the string that begins at i.
func stringEnd(src []byte, i int) int {
	for i++; i < len(src); {
		quote := bytes.IndexByte(src[i:], '"')
		if quote < 0 {
			break
		}
		end := i + quote
		escapes := end
		for escapes > i && src[escapes-1] == '\\' {
			escapes--
		}
		i = end + 1
		if (end-escapes)%2 == 0 {
			return i
		}
	}
	return len(src)
}
