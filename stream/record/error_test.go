package record

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// Of what a provider says, or a line is, an error keeps as much as a person reads, in whole
// characters, wherever the text stands and however it is written.
func TestErrorTextsAreCut(t *testing.T) {
	const far = 1 << 20
	long := strings.Repeat("ä", far)
	bodies := map[string]string{
		"message":           `{"error":{"message":"` + long + `"}}`,
		"escapes":           `{"error":{"message":"` + strings.Repeat(`\u00e4`, far) + `"}}`,
		"short escapes":     `{"error":{"message":"` + strings.Repeat(`a\n\"`, far) + `"}}`,
		"half of a pair":    `{"error":{"message":"x` + strings.Repeat(`\ud83d\ude00`, far) + `"}}`,
		"code":              `{"error":{"code":"` + long + `","message":"m"}}`,
		"type":              `{"error":{"type":"` + long + `","message":"m"}}`,
		"detail of objects": `{"detail":[{"loc":["body"],"msg":"m","input":"` + long + `"}]}`,
		"metadata":          `{"error":{"message":"Provider returned error","metadata":{"raw":"` + long + `"}}}`,
		"text":              long,
		"string":            `"` + long + `"`,
		"number":            `{"error":{"code":` + strings.Repeat("1", far) + `,"message":"m"}}`,
	}
	for name, body := range bodies {
		e := ParseError([]byte(body))
		for _, text := range []string{e.Type, e.Code, e.Message} {
			if len(text) > maxText || !utf8.ValidString(text) || strings.ContainsRune(text, utf8.RuneError) {
				t.Errorf("%s: %d bytes, %.40q … %q", name, len(text), text, text[max(0, len(text)-20):])
			}
		}
		if e.Message == "" {
			t.Errorf("%s: there is no message", name)
		}
	}
	if e := ParseError([]byte(bodies["message"])); len(e.Message) < maxText-utf8.UTFMax-len("…") || !strings.HasSuffix(e.Message, "…") {
		t.Errorf("%d bytes are kept of a long message", len(e.Message))
	}
	exact := strings.Repeat("m", maxText)
	if e := ParseError(fmt.Appendf(nil, `{"error":{"message":%q}}`, exact)); e.Message != exact {
		t.Errorf("%d bytes are kept of a message of %d", len(e.Message), maxText)
	}
	decoder, err := NewDecoder(Options{})
	if err != nil {
		t.Fatal(err)
	}
	var rec Record
	if e := decoder.Decode(&rec, []byte(`{"id":`+strings.Repeat("[", 100)+long)); e == nil || len(e.Message) > maxText {
		t.Errorf("a bad line: %v", e)
	}
}

// An error made elsewhere is cut when a record fails with it.
func TestErrorCut(t *testing.T) {
	e := &Error{Type: strings.Repeat("t", maxText+1), Code: "c", Message: strings.Repeat("\xff", 2*maxText)}
	e.Cut()
	if len(e.Type) > maxText || e.Code != "c" || len(e.Message) > maxText {
		t.Errorf("kept %d, %q, %d bytes", len(e.Type), e.Code, len(e.Message))
	}
}
