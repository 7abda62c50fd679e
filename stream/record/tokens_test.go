package record

import (
	"strings"
	"testing"
)

// What counts for nothing where a record must not be refused by guess.
func TestDenseBytes(t *testing.T) {
	const frame = len("modelmmessagesrolecontent") + len("user")
	for _, c := range []struct {
		name, text  string
		least, most int
	}{
		{"words", strings.Repeat("some words ", 100), 1100, 1100},
		{"blanks", strings.Repeat(" ", 400_000), 1, 10},
		{"blanks in lines", strings.Repeat(`      \n\t  `, 40_000), 1, 10},
		{"a table of blanks", strings.Repeat("a"+strings.Repeat(" ", 100), 1000), 9000, 9100},
		{"dashes", strings.Repeat("=- ", 4) + strings.Repeat("-", 400_000) + ".", 10, 25},
		{"Russian, escaped", strings.Repeat(`\u0421\u043b`, 1000), 4000, 4000},
		{"base64", strings.Repeat("iVBORw0KGgo+/9A=", 4096), 0, 0},
	} {
		got := DenseBytes([]byte(`{"model":"m","messages":[{"role":"user","content":"` + c.text + `"}]}`))
		if got < frame+c.least || got > frame+c.most {
			t.Errorf("%s: %d bytes, want %d to %d", c.name, got-frame, c.least, c.most)
		}
	}
}

// A text is estimated the same, whether its letters are escaped or not.
func TestEstimateTokensOfEscapes(t *testing.T) {
	for plain, escaped := range map[string]string{
		"Слово за словом": `\u0421\u043b\u043e\u0432\u043e \u0437\u0430 \u0441\u043b\u043e\u0432\u043e\u043c`,
		"文字":              `\u6587\u5b57`,
		"😀":               `\ud83d\ude00`,
	} {
		want, got := estimateText([]byte(`{"prompt":"`+plain+`"}`)), estimateText([]byte(`{"prompt":"`+escaped+`"}`))
		if got != want {
			t.Errorf("%s: %d tokens, and %d escaped", plain, want, got)
		}
	}
}
