package lines

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"llmpipe/stream/record/rawjson"
)

// FuzzReader: lines out are the lines in, in plain and compressed streams, whatever pieces they are
// read in.
func FuzzReader(f *testing.F) {
	f.Add([]byte("a\n\n b\r\n \t\nlong line\nlast"), uint8(5))
	f.Add([]byte("\xef\xbb\xbfa\n"), uint8(1))
	f.Add([]byte("\x1f\x8bno gzip"), uint8(9))
	f.Add([]byte("\x50\x2a\x4d\x18\xff\xff\xff\xff"), uint8(9))
	f.Add([]byte(gzipped("a\nb")), uint8(9))
	f.Add([]byte(zstded("a\nb")), uint8(9))
	f.Fuzz(func(t *testing.T, text []byte, size uint8) {
		maxLine := int(size)
		for _, compress := range []func(string) string{gzipped, zstded} {
			compareLines(t, []byte(compress(string(text))), text, maxLine)
		}
		if bytes.HasPrefix(text, []byte(gzipMagic)) || bytes.HasPrefix(text, []byte(zstdMagic)) ||
			len(text) > 3 && string(text[1:4]) == skippable {
			_, err := readAll(New(bytes.NewReader(text), maxLine)) // it ends, one way or the other
			if err == nil {
				t.Fatal("no end")
			}
			return
		}
		compareLines(t, text, text, maxLine)
	})
}

func compareLines(t *testing.T, stream, text []byte, maxLine int) {
	r := New(iotest.HalfReader(bytes.NewReader(stream)), maxLine)
	text = bytes.TrimPrefix(text, []byte(rawjson.BOM))
	for number, want := range bytes.Split(text, []byte("\n")) {
		if len(want) <= maxLine && len(bytes.Trim(want, " \t\r")) == 0 || len(want) == 0 {
			continue
		}
		got, err := r.Next(nil)
		if err != nil || got.Number != int64(number+1) {
			t.Fatalf("line %d came as %d, %v", number+1, got.Number, err)
		}
		if long := len(want) > maxLine; long && got.TooLong != int64(len(want)) || !long && !bytes.Equal(got.Bytes, want) {
			t.Fatalf("line %d: got %q or %d too many, want %q", number+1, got.Bytes, got.TooLong, want)
		}
	}
	if line, err := r.Next(nil); !errors.Is(err, io.EOF) {
		t.Fatalf("after the last line: %q, %v", line.Bytes, err)
	}
}
