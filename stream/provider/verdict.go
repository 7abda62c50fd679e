package provider

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"llmpipe/stream/record"
)

// Class is what a reply means for the record, its provider and the run.
type Class uint8

// The classes, from the best to the worst.
const (
	// OK is an answer: commit it.
	OK Class = iota
	// Pressure means that the provider wants less: wait for its hint and cut concurrency. It costs the
	// record no attempt.
	Pressure
	// Transient is a failure that may pass: back off. It costs an attempt.
	Transient
	// Refused is terminal for the record: an error line.
	Refused
	// Exhausted is terminal for the provider (no money, no quota left): the next lane, or stop with
	// exit code 75.
	Exhausted
	// Fatal is terminal for the run (a wrong key, say): exit code 1.
	Fatal
	// Cancelled is no reply at all: the caller gave up waiting.
	Cancelled
)

// String returns the class in one word, as reports and the summary use it.
func (c Class) String() string {
	return [...]string{"ok", "pressure", "transient", "refused", "exhausted", "fatal", "cancelled"}[c]
}

// Consequence says what follows from the class, for people.
func (c Class) Consequence() string {
	return [...]string{
		"an answer", "waits as the provider says, costs no attempt", "retried after a backoff, costs an attempt", "an error line",
		"the run stops with 75", "the run stops with 1", "unsent",
	}[c]
}

// evidence is what the rules look at.
type evidence struct {
	status   int
	header   http.Header
	body     []byte
	asked    []byte       // the request's body; nil if it is not at hand
	said     record.Error // the error in the body, if there is one
	notJSON  bool         // 2xx with a body that is not JSON, or none
	answered bool         // 2xx with a choice or an embedding, or with the reason why there is none
	broken   bool         // 2xx with an answer that says it broke off
	pending  bool         // 2xx with a job instead of an answer
	embedded bool         // 2xx with an error in the body
	unasked  bool         // a line of a batch with an error instead of an answer
}

func (e evidence) success() bool { return e.status >= 200 && e.status < 300 }

// Rule is one row of the table. The first row whose condition holds decides.
type Rule struct {
	// When describes the condition, for people.
	When string
	// Class is what follows from it.
	Class Class
	// Type becomes the error's type in the output; empty keeps what the provider said.
	Type string

	match func(evidence) bool
}

// Rules is the table. The order matters: what the provider says outright comes first, then the
// codes about money, then statuses.
var Rules = []Rule{
	{"2xx, JSON, with a choice or an embedding", OK, "", func(e evidence) bool { return e.answered && !e.broken && !e.embedded }},
	{"2xx, empty or not JSON", Transient, "bad_response", func(e evidence) bool { return e.notJSON }},
	{"2xx that broke off (finish_reason error, network_error, …)", Transient, "incomplete", func(e evidence) bool {
		return e.broken && !e.embedded
	}},
	{"2xx with a background job instead of an answer", Refused, "background", func(e evidence) bool { return e.pending }},
	{"out of money or quota, whatever the status and the words", Exhausted, "quota", evidence.outOfMoney},
	{"a daily quota used up, and no reset soon (Gemini's PerDay)", Exhausted, "quota", func(e evidence) bool {
		return e.outForToday(time.Now())
	}},
	{"402 without Retry-After", Exhausted, "quota", func(e evidence) bool { return e.code() == 402 && !e.retryAfter() }},
	{"a request larger than the whole limit", Refused, "too_large", evidence.aboveLimit},
	{"x-should-retry: false", Refused, "", func(e evidence) bool { return e.header.Get("X-Should-Retry") == "false" && e.ownFault() }},
	{"429, 529, 402 with Retry-After", Pressure, "rate_limit", func(e evidence) bool { return is(e.code(), 429, 529, 402) }},
	{"503 with Retry-After or an overload code", Pressure, "overloaded", evidence.overloaded},
	{"x-should-retry: true", Transient, "", func(e evidence) bool { return e.header.Get("X-Should-Retry") == "true" }},
	{"408, 409, 425 and every other 5xx", Transient, "server_error", func(e evidence) bool {
		return is(e.code(), 408, 409, 425) || e.code() >= 500
	}},
	{"a batch that ended before it got to the record", Transient, "batch", func(e evidence) bool { return e.unasked && e.code() < 300 }},
	{"2xx with an error in the body that is about the record", Refused, "", func(e evidence) bool {
		return e.embedded && e.code() < 300 && !e.unasked && e.own()
	}},
	{"2xx with another error, or no choice (if billed: only once)", Transient, "bad_response", func(e evidence) bool {
		return e.code() >= 200 && e.code() < 300
	}},
	{"401, 403 for a model that the key may not use", Refused, "model_permission", evidence.barred},
	{"401", Fatal, "authentication", func(e evidence) bool { return e.code() == 401 }},
	{"407: the proxy wants a name and a password", Fatal, TypeProxy, func(e evidence) bool { return e.code() == 407 }},
	{"403 for what the record says (moderation, content policy)", Refused, "content_policy", func(e evidence) bool {
		return e.code() == 403 && e.own()
	}},
	{"403 before any answer (after one: an error line)", Fatal, "permission", func(e evidence) bool { return e.code() == 403 }},
	{"3xx: llmpipe follows no redirects", Fatal, "redirect", func(e evidence) bool { return e.code() >= 300 && e.code() < 400 }},
	{"400, 404, 413, 422 and every other 4xx", Refused, "", func(e evidence) bool { return true }},
}

func (e evidence) rule() *Rule {
	for i := range Rules {
		if Rules[i].match(e) {
			return &Rules[i]
		}
	}
	return &Rules[len(Rules)-1]
}

// code returns the status that counts. That is the one inside the body if a router answers 200
// around another provider's error.
func (e evidence) code() int {
	if !e.embedded {
		return e.status
	}
	if n, err := strconv.Atoi(e.said.Code); err == nil && n >= 400 && n < 600 {
		return n
	}
	for _, name := range [...]string{e.said.Code, e.said.Type} {
		if n := namedStatus[strings.ToLower(name)]; n > 0 {
			return n
		}
	}
	if n := numberedStatus[e.said.Code]; n > 0 && e.minimax(e.said.Code) {
		return n
	}
	return e.status
}

// namedStatus maps OpenAI's and Anthropic's names of errors to the status that an error within a
// 200 would have had. Names for a wrong request are left out, because gateways use them for lack of
// a better one.
var namedStatus = map[string]int{
	"rate_limit_exceeded": 429, "rate_limit_error": 429, "rate_limit": 429, "too_many_requests": 429,
	"overloaded_error": 529, "overloaded": 529, "server_overloaded": 529,
	"server_error": 500, "internal_server_error": 500, "internal_error": 500, "api_error": 500, "timeout_error": 504,
	"authentication_error": 401, "invalid_api_key": 401, "model_not_found": 404,
}

// numberedStatus is the same for MiniMax's numbers
// (platform.minimax.io/docs/api-reference/errorcode).
var numberedStatus = map[string]int{
	"1000": 500, "1001": 504, "1002": 429, "1004": 401, "1008": 402, "1013": 500, "1024": 500, "1026": 400, "1027": 400, "1033": 500,
	"2013": 400, "2049": 401,
}

func (e evidence) retryAfter() bool {
	return e.header.Get("Retry-After") != "" || e.header.Get("Retry-After-Ms") != ""
}

// ownFault reports whether the answer is about this request alone. A provider that says not to
// retry a 500 gives up on the record. With a 401 or 403 the later rules decide.
func (e evidence) ownFault() bool { return !is(e.code(), 401, 403) && e.code() >= 400 }

// foreign recognises a 2xx from something that is not such an API: text or a page, an error about
// the path, an object of another kind.
func (e evidence) foreign(a *record.Answer) bool {
	if !e.success() || e.answered || e.pending || a.HasUsage || a.Model != nil {
		return false
	}
	body := bytes.TrimSpace(e.body)
	switch {
	case len(body) == 0:
		return false
	case e.notJSON:
		return body[0] != '{' && !bytes.HasPrefix(body, []byte("data:")) && !bytes.HasPrefix(body, []byte("event:")) && looksPlain(body)
	case e.embedded:
		return e.said.Code == "" && (a.Error == nil || e.says(misdirected))
	}
	return !bytes.Contains(body, []byte(`"choices"`)) && !bytes.Contains(body, []byte(`"data"`)) && !bytes.Contains(body, []byte(`"output"`))
}

// aboveLimit recognises the 429 that no wait cures: the request asks for more than a whole minute
// allows.
func (e evidence) aboveLimit() bool {
	if e.code() != 429 {
		return false
	}
	message := strings.ToLower(e.said.Message)
	if strings.Contains(message, "request too large") {
		return true
	}
	limit, ok1 := numberAfter(message, "limit")
	requested, ok2 := numberAfter(message, "requested")
	_, used := numberAfter(message, "used")
	return ok1 && ok2 && !used && requested > limit
}

// overloaded recognises a 503 that comes from load rather than from a fault.
func (e evidence) overloaded() bool {
	if e.code() != 503 {
		return false
	}
	for _, s := range [...]string{e.said.Code, e.said.Type} {
		if strings.Contains(s, "overload") || strings.Contains(s, "capacity") || strings.Contains(s, "rate_limit") || s == "slow_down" {
			return true
		}
	}
	return e.retryAfter()
}

func is(status int, any ...int) bool {
	for _, s := range any {
		if status == s {
			return true
		}
	}
	return false
}

// numberAfter returns the first number after word in s, as in "limit 30000, requested 40960".
func numberAfter(s, word string) (int, bool) {
	_, rest, ok := strings.Cut(s, word)
	if !ok {
		return 0, false
	}
	rest = strings.TrimLeft(rest, " :=")
	end := 0
	for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(rest[:end])
	return n, err == nil
}

// isCertificateError reports whether err is about the server's identity, which no retry changes.
func isCertificateError(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		authority    x509.UnknownAuthorityError
		hostname     x509.HostnameError
		invalid      x509.CertificateInvalidError
		header       tls.RecordHeaderError
	)
	return errors.As(err, &verification) || errors.As(err, &authority) || errors.As(err, &hostname) ||
		errors.As(err, &invalid) || errors.As(err, &header)
}
