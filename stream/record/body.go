package record

import (
	"bytes"
	"slices"

	"llmpipe/stream/record/rawjson"
)

// rewriting says which members of a line go into the body under another name.
type rewriting struct {
	at     int    // position of the prompt, -1 when the line is a request body already
	prompt []byte // the JSON that goes there: a string, or parts
	system int    // position of the system prompt, -1 when there is none
}

// rewrite makes the body from an object: cut members are left out, missing members are put in
// front, the prompt goes where the endpoint wants it, and every other byte stays.
func (d *Decoder) rewrite(rec *Record, src []byte, how rewriting) {
	s := splice{dst: rec.buf[:0], src: src}
	s.copyTo(1)
	put := d.putMissing(&s, how)
	kept := false
	system := d.system
	if how.system >= 0 {
		system = d.members[how.system].Value.Of(src)
	}
	if how.system >= 0 && d.opt.Endpoint == Chat {
		d.members[how.system].Cut = true // it moves into the messages
	}
	messages := -1
	if how.at < 0 && d.opt.Endpoint == Chat && d.system != nil {
		messages = rawjson.Lookup(d.members, src, "messages")
	}
	for i := range d.members {
		m := &d.members[i]
		if m.Cut {
			d.leaveOut(&s, i, kept)
			continue
		}
		if !kept && put {
			s.put(",")
		}
		kept = true
		switch {
		case i == how.at:
			s.copyTo(m.Key.Start)
			s.dst = d.appendPrompt(rec, s.dst, how.prompt, system)
			s.skipTo(m.Value.End)
		case i == how.system:
			s.copyTo(m.Key.Start)
			s.dst = rawjson.AppendQuoted(s.dst, d.opt.Endpoint.systemMember())
			s.skipTo(m.Key.End)
		case i == messages:
			s.copyTo(m.Value.Start + 1)
			s.dst = appendSystemBefore(s.dst, m.Value.Of(src), d.system)
		}
	}
	s.copyTo(len(src))
	rec.Body, rec.buf = s.dst, s.dst
}

// systemMember is the name of the member that holds the system prompt in a request to the endpoint;
// "" if the system prompt is a message there, or has no place.
func (e Endpoint) systemMember() string {
	switch e {
	case Responses:
		return "instructions"
	case Messages:
		return "system"
	}
	return ""
}

// sets reports whether --set gives a member called name to records that lack it.
func (d *Decoder) sets(name string) bool {
	return slices.ContainsFunc(d.set, func(f Field) bool { return f.Key == name })
}

// putMissing writes the members that the flags give and the record lacks. It reports whether there
// were any.
func (d *Decoder) putMissing(s *splice, how rewriting) bool {
	before := len(s.dst)
	lacks := func(name string) bool { return rawjson.Lookup(d.members, s.src, name) < 0 }
	if d.model != nil && lacks("model") {
		s.dst = rawjson.AppendMember(s.dst, "model", d.model)
	}
	if name := d.opt.Endpoint.systemMember(); name != "" && d.system != nil && how.system < 0 && lacks(name) {
		s.dst = rawjson.AppendMember(s.dst, name, d.system)
	}
	if name, value := d.opt.Endpoint.needs(); name != "" && lacks(name) && !d.sets(name) {
		s.dst = rawjson.AppendMember(s.dst, name, []byte(value))
	}
	for _, f := range d.set {
		if lacks(f.Key) {
			s.dst = rawjson.AppendMember(s.dst, f.Key, f.Value)
		}
	}
	return len(s.dst) > before
}

// leaveOut leaves out a member and one comma: the comma before it if an earlier member was kept,
// else the comma after it.
func (d *Decoder) leaveOut(s *splice, i int, kept bool) {
	m := &d.members[i]
	if kept {
		s.copyTo(s.comma(d.members[i-1].Value.End))
		s.skipTo(m.Value.End)
		return
	}
	s.copyTo(m.Key.Start)
	s.skipTo(s.comma(m.Value.End) + 1)
}

// compose makes the body for a prompt that came without one. The prompt is a JSON string, or parts.
func (d *Decoder) compose(rec *Record, prompt []byte) {
	dst := append(rec.buf[:0], '{')
	if d.model != nil {
		dst = rawjson.AppendMember(dst, "model", d.model)
	}
	if name, value := d.opt.Endpoint.needs(); name != "" && !d.sets(name) {
		dst = rawjson.AppendMember(dst, name, []byte(value))
	}
	if name := d.opt.Endpoint.systemMember(); name != "" && d.system != nil {
		dst = rawjson.AppendMember(dst, name, d.system)
	}
	if len(dst) > 1 {
		dst = append(dst, ',')
	}
	dst = d.appendPrompt(rec, dst, prompt, d.system)
	for _, f := range d.set {
		dst = rawjson.AppendMember(dst, f.Key, f.Value)
	}
	dst = append(dst, '}')
	rec.Body, rec.buf = dst, dst
}

// appendPrompt appends the member that holds the prompt at the endpoint, and notes where its files
// are. At the chat endpoint alone, that member also holds the system prompt; system is nil when
// there is none.
func (d *Decoder) appendPrompt(rec *Record, dst, prompt, system []byte) []byte {
	switch d.opt.Endpoint {
	case Embeddings, Responses:
		dst = append(append(dst, `"input":`...), prompt...)
		d.attached.place(rec, len(dst))
		return dst
	case Completions:
		return append(append(dst, `"prompt":`...), prompt...)
	}
	dst = append(dst, `"messages":[`...)
	if system != nil && d.opt.Endpoint == Chat {
		dst = appendSystem(dst, system)
		dst = append(dst, ',')
	}
	dst = append(dst, `{"role":"user","content":`...)
	dst = append(dst, prompt...)
	d.attached.place(rec, len(dst))
	return append(dst, "}]"...)
}

func appendSystem(dst, system []byte) []byte {
	dst = append(dst, `{"role":"system","content":`...)
	dst = append(dst, system...)
	return append(dst, '}')
}

// appendSystemBefore appends the system message and what separates it from the messages, unless
// they begin with such a message.
func appendSystemBefore(dst, messages, system []byte) []byte {
	first := rawjson.First(messages)
	role := rawjson.MemberOf(first, "role")
	if rawjson.IsString(role) && (rawjson.Says(role, "system") || rawjson.Says(role, "developer")) {
		return dst
	}
	dst = appendSystem(dst, system)
	if first != nil {
		dst = append(dst, ',')
	}
	return dst
}

// splice copies src to dst. Parts of src can be skipped, and other text put in between.
type splice struct {
	dst, src []byte
	at       int // src[:at] has been copied or skipped
}

func (s *splice) copyTo(pos int) {
	if pos > s.at {
		s.dst = append(s.dst, s.src[s.at:pos]...)
		s.at = pos
	}
}

func (s *splice) skipTo(pos int) { s.at = max(s.at, pos) }

func (s *splice) put(text string) { s.dst = append(s.dst, text...) }

// comma returns the position of the next comma from i on. Only white space may come before it.
func (s *splice) comma(i int) int { return i + bytes.IndexByte(s.src[i:], ',') }
