package line

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// memberReader iterates over the members of a batch line's object, and over those of nested
// objects.
type memberReader struct {
	field
	json *jsontext.Decoder
	line []byte
}

func membersOf(line []byte) (*memberReader, error) {
	m := &memberReader{line: line}
	m.json = jsontext.NewDecoder(bytes.NewBuffer(line), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	if token, err := m.json.ReadToken(); err != nil || token.Kind() != '{' {
		return nil, ErrMalformed
	}
	return m, nil
}

// next moves to the next member, and is false after the last.
func (m *memberReader) next() (bool, error) {
	more, err := m.nextName()
	if err != nil || !more {
		return false, err
	}
	m.value, err = m.read()
	return err == nil, err
}

// nextName is next, but leaves the value for the caller to read.
func (m *memberReader) nextName() (bool, error) {
	if m.json.PeekKind() == '}' {
		return false, nil
	}
	name, err := m.read()
	if err != nil || len(name) < 2 {
		return false, ErrMalformed
	}
	m.name = name[1 : len(name)-1]
	return true, nil
}

// read returns the next value as a part of the line, which outlives the decoder's next step.
func (m *memberReader) read() ([]byte, error) {
	value, err := m.json.ReadValue()
	if err != nil {
		return nil, ErrMalformed
	}
	end := int(m.json.InputOffset())
	return m.line[end-len(value) : end], nil
}
