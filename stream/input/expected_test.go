package input

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What small files hold is counted, from where stdin stands, and what is asked for bounds it.
func TestExpectedIsCounted(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	ten, three := file("ten", strings.Repeat("{}\n", 10)), file("three", "\n1\n\n2\n \n3")
	large := file("large", "")
	if err := os.Truncate(large, mostCounted+1); err != nil {
		t.Fatal(err)
	}
	stdin, err := os.Open(ten)
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	if _, err := stdin.Seek(6, io.SeekStart); err != nil { // whoever had it before has read two lines
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		config         Config
		read, recorded int64
		total          int64
		exact, ok      bool
	}{
		"files":              {Config{Files: []string{ten, three}}, 0, 0, 13, true, true},
		"stdin":              {Config{Stdin: stdin}, 0, 0, 8, true, true},
		"stdin and a file":   {Config{Stdin: stdin, Files: []string{"-", three}}, 5, 0, 11, true, true},
		"a pipe":             {Config{Stdin: strings.NewReader("1\n2\n")}, 1, 0, 0, false, false},
		"large":              {Config{Files: []string{large}}, 0, 0, 0, false, false},
		"limit":              {Config{Files: []string{ten}, Limit: 4}, 2, 0, 4, true, true},
		"limit beyond":       {Config{Files: []string{ten}, Limit: 40}, 2, 0, 10, true, true},
		"limit and recorded": {Config{Files: []string{ten}, Limit: 4}, 5, 3, 7, false, true},
		"limit of a pipe":    {Config{Stdin: strings.NewReader("1\n2\n"), Limit: 4}, 1, 0, 4, false, true},
		"sample":             {Config{Files: []string{ten}, Sample: 4}, 0, 0, 4, true, true},
		"sample beyond":      {Config{Files: []string{ten}, Sample: 40}, 0, 0, 10, true, true},
		"sample and slice":   {Config{Files: []string{ten}, Sample: 8, Slice: Slice{Of: 2}}, 0, 0, 4, false, true},
		"slice":              {Config{Files: []string{ten}, Slice: Slice{Of: 2}}, 0, 0, 0, false, false},
	} {
		s, err := NewSource(test.config)
		if err != nil {
			t.Fatal(err)
		}
		total, exact, ok := s.Expected(test.read, test.recorded)
		if ok && total != test.total || exact != test.exact || ok != test.ok {
			t.Errorf("%s: %d, %v, %v; want %d, %v, %v", name, total, exact, ok, test.total, test.exact, test.ok)
		}
	}
	if at, err := stdin.Seek(0, io.SeekCurrent); err != nil || at != 6 {
		t.Errorf("stdin stands at %d, %v", at, err)
	}
}
