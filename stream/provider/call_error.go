package provider

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"llmpipe/stream/record"
)

// CallError says what went wrong with a call about files, batches or models rather than one record.
type CallError struct {
	// Class says what should happen next, by the same table as for an answer. Something that does not
	// exist, or not yet, is Refused with Status 404.
	Class Class
	// Err says what went wrong; never nil. Its Status is 0 when there was no answer.
	Err *record.Error
	// Hint is the full time that the provider asked us to wait; 0 if it did not say.
	Hint time.Duration
	// Sent says that the provider may have done what it was asked to do, although no answer says so:
	// asking again may do it twice. A call that changes nothing never sets it.
	Sent bool
}

// Error returns the message of Err, led by what kind of error it is.
func (e *CallError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *CallError) Unwrap() error { return e.Err }

// callError makes an error of a reply that has been judged.
func (c *Client) callError(k *call, reply *Reply) *CallError {
	c.redactReply(reply)
	return &CallError{Class: reply.Class, Err: reply.Err, Hint: reply.Hint, Sent: k.mayHaveActed()}
}

// mayHaveActed reports whether the provider may have acted although no answer says so. A 5xx does
// not settle it, least of all one from a gateway.
func (k *call) mayHaveActed() bool {
	told := k.status >= 300 && k.status < 500 && k.status != http.StatusRequestTimeout && k.err == nil
	return k.acts && k.connected() && !told
}

// applyError judges an answer that is not a 2xx.
func (r *Reply) applyError() {
	r.apply(evidence{status: r.Status, header: r.Header, body: r.Body, asked: noPrompt, said: *record.ParseError(r.Body)})
}

// noPrompt is the prompt of a call: it holds nothing that an answer could quote.
var noPrompt = []byte{}

// Object is what the body of a 2xx is expected to hold.
type Object interface {
	// Known reports whether what was read is such an object.
	Known() bool
}

// read parses the 2xx of a call into v. what names that object in a message.
func (c *Client) read(k *call, v Object, what string) error {
	err := json.Unmarshal(k.raw, v)
	// A member of an unexpected type is left out and the others are read: something paid for must not
	// be lost because a date has another form.
	var odd *json.UnmarshalTypeError
	if (err == nil || errors.As(err, &odd)) && v.Known() {
		return nil
	}
	reply := k.reply()
	e := evidence{status: k.status, header: k.header, body: k.raw, asked: noPrompt, said: *record.ParseError(k.raw)}
	var around struct {
		Error json.RawMessage `json:"error"`
	}
	e.embedded = json.Unmarshal(k.raw, &around) == nil && len(around.Error) > 0 && string(around.Error) != "null"
	if !e.embedded {
		e.notJSON = true
		e.said = record.Error{Message: "the answer is not " + what + ": " + e.said.Message}
		if len(k.raw) == 0 {
			e.said.Message = "the answer is empty"
		}
	}
	reply.apply(e)
	return c.callError(k, reply)
}

// AsCallError returns the CallError in err, or nil if there is none.
func AsCallError(err error) *CallError {
	var call *CallError
	errors.As(err, &call)
	return call
}

// PassesAway reports whether the same call may succeed later.
func PassesAway(err error) bool {
	call := AsCallError(err)
	return call != nil && (call.Class == Transient || call.Class == Pressure)
}
