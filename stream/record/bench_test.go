package record

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"llmpipe/stream/record/rawjson"
)

// lineOf is a request of about size bytes, in one of the shapes.
func lineOf(shape string, size int) []byte {
	text := strings.Repeat(`The quick brown fox jumps over the lazy dog, \"again\".\n`, size/57)
	body := `{"model":"gpt-4o-mini","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"` + text + `"}],` +
		`"max_tokens":100}`
	switch shape {
	case "batch":
		return []byte(`{"custom_id":"request-1","method":"POST","url":"/v1/chat/completions","body":` + body + `}`)
	case "request":
		return []byte(`{"id":"request-1",` + body[1:])
	case "simple":
		return []byte(`{"id":"request-1","model":"gpt-4o-mini","prompt":"` + text + `","max_tokens":100,"priority":"high"}`)
	}
	return []byte(`"` + text + `"`)
}

var shapes = []string{"batch", "request", "simple", "string"}

func TestDecodeAllocations(t *testing.T) {
	for _, shape := range shapes {
		d, err := NewDecoder(Options{Model: "m", System: "s", Set: []Field{{"top_p", []byte("1")}}})
		if err != nil {
			t.Fatal(err)
		}
		line := lineOf(shape, 1<<10)
		var rec Record
		allocs := testing.AllocsPerRun(100, func() {
			if e := d.Decode(&rec, line); e != nil {
				t.Fatal(e)
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations a line", shape, allocs)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, shape := range shapes {
		for _, size := range []int{1 << 10, 10 << 10} {
			b.Run(shape+"/"+strconv.Itoa(size>>10)+"KB", func(b *testing.B) {
				d, err := NewDecoder(Options{Model: "m"})
				if err != nil {
					b.Fatal(err)
				}
				line := lineOf(shape, size)
				var rec Record
				b.SetBytes(int64(len(line)))
				b.ReportAllocs()
				for b.Loop() {
					if e := d.Decode(&rec, line); e != nil {
						b.Fatal(e)
					}
				}
			})
		}
	}
}

func BenchmarkDecodeTemplate(b *testing.B) {
	d, err := NewDecoder(Options{Template: "Summarise: {{.prompt}}"})
	if err != nil {
		b.Fatal(err)
	}
	line := lineOf("simple", 1<<10)
	var rec Record
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		if e := d.Decode(&rec, line); e != nil {
			b.Fatal(e)
		}
	}
}

func BenchmarkParseAnswer(b *testing.B) {
	vector := strings.TrimSuffix(strings.Repeat("-0.0123456789,", 1536), ",")
	for name, c := range map[string]struct {
		endpoint Endpoint
		body     string
	}{
		"chat":       {Chat, strings.Replace(chatBody, `a\nb`, strings.Repeat(`Some text.\n`, 80), 1)},
		"embeddings": {Embeddings, `{"data":[{"embedding":[` + vector + `]}],"usage":{"prompt_tokens":7}}`},
	} {
		b.Run(name, func(b *testing.B) {
			body := []byte(c.body)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseAnswer(c.endpoint, body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkFormat(b *testing.B) {
	r := answered(b, Chat, strings.Replace(chatBody, `a\nb`, strings.Repeat(`Some text.\n`, 80), 1))
	for _, f := range []Format{FormatResult, FormatBatch, FormatRaw, FormatText} {
		b.Run(f.String(), func(b *testing.B) {
			var dst []byte
			b.ReportAllocs()
			for b.Loop() {
				dst = f.Append(dst[:0], r)
			}
			b.SetBytes(int64(len(dst)))
		})
	}
}

func BenchmarkCompact(b *testing.B) {
	dense := []byte(`{"data":[{"embedding":[` + strings.TrimSuffix(strings.Repeat("-0.0123456789,", 1536), ",") + `]}]}`)
	for name, body := range map[string][]byte{"dense": dense, "pretty": bytes.ReplaceAll(dense, []byte(","), []byte(",\n        "))} {
		b.Run(name, func(b *testing.B) {
			var dst []byte
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				dst = rawjson.Compact(dst[:0], body)
			}
		})
	}
}
