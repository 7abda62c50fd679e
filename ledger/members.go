package ledger

import (
	"bytes"
	"encoding/hex"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// lineBuffer holds a line and takes it apart, with memory that it keeps.
type lineBuffer struct {
	data []byte
	dec  *memberReader
}

// memberReader goes through the members of a line's object.
type memberReader struct {
	src   bytes.Buffer
	json  *jsontext.Decoder
	line  []byte
	text  []byte
	name  []byte // a part of line, without its quotes; our names need no unquoting
	value []byte // a part of line
}

func (b *lineBuffer) members(line []byte) (*memberReader, error) {
	if b.dec == nil {
		b.dec = new(memberReader)
		b.dec.json = jsontext.NewDecoder(&b.dec.src)
	}
	m := b.dec
	m.line = line
	m.src = *bytes.NewBuffer(line)
	m.json.Reset(&m.src, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	if token, err := m.json.ReadToken(); err != nil || token.Kind() != '{' {
		return nil, errMalformed
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

// nextName is next for a member whose value is the caller's to read.
func (m *memberReader) nextName() (bool, error) {
	if m.json.PeekKind() == '}' {
		return false, nil
	}
	name, err := m.read()
	if err != nil || len(name) < 2 {
		return false, errMalformed
	}
	m.name = name[1 : len(name)-1]
	return true, nil
}

// read returns the next value as a part of the line, which outlives the decoder's next step.
func (m *memberReader) read() ([]byte, error) {
	value, err := m.json.ReadValue()
	if err != nil {
		return nil, errMalformed
	}
	end := int(m.json.InputOffset())
	return m.line[end-len(value) : end], nil
}

// string sets dst, without an allocation where it is that already.
func (m *memberReader) string(dst *string) bool {
	var err error
	if len(m.value) == 0 || m.value[0] != '"' {
		return false
	}
	if m.text, err = jsontext.AppendUnquote(m.text[:0], m.value); err != nil {
		return false
	}
	if *dst != string(m.text) {
		*dst = string(m.text)
	}
	return true
}

func (m *memberReader) integer(dst *int64) bool {
	text, sign := m.value, int64(1)
	if len(text) > 0 && text[0] == '-' {
		text, sign = text[1:], -1
	}
	v, ok := parseInt(text)
	*dst = sign * v
	return ok
}

func (m *memberReader) count(dst *int) bool {
	var v int64
	ok := m.integer(&v)
	*dst = int(v)
	return ok
}

func (m *memberReader) cost(nanos *int64, known *bool) (ok bool) {
	*nanos, *known, ok = parseCost(m.value)
	return ok
}

func (m *memberReader) request(dst *[32]byte) bool {
	if len(m.value) != 2+2*len(dst) {
		return false
	}
	_, err := hex.Decode(dst[:], m.value[1:len(m.value)-1])
	return err == nil
}

func (m *memberReader) time(dst *time.Time) bool {
	if len(m.value) != 2+len(timeLayout) {
		return false
	}
	// time.Parse makes a string of it, but one that does not escape.
	t, err := time.Parse(timeLayout, string(m.value[1:len(m.value)-1]))
	*dst = t
	return err == nil
}

func (m *memberReader) bool(dst *bool) bool {
	*dst = string(m.value) == "true"
	return *dst || string(m.value) == "false"
}
