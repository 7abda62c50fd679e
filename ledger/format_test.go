package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// testdata/format1.jsonl is format 1 as it is in people's files: a change of it is a new format.
func TestTheFormatStaysAsItIs(t *testing.T) {
	data, _ := smallLedger(t)
	if want := read(t, filepath.Join("testdata", "format1.jsonl")); !bytes.Equal(data, want) {
		t.Errorf("the ledger is\n%s\nwant\n%s", data, want)
	}
	for line := range bytes.Lines(data) {
		var object map[string]any
		if err := json.Unmarshal(line, &object); err != nil {
			t.Errorf("not JSON: %v: %s", err, line)
		}
	}
}

func TestAnyResultIsReadBackAsItWas(t *testing.T) {
	text := rapid.String()
	count := rapid.Int64Range(0, math.MaxInt64)
	var got Result // one for all, as a replay has it
	rapid.Check(t, func(t *rapid.T) {
		id, err := json.Marshal(text.Draw(t, "id"))
		if err != nil {
			t.Fatal(err)
		}
		response, err := json.Marshal(rapid.MapOf(text, text).Draw(t, "response"))
		if err != nil {
			t.Fatal(err)
		}
		want := Result{
			ID: id, Response: response,
			Request:  [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "request")),
			Endpoint: text.Draw(t, "endpoint"), Model: text.Draw(t, "model"), Provider: text.Draw(t, "provider"),
			DowngradedFrom: text.Draw(t, "downgraded"), Shard: text.Draw(t, "shard"),
			PromptTokens: count.Draw(t, "prompt"), CompletionTokens: count.Draw(t, "completion"),
			CachedTokens: count.Draw(t, "cached"), ReasoningTokens: count.Draw(t, "reasoning"),
			CostKnown: rapid.Bool().Draw(t, "known"),
			Attempts:  rapid.IntRange(0, math.MaxInt).Draw(t, "attempts"), LatencyMS: count.Draw(t, "latency"),
			Time:      time.UnixMilli(rapid.Int64Range(-62135596800000, 253402300799999).Draw(t, "time")).UTC(),
			Simulated: rapid.Bool().Draw(t, "simulated"),
		}
		if want.CostKnown {
			want.CostNanos = count.Draw(t, "cost")
		}
		if rapid.Bool().Draw(t, "kept") {
			want.MayCostNanos = count.Draw(t, "may cost")
		}
		line, err := appendResult(nil, &want, want.Simulated)
		if err != nil {
			t.Fatal(err)
		}
		line = bytes.TrimSuffix(line, []byte("\n"))
		if err := verify(line); err != nil {
			t.Fatal(err)
		}
		h, ok := parseHead(line)
		if !ok || h.kind != KindResult || h.key != want.key() || h.costNanos != want.CostNanos ||
			h.costKnown != want.CostKnown || h.simulated != want.Simulated || h.mayCost != want.MayCostNanos {
			t.Fatalf("head %+v of %s", h, line)
		}
		if err := got.decode(line); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if g, w := describe(got), describe(want); g != w {
			t.Fatalf("read back\n%s\nwant\n%s", g, w)
		}
	})
}

func TestCostsAreExact(t *testing.T) {
	for nanos, want := range map[int64]string{
		0: "0", 1: "0.000000001", 13800: "0.0000138", 1e9: "1", 1234567890123: "1234.567890123", 10e9 + 5e8: "10.5",
		math.MaxInt64: "9223372036.854775807",
	} {
		text := appendCost(nil, nanos, true)
		if string(text) != want {
			t.Errorf("%d nanos are written as %s, want %s", nanos, text, want)
		}
		if got, known, ok := parseCost(text); got != nanos || !known || !ok {
			t.Errorf("%s is read as %d, %v, %v", text, got, known, ok)
		}
	}
	if _, known, ok := parseCost([]byte("null")); known || !ok {
		t.Error("null is a cost")
	}
	for _, text := range []string{"", ".", ".5", "1.", "1e3", "-1", "1.0000000001",
		"9223372036.854775808", "99999999999999999999", "nul", "1.x"} {
		if nanos, _, ok := parseCost([]byte(text)); ok {
			t.Errorf("%q is read as %d nanos", text, nanos)
		}
	}
}

func TestHexIsLowerCase(t *testing.T) {
	for text, want := range map[string]uint64{"00": 0, "0123456789abcdef": 0x0123456789abcdef, "ffffffffffffffff": math.MaxUint64} {
		if got, ok := parseHex([]byte(text)); got != want || !ok {
			t.Errorf("%s is read as %x, %v", text, got, ok)
		}
	}
	for _, text := range []string{"0A", "g0", "0x", " 1", "é"} {
		if got, ok := parseHex([]byte(text)); ok {
			t.Errorf("%q is read as %x", text, got)
		}
	}
}

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
		lines := newLineReader(strings.NewReader(text.String()), 7, rapid.Int64Range(0, 64).Draw(t, "buffer"))
		at := int64(7)
		for i, n := range lengths {
			line, offset, err := lines.next()
			if err != nil || offset != at || string(line) != strings.Repeat(string(rune('a'+i)), n) {
				t.Fatalf("line %d: %q at %d, %v", i, line, offset, err)
			}
			at += int64(n) + 1
		}
		if _, offset, err := lines.next(); err == nil || offset != at || string(lines.tail()) != tail {
			t.Fatalf("tail %q at %d, %v", lines.tail(), offset, err)
		}
	})
}

func TestALineWithoutEndIsNotReadIntoMemory(t *testing.T) {
	lines := newLineReader(strings.NewReader("short\n"+strings.Repeat("x", 1000)), 0, 16)
	lines.limit = 100
	if line, _, err := lines.next(); string(line) != "short" || err != nil {
		t.Errorf("first %q, %v", line, err)
	}
	if _, at, err := lines.next(); !errors.Is(err, errTooLong) || at != 6 {
		t.Errorf("then %v at %d", err, at)
	}
	if len(lines.buf) > 400 {
		t.Errorf("%d bytes were held", len(lines.buf))
	}
}

func TestFsyncNames(t *testing.T) {
	for _, want := range []Fsync{FsyncAlways, FsyncEverySecond, FsyncNever} {
		var got Fsync
		if err := got.UnmarshalText([]byte(want.String())); got != want || err != nil {
			t.Errorf("%s: %v, %v", want, got, err)
		}
	}
	if _, err := ParseFsync("sometimes"); err == nil {
		t.Error("sometimes is a name")
	}
}
