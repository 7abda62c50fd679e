package stream

import (
	"context"
	"time"
)

// tendEvery is how often connections are looked after that may have become too many.
const tendEvery = 100 * time.Millisecond

// tendConnections lets go, until ctx ends, of connections that nobody needs any more.
func (l *lanes) tendConnections(ctx context.Context) {
	var real []*lane
	for _, one := range l.all {
		if !one.host.client.Simulated() { // which has none
			real = append(real, one)
		}
	}
	if len(real) == 0 {
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
		for _, one := range real {
			if l.allAsked() {
				one.host.client.Expect(0)
			} else {
				one.host.client.Expect(one.pace.Allowed())
			}
		}
	}
}

// allAsked reports whether no record waits to be asked for the first time, nor will. What batches
// say is asked all the time.
func (l *lanes) allAsked() bool {
	return l.cfg.Mode == ModeRealtime && (l.flow.stop.ending() || l.flow.allRead.Load() && len(l.fresh) == 0)
}
