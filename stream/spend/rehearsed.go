package spend

import (
	"sync/atomic"

	"llmpipe/stream/ui"
)

// rehearsed is the part of the account that is simulated, in billionths of a dollar. It counts like
// any other money, but nobody bills it.
type rehearsed struct {
	before int64        // spent by the ledger before this run
	spent  atomic.Int64 // by this run's attempts
	booked atomic.Int64 // for what was committed
}

// rehearses reports whether every host is simulated.
func (a *Account) rehearses() bool {
	for _, h := range a.cfg.Hosts {
		if !h.Client.Rehearses() {
			return false
		}
	}
	return true
}

// simulatedOf returns how much of spent, by the ledger and this run, is simulated.
func (a *Account) simulatedOf(spent int64) int64 {
	return min(a.rehearsed.before+a.rehearsed.spent.Load(), spent)
}

// mark is what messages put after a sum if every host is simulated; it is empty otherwise.
func (a *Account) mark() string { return ui.Simulated(a.rehearses()) }

// markOf is what messages put after the sum spent: how much of it is simulated. It is empty if
// nothing is.
func (a *Account) markOf(spent int64) string {
	switch made := a.simulatedOf(spent); {
	case a.rehearses() || made > 0 && made == spent:
		return ui.Simulated(true)
	case made > 0:
		return " (" + ui.USD(made) + " of it simulated)"
	}
	return ""
}
