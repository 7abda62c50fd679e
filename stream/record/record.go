package record

import (
	"encoding/hex"
	"strconv"

	"llmpipe/stream/record/attach"
	"llmpipe/stream/record/media"
	"llmpipe/stream/record/rawjson"
	"llmpipe/stream/record/turns"
)

// Record is one decoded line of input: its id, and the request that it makes.
//
// Its slices are valid until the record is decoded into again or the line that it was decoded from
// changes.
type Record struct {
	Line int64  // number of the line in its file, from 1; set by the caller
	File string // name of the file, "" for stdin; set by the caller

	Input []byte // the line as it was read
	ID    []byte // the id, a JSON string or number as it came; nil when the record names none

	// Content is the hash of the record's JSON with keys sorted, without anything from the flags. It
	// is set when ID is nil and the line could be read. GeneratedID makes an id from it.
	Content [16]byte

	Endpoint Endpoint
	Body     []byte // the request body, exactly as it goes out
	Model    string // the body's model, unquoted; "" when it names none

	// Request is the fingerprint of the request: SHA-256 over the endpoint and the body, with keys
	// sorted at every depth, no white space between tokens, and the fewest escapes in strings.
	// Numbers count as they are spelt.
	Request [32]byte

	MaxTokens int    // bound on output tokens for each completion; 0 when the body sets none
	N         int    // completions asked for, at least 1: n; in a completions body the larger of n and best_of, times its prompts
	TextBytes int    // length of the body's text, with three bytes for each token of what is not text
	Priority  string // the record's priority if it is a string, else ""
	Tier      string // the body's service_tier, unquoted; "" when it names none
	// SearchContext is the search_context_size in the body's web_search_options, unquoted; "" when
	// the body sets none.
	SearchContext string
	Verbatim      bool // Body comes from a batch line, to which no flag applies

	// Media are the images, recordings and files in the body. Files are the attached files whose data
	// is not in the body yet, in the order of their marks there.
	Media []media.Part
	Files []attach.File

	continues            bool // the request continues from a prompt that the provider holds
	strays               int  // strings of base64 that belong to none of Media
	modelStart, modelEnd int  // the value of model in Body; both 0 when it has none

	buf []byte // the memory of Body when Body is not a part of the line
}

// Reset clears the record for the next line. It keeps at most a megabyte of memory.
func (r *Record) Reset() {
	buf := r.buf[:0]
	if cap(buf) > keepSize {
		buf = nil
	}
	*r = Record{Media: r.Media[:0], Files: r.Files[:0], buf: buf}
}

// WithModel appends the body to dst with its model replaced; a body that names no model gets it as
// its first member.
func (r *Record) WithModel(dst []byte, model string) []byte {
	if r.modelEnd > 0 {
		dst = append(dst, r.Body[:r.modelStart]...)
		dst = rawjson.AppendQuoted(dst, model)
		return append(dst, r.Body[r.modelEnd:]...)
	}
	if len(r.Body) == 0 {
		return dst
	}
	dst = append(dst, `{"model":`...)
	dst = rawjson.AppendQuoted(dst, model)
	rest := r.Body[1:]
	if c := rawjson.SkipSpace(rest, 0); c < len(rest) && rest[c] != '}' {
		dst = append(dst, ',')
	}
	return append(dst, rest...)
}

// Continue appends two turns to the record's conversation: said, the model's answer as a JSON
// string, and then, the reply to it. If the answer is empty, or the request has no conversation,
// the request stays as it was. An attempt that may still be sending the old body is not affected.
func (r *Record) Continue(said []byte, then string) {
	if rawjson.IsBlank(said) {
		return // providers reject an empty turn
	}
	member := "messages"
	if r.Endpoint == Responses {
		member = "input"
	}
	body, ok := turns.Append(nil, r.Body, member, said, rawjson.AppendQuoted(nil, then))
	if !ok {
		return
	}
	r.TextBytes += len(body) - len(r.Body)
	r.Body = body
	if r.modelEnd > 0 {
		r.modelStart, r.modelEnd = memberAt(body, "model")
	}
}

// memberAt returns the span of the value of an object's last member called name; 0, 0 if there is
// none.
func memberAt(object []byte, name string) (start, end int) {
	for w := rawjson.WalkAt(object, 0); w.Next(); {
		if string(w.Name) == name {
			start, end = w.Start, w.Start+len(w.Value())
		}
	}
	return start, end
}

// GeneratedID returns the id of a record that has none, as a JSON string: the hash of its content
// in hex. From the second record with the same content on, the id also holds the occurrence,
// counted from 1.
func GeneratedID(content [16]byte, occurrence int) []byte {
	id := make([]byte, 0, 2*len(content)+12)
	id = append(id, '"')
	id = hex.AppendEncode(id, content[:])
	if occurrence > 1 {
		id = append(id, '-')
		id = strconv.AppendInt(id, int64(occurrence), 10)
	}
	return append(id, '"')
}
