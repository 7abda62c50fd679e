package spend

import "sync/atomic"

// rounding rounds costs to billionths of a dollar so that only their sum is rounded: the fraction
// beyond whole billionths is carried from one cost to the next. A thousand answers with a fraction
// of half a billionth each cost what the provider charges for all of them, and not 500 billionths
// more.
type rounding struct{ carried atomic.Int64 } // millionths of a billionth, of all costs so far

// fine is how many millionths a billionth has.
const fine = 1_000_000

// add takes a cost's fraction beyond whole billionths, in millionths of one, and returns the
// billionths that it counts as: 0 or 1. The sum of all is rounded up, so that it is never less than
// what was charged.
func (r *rounding) add(rest int64) int64 {
	if rest == 0 {
		return 0
	}
	sum := r.carried.Add(rest)
	return (sum+fine-1)/fine - (sum-rest+fine-1)/fine
}
