package spend

import (
	"sync/atomic"

	"llmpipe/stream/ui"
)

// rehearsed is the part of the account that is simulated, in billionths of a dollar: it is reckoned
// like all money, and nobody bills it.
type rehearsed struct {
	before int64        // spent by the ledger before this run
	spent  atomic.Int64 // by this run's attempts
	booked atomic.Int64 // for what was committed
}

// rehearses reports whether all who are asked are simulated.
func (a *Account) rehearses() bool {
	for _, h := range a.cfg.Hosts {
		if !h.Client.Rehearses() {
			return false
		}
	}
	return true
}

// simulatedOf is how much of what the ledger and this run have spent is simulated.
func (a *Account) simulatedOf(spent int64) int64 {
	return min(a.rehearsed.before+a.rehearsed.spent.Load(), spent)
}

// mark goes behind sums of which none is real, and is empty otherwise.
func (a *Account) mark() string { return ui.Simulated(a.rehearses()) }

// markOf goes behind what was spent, and says how much of that is simulated.
func (a *Account) markOf(spent int64) string {
	switch made := a.simulatedOf(spent); {
	case a.rehearses() || made > 0 && made == spent:
		return ui.Simulated(true)
	case made > 0:
		return " (" + ui.USD(made) + " of it simulated)"
	}
	return ""
}
