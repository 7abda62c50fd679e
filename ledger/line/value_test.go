package line

import (
	"math"
	"testing"
)

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
