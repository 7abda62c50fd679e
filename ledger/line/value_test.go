package line

import (
	"math"
	"testing"
)

func TestACostMayBeUnknown(t *testing.T) {
	for _, want := range []struct {
		nanos int64
		known bool
		text  string
	}{{0, false, "null"}, {0, true, "0"}, {13800, true, "0.0000138"}} {
		text := appendCost(nil, want.nanos, want.known)
		if string(text) != want.text {
			t.Errorf("%d nanos, known %v, are written as %s", want.nanos, want.known, text)
		}
		if nanos, known, ok := parseCost(text); nanos != want.nanos || known != want.known || !ok {
			t.Errorf("%s is read as %d, %v, %v", text, nanos, known, ok)
		}
	}
	for _, text := range []string{"", "nul", "-1", "1.x"} {
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
