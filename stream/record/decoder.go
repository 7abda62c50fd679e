package record

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"llmpipe/stream/record/rawjson"
	"llmpipe/stream/record/schema"
)

// Decoder makes records from lines. It is for one goroutine.
type Decoder struct {
	opt    Options
	prompt *promptTemplate // nil without a template
	system []byte          // the system prompt as a JSON string, nil when there is none
	model  []byte          // the model as a JSON string, nil when there is none
	set    []Field         // no key twice

	attached attachments

	hash    *hasher
	members []rawjson.Member // of the line
	text    []byte           // a prompt as a JSON string

	lastModel, lastPriority, lastTier string // handed out again without a copy
}

// NewDecoder returns a decoder with the given options. It returns an error if the template does not
// parse or the flags contradict each other.
func NewDecoder(o Options) (*Decoder, error) {
	d := &Decoder{opt: o, hash: newHasher()}
	if o.Endpoint.Path() == "" {
		return nil, fmt.Errorf("unknown endpoint %s", o.Endpoint)
	}
	if o.Raw && o.IDField != "" {
		return nil, errors.New("--id-field needs JSON lines, but --raw-input reads lines as text")
	}
	if o.System != "" {
		if !o.Endpoint.takesSystem() {
			return nil, fmt.Errorf("--system: the %s endpoint has no place for a system prompt", o.Endpoint)
		}
		d.system = rawjson.AppendQuoted(nil, o.System)
	}
	if _, ok := forms[o.Endpoint]; o.Schema != nil && !ok {
		return nil, fmt.Errorf("a schema cannot be used with the %s endpoint", o.Endpoint)
	}
	if err := d.checkAttach(); err != nil {
		return nil, err
	}
	if o.Model != "" {
		d.model = rawjson.AppendQuoted(nil, o.Model)
	}
	if err := d.checkSet(o.Set); err != nil {
		return nil, err
	}
	if o.Template != "" {
		prompt, err := parseTemplate(o.Template)
		if err != nil {
			return nil, err
		}
		d.prompt = prompt
	}
	return d, nil
}

// checkSet stores the fields of --set. It returns an error for a field that the record itself or
// another flag gives, and for one that asks for a streamed answer or a background job.
func (d *Decoder) checkSet(fields []Field) error {
	for i, f := range fields {
		if !rawjson.Valid(f.Value) {
			return fmt.Errorf("--set %s: the value is not JSON", f.Key)
		}
		f.Value = rawjson.Compact(nil, f.Value) // a body is one line, and a value from a file may be several
		switch f.Key {
		case "messages", "input", "prompt", "id", "custom_id":
			return fmt.Errorf("--set %s: set it in the record itself", f.Key)
		case "system":
			switch {
			case d.opt.Endpoint != Messages:
				return errors.New("--set system: set it in the record itself, or for all records with --system")
			case d.system != nil:
				return errors.New("--set system: --system sets it already")
			}
		case "stream":
			if f.Value[0] == 't' {
				return errors.New("--set stream: answers are not streamed")
			}
		case "background":
			if f.Value[0] == 't' && d.opt.Endpoint == Responses {
				return errors.New("--set background: background jobs are not waited for; use --mode batch, which costs less")
			}
		case "instructions":
			if d.system != nil && d.opt.Endpoint == Responses {
				return errors.New("--set instructions: --system sets them already")
			}
		case "model":
			if d.model != nil {
				return errors.New("--set model: --model sets it already")
			}
		}
		sameKey := func(g Field) bool { return g.Key == f.Key }
		if !slices.ContainsFunc(fields[i+1:], sameKey) {
			d.set = append(d.set, f)
		}
	}
	return nil
}

// Decode decodes a line into rec, and leaves its Line and File as they are. The record's slices
// alias the line or the record's own memory.
//
// The error goes into the record's error line. Its type is invalid_input, or upstream for a record
// that carries an error of the previous stage. The record then holds the fields that were read
// before the error, such as its id.
func (d *Decoder) Decode(rec *Record, line []byte) *Error {
	*rec = Record{Line: rec.Line, File: rec.File, Input: line, N: 1, Endpoint: d.opt.Endpoint, buf: rec.buf[:0],
		Media: rec.Media[:0], Files: rec.Files[:0]}
	err := d.decode(rec, line)
	if err == nil {
		err = d.inspect(rec)
	}
	if err == nil && d.opt.Schema != nil {
		err = d.shape(rec)
	}
	if err != nil {
		rec.Body = nil
	}
	d.shrink()
	return err
}

// shape makes the request ask for the schema, unless the request sets its own response format or
// must be sent unchanged.
func (d *Decoder) shape(rec *Record) *Error {
	form, ok := forms[rec.Endpoint]
	if !ok { // a batch line's own endpoint
		return invalid("no_schema", "a schema cannot be used with the %s endpoint", rec.Endpoint)
	}
	if d.opt.OnlyCheck || rec.Verbatim {
		return nil
	}
	body := len(rec.buf)
	out, at, put := d.opt.Schema.AppendTo(rec.buf, rec.Body, form)
	rec.buf, rec.Body = out, out[body:]
	rec.TextBytes += put
	if rec.modelEnd > 0 && put > 0 && at <= rec.modelStart {
		rec.modelStart, rec.modelEnd = rec.modelStart+put, rec.modelEnd+put
	}
	rec.moveFiles(at, put)
	return nil
}

// forms holds how a request to an endpoint asks for a shape. The endpoints that are missing have no
// way to ask.
var forms = map[Endpoint]schema.Form{Chat: schema.Chat, Responses: schema.Responses, Messages: schema.Messages}

// shrink releases memory that an unusually long line needed.
func (d *Decoder) shrink() {
	if cap(d.members) > keepMembers {
		d.members = nil
	}
	d.hash.shrink()
	if cap(d.text) > keepSize {
		d.text = nil
	}
	if cap(d.attached.parts) > keepSize {
		d.attached.parts = nil
	}
}

func (d *Decoder) decode(rec *Record, line []byte) *Error {
	if d.opt.Raw {
		return d.decodeText(rec, line)
	}
	src := rawjson.TrimSpace(bytes.TrimPrefix(line, []byte(rawjson.BOM)))
	var valid bool
	if d.members, valid = rawjson.ValidMembers(d.members[:0], src); !valid {
		return syntaxError(line)
	}
	switch src[0] {
	case '{':
		return d.decodeObject(rec, src)
	case '"':
		rec.Content = d.content(src)
		if d.opt.IDField != "" {
			return invalid("missing_id", "the line is a string, so it has no field %q for an id", d.opt.IDField)
		}
		if len(d.opt.Attach) > 0 {
			return invalid("missing_field", "the line is a string, so it has no field %q to attach", d.opt.Attach[0])
		}
		if d.prompt != nil {
			return d.decodeTemplate(rec, nil, string(rawjson.Unquote(nil, src)))
		}
		d.compose(rec, src)
		return nil
	case '[':
		return invalid("not_a_record", "the line is an array, not an object or a string; "+
			"write each element on a line of its own with jq -c '.[]'")
	}
	return invalid("not_a_record", "the line is %s, not an object or a string", rawjson.KindOf(src))
}

// decodeText takes the line as text: it is the prompt, or the data of the template.
func (d *Decoder) decodeText(rec *Record, line []byte) *Error {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	if err := checkUTF8("the line", line); err != nil {
		return err
	}
	d.text = rawjson.AppendQuoted(d.text[:0], line)
	rec.Content = d.content(d.text)
	if d.prompt != nil {
		return d.decodeTemplate(rec, nil, string(line))
	}
	d.compose(rec, d.text)
	return nil
}

// SamePrompt reports whether the template makes the same prompt for every record.
func (d *Decoder) SamePrompt() bool { return d.prompt != nil && d.prompt.constant() }

// decodeTemplate makes the prompt from the record's fields. src is the record, if it is an object.
func (d *Decoder) decodeTemplate(rec *Record, src []byte, data any) *Error {
	text, err := d.prompt.execute(data)
	if err != nil {
		return err
	}
	d.text = rawjson.AppendQuoted(d.text[:0], text)
	prompt, err := d.attach(src, d.text)
	if err != nil {
		return err
	}
	d.compose(rec, prompt)
	return nil
}

// content returns the hash of a record that has no id. [GeneratedID] makes one from it.
func (d *Decoder) content(src []byte) [16]byte {
	sum := d.hash.sum("", src)
	return [16]byte(sum[:16])
}

// checkUTF8 rejects text that a JSON string cannot hold; what is its name in the message.
func checkUTF8(what string, text []byte) *Error {
	if utf8.Valid(text) {
		return nil
	}
	i := 0
	for i < len(text) {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		i += size
	}
	return invalid("invalid_utf8", "byte %d of %s, 0x%02X, is not UTF-8; convert the input with iconv -t UTF-8", i+1, what, text[i])
}
