package report

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestPercentilesAreWithinTwoPerCent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.OneOf(
			rapid.Int64Range(0, 200), rapid.Int64Range(0, 600_000), rapid.Int64Range(0, math.MaxInt64),
		), 1, 200).Draw(t, "values")
		var h histogram
		for _, v := range values {
			h.add(v)
		}
		slices.Sort(values)
		for _, percent := range []int64{1, 50, 90, 99, 100} {
			exact := values[(int64(len(values))*percent+99)/100-1]
			got := h.percentile(percent)
			if math.Abs(float64(got-exact)) > 0.02*float64(exact) {
				t.Fatalf("p%d is %d, want about %d", percent, got, exact)
			}
		}
	})
	var none, negative histogram
	negative.add(-5)
	if none.percentile(50) != 0 || negative.percentile(50) != 0 {
		t.Error("percentiles of nothing, or of negative values, are not 0")
	}
}
