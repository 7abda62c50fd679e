package naming

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"budget", "budget-per-day", "model", "models", "mode", "concurrency", "rpm", "tpm", "report", "repair", "estimate"}
	for word, want := range map[string]string{
		"estimat": "estimate", "estiamte": "estimate", "reprot": "report", "repiar": "repair", "reports": "report",
		"modle": "model", "moddel": "model", "modles": "models", "conc": "concurrency", "concurency": "concurrency",
		"budge": "budget", "budget-per": "budget-per-day", "rpn": "rpm", "prm": "rpm",
		"temperature": "", "xyz": "", "a": "", "": "", "What is 2+2?": "",
	} {
		if got := Nearest(word, known); got != want {
			t.Errorf("%q was meant to be %q, want %q", word, got, want)
		}
	}
}

func TestQuoted(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"a.csv": "a.csv", "data/x_1-2.csv": "data/x_1-2.csv", "my file.csv": "'my file.csv'", "it's": `'it'\''s'`, "": "''",
		"$HOME": "'$HOME'", "a;b": "'a;b'", "naïve": "'naïve'",
	} {
		if got := Quoted(name); got != want {
			t.Errorf("%s is quoted as %s, want %s", name, got, want)
		}
	}
}

// TestShort cuts names of every length, of letters of one to four bytes.
func TestShort(t *testing.T) {
	t.Parallel()
	for _, letter := range []string{"a", "é", "中", "😀"} {
		for n := range 200 {
			name := strings.Repeat(letter, n) + "9"
			short := Short(name)
			switch {
			case len(name) <= most:
				if short != name {
					t.Errorf("%q became %q", name, short)
				}
			case len(short) > most, !utf8.ValidString(short), !strings.HasPrefix(short, letter), !strings.HasSuffix(short, letter+"9"),
				strings.Count(short, "…") != 1:
				t.Errorf("%d of %q became %q", n, letter, short)
			}
		}
	}
}
