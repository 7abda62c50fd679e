package record

import "llmpipe/stream/record/rawjson"

// resultStatus is the status that an error of Anthropic's has over HTTP, by its type
// (platform.claude.com/docs/en/api/errors), as a batch's results give none. The first has the older
// name that the guide to batches writes too.
var resultStatus = map[string]int{
	"invalid_request": 400, "invalid_request_error": 400, "authentication_error": 401, "billing_error": 402, "permission_error": 403,
	"not_found_error": 404, "conflict_error": 409, "request_too_large": 413, "rate_limit_error": 429, "api_error": 500,
	"timeout_error": 504, "overloaded_error": 529,
}

// readResult reads the result of a request of a Message Batch: a message, an error as it would have
// been answered, or the word that nobody got to it
// (platform.claude.com/docs/en/api/messages/batches/results). It reports whether it is one of
// those.
func (o *BatchOutput) readResult(result []byte) bool {
	const ok, failed = 200, 500
	switch kind := string(idOf(rawjson.MemberOf(result, "type"))); kind {
	case "succeeded":
		message := rawjson.MemberOf(result, "message")
		if rawjson.IsNull(message) {
			return false
		}
		o.Status, o.Body = ok, message
	case "errored":
		said := rawjson.MemberOf(result, "error")
		if rawjson.IsNull(said) {
			return false
		}
		o.Status, o.Body = failed, said
		e, _ := errorOf(said)
		if status := resultStatus[e.Type]; status > 0 {
			o.Status = status
		}
	case "expired":
		o.Err = &Error{Code: "batch_expired", Message: "the batch expired before it got to the request"}
	case "canceled":
		o.Err = &Error{Code: "batch_cancelled", Message: "the batch was cancelled before it got to the request"}
	default:
		return false
	}
	return true
}
