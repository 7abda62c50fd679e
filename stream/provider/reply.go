package provider

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"syscall"
	"time"

	"llmpipe/stream/record"
)

// Reply is all there is to know about one attempt. It may be reused for the next: its buffer is kept.
type Reply struct {
	// Class says what the reply means, and with it what should happen next.
	Class Class
	// Err says what went wrong; nil when Class is OK.
	Err *record.Error
	// Answer is the parsed body when Class is OK. Its slices alias Body.
	Answer record.Answer
	// Body is what came back, raw; empty when nothing did.
	Body []byte
	// Status is the HTTP status, 0 when there was no answer.
	Status int
	// Header is the response's, nil when there was no answer.
	Header http.Header
	// Hint is how long the provider asked us to wait, whole; 0 when it did not say.
	Hint time.Duration
	// Start is when the attempt began.
	Start time.Time
	// Latency is the time from the start of the attempt to the last byte of the answer.
	Latency time.Duration
	// Sent says that the request may have reached the provider, and be billed, although no answer was understood.
	Sent bool
	// BodyInUse says that the transport may still be reading the request's body, so that its memory must not be written to: an attempt
	// that failed or was refused may have ended before everything was sent. It stays set in a Reply that is used again.
	BodyInUse bool
}

func (r *Reply) reset() {
	*r = Reply{Body: r.Body[:0], BodyInUse: r.BodyInUse}
}

// judge parses a complete HTTP answer and applies the table.
func (r *Reply) judge(endpoint record.Endpoint) {
	e := evidence{status: r.Status, header: r.Header, body: r.Body}
	var notJSON error
	if e.success() {
		r.Answer, notJSON = record.ParseAnswer(endpoint, r.Body)
		e.notJSON = notJSON != nil
		e.answered = !e.notJSON && r.Answer.Choices > 0
		e.embedded = !e.notJSON && r.Answer.Error != nil
	}
	if !e.success() || e.embedded {
		e.said = *record.ParseError(r.Body)
	}
	r.Sent = e.success() && !r.Answer.HasUsage
	r.apply(e)
	switch {
	case r.Class == OK:
	case len(bytes.TrimSpace(r.Body)) == 0 && notJSON != nil:
		r.Err.Message = "the answer is empty"
	case notJSON != nil:
		r.Err.Message = notJSON.Error()
	case e.success() && !e.embedded:
		r.Err.Message = "the answer holds no choice and no embedding"
	}
}

// apply looks e up in the table, and says what went wrong in the provider's words where there are any, else in the table's.
func (r *Reply) apply(e evidence) {
	rule := e.rule()
	r.Class = rule.Class
	if r.Class == OK {
		return
	}
	said := e.said
	said.Status = r.Status
	if said.Type == "" || rule.Type != "" {
		said.Type = cmp.Or(rule.Type, "refused")
	}
	if said.Message == "" {
		said.Message = rule.When
	}
	r.Err = &said
	if r.Class == Pressure || r.Class == Transient {
		r.Hint = hint(r.Header, r.Body, time.Now())
	}
}

// unanswered says why there is no whole answer. ctx is the caller's, and bounded what was made of it for the attempt; late words that the
// attempt took too long.
func (r *Reply) unanswered(ctx, bounded context.Context, err error, late string) {
	switch {
	case ctx.Err() != nil:
		r.Class = Cancelled
		r.Err = &record.Error{Type: "cancelled", Message: "cancelled before the answer came"}
		r.Sent = true
	case errors.Is(context.Cause(bounded), errTimeout):
		r.fail("timeout", late)
		r.Sent = true
	default:
		r.failNetwork(err)
	}
}

// Unreached reports whether there was nobody to answer: no connection was made, or a gateway found nobody behind it.
func (r *Reply) Unreached() bool {
	return r.Class == Transient && !r.Sent && (r.Status == 0 || is(r.Status, 502, 503, 504))
}

func (r *Reply) fail(kind, message string) {
	r.Class = Transient
	r.Err = &record.Error{Type: kind, Message: message}
}

// failNetwork says in few words why there was no answer at all.
func (r *Reply) failNetwork(err error) {
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case errors.Is(err, errTooLarge):
		r.Class = Refused
		r.Err = &record.Error{Type: "response_too_large", Message: err.Error()}
		r.Sent = true
	case errors.As(err, &dns):
		r.fail("network", "looking up "+dns.Name+": "+dns.Err)
	case errors.Is(err, syscall.ECONNREFUSED):
		r.fail("network", "connection refused")
		if errors.As(err, &op) && op.Addr != nil {
			r.Err.Message = "connection refused by " + op.Addr.String()
		}
	case errors.Is(err, syscall.ECONNRESET):
		r.fail("network", "connection reset")
		r.Sent = true
	case errors.Is(err, context.DeadlineExceeded):
		r.fail("timeout", "time-out while connecting")
	case isCertificateError(err):
		r.Class = Fatal
		r.Err = &record.Error{Type: "tls", Message: err.Error()}
	default:
		r.fail("network", err.Error())
		r.Sent = !errors.As(err, &op) || op.Op != "dial"
	}
}
