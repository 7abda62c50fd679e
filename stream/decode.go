package stream

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"llmpipe/stream/provider"
	"llmpipe/stream/record"
	"llmpipe/stream/ui"
)

// decoder decodes records, and finds out the model where the command line names none: a server that offers exactly one needs no name.
type decoder struct {
	*record.Decoder
	options  record.Options
	lane     *lane // whose provider is asked for its models
	resolved bool

	beforeWait func() // called before the provider is waited for
}

// decode fills t from its line. An error ends the run; what is wrong with the line itself becomes t's error.
func (d *decoder) decode(ctx context.Context, t *Task) error {
	err := d.Decode(&t.Record, t.Buffer)
	if err == nil && t.Model == "" && d.options.Model == "" && !t.Verbatim && !d.resolved {
		if err := d.resolve(ctx, t); err != nil {
			return err
		}
		return d.decode(ctx, t)
	}
	if err != nil {
		t.Fail(err)
	}
	return nil
}

// resolve asks the provider which model it has. It is called once, at the first record that needs to know.
func (d *decoder) resolve(ctx context.Context, t *Task) error {
	d.resolved = true
	d.beforeWait()
	names, err := d.lane.models(ctx)
	switch {
	case ctx.Err() != nil:
		return errAbandoned // whatever ended the asking is the reason
	case err != nil:
		return ui.WithHint(d.lane.modelsHint(CallError(err)),
			fmt.Errorf("%s names no model, and the provider does not say which it has: %w", t.title(), err))
	case len(names) == 0:
		return ui.WithHint("name one with -m", fmt.Errorf("%s names no model, and the provider lists none", t.title()))
	case len(names) != 1:
		const most = 8
		offered := strings.Join(names[:min(len(names), most)], ", ")
		if len(names) > most {
			offered += ", …"
		}
		return ui.WithHint("name one with -m: "+offered, fmt.Errorf("%s names no model, and the provider has %d", t.title(), len(names)))
	}
	d.options.Model = names[0]
	d.Decoder, err = record.NewDecoder(d.options)
	return err
}

// models asks for the models that the provider has, again after failures that may pass. An outage is waited out as it is for records;
// past --give-up the run pauses, and ctx has ended.
func (l *lane) models(ctx context.Context) ([]string, error) {
	wait := newBackOff(firstTransient)
	start := time.Now()
	for {
		names, err := l.client.Models(ctx)
		call := CallError(err)
		if call == nil || !temporaryCall(err) || call.Err.Type == "bad_response" || ctx.Err() != nil {
			return names, err
		}
		l.trouble.Store(call.Err)
		if l.reportFailure(call.Err, nil); l.told.hinted.CompareAndSwap(false, true) {
			l.voice.Warn("%s does not say which models it has: %v; trying again", l.name, call.Err)
		}
		wait.hint = call.Hint
		d := wait.NextBackOff()
		if most := l.cfg.Pace.GiveUp; most > 0 && time.Since(start)+d > most {
			l.stop.pause(l.gaveUp(fmt.Errorf("the provider has not said for %s which models it has", ui.Duration(most))))
			return nil, err
		}
		l.stop.sleep(d)
	}
}

// modelsHint is what to do about a provider that does not say which models it has; call is nil where it was never asked.
func (l *lane) modelsHint(call *provider.CallError) string {
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
