package record

import (
	"llmpipe/stream/record/rawjson"
)

// maxCustomID is the longest custom_id that every batch API takes, in characters: Anthropic's
// limit, which is the smallest.
const maxCustomID = 64

// ValidCustomID reports whether every batch API takes s as a custom_id: 1 to 64 of the characters
// A-Z, a-z, 0-9, _ and -. This is what Anthropic documents; OpenAI and those that follow it take
// more.
func ValidCustomID(s string) bool {
	if len(s) == 0 || len(s) > maxCustomID {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// AppendBatchHead appends the start of a line of a batch's input file, up to the request's body;
// the request goes to path. The line ends with "}" and a newline after the body.
func AppendBatchHead(dst []byte, customID string, path string) []byte {
	dst = append(dst, `{"custom_id":`...)
	dst = rawjson.AppendQuoted(dst, customID)
	dst = append(dst, `,"method":"POST","url":"`...)
	dst = append(dst, path...)
	return append(dst, `","body":`...)
}

// AppendBareBatchHead appends the same without method and path, for providers that take them from
// the batch alone.
func AppendBareBatchHead(dst []byte, customID string) []byte {
	dst = append(dst, `{"custom_id":`...)
	dst = rawjson.AppendQuoted(dst, customID)
	return append(dst, `,"body":`...)
}

// AppendBatchParamsHead appends the start of an element of `requests` of Anthropic's Message
// Batches, up to the request's body: {"custom_id":…,"params":…}.
func AppendBatchParamsHead(dst []byte, customID string) []byte {
	dst = append(dst, `{"custom_id":`...)
	dst = rawjson.AppendQuoted(dst, customID)
	return append(dst, `,"params":`...)
}

// AppendRequest appends r's request as a line of its provider's batch file: the record's id, and
// the body that would be sent, byte for byte. A [Decoder] takes such a line as input, too.
func AppendRequest(dst []byte, r *Record) []byte {
	dst = append(dst, `{"custom_id":`...)
	dst = appendCustomID(dst, r.ID)
	if r.Endpoint == Messages {
		dst = append(dst, `,"params":`...)
	} else {
		dst = append(dst, `,"method":"POST","url":"`...)
		dst = append(dst, r.Endpoint.Path()...)
		dst = append(dst, `","body":`...)
	}
	dst = append(dst, r.Body...)
	return append(dst, '}', '\n')
}

// appendCustomID appends an id as a string: a custom_id is always a string.
func appendCustomID(dst, id []byte) []byte {
	if rawjson.IsNumber(id) {
		dst = append(dst, '"')
		dst = append(dst, id...)
		return append(dst, '"')
	}
	return appendToken(dst, id)
}
