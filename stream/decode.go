package stream

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"llmpipe/stream/record"
)

// decoder decodes records, and finds out the model where the command line names none: a server that offers exactly one needs no name.
type decoder struct {
	*record.Decoder
	options  record.Options
	lane     *lane // whose provider is asked for its models
	resolved bool
}

// decode fills t from its line. An error ends the run; what is wrong with the line itself becomes t's error.
func (d *decoder) decode(ctx context.Context, t *task) error {
	err := d.Decode(&t.Record, t.line)
	if err == nil && t.Model == "" && d.options.Model == "" && !t.Verbatim && !d.resolved {
		if err := d.resolve(ctx, t); err != nil {
			return err
		}
		return d.decode(ctx, t)
	}
	if err != nil {
		t.fail(err)
	}
	return nil
}

// resolve asks the provider which model it has. It is called once, at the first record that needs to know.
func (d *decoder) resolve(ctx context.Context, t *task) error {
	d.resolved = true
	names, err := d.lane.client.Models(ctx)
	switch {
	case ctx.Err() != nil:
		return errAbandoned // whatever ended the asking is the reason
	case err != nil:
		return hinted(cmp.Or(reachHint(d.lane.base, err.Error()), "name the model with -m"),
			fmt.Errorf("%s names no model, and the provider does not say which it has: %w", t.title(), err))
	case len(names) != 1:
		const most = 8
		offered := strings.Join(names[:min(len(names), most)], ", ")
		if len(names) > most {
			offered += ", …"
		}
		return hinted("name one with -m: "+offered, fmt.Errorf("%s names no model, and the provider has %d", t.title(), len(names)))
	}
	d.options.Model = names[0]
	d.Decoder, err = record.NewDecoder(d.options)
	return err
}
