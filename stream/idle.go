package stream

import (
	"context"
	"time"
)

// tendEvery is how often connections are looked after that may have become too many.
const tendEvery = 100 * time.Millisecond

// tendConnections lets go, until ctx ends, of connections that nobody needs any more.
func (r *run) tendConnections(ctx context.Context) {
	var lanes []*lane
	for _, l := range r.router.lanes {
		if !l.client.Simulated() { // which has none
			lanes = append(lanes, l)
		}
	}
	if len(lanes) == 0 {
		return
	}
	ticker := time.NewTicker(tendEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for _, l := range lanes {
			if r.allAsked() {
				l.client.Expect(0)
			} else {
				l.client.Expect(l.pace.Allowed())
			}
		}
	}
}

// allAsked reports whether no record waits to be asked for the first time, nor will. What batches say is asked all the time.
func (r *run) allAsked() bool {
	return r.batches == nil && (r.stop.ending() || r.allRead.Load() && len(r.fresh) == 0)
}
