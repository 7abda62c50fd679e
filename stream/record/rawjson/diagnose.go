package rawjson

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"
)

// lenient makes jsontext accept what [Valid] accepts.
var lenient = []jsontext.Options{jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true)}

// Diagnose says why a line is not JSON: at which byte, what is there, and what the line looks like
// instead. The code is trailing_data if something follows a complete value, else invalid_json.
func Diagnose(line []byte) (code, message string) {
	if guess := otherEncoding(line); guess != "" {
		return "invalid_json", guess
	}
	bare := bytes.TrimPrefix(line, []byte(BOM))
	skipped := len(line) - len(bare)
	dec := jsontext.NewDecoder(bytes.NewReader(bare), lenient...)
	_, err := dec.ReadValue()
	if err == nil {
		at := SkipSpace(line, skipped+int(dec.InputOffset()))
		return "trailing_data", fmt.Sprintf("a line must be one JSON value, but byte %d, %s, comes after it%s", at+1, shown(line, at), hint(line))
	}
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) && !errors.Is(err, io.ErrUnexpectedEOF) {
		at := skipped + int(syntactic.ByteOffset)
		return "invalid_json", fmt.Sprintf("not JSON at byte %d: %s%s", at+1, syntactic.Err, hint(line))
	}
	return "invalid_json", fmt.Sprintf("not JSON at byte %d: the line ends inside a value%s", len(line)+1, hint(line))
}

// otherEncoding returns the message for a line that is compressed or in UTF-16; "" for any other
// line.
func otherEncoding(line []byte) string {
	head := line[:min(len(line), 64)]
	switch {
	case bytes.HasPrefix(head, []byte("BZh")), bytes.HasPrefix(head, []byte("\xfd7zXZ")), bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return fmt.Sprintf("not JSON at byte 1: %s begins a compressed file of a kind that cannot be read; compress it with gzip or zstd",
			shown(line, 0))
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")), bytes.IndexByte(head, 0) >= 0:
		at := max(bytes.IndexByte(head, 0), 0)
		return fmt.Sprintf("not JSON at byte %d: 0x%02X looks like UTF-16; convert it with iconv -f UTF-16 -t UTF-8", at+1, head[at])
	}
	return ""
}

// hint says what a line that is not JSON may be instead.
func hint(line []byte) string {
	line = TrimSpace(bytes.TrimPrefix(line, []byte(BOM)))
	if len(line) == 0 {
		return ""
	}
	first, last := line[0], line[len(line)-1]
	switch {
	case first == '[' || first == ']':
		return "; it looks like a JSON array over several lines: write each element on a line of its own with jq -c '.[]'"
	case first == '{' && (last == '{' || last == ',') || first == '}' || first == '"' && bytes.Contains(line, []byte(`":`)):
		return "; it looks like JSON over several lines: write each value on one line with jq -c ."
	case first == '{' || first == '"':
		return ""
	case bytes.Count(line, []byte(",")) > 0 || bytes.IndexByte(line, '\t') >= 0:
		return "; it looks like CSV, but each line must be one JSON value; add --raw-input to read lines of plain text"
	}
	return "; if it is plain text, add --raw-input, which reads each line as a prompt"
}

// shown describes the byte at a position for a message.
func shown(line []byte, at int) string {
	switch {
	case at >= len(line):
		return "the end"
	case line[at] < unicode.MaxASCII && unicode.IsPrint(rune(line[at])):
		return fmt.Sprintf("'%c'", line[at])
	}
	return fmt.Sprintf("0x%02X", line[at])
}
