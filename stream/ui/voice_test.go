package ui

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// What a provider says may be on its way to a terminal: it is told, and does nothing there.
func TestVoiceIsPlainText(t *testing.T) {
	var out bytes.Buffer
	v := NewVoice(&out, false, true)
	v.Error(WithHint("try \x07this", errors.New("refused: \x1b[2J\x1b]0;owned\x07 \rfine\r\nnext\tline \u202e\xff é 漢")))
	v.Warn("%s", "\x1b[31mred")
	v.Note("%s", "a\x00b")
	v.Detail("%s", "a\u0085b\x9bc")
	const want = "llmpipe: error: refused: ?[2J?]0;owned? ?fine\n" +
		"         next line ?\ufffd é 漢\n" +
		"llmpipe: hint: try ?this\n" +
		"llmpipe: warning: ?[31mred\n" +
		"llmpipe: a?b\n" +
		"llmpipe: a?b\ufffdc\n"
	if got := out.String(); got != want {
		t.Errorf("said\n%q, want\n%q", got, want)
	}
}

// A message is cut to what a person reads.
func TestVoiceIsBrief(t *testing.T) {
	var out bytes.Buffer
	v := NewVoice(&out, false, false)
	v.Note("%s", strings.Repeat("ä", 1<<20))
	if n := out.Len(); n > mostSaid+100 || n < mostSaid || !strings.HasSuffix(out.String(), "ä…\n") {
		t.Errorf("%d bytes are said, ending in %q", n, out.String()[n-10:])
	}
}
