package lines

import (
	"io"
	"strings"
	"testing"
)

func BenchmarkReader(b *testing.B) {
	text := strings.Repeat(`{"prompt":"`+strings.Repeat("x", 1<<10)+"\"}\n", 4096)
	for name, stream := range map[string]string{"plain": text, "gzip": gzipped(text), "zstd": zstded(text)} {
		b.Run(name, func(b *testing.B) {
			var buf []byte
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				r := New(strings.NewReader(stream), 1<<20)
				for {
					line, err := r.Next(buf)
					if err == io.EOF {
						break
					}
					if err != nil {
						b.Fatal(err)
					}
					buf = line.Bytes
				}
			}
		})
	}
}
