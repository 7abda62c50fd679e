package spend

import "sync/atomic"

// rounding rounds costs to billionths of a dollar so that their sum is rounded once: what one has
// beyond them is carried to the next. A thousand answers of half a billionth more each cost what
// the provider charges for all of them, and not half a thousand billionths more.
type rounding struct{ carried atomic.Int64 } // millionths of a billionth, of all costs so far

// fine is how many millionths a billionth has.
const fine = 1_000_000

// add takes what a cost has beyond billionths, in millionths of one, and returns what it counts as:
// nothing or one. The sum of all is rounded up, so that it is never less than what was charged.
func (r *rounding) add(rest int64) int64 {
	if rest == 0 {
		return 0
	}
	sum := r.carried.Add(rest)
	return (sum+fine-1)/fine - (sum-rest+fine-1)/fine
}
