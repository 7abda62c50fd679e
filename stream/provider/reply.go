package provider

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"llmpipe/stream/provider/hint"
	"llmpipe/stream/record"
	"llmpipe/stream/record/mend"
	"llmpipe/stream/record/usage"
)

// Reply is everything known about one attempt. It may be reused for the next attempt, which reuses
// its buffer.
type Reply struct {
	// Class says what the reply means, and so what should happen next.
	Class Class
	// Err says what went wrong; nil when Class is OK.
	Err *record.Error
	// Answer is the parsed body when Class is OK. Its slices alias Body.
	Answer record.Answer
	// Body is what came back; empty if nothing did. The body of an answer has no white space between
	// its tokens.
	Body []byte
	// Status is the HTTP status; 0 if there was no answer.
	Status int
	// Header is the response's; nil if there was no answer.
	Header http.Header
	// Hint is the full time that the provider asked us to wait; 0 if it did not say.
	Hint time.Duration
	// Billed says that a 2xx holds no answer although it states usage or a cost, or that it is
	// complete but cannot be read. Asking again means paying again.
	Billed bool
	// Foreign says that a 2xx is not what such an API returns: a web page, say, or an error about the
	// path.
	Foreign bool
	// Start is when the attempt began.
	Start time.Time
	// Latency is the time from the start of the attempt to the last byte of the answer.
	Latency time.Duration
	// Sent says that the request may have reached the provider and be billed, although nothing states
	// what it cost.
	Sent bool
	// Shared says that the attempt failed together with a connection that other attempts share, and
	// that one of those reports the failure. Together they are one failure.
	Shared bool
	// Stale says that the request apparently met a kept connection that was already closing, so that
	// it does not count as an attempt. The next attempt with this Reply goes over a new connection.
	Stale bool
	held  holding // what Body takes of the memory shared by clients

	// BodyInUse says that the transport may still be reading the request's body, so its memory must
	// not be written to: an attempt that failed or was refused may have ended before everything was
	// sent. It stays set in a Reply that is reused.
	BodyInUse bool
}

func (r *Reply) reset() {
	r.LetGo()
	*r = Reply{Body: r.Body[:0], BodyInUse: r.BodyInUse}
}

// Anew returns a Reply for another request for the same record. The old Reply must not be used
// again.
func (r *Reply) Anew() Reply { return Reply{Body: r.Body[:0], BodyInUse: r.BodyInUse} }

// LetGo releases a large body that will not be read any more. It may be called twice.
func (r *Reply) LetGo() {
	r.held.letGo()
	if cap(r.Body) > smallBody {
		r.Body = nil
	}
}

// StepBack says that the body will be let go only after others have come. If it was let ahead
// although memory was full, the next body may now go ahead.
func (r *Reply) StepBack() { r.held.stepBack() }

// settle accounts for the body that is kept. Of a large body that is not an answer, only the start
// is kept, in case it has to be looked at again.
func (r *Reply) settle() {
	const glance = 512
	switch {
	case cap(r.Body) <= smallBody:
		r.held.letGo()
	case r.Class == OK:
		r.held.keep(int64(cap(r.Body)))
	default:
		start := bytes.Clone(r.Body[:min(glance, len(r.Body))])
		r.LetGo()
		r.Body = start
	}
}

// judge parses a complete HTTP answer to the request body asked, and applies the table. asked is
// nil if that body is not at hand.
func (r *Reply) judge(endpoint record.Endpoint, asked []byte, from room) {
	var unread error
	if mayBePacked(r.Body, r.Header) {
		r.Body, unread = unpacked(r.Body, r.Header, from)
	}
	if errors.Is(unread, errTooLarge) {
		r.failNetwork(unread)
		return
	}
	e := evidence{status: r.Status, header: r.Header, body: r.Body, asked: asked}
	switch {
	case !e.success():
		e.said = *record.ParseError(r.Body)
	case unread != nil:
		e.notJSON = true
	default:
		unread = r.read(endpoint, &e)
	}
	if e.success() && !r.Answer.HasStated {
		r.Answer.Stated, r.Answer.HasStated = statedCost(r.Header)
	}
	r.Sent = e.success() && !r.Answer.HasUsage && !r.Answer.HasStated
	r.Billed = !e.answered && (r.Answer.HasUsage && r.Answer.Usage.Total > 0 || r.Answer.Stated.Nanos > 0 || unread != nil && r.complete())
	r.Foreign = e.foreign(&r.Answer)
	r.apply(e)
	switch {
	case r.Class == OK || e.embedded || !e.success():
	case unread != nil:
		r.Err.Message = unread.Error()
	case e.broken:
		r.Err.Message = "the answer broke off: its finish_reason is " + string(r.Answer.FinishReason)
	case e.pending:
		r.Err.Message = "the answer is a background job, which llmpipe does not wait for; leave `background` out"
	default:
		r.Err.Message = "the answer has no choice and no embedding"
	}
}

// statedCost returns the cost of an answer that a gateway states in a header, as LiteLLM's proxy
// does (docs.litellm.ai/docs/proxy/response_headers). There, 0 means that it knows no price for the
// model.
func statedCost(header http.Header) (cost usage.Cost, ok bool) {
	cost, ok = usage.ParseCost(header.Get("X-Litellm-Response-Cost"))
	return cost, ok && cost != usage.Cost{}
}

// read parses the body of a 2xx and notes what it is. A body that cannot be read as it came is
// mended first. The error says why it cannot be read.
func (r *Reply) read(endpoint record.Endpoint, e *evidence) (unread error) {
	r.Answer, r.Body, unread = record.TakeAnswer(endpoint, r.Body)
	if unread != nil {
		if mended, ok := mend.Answer(r.Body); ok {
			r.Answer, r.Body, unread = record.TakeAnswer(endpoint, mended)
		}
	}
	e.body = r.Body
	if unread != nil {
		e.notJSON = true
		return r.named(unread)
	}
	a := &r.Answer
	e.answered = a.Choices > 0 || a.Stopped() // a response that says why it is empty is an answer
	e.broken, e.pending = e.answered && a.Broken(), a.Choices == 0 && a.Pending()
	e.embedded = a.Error != nil
	switch {
	case e.embedded:
		e.said = *record.ParseError(r.Body)
	case !e.answered && !e.pending:
		// Servers without an `error` member report errors in other members.
		if said := record.FindError(r.Body); said != nil {
			e.said, e.embedded = *said, true
		}
	}
	return nil
}

// complete reports whether a body that cannot be read did arrive in full. Another attempt would
// hardly bring anything else.
func (r *Reply) complete() bool {
	body := bytes.TrimSpace(r.Body)
	return bytes.HasPrefix(body, []byte("{")) && bytes.HasSuffix(body, []byte("}")) || bytes.HasSuffix(body, []byte("[DONE]")) ||
		strings.Contains(r.Header.Get("Content-Encoding"), "br")
}

// named returns an error that says what an unreadable body is, if that can be told; else it returns
// unread.
func (r *Reply) named(unread error) error {
	body := bytes.TrimSpace(r.Body)
	_, shown, _ := strings.Cut(unread.Error(), record.ErrNotJSON.Error()+": ")
	switch kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); {
	case len(body) == 0:
		return errors.New("the answer is empty")
	case kind == "text/event-stream", bytes.HasPrefix(body, []byte("data:")), bytes.HasPrefix(body, []byte("event:")):
		return errors.New("the answer is a stream that breaks off or cannot be read; try --set stream=false: " + shown)
	case bytes.HasPrefix(body, []byte("<")):
		return errors.New("the answer is a web page, not JSON: " + shown)
	}
	return unread
}

// apply looks e up in the table. It says what went wrong in the provider's words if there are any,
// else in the table's.
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
	if r.Class == Pressure || r.Class == Transient || r.Class == Exhausted {
		r.Hint = hint.Of(r.Header, r.Body, time.Now())
	}
	if r.Class == Exhausted && r.Hint <= nearReset {
		r.Hint = 0 // it says nothing about the quota that is used up
	}
}

// unanswered says why there is no complete answer. ctx is the caller's context, and bounded the one
// derived from it for the attempt. late is the message if the attempt took too long.
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

// Overloaded reports whether the provider wants less because it is overloaded, rather than because
// of a limit of the account.
func (r *Reply) Overloaded() bool {
	return r.Class == Pressure && (is(r.Status, 503, 529) || r.Err.Type == "overloaded")
}

// MayBeBilled reports whether the attempt may be billed without a statement of what for. Its answer
// never came, or could not be read, or was lost by a gateway or the provider's own front end after
// the model had begun. A request that is turned away at the door, as by a 429 or a 503, is not
// billed.
func (r *Reply) MayBeBilled() bool {
	return r.Sent || (r.Class == Transient || r.Class == Refused) && is(r.Status, ranOn...)
}

// ranOn are the statuses that do not say whether the model ran: 500, the gateways' 502 and 504, 408
// (which some send for an answer that came too late), nginx's 499, and Cloudflare's 520 and 524
// (developers.cloudflare.com/support/troubleshooting/http-status-codes).
var ranOn = []int{408, 499, 500, 502, 504, 520, 524}

// Unreached reports whether no server was there to answer: no connection was made, or a gateway
// found no server behind it.
func (r *Reply) Unreached() bool {
	return r.Class == Transient && !r.Sent && (r.Status == 0 || is(r.Status, 502, 503, 504))
}

func (r *Reply) fail(kind, message string) {
	r.Class = Transient
	r.Err = &record.Error{Type: kind, Message: message}
}

// failNetwork says briefly why there was no answer at all.
func (r *Reply) failNetwork(err error) {
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case errors.Is(err, errTooLarge):
		r.Class = Refused
		r.Err = &record.Error{Type: "response_too_large", Message: err.Error()}
		r.Sent = true
	case lacking(err):
		r.Class = Pressure
		r.Err = &record.Error{Type: "network", Message: err.Error()}
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

// lacking reports whether there is no connection because this machine ran out of descriptors,
// buffers or ports. That passes when other requests end, and is not the provider's failure. The
// error of a failed name lookup gives the reason only in its text.
func lacking(err error) bool {
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.EADDRNOTAVAIL} {
		var dns *net.DNSError
		if errors.Is(err, errno) || errors.As(err, &dns) && strings.Contains(dns.Err, errno.Error()) {
			return true
		}
	}
	return false
}

// JudgeFault returns what the table makes of fault, the reason why a batch failed as a whole.
func JudgeFault(fault *record.Error) Class {
	e := evidence{status: http.StatusOK, unasked: true, said: *fault}
	return e.rule().Class
}

// JudgeBatch fills r, whose buffer it reuses, from a line of a batch's output or error file, as Ask
// does from an HTTP answer. It sets Class, Err, Answer, Status and Body. If the line has no answer
// but an error of its own, such as batch_expired, the model was never asked. Then the class is
// Transient, unless the table has a more specific rule for the error. out may be reused afterwards.
func (r *Reply) JudgeBatch(endpoint record.Endpoint, out *record.BatchOutput) {
	r.reset()
	r.Status = out.Status
	r.Body = append(r.Body, out.Body...)
	if out.Err == nil || len(out.Body) > 0 {
		r.judge(endpoint, nil, room{})
		return
	}
	e := evidence{status: out.Status, said: *out.Err}
	if e.status == 0 {
		e.status, e.unasked = http.StatusOK, true
	}
	e.embedded = e.success()
	r.apply(e)
}
