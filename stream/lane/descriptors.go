package lane

import (
	"cmp"

	"llmpipe/limiter"
	"llmpipe/stream/flow"
	"llmpipe/stream/ui"
)

// spareDescriptors are left for what is opened beside connections once requests are in flight:
// temporary files, the ledger read again, what a hook is run with, the names of hosts looked up. A
// process that has few keeps half of them.
const spareDescriptors = 32

// usualInFlight is what a lane that is told no number finds its way up to, as [limiter.Config] has
// it.
const usualInFlight = 256

// fitDescriptors sees to it that no more requests are in flight than the process may have
// connections open, and says so where that is fewer than asked for. A request in flight needs one
// connection. What is left is shared out as the lanes' numbers are.
func (l *Lanes) fitDescriptors(hosts []*flow.Host) {
	wanted := 0
	for i, h := range hosts {
		if !h.Client.Simulated() { // which needs none
			wanted += mostInFlight(&l.cfg.Lanes[i].Pace)
		}
	}
	most, open := descriptors(wanted + spareDescriptors)
	if wanted == 0 || most == 0 || wanted <= connectionsWithin(most, open) {
		return
	}
	fits, total, real := connectionsWithin(most, open), 0, 0
	for i, h := range hosts {
		if h.Client.Simulated() {
			continue
		}
		n := max(1, fits*mostInFlight(&l.cfg.Lanes[i].Pace)/wanted)
		limitInFlight(&l.cfg.Lanes[i].Pace, n)
		h.Client.LimitConnections(n)
		total, real = total+n, real+1
	}
	if l.cfg.Mode == flow.ModeBatch {
		return // few requests are sent
	}
	l.flow.Voice.Warn("at most %s in flight, not %s: this process may have no more than %s files and connections open",
		ui.Number(int64(total), "request"), ui.Grouped(int64(wanted)), ui.Grouped(int64(most)))
	l.flow.Voice.Hint("ulimit -n 4096 before the command allows more, as far as ulimit -Hn goes; -c %d asks for no more", max(1, total/real))
}

// mostInFlight is how many requests may come to be in flight in a lane.
func mostInFlight(c *limiter.Config) int {
	return cmp.Or(c.Concurrency, c.MaxConcurrency, usualInFlight)
}

// limitInFlight makes n the most of a lane's requests in flight.
func limitInFlight(c *limiter.Config, n int) {
	c.MaxConcurrency = n
	if c.Concurrency > 0 {
		c.Concurrency = n
	}
}

// connectionsWithin is how many connections may be open where at most so many descriptors may be,
// and some are.
func connectionsWithin(most, open int) int {
	left := most - open
	return max(1, left-min(spareDescriptors, left/2))
}
