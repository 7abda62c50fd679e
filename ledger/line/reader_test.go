package line

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A reader's buffer is smaller than many lines and never ends where they do.
func TestLinesOfEveryLength(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lengths := rapid.SliceOfN(rapid.IntRange(0, 300), 0, 20).Draw(t, "lengths")
		tail := strings.Repeat("t", rapid.IntRange(0, 100).Draw(t, "tail"))
		var text strings.Builder
		for i, n := range lengths {
			text.WriteString(strings.Repeat(string(rune('a'+i)), n) + "\n")
		}
		text.WriteString(tail)
		lines := NewReader(strings.NewReader(text.String()), 7, rapid.Int64Range(0, 64).Draw(t, "buffer"))
		at := int64(7)
		for i, n := range lengths {
			line, offset, err := lines.Next()
			if err != nil || offset != at || string(line) != strings.Repeat(string(rune('a'+i)), n) {
				t.Fatalf("line %d: %q at %d, %v", i, line, offset, err)
			}
			at += int64(n) + 1
		}
		if _, offset, err := lines.Next(); err == nil || offset != at || string(lines.Tail()) != tail {
			t.Fatalf("tail %q at %d, %v", lines.Tail(), offset, err)
		}
	})
}

func TestALineWithoutEndIsNotReadIntoMemory(t *testing.T) {
	lines := NewReader(strings.NewReader("short\n"+strings.Repeat("x", 1000)), 0, 16)
	lines.limit = 100
	if line, _, err := lines.Next(); string(line) != "short" || err != nil {
		t.Errorf("first %q, %v", line, err)
	}
	if _, at, err := lines.Next(); !errors.Is(err, ErrTooLong) || at != 6 {
		t.Errorf("then %v at %d", err, at)
	}
	if len(lines.buf) > 400 {
		t.Errorf("%d bytes were held", len(lines.buf))
	}
}
