package lane

import (
	"context"
	"time"

	"llmpipe/stream/flow"
)

// tendEvery is how often connections are looked after that may have become too many.
const tendEvery = 100 * time.Millisecond

// TendConnections lets go, until ctx ends, of connections that nobody needs any more.
func (l *Lanes) TendConnections(ctx context.Context) {
	var real []*Lane
	for _, one := range l.all {
		if !one.Host.Client.Simulated() { // which has none
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
				one.Host.Client.Expect(0)
			} else {
				one.Host.Client.Expect(one.Pace.Allowed())
			}
		}
	}
}

// allAsked reports whether no record waits to be asked for the first time, nor will. What batches
// say is asked all the time.
func (l *Lanes) allAsked() bool {
	return l.cfg.Mode == flow.ModeRealtime && (l.flow.Stop.Ending() || l.flow.AllRead.Load() && len(l.fresh) == 0)
}
