package lane

import (
	"context"
	"time"

	"llmpipe/stream/flow"
)

// tendEvery is how often idle connections are checked.
const tendEvery = 100 * time.Millisecond

// TendConnections closes connections that are no longer needed, until ctx ends.
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

// allAsked reports whether no record waits, or will wait, for its first attempt. It is false for
// batch mode, which polls all the time.
func (l *Lanes) allAsked() bool {
	return l.cfg.Mode == flow.ModeRealtime && (l.flow.Stop.Ending() || l.flow.AllRead.Load() && len(l.fresh) == 0)
}
