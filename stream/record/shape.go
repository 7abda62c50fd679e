package record

import (
	"strings"

	"llmpipe/stream/record/rawjson"
)

// decodeObject finds the shape of an object, and makes its request. src is the object, without
// white space around it. Its members are in d.members.
func (d *Decoder) decodeObject(rec *Record, src []byte) *Error {
	err := d.readID(rec, src)
	if rec.ID == nil {
		rec.Content = d.content(src)
	}
	if err != nil {
		return err
	}
	rec.Priority = d.readPriority(src)
	if d.prompt != nil {
		if failed := rawjson.ValueOf(d.members, src, "error"); !rawjson.IsNull(failed) {
			return upstreamError(failed)
		}
		data, _ := objectAt(src, 0)
		return d.decodeTemplate(rec, src, data)
	}
	return d.decodeShape(rec, src)
}

func (d *Decoder) decodeShape(rec *Record, src []byte) *Error {
	has := func(name string) bool { return rawjson.Lookup(d.members, src, name) >= 0 }
	endpoint := d.opt.Endpoint
	switch body := rawjson.ValueOf(d.members, src, "body"); {
	case body != nil && d.hasCustomID(src):
		return d.decodeBatchLine(rec, src, body)
	case has("params") && d.hasCustomID(src):
		return d.decodeParams(rec, src)
	case has("input") && endpoint.takesInput():
		return d.decodeRequest(rec, src)
	case has("messages"):
		return d.decodeMessages(rec, src)
	case has("prompt"):
		if endpoint == Completions {
			return d.decodeRequest(rec, src)
		}
		return d.decodeSimple(rec, src)
	case has("input"):
		return invalid("input_without_endpoint",
			"the record has `input`, which the %s endpoint does not take; use --endpoint embeddings or --endpoint responses", endpoint)
	case !rawjson.IsNull(rawjson.ValueOf(d.members, src, "error")):
		return upstreamError(rawjson.ValueOf(d.members, src, "error"))
	}
	return invalid("unknown_shape", "the record has none of `prompt`, `messages`, `input`, or `custom_id` with `body` or `params`; %s",
		d.fieldNames(src))
}

// hasCustomID reports whether the object has a custom_id, even one that was taken out as the id.
func (d *Decoder) hasCustomID(src []byte) bool {
	for i := range d.members {
		if d.members[i].Is(src, "custom_id") {
			return true
		}
	}
	return false
}

// readID takes the record's id out of its members: the --id-field, else custom_id, else id.
func (d *Decoder) readID(rec *Record, src []byte) *Error {
	if name := d.opt.IDField; name != "" {
		id := d.takeOut(src, name)
		if !rawjson.IsString(id) && !rawjson.IsNumber(id) {
			if id == nil {
				return invalid("missing_id", "the record has no field %q for an id; %s", name, d.fieldNames(src))
			}
			return invalid("missing_id", "the field %q is %s; an id must be a string or a number", name, rawjson.KindOf(id))
		}
		rec.ID = id
		return nil
	}
	plain, custom := d.takeOut(src, "id"), d.takeOut(src, "custom_id")
	name, id := "custom_id", custom
	if rawjson.IsNull(id) {
		name, id = "id", plain
	}
	switch {
	case rawjson.IsNull(id):
		return nil
	case !rawjson.IsString(id) && !rawjson.IsNumber(id):
		return invalid("invalid_id", "`%s` is %s; an id must be a string or a number", name, rawjson.KindOf(id))
	}
	rec.ID = id
	return nil
}

// takeOut cuts all members called name, and returns the value of the last; nil if there is none.
func (d *Decoder) takeOut(src []byte, name string) []byte {
	var value []byte
	for i := range d.members {
		if m := &d.members[i]; !m.Cut && m.Is(src, name) {
			m.Cut = true
			value = m.Value.Of(src)
		}
	}
	return value
}

// readPriority takes the priority out of the members, if it is a string. A number there is a
// vendor's field, and stays.
func (d *Decoder) readPriority(src []byte) string {
	i := rawjson.Lookup(d.members, src, "priority")
	if i < 0 || !rawjson.IsString(d.members[i].Value.Of(src)) {
		return ""
	}
	return intern(&d.lastPriority, d.takeOut(src, "priority"))
}

// intern returns the text of a JSON string. If that is the same as the last text, it returns the
// last string again, without a copy.
func intern(last *string, token []byte) string {
	if inner := token[1 : len(token)-1]; *last != string(inner) || strings.IndexByte(*last, '\\') >= 0 {
		*last = string(rawjson.Unquote(nil, token))
	}
	return *last
}

// fieldNames lists the names of the fields that a record has, for a message.
func (d *Decoder) fieldNames(src []byte) string {
	if len(d.members) == 0 {
		return "it is empty"
	}
	var names []string
	for _, m := range d.members {
		names = append(names, string(rawjson.Unquote(nil, m.Key.Of(src))))
	}
	return "it has " + listed(names)
}

// listed joins names for a message, which shows the first ten.
func listed(names []string) string {
	const most = 10
	if len(names) > most {
		names = append(names[:most:most], "…")
	}
	return strings.Join(names, ", ")
}

// decodeBatchLine takes an OpenAI batch line, whose body is sent as it is.
func (d *Decoder) decodeBatchLine(rec *Record, src, body []byte) *Error {
	if url := rawjson.ValueOf(d.members, src, "url"); !rawjson.IsNull(url) {
		endpoint, ok := endpointOfToken(url)
		if !ok {
			return invalid("unknown_endpoint", "the url %s is not one of %s", url, paths())
		}
		if spoken := d.opt.Endpoint.Dialect(); endpoint.Dialect() != spoken {
			return invalid("other_dialect", "the url %s belongs to %s's API, but --endpoint %s uses %s's", url, endpoint.Dialect(),
				d.opt.Endpoint, spoken)
		}
		rec.Endpoint = endpoint
	}
	if method := rawjson.ValueOf(d.members, src, "method"); !rawjson.IsNull(method) && !strings.EqualFold(string(method), `"POST"`) {
		return invalid("unsupported_method", "the method is %s; only POST is supported", method)
	}
	if body[0] != '{' {
		return invalid("invalid_body", "`body` is %s, not an object", rawjson.KindOf(body))
	}
	rec.Body, rec.Verbatim = body, true
	return d.noAttachments()
}

// decodeParams takes a line of Anthropic's Message Batches, whose params are sent as they are
// (platform.claude.com/docs/en/api/messages/batches/create).
func (d *Decoder) decodeParams(rec *Record, src []byte) *Error {
	if d.opt.Endpoint != Messages {
		return invalid("other_dialect", "the record has `params`, as lines of Anthropic's batches do, but the endpoint is %s; "+
			"use --endpoint messages", d.opt.Endpoint)
	}
	params := rawjson.ValueOf(d.members, src, "params")
	if params[0] != '{' {
		return invalid("invalid_body", "`params` is %s, not an object", rawjson.KindOf(params))
	}
	rec.Body, rec.Verbatim = params, true
	return d.noAttachments()
}

// endpointOfToken is EndpointOf for a JSON value.
func endpointOfToken(url []byte) (Endpoint, bool) {
	if !rawjson.IsString(url) {
		return 0, false
	}
	for i, e := range endpoints {
		if string(url[1:len(url)-1]) == e.path {
			return Endpoint(i), true
		}
	}
	return EndpointOf(string(rawjson.Unquote(nil, url)))
}

func paths() string {
	var all []string
	for _, e := range endpoints {
		all = append(all, e.path)
	}
	return strings.Join(all, ", ")
}

// decodeMessages takes an object with messages, which is a request body.
func (d *Decoder) decodeMessages(rec *Record, src []byte) *Error {
	if !d.opt.Endpoint.takesMessages() {
		return invalid("messages_without_endpoint",
			"the record has `messages`, which the %s endpoint does not take; use --endpoint chat", d.opt.Endpoint)
	}
	if messages := rawjson.ValueOf(d.members, src, "messages"); messages[0] != '[' {
		return invalid("invalid_messages", "`messages` is %s, not an array", rawjson.KindOf(messages))
	}
	return d.decodeRequest(rec, src)
}

// decodeRequest takes an object that is a request body.
func (d *Decoder) decodeRequest(rec *Record, src []byte) *Error {
	if err := d.noAttachments(); err != nil {
		return err
	}
	if d.opt.Endpoint == Completions && rawjson.Lookup(d.members, src, "system") >= 0 {
		return invalid("system_without_place", "the record has `system`, but the completions endpoint has no place for a system prompt")
	}
	d.rewrite(rec, src, rewriting{at: -1, system: -1})
	return nil
}

// decodeSimple takes an object with prompt, and maybe system, which become what the endpoint wants.
func (d *Decoder) decodeSimple(rec *Record, src []byte) *Error {
	endpoint := d.opt.Endpoint
	how := rewriting{at: rawjson.Lookup(d.members, src, "prompt"), system: rawjson.Lookup(d.members, src, "system")}
	how.prompt = d.members[how.at].Value.Of(src)
	if !rawjson.IsString(how.prompt) {
		return invalid("invalid_prompt", "`prompt` is %s, not a string", rawjson.KindOf(how.prompt))
	}
	var err *Error
	if how.prompt, err = d.attach(src, how.prompt); err != nil {
		return err
	}
	d.attached.leaveOut(d, src)
	d.cutOthers(src, "prompt", how.at)
	if how.system >= 0 {
		system := d.members[how.system].Value.Of(src)
		switch {
		case rawjson.IsNull(system):
			d.takeOut(src, "system")
			how.system = -1
		case endpoint == Messages && system[0] == '[': // blocks; one of them may be marked for the cache
			d.cutOthers(src, "system", how.system)
		case !rawjson.IsString(system):
			return invalid("invalid_system", "`system` is %s, not a string", rawjson.KindOf(system))
		case !endpoint.takesSystem():
			return invalid("system_without_place", "the record has `system`, but the %s endpoint has no place for a system prompt", endpoint)
		case endpoint == Responses && rawjson.Lookup(d.members, src, "instructions") >= 0:
			return invalid("invalid_system", "the record has both `system` and `instructions`, which mean the same; leave one out")
		default:
			d.cutOthers(src, "system", how.system)
		}
	}
	d.rewrite(rec, src, how)
	return nil
}

// cutOthers cuts the members called name that come before the last one, which counts.
func (d *Decoder) cutOthers(src []byte, name string, last int) {
	for i := range d.members[:last] {
		if d.members[i].Is(src, name) {
			d.members[i].Cut = true
		}
	}
}
