package lane

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"llmpipe/stream/provider"
	"llmpipe/stream/ui"
)

// Models lists the provider's models, and tries again after failures that may pass. It waits an
// outage out as records do; past --give-up the run pauses, and ctx ends.
func (l *Lane) Models(ctx context.Context) ([]string, error) {
	wait := NewBackOff(FirstTransient)
	start := time.Now()
	for {
		names, err := l.Host.Client.Models(ctx)
		call := provider.AsCallError(err)
		if call == nil || !provider.PassesAway(err) || call.Err.Type == "bad_response" || ctx.Err() != nil {
			return names, err
		}
		l.trouble.Store(call.Err)
		if l.reportFailure(call.Err, nil); l.told.hinted.CompareAndSwap(false, true) {
			l.lanes.flow.Voice.Warn("%s does not say which models it has: %v; trying again", l.Host.Name, call.Err)
		}
		wait.AtLeast = call.Hint
		d := wait.NextBackOff()
		if most := l.lanes.cfg.GiveUp; most > 0 && time.Since(start)+d > most {
			l.lanes.flow.Stop.Pause(l.gaveUp(fmt.Errorf("the provider has not said for %s which models it has", ui.Duration(most))))
			return nil, err
		}
		l.lanes.flow.Stop.Sleep(d)
	}
}

// ModelsHint is what to do about a provider that does not say which models it has; call is nil
// where it was never asked.
func (l *Lane) ModelsHint(call *provider.CallError) string {
	const byName = "name the model with -m"
	switch {
	case call == nil:
		return byName
	case call.Err.Status == http.StatusUnauthorized:
		return l.keyHint()
	case call.Err.Type == "bad_response":
		if u, err := url.Parse(l.base); err == nil {
			return "is an API served there? " + pathHint(u) + "; or " + byName
		}
	}
	return byName
}
