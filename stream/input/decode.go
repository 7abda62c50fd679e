package input

import (
	"context"
	"fmt"
	"strings"

	"llmpipe/stream/flow"
	"llmpipe/stream/lane"
	"llmpipe/stream/provider"
	"llmpipe/stream/record"
	"llmpipe/stream/ui"
)

// Decoder decodes records. If neither the record nor a flag names a model, it asks the server,
// which must offer exactly one.
type Decoder struct {
	Records  *record.Decoder
	Options  record.Options
	Lane     *lane.Lane // whose provider is asked for its models
	resolved bool
	// Unasked leaves a record without a model if it names none, and does not ask the server.
	Unasked bool

	beforeWait func() // called before the provider is waited for
}

// decode fills t from its line. An error ends the run; an error in the line itself becomes t's
// error.
func (d *Decoder) decode(ctx context.Context, t *flow.Task) error {
	err := d.Records.Decode(&t.Record, t.Buffer)
	if err == nil && t.Model == "" && d.Options.Model == "" && !t.Verbatim && !d.resolved && !d.Unasked {
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

// resolve asks the provider which model it has. It is called once, at the first record that needs
// to know.
func (d *Decoder) resolve(ctx context.Context, t *flow.Task) error {
	d.resolved = true
	d.beforeWait()
	names, err := d.Lane.Models(ctx)
	switch {
	case ctx.Err() != nil:
		return errAbandoned // whatever ended the asking is the reason
	case err != nil:
		return ui.WithHint(d.Lane.ModelsHint(provider.AsCallError(err)),
			fmt.Errorf("%s names no model, and the provider does not list its models: %w", t, err))
	case len(names) == 0:
		return ui.WithHint("name one with -m", fmt.Errorf("%s names no model, and the provider lists none", t))
	case len(names) != 1:
		const most = 8
		offered := strings.Join(names[:min(len(names), most)], ", ")
		if len(names) > most {
			offered += ", …"
		}
		return ui.WithHint("name one with -m: "+offered, fmt.Errorf("%s names no model, and the provider has %d", t, len(names)))
	}
	d.Options.Model = names[0]
	d.Records, err = record.NewDecoder(d.Options)
	return err
}
