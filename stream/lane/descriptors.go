package lane

import (
	"cmp"

	"llmpipe/limiter"
	"llmpipe/stream/flow"
	"llmpipe/stream/ui"
)

// spareDescriptors is how many file descriptors are left for everything but connections while
// requests are in flight: temporary files, reading the ledger again, hooks, and DNS lookups. A
// process that has few descriptors keeps half of them.
const spareDescriptors = 32

// usualInFlight is what a lane that is told no number finds its way up to, as [limiter.Config] has
// it.
const usualInFlight = 256

// fitDescriptors limits the requests in flight to the connections that the process may open, and
// warns if that is fewer than were asked for. A request in flight needs one connection. The
// connections are shared in proportion to the lanes' limits.
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
	l.flow.Voice.Warn("at most %s in flight, not %s: this process may have only %s files and connections open",
		ui.Number(int64(total), "request"), ui.Grouped(int64(wanted)), ui.Grouped(int64(most)))
	l.flow.Voice.Hint("run ulimit -n 4096 first to allow more, up to what ulimit -Hn shows; or set -c %d, which needs no more",
		max(1, total/real))
}

// mostInFlight is the most requests that can be in flight in a lane.
func mostInFlight(c *limiter.Config) int {
	return cmp.Or(c.Concurrency, c.MaxConcurrency, usualInFlight)
}

// limitInFlight limits a lane to n requests in flight.
func limitInFlight(c *limiter.Config, n int) {
	c.MaxConcurrency = n
	if c.Concurrency > 0 {
		c.Concurrency = n
	}
}

// connectionsWithin is how many connections a process may open that has open descriptors in use and
// may have most.
func connectionsWithin(most, open int) int {
	left := most - open
	return max(1, left-min(spareDescriptors, left/2))
}
