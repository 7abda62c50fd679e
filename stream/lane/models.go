package lane

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"llmpipe/stream/provider"
	"llmpipe/stream/ui"
)

// Models lists the provider's models, and retries after failures that may pass. It waits out an
// outage as records do. After --give-up the run pauses, and ctx ends.
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
			l.lanes.flow.Voice.Warn("%s does not list its models: %v; trying again", l.Host.Name, call.Err)
		}
		wait.AtLeast = call.Hint
		d := wait.NextBackOff()
		if most := l.lanes.cfg.GiveUp; most > 0 && time.Since(start)+d > most {
			l.lanes.flow.Stop.Pause(l.gaveUp(fmt.Errorf("the provider has not listed its models for %s", ui.Duration(most))))
			return nil, err
		}
		l.lanes.flow.Stop.Sleep(d)
	}
}

// ModelsHint says what to do about a provider that does not list its models. call is nil if it was
// never asked.
func (l *Lane) ModelsHint(call *provider.CallError) string {
	const byName = "name the model with -m"
	if call == nil {
		return byName
	}
	hint := l.CallHint(call)
	switch {
	case hint == "":
		return byName
	case call.Err.Status == http.StatusNotFound || call.Err.Type == "bad_response": // there may be an API without a list
		return hint + "; or " + byName
	}
	return hint
}
