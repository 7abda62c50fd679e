package sim

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// apiError is an error answer in the API's own form: {"error":{"message","type","param","code"}}.
type apiError struct {
	status     int
	kind       string // the body's "type"
	param      string // "" is written as null
	code       string // "" is written as null
	message    string
	retryAfter time.Duration // 0 and less send no Retry-After
}

func (e *apiError) append(dst []byte) []byte {
	dst = append(dst, `{"error":{"message":`...)
	dst = appendQuoted(dst, e.message)
	dst = append(dst, `,"type":`...)
	dst = appendQuoted(dst, e.kind)
	dst = append(dst, `,"param":`...)
	dst = appendQuotedOrNull(dst, e.param)
	dst = append(dst, `,"code":`...)
	dst = appendQuotedOrNull(dst, e.code)
	return append(dst, "}}\n"...)
}

// appendQuoted appends s as a JSON string. Invalid UTF-8 becomes U+FFFD; the error says only that,
// so it is dropped.
func appendQuoted[S ~string | ~[]byte](dst []byte, s S) []byte {
	dst, _ = jsontext.AppendQuote(dst, s)
	return dst
}

func appendQuotedOrNull(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, "null"...)
	}
	return appendQuoted(dst, s)
}

const invalid = "invalid_request_error"

var (
	errKey = &apiError{status: 401, kind: invalid, code: "invalid_api_key",
		message: "Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys."}
	errServer = &apiError{status: 500, kind: "server_error",
		message: "The server had an error while processing your request. Sorry about that!"}
	errOverloaded = &apiError{status: 503, kind: "server_error", code: "overloaded",
		message: "The engine is currently overloaded, please try again later."}
	errQuota = &apiError{status: 429, kind: "insufficient_quota", code: "insufficient_quota",
		message: "You exceeded your current quota, please check your plan and billing details. For more information on this error, " +
			"read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors."}
)

func errOutage(retryAfter time.Duration) *apiError {
	return &apiError{status: 503, kind: "service_unavailable", retryAfter: retryAfter,
		message: "The service is temporarily unavailable."}
}

func errPressure(model string, retryAfter time.Duration) *apiError {
	return &apiError{status: 429, kind: "requests", code: "rate_limit_exceeded", retryAfter: retryAfter,
		message: fmt.Sprintf("Rate limit reached for %s.%s", model, tryAgain(retryAfter))}
}

// errLimit refuses a request because of a limit that will have room again.
func errLimit(unit, model string, limit, requested int, retryAfter time.Duration) *apiError {
	return &apiError{status: 429, kind: unit, code: "rate_limit_exceeded", retryAfter: retryAfter,
		message: fmt.Sprintf("Rate limit reached for %s in organization org-simulated on %s: Limit %d, Requested %d.%s "+
			"Visit https://platform.openai.com/account/rate-limits to learn more.",
			model, unitText(unit), limit, requested, tryAgain(retryAfter))}
}

// tryAgain returns a space and the sentence that says how long to wait, or "" if retryAfter is not
// above 0.
func tryAgain(retryAfter time.Duration) string {
	if retryAfter <= 0 {
		return ""
	}
	return " Please try again in " + durationText(retryAfter) + "."
}

// errTooLarge refuses a request that no wait will ever let through.
func errTooLarge(model string, limit, requested int) *apiError {
	return &apiError{status: 429, kind: "tokens", code: "rate_limit_exceeded",
		message: fmt.Sprintf("Request too large for %s in organization org-simulated on %s: Limit %d, Requested %d. "+
			"The input or output tokens must be reduced in order to run successfully. "+
			"Visit https://platform.openai.com/account/rate-limits to learn more.",
			model, unitText("tokens"), limit, requested)}
}

func unitText(unit string) string {
	if unit == "tokens" {
		return "tokens per min (TPM)"
	}
	return "requests per min (RPM)"
}

func errPath(method, path string) *apiError {
	return &apiError{status: 404, kind: invalid, message: fmt.Sprintf("Invalid URL (%s %s)", method, path)}
}

func errMethod(method, path string) *apiError {
	return &apiError{status: 405, kind: invalid, code: "method_not_supported",
		message: fmt.Sprintf("Not allowed to %s on %s.", method, path)}
}

func errModel(model string) *apiError {
	return &apiError{status: 404, kind: invalid, param: "model", code: "model_not_found",
		message: fmt.Sprintf("The model `%s` does not exist or you do not have access to it.", model)}
}

func errMissing(param string) *apiError {
	return &apiError{status: 400, kind: invalid, param: param, code: "missing_required_parameter",
		message: fmt.Sprintf("Missing required parameter: '%s'.", param)}
}

func errType(param, want string) *apiError {
	return &apiError{status: 400, kind: invalid, param: param, code: "invalid_type",
		message: fmt.Sprintf("Invalid type for '%s': expected %s.", param, want)}
}

func errValue(param, want string) *apiError {
	return &apiError{status: 400, kind: invalid, param: param, code: "invalid_value",
		message: fmt.Sprintf("Invalid value for '%s': expected %s.", param, want)}
}

func errJSON(cause error) *apiError {
	return &apiError{status: 400, kind: invalid,
		message: "We could not parse the JSON body of your request: " + strings.TrimPrefix(cause.Error(), "jsontext: ")}
}

// errBody is the error for a body that could not be read whole.
func errBody(cause error) *apiError {
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(cause, &tooLarge) {
		return &apiError{status: 413, kind: invalid, code: "request_too_large",
			message: fmt.Sprintf("Request body is larger than %d bytes.", tooLarge.Limit)}
	}
	return &apiError{status: 400, kind: invalid, message: "Could not read the request body: " + cause.Error()}
}

// durationText writes d as OpenAI's headers and messages do: 12ms, 1.2s, 6m0s. It rounds up, so
// that nobody waits too short a time.
func durationText(d time.Duration) string {
	if d <= 0 {
		return "0s"
	}
	return ceil(d).String()
}

// ceil rounds up to a millisecond, the precision of what clients are told.
func ceil(d time.Duration) time.Duration {
	return (d + time.Millisecond - 1).Truncate(time.Millisecond)
}
