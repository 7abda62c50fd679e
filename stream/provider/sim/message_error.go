package sim

import (
	"net/http"
	"strings"
)

// speaksAnthropic wraps the ResponseWriter of a request to Anthropic's API, whose errors have their
// own form.
type speaksAnthropic struct{ http.ResponseWriter }

// Unwrap is for [http.ResponseController].
func (w speaksAnthropic) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// ofAnthropic reports whether a request is for Anthropic's API, by its path or its
// Anthropic-Version header.
func ofAnthropic(r *http.Request) bool {
	path := strings.TrimPrefix(r.URL.Path, "/v1")
	return path == "/messages" || strings.HasPrefix(path, "/messages/") || r.Header.Get("Anthropic-Version") != ""
}

// anthropicKinds maps statuses to the types of Anthropic's errors
// (platform.claude.com/docs/en/api/errors).
var anthropicKinds = map[int]string{
	http.StatusUnauthorized: "authentication_error", http.StatusPaymentRequired: "billing_error",
	http.StatusForbidden: "permission_error", http.StatusNotFound: "not_found_error", http.StatusConflict: "conflict_error",
	http.StatusRequestEntityTooLarge: "request_too_large", http.StatusTooManyRequests: "rate_limit_error",
	http.StatusInternalServerError: "api_error", http.StatusServiceUnavailable: "api_error",
	http.StatusGatewayTimeout: "timeout_error", overloaded: "overloaded_error",
}

// appendAnthropic appends e in Anthropic's form:
// {"type":"error","error":{"type","message"},"request_id"}. request is the request's id, "" for
// none.
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

// appendError appends the error of a request in a batch, in the endpoint's form.
func (e *endpoint) appendError(dst []byte, fault *apiError) []byte {
	if e.anthropic {
		return fault.appendAnthropic(dst, "")
	}
	return fault.append(dst)
}

// errCredit is the error of an account without credit, in Anthropic's words.
var errCredit = &apiError{status: http.StatusBadRequest, kind: invalid,
	message: "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits."}

// errVersion is the error for a request that does not say which version of the API it is for.
var errVersion = &apiError{status: http.StatusBadRequest, kind: invalid, message: "anthropic-version: header is required"}

// errField returns the error for a member that is wrong, in Anthropic's words.
func errField(name, why string) *apiError {
	return &apiError{status: http.StatusBadRequest, kind: invalid, message: name + ": " + why}
}
