package rawjson

import (
	"bytes"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"
)

// verdicts holds Valid to jsontext's verdict.
func verdicts(t interface{ Fatalf(string, ...any) }, src []byte) {
	want := jsontext.Value(src).IsValid(lenient...)
	if got := Valid(src); got != want {
		t.Fatalf("%q is valid: %v, by jsontext %v", src, got, want)
	}
}

var validSeeds = []string{
	``, ` `, `{}`, `[]`, ` { } `, "\t[\r\n]", `{"a":1}`, `{"a":1,}`, `{,}`, `{"a"}`, `{"a":}`, `{a:1}`, `{"a":1 "b":2}`, `{"a":1,"a":2}`,
	`{"a":1}}`,
	`[1,2]`, `[1,]`, `[,1]`, `[1 2]`, `[1`, `[`, `{`, `{"a`, `{"a":`, `{"a":1`, `]`, `}`, `,`, `:`, `[}`, `{]`, `[[[]]]`,
	`"`, `""`, `"a"`, `"a`, `"\`, `"\"`, `"\\"`, `"\/\b\f\n\r\t\""`, `"\a"`, `"\u12"`, `"\u12G4"`, `"\uD800"`,
	`"\u00e9\uABCD"`, `"\u123`, `"1234567"`, `"12345678`,
	"\"12345678\x1f\"", "\"\x00\"", "\"\x7f\xff\x80\"", "\"caf\xe9 12345678\"", "\"1234567\n\"", `"1234567\"90"`, `"é漢字🙂"`,
	`0`, `-0`, `00`, `01`, `-`, `+1`, `1.`, `.1`, `1.0`, `1e5`, `1E+5`, `1e`, `1e-`, `1.5e-10`, `1.e5`,
	`-1`, `--1`, `1x`, `1 1`, `9007199254740993`,
	`true`, `false`, `null`, `tru`, `truex`, `True`, `nul`, `nullnull`, "\ufeff{}", "{}\x00", `NaN`, "\v1",
	`{"id":"c","model":"gpt-4o-mini","choices":[{"index":0,"message":{"role":"assistant","content":"a\nb"},` +
		`"finish_reason":"stop"}],"usage":{"prompt_tokens":12,"completion_tokens":20,"total_tokens":32}}`,
}

func TestValid(t *testing.T) {
	for _, src := range validSeeds {
		verdicts(t, []byte(src))
		for end := range len(src) {
			verdicts(t, []byte(src[:end]))
		}
	}
	for _, depth := range []int{1, maxDepth - 1, maxDepth, maxDepth + 1, 1 << 20} {
		verdicts(t, []byte(strings.Repeat("[", depth)+strings.Repeat("]", depth)))
		verdicts(t, []byte(strings.Repeat(`{"a":`, depth)+"1"+strings.Repeat("}", depth)))
		verdicts(t, []byte(strings.Repeat(`[`, depth)))
	}
}

// TestValidEverywhere puts every byte at every place of a string, for they are looked at eight at a
// time.
func TestValidEverywhere(t *testing.T) {
	for length := range 20 {
		for at := range length {
			for c := range 256 {
				src := []byte(`"` + strings.Repeat("x", length) + `"`)
				src[1+at] = byte(c)
				verdicts(t, src)
			}
		}
	}
}

func TestValidMutated(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := []byte(rapid.SampledFrom(validSeeds).Draw(t, "seed"))
		for range rapid.IntRange(1, 4).Draw(t, "changes") {
			at := rapid.IntRange(0, len(src)).Draw(t, "at")
			piece := []byte(rapid.SampledFrom(append(validSeeds, "\"", "\\", "{", "}", "[", "]", ",", ":", "e", ".", "-")).Draw(t, "piece"))
			until := min(at+rapid.IntRange(0, 3).Draw(t, "cut"), len(src))
			src = bytes.Join([][]byte{src[:at], piece, src[until:]}, nil)
		}
		verdicts(t, src)
	})
}

func FuzzValid(f *testing.F) {
	for _, src := range validSeeds {
		f.Add([]byte(src))
	}
	f.Fuzz(func(t *testing.T, src []byte) { verdicts(t, src) })
}
