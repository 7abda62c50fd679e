package record

import (
	"llmpipe/stream/record/rawjson"
)

// maxCustomID is the longest custom_id that the batch APIs take, in characters: Anthropic's bound,
// which is the narrowest.
const maxCustomID = 64

// ValidCustomID says whether every batch API takes s as a custom_id: 1 to 64 of the characters A-Z,
// a-z, 0-9, _ and -. This is what Anthropic documents; OpenAI and those that follow it take more.
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

// AppendBatchHead appends what stands before a request's body in the line of a batch's input file
// that asks for it at a path. Behind the body stand "}" and a newline.
func AppendBatchHead(dst []byte, customID string, path string) []byte {
	dst = append(dst, `{"custom_id":`...)
	dst = rawjson.AppendQuoted(dst, customID)
	dst = append(dst, `,"method":"POST","url":"`...)
	dst = append(dst, path...)
	return append(dst, `","body":`...)
}

// AppendBareBatchHead appends the same without method and path, for providers that know no others
// than the batch's.
func AppendBareBatchHead(dst []byte, customID string) []byte {
	dst = append(dst, `{"custom_id":`...)
	dst = rawjson.AppendQuoted(dst, customID)
	return append(dst, `,"body":`...)
}

// AppendBatchParamsHead appends what stands before a request's body in an element of `requests` of
// Anthropic's Message Batches: {"custom_id":…,"params":…}.
func AppendBatchParamsHead(dst []byte, customID string) []byte {
	dst = append(dst, `{"custom_id":`...)
	dst = rawjson.AppendQuoted(dst, customID)
	return append(dst, `,"params":`...)
}

// AppendRequest appends the request that r makes as a line of a batch file of its provider's: what
// would be sent, byte for byte, and whose it is. It is a line that is taken as input, too.
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

// appendCustomID appends an id as batch lines have it, which is a string there.
func appendCustomID(dst, id []byte) []byte {
	if rawjson.IsNumber(id) {
		dst = append(dst, '"')
		dst = append(dst, id...)
		return append(dst, '"')
	}
	return appendToken(dst, id)
}
