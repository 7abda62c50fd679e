package provider

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"llmpipe/stream/record"
)

// CallError says what went wrong with a call that is not about one record, but about files or
// batches.
type CallError struct {
	// Class says what should happen next, by the same table as that of an answer. What is not
	// there, or not yet, is Refused with Status 404.
	Class Class
	// Err says what went wrong; never nil. Its Status is 0 when there was no answer.
	Err *record.Error
	// Hint is how long the provider asked us to wait, whole; 0 when it did not say.
	Hint time.Duration
	// Sent says that the provider may have done what it was asked to do, although it gave no answer
	// that says so: to ask again may be to do it twice. It is never set by a call that changes
	// nothing.
	Sent bool
}

// Error returns the message, led by what the error is.
func (e *CallError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *CallError) Unwrap() error { return e.Err }

// callError makes an error of a reply that has been judged.
func (c *Client) callError(k *call, reply *Reply) *CallError {
	c.redactReply(reply)
	return &CallError{Class: reply.Class, Err: reply.Err, Hint: reply.Hint, Sent: k.mayHaveActed()}
}

// mayHaveActed tells whether the provider may have acted although no answer says so. A 5xx says
// nothing of it, and a gateway's least.
func (k *call) mayHaveActed() bool {
	told := k.status >= 300 && k.status < 500 && k.status != http.StatusRequestTimeout && k.err == nil
	return k.acts && k.connected() && !told
}

// applyError judges an answer that is no 2xx.
func (r *Reply) applyError() {
	r.apply(evidence{status: r.Status, header: r.Header, body: r.Body, asked: noPrompt, said: *record.ParseError(r.Body)})
}

// noPrompt is what a call asks: nothing that its answer could quote.
var noPrompt = []byte{}

// Object is what the body of a 2xx is to hold.
type Object interface {
	// Known tells whether what was read is such an object.
	Known() bool
}

// read reads the 2xx of a call into v, which what names for a message.
func (c *Client) read(k *call, v Object, what string) error {
	err := json.Unmarshal(k.raw, v)
	// A member of an odd type is left out and the others are read: what was paid for must not be
	// lost to a date in another form.
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

// AsCallError is what err says of a call, nil when it is not of one.
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
