package lines

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"pgregory.net/rapid"
)

// What is counted is what is handed out.
func TestCountIsWhatIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(rapid.SampledFrom([]string{
			"\n", "\r\n", " ", "\t\n", `{"prompt":"x"}`, "\"x\"\n", "\ufeff", strings.Repeat("long ", readSize/4), "\x00",
		})).Draw(t, "parts"), "")
		r := New(strings.NewReader(text), readSize)
		read := int64(0)
		for {
			if _, err := r.Next(nil); err != nil {
				break
			}
			read++
		}
		if n, ok := Count(strings.NewReader(text), int64(len(text))); !ok || n != read {
			t.Errorf("counted %d, %v; %d are read", n, ok, read)
		}
	})
}

// What is too long, or breaks, is not counted; what is compressed counts by what it holds.
func TestCountGivesUp(t *testing.T) {
	const text = "1\n2\n3\n"
	if n, ok := Count(strings.NewReader(text), int64(len(text))-1); ok {
		t.Errorf("counted %d in more than may be read", n)
	}
	if n, ok := Count(io.MultiReader(strings.NewReader(text), failing{}), 1<<20); ok {
		t.Errorf("counted %d in what cannot be read", n)
	}
	var packed strings.Builder
	z := gzip.NewWriter(&packed)
	_, _ = io.WriteString(z, strings.Repeat("1\n", 5000))
	_ = z.Close()
	if n, ok := Count(strings.NewReader(packed.String()), 10_000); !ok || n != 5000 {
		t.Errorf("counted %d, %v in what is compressed, want 5000", n, ok)
	}
	if n, ok := Count(strings.NewReader(packed.String()), 9_999); ok {
		t.Errorf("counted %d in what is larger than may be read", n)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("input/output error") }
