package lines

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

func gzipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, text)
	z.Close()
	return b.String()
}

func zstded(text string) string {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err)
	}
	return string(z.EncodeAll([]byte(text), nil))
}

// readAll reads all lines, each as "number:text" or "number!size", and what ended them.
func readAll(r *Reader) (lines []string, err error) {
	var buf []byte
	for {
		line, err := r.Next(buf)
		if err != nil {
			return lines, err
		}
		if line.TooLong > 0 {
			lines = append(lines, fmt.Sprintf("%d!%d", line.Number, line.TooLong))
			continue
		}
		lines = append(lines, fmt.Sprintf("%d:%s", line.Number, line.Bytes))
		buf = line.Bytes
	}
}

func TestReader(t *testing.T) {
	skippable := "\x5a\x2a\x4d\x18\x03\x00\x00\x00abc"
	tests := []struct {
		name, input string
		want        []string
	}{
		{"nothing", "", nil},
		{"lines", "a\nb\n", []string{"1:a", "2:b"}},
		{"no newline at the end", "a\nb", []string{"1:a", "2:b"}},
		{"blank lines", "\n \t\r\na\n\n\nb\n\n", []string{"3:a", "6:b"}},
		{"blank alone", "\n \n", nil},
		{"carriage return stays", "a\r\n", []string{"1:a\r"}},
		{"byte order mark", "\xef\xbb\xbfa\n\xef\xbb\xbfb", []string{"1:a", "2:\xef\xbb\xbfb"}},
		{"part of a mark", "\xef\xbb\n", []string{"1:\xef\xbb"}},
		{"mark alone", "\xef\xbb\xbf", nil},
		{"as long as may be", "0123456789\n", []string{"1:0123456789"}},
		{"too long", "01234567890\nb\n01234567890", []string{"1!11", "2:b", "3!11"}},
		{"gzip", gzipped("\xef\xbb\xbfa\nb"), []string{"1:a", "2:b"}},
		{"gzip members", gzipped("a\nb") + gzipped("c\n") + gzipped("") + gzipped("d"), []string{"1:a", "2:bc", "3:d"}},
		{"zstd", zstded("\xef\xbb\xbfa\nb"), []string{"1:a", "2:b"}},
		{"zstd frames", skippable + zstded("a\nb") + skippable + zstded("c\n") + zstded("d"), []string{"1:a", "2:bc", "3:d"}},
		{"almost gzip", "\x1f\n", []string{"1:\x1f"}},
		{"almost zstd", "\x28\xb5\n\x50\x2a\n", []string{"1:\x28\xb5", "2:\x50\x2a"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for how, src := range map[string]io.Reader{
				"whole": strings.NewReader(test.input), "bytewise": iotest.OneByteReader(strings.NewReader(test.input)),
				"with EOF": iotest.DataErrReader(strings.NewReader(test.input)),
			} {
				r := New(src, 10)
				got, err := readAll(r)
				if err != io.EOF || !slices.Equal(got, test.want) {
					t.Errorf("%s: got %q, %v\nwant %q", how, got, err, test.want)
				}
				if _, err := r.Next(nil); err != io.EOF {
					t.Errorf("%s: after the end: %v", how, err)
				}
			}
		})
	}
}

// Lines about as long as the buffer, and the maximum, come out whole.
func TestReaderLongLines(t *testing.T) {
	const maxLine = 2*readSize + 3
	var input strings.Builder
	var want []string
	for i, n := range []int{readSize - 1, readSize, readSize + 1, 2 * readSize, maxLine - 1, maxLine, maxLine + 1, 5 * readSize, 1} {
		text := strings.Repeat(string(rune('a'+i)), n)
		input.WriteString(text + "\n")
		if n > maxLine {
			want = append(want, fmt.Sprintf("%d!%d", i+1, n))
		} else {
			want = append(want, fmt.Sprintf("%d:%s", i+1, text))
		}
	}
	got, err := readAll(New(strings.NewReader(input.String()), maxLine))
	if err != io.EOF || !slices.Equal(got, want) {
		t.Errorf("%d lines, %v", len(got), err)
	}
}

func TestReaderSpill(t *testing.T) {
	long := strings.Repeat("x", 3*readSize) + "\r"
	var places []*strings.Builder
	r := New(strings.NewReader("a\n"+long+"\nb\n"+long), readSize+5)
	r.Spill = func() (io.Writer, error) {
		places = append(places, new(strings.Builder))
		return places[len(places)-1], nil
	}
	for i := range 4 {
		line, err := r.Next(nil)
		if err != nil || line.Number != int64(i+1) {
			t.Fatalf("line %d: %+v, %v", i+1, line.Number, err)
		}
		if i%2 == 0 {
			continue
		}
		place := places[i/2]
		if line.Bytes != nil || line.TooLong != int64(len(long)) || line.Spilled != place || place.String() != long {
			t.Errorf("line %d: %d bytes long, %d of them set aside", line.Number, line.TooLong, place.Len())
		}
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

func TestReaderSpillFails(t *testing.T) {
	full := errors.New("disk full")
	for name, spill := range map[string]func() (io.Writer, error){
		"no place":     func() (io.Writer, error) { return nil, full },
		"broken place": func() (io.Writer, error) { return brokenWriter{full}, nil },
	} {
		r := New(strings.NewReader("a\nbbbbbb\nc\n"), 3)
		r.Spill = spill
		got, err := readAll(r)
		if !slices.Equal(got, []string{"1:a"}) || !errors.Is(err, full) || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// A stream that breaks gives its whole lines, not the cut one, and then says where.
func TestReaderBreaks(t *testing.T) {
	var text strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&text, "line %d %x\n", i, i*i*i)
	}
	gz, zs := gzipped(text.String()), zstded(text.String())
	failed := errors.New("read failed")
	tests := []struct {
		name  string
		src   io.Reader
		cause error
	}{
		{"gzip cut", strings.NewReader(gz[:len(gz)/2]), io.ErrUnexpectedEOF},
		{"gzip without its end", strings.NewReader(gz[:len(gz)-1]), io.ErrUnexpectedEOF},
		{"gzip with another checksum", strings.NewReader(gz[:len(gz)-8] + "????????"), gzip.ErrChecksum},
		{"gzip with rubbish after it", strings.NewReader(gz + "much rubbish"), gzip.ErrHeader},
		{"gzip's header cut", strings.NewReader(gz[:5]), io.ErrUnexpectedEOF},
		{"zstd cut", strings.NewReader(zs[:len(zs)-1]), io.ErrUnexpectedEOF},
		{"a failing read", io.MultiReader(strings.NewReader("whole\ncut"), iotest.ErrReader(failed)), failed},
		{"a failing read in a long line", io.MultiReader(strings.NewReader(strings.Repeat("x", 2<<20)), iotest.ErrReader(failed)), failed},
		{"nothing but a failing read", iotest.ErrReader(failed), failed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := New(test.src, 1<<20)
			lines, err := readAll(r)
			if !errors.Is(err, test.cause) {
				t.Errorf("%v is not %v", err, test.cause)
			}
			where := fmt.Sprintf("after line %d: ", len(lines))
			if len(lines) == 0 {
				where = "before the end of line 1: "
			}
			if !strings.HasPrefix(err.Error(), where) {
				t.Errorf("got %q, want %q…", err, where)
			}
			for i, line := range lines {
				whole := fmt.Sprintf("%d:line %d %x", i+1, i, i*i*i)
				if line != whole && line != "1:whole" {
					t.Fatalf("line %q was cut", line)
				}
			}
			if _, again := r.Next(nil); again != err {
				t.Errorf("then %v, first %v", again, err)
			}
		})
	}
}

// A line is there as soon as it was written, though the stream stays open, and though it is shorter
// than what tells a compressed stream.
func TestReaderDoesNotWait(t *testing.T) {
	kinds := map[string]func(io.Writer) (io.Writer, func() error){
		"plain": func(w io.Writer) (io.Writer, func() error) { return w, func() error { return nil } },
		"gzip": func(w io.Writer) (io.Writer, func() error) {
			z := gzip.NewWriter(w)
			return z, z.Flush
		},
		"zstd": func(w io.Writer) (io.Writer, func() error) {
			z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
			if err != nil {
				panic(err)
			}
			return z, z.Flush
		},
	}
	for name, open := range kinds {
		t.Run(name, func(t *testing.T) {
			in, out := io.Pipe()
			defer in.Close()
			read := make(chan string) // each line is written only once the one before was read
			go func() {
				w, flush := open(out)
				for i := range 5 {
					if _, err := fmt.Fprintf(w, "%d\n", i); err != nil || flush() != nil {
						return
					}
					if <-read != fmt.Sprint(i) {
						out.CloseWithError(errors.New("another line"))
						return
					}
				}
				out.Close()
			}()
			r := New(in, 100)
			for i := range 5 {
				line, err := r.Next(nil)
				if err != nil {
					t.Fatalf("line %d: %v", i, err)
				}
				read <- string(line.Bytes)
			}
		})
	}
}

// A buffer that is large enough is used again.
func TestReaderKeepsMemory(t *testing.T) {
	r := New(strings.NewReader(strings.Repeat("some line\n", 2000)), 100)
	buf := make([]byte, 0, 100)
	if _, err := r.Next(buf); err != nil {
		t.Fatal(err)
	}
	allocs := testing.AllocsPerRun(1000, func() {
		if line, err := r.Next(buf); err != nil || string(line.Bytes) != "some line" {
			t.Fatal(line, err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations a line", allocs)
	}
}
