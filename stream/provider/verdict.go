package provider

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"llmpipe/stream/record"
)

// Class is what a reply means for the record, its provider and the run.
type Class uint8

// The classes, from the best to the worst.
const (
	// OK is an answer: commit it.
	OK Class = iota
	// Pressure is a provider that wants less: wait for its hint and cut concurrency. It costs the record no attempt.
	Pressure
	// Transient is a failure that may pass: back off. It costs an attempt.
	Transient
	// Refused is terminal for the record: an error line.
	Refused
	// Exhausted is terminal for the provider (no money, no quota left): the next lane, or stop with exit code 75.
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
		"an answer", "waits for the provider's hint, costs no attempt", "asked again after a backoff, costs an attempt", "an error line",
		"the run stops with 75", "the run stops with 1", "unsent",
	}[c]
}

// evidence is what the rules look at.
type evidence struct {
	status   int
	header   http.Header
	body     []byte
	said     record.Error // what the body says, when it says an error
	notJSON  bool         // 2xx with a body that is not JSON, or none
	answered bool         // 2xx with a choice or an embedding
	embedded bool         // 2xx with an error member in the body
	unasked  bool         // a line of a batch with an error in the place of an answer
}

func (e evidence) success() bool { return e.status >= 200 && e.status < 300 }

// Rule is one row of the table: the first whose condition holds decides.
type Rule struct {
	// When describes the condition, for people.
	When string
	// Class is what follows from it.
	Class Class
	// Type becomes the error's type in the output; empty keeps what the provider said.
	Type string

	match func(evidence) bool
}

// Rules is the table. The order matters: what the provider says outright comes first, then the codes that mean money, then statuses.
var Rules = []Rule{
	{"2xx, JSON, with a choice or an embedding", OK, "", func(e evidence) bool { return e.answered && !e.embedded }},
	{"2xx, empty or not JSON", Transient, "bad_response", func(e evidence) bool { return e.notJSON }},
	{"insufficient_quota and its kin, a spend limit reached", Exhausted, "quota", evidence.outOfMoney},
	{"429 for a day's quota (Gemini's PerDay)", Exhausted, "quota", evidence.outForToday},
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
	{"2xx with an error in the body, or with no choice", Transient, "bad_response", func(e evidence) bool {
		return e.code() >= 200 && e.code() < 300
	}},
	{"401", Fatal, "authentication", func(e evidence) bool { return e.code() == 401 }},
	{"407: a proxy does not know who asks", Fatal, TypeProxy, func(e evidence) bool { return e.code() == 407 }},
	{"403 for what the record says (moderation, content policy)", Refused, "content_policy", evidence.moderated},
	{"403", Fatal, "permission", func(e evidence) bool { return e.code() == 403 }},
	{"3xx: llmpipe follows no redirect", Fatal, "redirect", func(e evidence) bool { return e.code() >= 300 && e.code() < 400 }},
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

// code is the status that counts: the one inside the body where a router answers 200 around another provider's error.
func (e evidence) code() int {
	if e.embedded {
		if n, err := strconv.Atoi(e.said.Code); err == nil && n >= 400 && n < 600 {
			return n
		}
	}
	return e.status
}

func (e evidence) retryAfter() bool {
	return e.header.Get("Retry-After") != "" || e.header.Get("Retry-After-Ms") != ""
}

// ownFault reports whether the answer speaks of this request rather than of the provider's state: a provider that says not to retry
// a 500 gives up on the record, while one that says so with a 401 has more to say than that.
func (e evidence) ownFault() bool { return !is(e.code(), 401, 403) && e.code() >= 400 }

// spent are the codes, and Anthropic's and the gateways' names for them, of an account that waiting does not refill.
var spent = []string{
	"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "credit_balance_exhausted", "organization_usage_limit_exceeded",
	"enforced_spend_limit_reached", "_spend_limit_exceeded",
}

func (e evidence) outOfMoney() bool {
	for _, s := range spent {
		if strings.HasSuffix(e.said.Code, s) || strings.HasSuffix(e.said.Type, s) {
			return true
		}
	}
	return false
}

// outForToday recognises Gemini's way to say that a quota comes back tomorrow: the id of the quota, deep in the details.
func (e evidence) outForToday() bool {
	_, details, ok := bytes.Cut(e.body, []byte(`"quotaId"`))
	return e.code() == 429 && ok && bytes.Contains(details[:min(len(details), 200)], []byte("PerDay"))
}

// aboveLimit recognises the 429 that no waiting cures: more was asked for than a whole minute allows.
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

func (e evidence) moderated() bool {
	if e.code() != 403 {
		return false
	}
	for _, s := range [...]string{e.said.Code, e.said.Type, strings.ToLower(e.said.Message)} {
		if strings.Contains(s, "moderation") || strings.Contains(s, "content_policy") || strings.Contains(s, "content_filter") ||
			strings.Contains(s, "flagged") {
			return true
		}
	}
	return false
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

// isCertificateError reports whether err is about who the server is, which no retry changes.
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
