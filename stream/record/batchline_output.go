package record

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"llmpipe/stream/record/rawjson"
)

// BatchOutput is a line of a batch's output file or of its error file, or of the results of a
// Message Batch. Its slices are parts of the line, unless they were written with escapes.
type BatchOutput struct {
	CustomID  []byte // without quotes; never empty
	Status    int    // the response's HTTP status; 200 if a response gives none, 0 if there is no response
	RequestID []byte // the provider's name for the request, without quotes; nil when absent
	Body      []byte // the response's body, valid JSON; nil when absent or null
	Err       *Error // the error that the line itself reports, such as batch_expired; nil if there is none. Its Status is 0
}

// ParseBatchOutput reads a line into out. It returns an error if the line is not a JSON object, has
// no custom_id, or has neither a response nor an error; out then holds the members that could be
// read. A line with a response and no escapes in its ids costs no allocation.
func ParseBatchOutput(line []byte, out *BatchOutput) error {
	*out = BatchOutput{}
	src := rawjson.TrimSpace(bytes.TrimPrefix(line, []byte(rawjson.BOM)))
	var buf [8]rawjson.Member
	members, valid := rawjson.ValidMembers(buf[:0], src)
	if !valid {
		return fmt.Errorf("reading a batch's output: not JSON: %s", plain(src))
	}
	if src[0] != '{' {
		return fmt.Errorf("reading a batch's output: the line is %s, not an object", rawjson.KindOf(src))
	}
	out.CustomID = idOf(rawjson.ValueOf(members, src, "custom_id"))
	response := rawjson.ValueOf(members, src, "response")
	responded := len(response) > 0 && response[0] == '{'
	if responded {
		out.readResponse(response)
	}
	if result := rawjson.ValueOf(members, src, "result"); !responded && len(result) > 0 && result[0] == '{' {
		responded = out.readResult(result)
	}
	if failed := rawjson.ValueOf(members, src, "error"); !rawjson.IsNull(failed) && !(responded && rawjson.SaysNothing(failed)) {
		out.Err, _ = errorOf(failed)
	}
	switch {
	case len(out.CustomID) == 0:
		return errors.New("reading a batch's output: the line has no custom_id")
	case !responded && out.Err == nil:
		return fmt.Errorf("reading a batch's output: %s has neither a response nor an error", out.CustomID)
	}
	return nil
}

// BatchOutputID returns the custom_id from the beginning of a line, or nil if it is not in there.
func BatchOutputID(start []byte) []byte {
	d := jsontext.NewDecoder(bytes.NewReader(start))
	if token, err := d.ReadToken(); err != nil || token.Kind() != '{' {
		return nil
	}
	for {
		name, err := d.ReadToken()
		if err != nil || name.Kind() != '"' {
			return nil
		}
		wanted := name.String() == "custom_id"
		value, err := d.ReadValue()
		if err != nil || wanted {
			return idOf(value)
		}
	}
}

func (o *BatchOutput) readResponse(response []byte) {
	const ok = 200
	var buf [8]rawjson.Member
	members := rawjson.AppendMembers(buf[:0], response, 0)
	o.Status = ok
	if status := rawjson.ValueOf(members, response, "status_code"); rawjson.IsNumber(status) {
		if n, err := strconv.Atoi(string(status)); err == nil && n > 0 {
			o.Status = n
		}
	}
	o.RequestID = idOf(rawjson.ValueOf(members, response, "request_id"))
	if body := rawjson.ValueOf(members, response, "body"); !rawjson.IsNull(body) {
		o.Body = body
	}
}

// idOf returns the unquoted text of a JSON string; nil when it is empty or not a string.
func idOf(value []byte) []byte {
	if rawjson.TextOf(value) == nil {
		return nil
	}
	return rawjson.NameOf(value)
}

// resultStatus maps the type of an Anthropic error to its HTTP status
// (platform.claude.com/docs/en/api/errors), because a batch's results give no status.
// invalid_request is an older name of invalid_request_error that the guide to batches still uses.
var resultStatus = map[string]int{
	"invalid_request": 400, "invalid_request_error": 400, "authentication_error": 401, "billing_error": 402, "permission_error": 403,
	"not_found_error": 404, "conflict_error": 409, "request_too_large": 413, "rate_limit_error": 429, "api_error": 500,
	"timeout_error": 504, "overloaded_error": 529,
}

// readResult reads the result of a request of a Message Batch: a message, the error that a single
// request would have got, or a note that the batch ended before it got to the request
// (platform.claude.com/docs/en/api/messages/batches/results). It reports whether result is one of
// these.
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
