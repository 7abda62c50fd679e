package sim

import (
	"net/http"
	"strings"
)

// speaksAnthropic is a ResponseWriter of a request to Anthropic's API, whose errors have a form of
// their own.
type speaksAnthropic struct{ http.ResponseWriter }

// Unwrap is for [http.ResponseController].
func (w speaksAnthropic) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// ofAnthropic tells whether a path, or what goes with it, is of Anthropic's API.
func ofAnthropic(r *http.Request) bool {
	path := strings.TrimPrefix(r.URL.Path, "/v1")
	return path == "/messages" || strings.HasPrefix(path, "/messages/") || r.Header.Get("Anthropic-Version") != ""
}

// anthropicKinds are the types of Anthropic's errors, by status
// (platform.claude.com/docs/en/api/errors).
var anthropicKinds = map[int]string{
	http.StatusUnauthorized: "authentication_error", http.StatusPaymentRequired: "billing_error",
	http.StatusForbidden: "permission_error", http.StatusNotFound: "not_found_error", http.StatusConflict: "conflict_error",
	http.StatusRequestEntityTooLarge: "request_too_large", http.StatusTooManyRequests: "rate_limit_error",
	http.StatusInternalServerError: "api_error", http.StatusServiceUnavailable: "api_error",
	http.StatusGatewayTimeout: "timeout_error", overloaded: "overloaded_error",
}

// appendAnthropic appends e in Anthropic's form, as the answer to a request:
// {"type":"error","error":{"type","message"},"request_id"}.
func (e *apiError) appendAnthropic(dst []byte, request string) []byte {
	kind, message := anthropicKinds[e.status], e.message
	if kind == "" {
		kind = invalid
	}
	dst = append(append(dst, `{"type":"error","error":{"type":"`...), kind...)
	dst = appendQuoted(append(dst, `","message":`...), message)
	dst = append(dst, `},"request_id":`...)
	return append(appendQuotedOrNull(dst, request), "}\n"...)
}

// appendError appends an error as the endpoint has them, of a request in a batch.
func (e *endpoint) appendError(dst []byte, fault *apiError) []byte {
	if e.anthropic {
		return fault.appendAnthropic(dst, "")
	}
	return fault.append(dst)
}

// errCredit is an account with nothing left, in Anthropic's words.
var errCredit = &apiError{status: http.StatusBadRequest, kind: invalid,
	message: "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits."}

// errVersion is a request that does not say which version of the API it is for.
var errVersion = &apiError{status: http.StatusBadRequest, kind: invalid, message: "anthropic-version: header is required"}

// errField is a member that is wrong, in Anthropic's words.
func errField(name, why string) *apiError {
	return &apiError{status: http.StatusBadRequest, kind: invalid, message: name + ": " + why}
}
