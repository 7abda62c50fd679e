package record

import (
	"fmt"
	"math"
	"slices"

	"llmpipe/stream/record/attach"
	"llmpipe/stream/record/media"
	"llmpipe/stream/record/rawjson"
)

// partForms holds the endpoints whose requests can have parts besides text.
var partForms = map[Endpoint]attach.Form{Chat: attach.Chat, Responses: attach.Responses, Messages: attach.Messages}

// attachments is the state that a decoder keeps for --attach.
type attachments struct {
	links attach.Links
	parts []byte // the prompt with what is attached, as the endpoint wants it
	files []attach.File
}

// checkAttach rejects options that leave nothing to attach to.
func (d *Decoder) checkAttach() error {
	o := &d.opt
	if len(o.Attach) == 0 {
		return nil
	}
	form, ok := partForms[o.Endpoint]
	switch {
	case !ok:
		return fmt.Errorf("--attach: the %s endpoint takes only text", o.Endpoint)
	case o.Raw:
		return fmt.Errorf("--attach %s needs JSON lines, but --raw-input reads lines as text", o.Attach[0])
	}
	for _, name := range o.Attach {
		if o.Template == "" && (name == "prompt" || name == "system") {
			return fmt.Errorf("--attach %s: this field is the prompt, unless --prompt makes the prompt", name)
		}
	}
	d.attached.links = attach.Links{Form: form, HTTP: o.AttachHTTP}
	return nil
}

// attach takes the fields to attach out of the record's members. It makes parts from the prompt, a
// JSON string, and from the files and URLs in those fields. If they name none, the prompt stays as
// it is.
func (d *Decoder) attach(src, prompt []byte) ([]byte, *Error) {
	a := &d.attached
	a.files = a.files[:0]
	if len(d.opt.Attach) == 0 {
		return prompt, nil
	}
	a.parts = a.links.Form.Begin(a.parts[:0], prompt)
	bare := len(a.parts)
	for _, name := range d.opt.Attach {
		i := rawjson.Lookup(d.members, src, name)
		if i < 0 {
			return nil, invalid("missing_field", "the record has no field %q, which --attach names; %s", name, d.fieldNames(src))
		}
		value := d.members[i].Value.Of(src)
		switch {
		case rawjson.IsNull(value):
			continue
		case rawjson.IsString(value):
			if err := a.add(name, value); err != nil {
				return nil, err
			}
			continue
		case value[0] != '[':
			return nil, invalid("invalid_attachment", "the field %q is %s, not a path, a URL or a list of them", name,
				rawjson.KindOf(value))
		}
		var err *Error
		rawjson.Elements(value, func(one []byte) bool {
			if !rawjson.IsString(one) {
				err = invalid("invalid_attachment", "the list in the field %q contains %s, which is not a path or a URL", name, rawjson.KindOf(one))
			} else {
				err = a.add(name, one)
			}
			return err == nil
		})
		if err != nil {
			return nil, err
		}
	}
	if len(a.parts) == bare {
		return prompt, nil
	}
	a.parts = a.links.Form.End(a.parts)
	return a.parts, nil
}

// add adds the part of a path or a URL, a JSON string in the field called name.
func (a *attachments) add(name string, token []byte) *Error {
	value := string(rawjson.Unquote(nil, token))
	if value == "" {
		return invalid("invalid_attachment", "the field %q contains an empty string, which is not a path or a URL", name)
	}
	a.parts = append(a.parts, ',')
	if !attach.IsLink(value) {
		start := len(a.parts)
		a.parts = attach.AppendMark(a.parts, token)
		a.files = append(a.files, attach.File{Path: value, At: rawjson.Span{Start: start, End: len(a.parts)}})
		return nil
	}
	var err error
	if a.parts, err = a.links.Append(a.parts, value); err != nil {
		return invalid("invalid_attachment", "the field %q: %v", name, err)
	}
	return nil
}

// leaveOut cuts the fields to attach out of a record, whose other fields go into the request.
func (a *attachments) leaveOut(d *Decoder, src []byte) {
	for _, name := range d.opt.Attach {
		d.takeOut(src, name)
	}
}

// place adds the files to rec. end is the position in its body after the prompt.
func (a *attachments) place(rec *Record, end int) {
	start := end - len(a.parts)
	for _, f := range a.files {
		f.At.Start, f.At.End = f.At.Start+start, f.At.End+start
		rec.Files = append(rec.Files, f)
	}
}

// noAttachments rejects a record that already is a request, if flags attach something.
func (d *Decoder) noAttachments() *Error {
	if len(d.opt.Attach) == 0 {
		return nil
	}
	return invalid("attachment_without_place", "the record is already a request, so --attach %s cannot add to it; "+
		"put images and files into its own messages", d.opt.Attach[0])
}

// FileAt returns the span of the mark of the record's i-th file in body, which is the record's own
// body or the same one with another model.
func (r *Record) FileAt(body []byte, i int) rawjson.Span {
	at := r.Files[i].At
	if r.modelEnd == 0 || at.Start >= r.modelEnd {
		longer := len(body) - len(r.Body)
		at.Start, at.End = at.Start+longer, at.End+longer
	}
	return at
}

// PartForm returns the form in which the record's endpoint takes parts besides text.
func (r *Record) PartForm() attach.Form { return partForms[r.Endpoint] }

// Looked adds the record's files to its media and to its token count, once they have been
// inspected. Their data is not in the body.
func (r *Record) Looked() {
	known := len(r.Media)
	for i := range r.Files {
		r.Media = append(r.Media, r.Files[i].Part)
	}
	tokens := media.Count(r.Model, r.Media[known:]).Context
	r.TextBytes = int(min(int64(r.TextBytes)+tokens*tokenBytes, math.MaxInt32))
}

// HasMedia reports whether the body holds media of a kind, or will once its files are in it.
func (r *Record) HasMedia(kind media.Kind) bool {
	return slices.ContainsFunc(r.Media, func(p media.Part) bool { return p.Kind == kind })
}

// LookedAt reports whether the record's files, if it has any, have been inspected.
func (r *Record) LookedAt() bool {
	return !slices.ContainsFunc(r.Files, func(f attach.File) bool { return f.Part.Kind == media.None })
}

// moveFiles shifts the marks of the files after put bytes were inserted into the body at a
// position.
func (r *Record) moveFiles(at, put int) {
	for i := range r.Files {
		if f := &r.Files[i]; f.At.Start >= at {
			f.At.Start, f.At.End = f.At.Start+put, f.At.End+put
		}
	}
}
