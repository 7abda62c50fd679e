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

// Reply is all there is to know about one attempt. It may be reused for the next: its buffer is
// kept.
type Reply struct {
	// Class says what the reply means, and with it what should happen next.
	Class Class
	// Err says what went wrong; nil when Class is OK.
	Err *record.Error
	// Answer is the parsed body when Class is OK. Its slices alias Body.
	Answer record.Answer
	// Body is what came back; empty when nothing did. An answer's is without white space between its
	// tokens.
	Body []byte
	// Status is the HTTP status, 0 when there was no answer.
	Status int
	// Header is the response's, nil when there was no answer.
	Header http.Header
	// Hint is how long the provider asked us to wait, whole; 0 when it did not say.
	Hint time.Duration
	// Billed says that a 2xx has usage and nothing in it, or has all there is and cannot be read:
	// to ask again is to pay again.
	Billed bool
	// Foreign says that a 2xx is not what such an API answers: a web page, say, or an error about
	// the path.
	Foreign bool
	// Start is when the attempt began.
	Start time.Time
	// Latency is the time from the start of the attempt to the last byte of the answer.
	Latency time.Duration
	// Sent says that the request may have reached the provider, and be billed, although no answer
	// was understood.
	Sent bool
	// Shared says that the attempt failed with a connection that others share, and that one of
	// those tells of it: together they are one failure.
	Shared bool
	// Stale says that the request met a kept connection whose end had been decided before it came,
	// as it seems, so that it is no attempt. The next attempt with this Reply goes over a new one.
	Stale bool
	held  holding // what Body takes of the memory that clients share

	// BodyInUse says that the transport may still be reading the request's body, so that its memory
	// must not be written to: an attempt that failed or was refused may have ended before
	// everything was sent. It stays set in a Reply that is used again.
	BodyInUse bool
}

func (r *Reply) reset() {
	r.LetGo()
	*r = Reply{Body: r.Body[:0], BodyInUse: r.BodyInUse}
}

// Anew is a Reply for another request of the same record. The old one is not to be used again.
func (r *Reply) Anew() Reply { return Reply{Body: r.Body[:0], BodyInUse: r.BodyInUse} }

// LetGo lets a large body go, which is not read any more. It may be called twice.
func (r *Reply) LetGo() {
	r.held.letGo()
	if cap(r.Body) > smallBody {
		r.Body = nil
	}
}

// StepBack says that the body will be let go only after others have come: where it goes ahead of
// what there is memory for, the next may.
func (r *Reply) StepBack() { r.held.stepBack() }

// settle makes the reply count as what is left of the body: of one that is no answer, that is what
// may have to be looked at again.
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

// judge parses a complete HTTP answer to asked, nil where that is not at hand, and applies the
// table.
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
		r.Err.Message = "the answer is a job in the background, and such are not waited for; ask without `background`"
	default:
		r.Err.Message = "the answer holds no choice and no embedding"
	}
}

// statedCost is what a gateway says in a header that an answer costs: LiteLLM's proxy does
// (docs.litellm.ai/docs/proxy/response_headers). Its 0 is that of a model of which it knows no
// price.
func statedCost(header http.Header) (cost usage.Cost, ok bool) {
	cost, ok = usage.ParseCost(header.Get("X-Litellm-Response-Cost"))
	return cost, ok && cost != usage.Cost{}
}

// read parses the body of a 2xx, which is mended where it is no JSON as it came, and notes what it
// is. The error says why it cannot be read.
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
	e.answered = a.Choices > 0 || a.Stopped() // a response that says why there is nothing in it is one
	e.broken, e.pending = e.answered && a.Broken(), a.Choices == 0 && a.Pending()
	e.embedded = a.Error != nil
	switch {
	case e.embedded:
		e.said = *record.ParseError(r.Body)
	case !e.answered && !e.pending:
		// Servers that know no `error` tell of one in other members.
		if said := record.FindError(r.Body); said != nil {
			e.said, e.embedded = *said, true
		}
	}
	return nil
}

// complete tells whether a body that cannot be read came to its end all the same: the next would
// hardly be of another kind.
func (r *Reply) complete() bool {
	body := bytes.TrimSpace(r.Body)
	return bytes.HasPrefix(body, []byte("{")) && bytes.HasSuffix(body, []byte("}")) || bytes.HasSuffix(body, []byte("[DONE]")) ||
		strings.Contains(r.Header.Get("Content-Encoding"), "br")
}

// named says what a body is that cannot be read, where that shows.
func (r *Reply) named(unread error) error {
	body := bytes.TrimSpace(r.Body)
	_, shown, _ := strings.Cut(unread.Error(), record.ErrNotJSON.Error()+": ")
	switch kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); {
	case len(body) == 0:
		return errors.New("the answer is empty")
	case kind == "text/event-stream", bytes.HasPrefix(body, []byte("data:")), bytes.HasPrefix(body, []byte("event:")):
		return errors.New("the answer is a stream that breaks off or cannot be read; --set stream=false may help: " + shown)
	case bytes.HasPrefix(body, []byte("<")):
		return errors.New("the answer is a web page, not JSON: " + shown)
	}
	return unread
}

// apply looks e up in the table, and says what went wrong in the provider's words where there are
// any, else in the table's.
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
		r.Hint = 0 // it is no word of what is used up
	}
}

// unanswered says why there is no whole answer. ctx is the caller's, and bounded what was made of
// it for the attempt; late words that the attempt took too long.
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

// Overloaded reports whether the provider wants less because it is overloaded, as against a limit
// of the account's.
func (r *Reply) Overloaded() bool {
	return r.Class == Pressure && (is(r.Status, 503, 529) || r.Err.Type == "overloaded")
}

// MayBeBilled reports whether the attempt may be billed although nobody said for what: its answer
// never came, or could not be read, or a gateway or the provider's own front lost it after the
// model had begun. What is turned away at the door, as by a 429 or a 503, is not billed.
func (r *Reply) MayBeBilled() bool {
	return r.Sent || (r.Class == Transient || r.Class == Refused) && is(r.Status, ranOn...)
}

// ranOn are the statuses that say nothing of whether the model ran: 500, the gateways' 502 and 504,
// 408, which some have for an answer that came too late, nginx's 499, and Cloudflare's 520 and 524
// (developers.cloudflare.com/support/troubleshooting/http-status-codes).
var ranOn = []int{408, 499, 500, 502, 504, 520, 524}

// Unreached reports whether there was nobody to answer: no connection was made, or a gateway found
// nobody behind it.
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

// lacking reports whether there is no connection for want of what this machine has too few of:
// descriptors, buffers, ports. That passes when other requests end, and is no failure of the
// provider's. Of a name that was looked up in vain an error says in words alone why.
func lacking(err error) bool {
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.EADDRNOTAVAIL} {
		var dns *net.DNSError
		if errors.Is(err, errno) || errors.As(err, &dns) && strings.Contains(dns.Err, errno.Error()) {
			return true
		}
	}
	return false
}

// JudgeFault tells by the table what a reason why a batch failed as a whole means.
func JudgeFault(fault *record.Error) Class {
	e := evidence{status: http.StatusOK, unasked: true, said: *fault}
	return e.rule().Class
}

// JudgeBatch fills r, whose buffer it reuses, from a line of a batch's output or error file, as Ask
// does from an HTTP answer: Class, Err, Answer, Status and Body. Where the line has no answer but
// an error of its own, such as batch_expired, nobody asked the model: the class is Transient,
// unless the error is one that the table knows better. out may be used again afterwards.
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
