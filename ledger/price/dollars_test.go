package price

import (
	"math"
	"testing"
)

func TestDollarsAreExact(t *testing.T) {
	for nanos, want := range map[Dollars]string{
		0: "0", 1: "0.000000001", 13800: "0.0000138", 1e9: "1", 1234567890123: "1234.567890123", 10e9 + 5e8: "10.5",
		math.MaxInt64: "9223372036.854775807",
	} {
		text := nanos.Append(nil)
		if string(text) != want {
			t.Errorf("%d nanos are written as %s, want %s", int64(nanos), text, want)
		}
		if got, ok := ReadDollars(text); got != nanos || !ok {
			t.Errorf("%s is read as %d, %v", text, int64(got), ok)
		}
	}
	for _, text := range []string{"", ".", ".5", "1.", "1e3", "-1", "1.0000000001",
		"9223372036.854775808", "99999999999999999999", "null", "1..", ".1.", "1.1.1", "1 ", "1.x"} {
		if nanos, ok := ReadDollars([]byte(text)); ok {
			t.Errorf("%q is read as %d nanos", text, int64(nanos))
		}
	}
}
