package spend

import (
	"testing"

	"pgregory.net/rapid"
)

// However costs are cut, their sum is that of the whole, rounded up.
func TestRoundingLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r rounding
		var sum, exact int64
		for _, rest := range rapid.SliceOf(rapid.Int64Range(0, fine-1)).Draw(t, "rests") {
			exact += rest
			one := r.add(rest)
			if sum += one; one < 0 || one > 1 || sum != (exact+fine-1)/fine {
				t.Fatalf("%d after %d millionths", sum, exact)
			}
		}
	})
}
