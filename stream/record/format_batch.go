package record

import (
	"encoding/hex"
	"strconv"

	"llmpipe/stream/record/rawjson"
)

// batchIDStart is how the id of an output line begins, a JSON string.
const batchIDStart = `"batch_req_`

// appendBatch appends a line of an OpenAI batch's output file, without the end of the object. The
// custom_id is a string there. The line's id is made from it, since there is no batch to assign
// one.
func appendBatch(dst []byte, r *Result) []byte {
	dst = append(dst, `{"id":`+batchIDStart...)
	dst = appendHash(dst, r.ID)
	dst = append(dst, `","custom_id":`...)
	dst = appendCustomID(dst, r.ID)
	if r.Err == nil {
		dst = append(dst, `,"response":{"status_code":200,"request_id":"","body":`...)
		dst = rawjson.Compact(dst, r.Response)
		return append(dst, `},"error":null`...)
	}
	if r.Err.Status == 0 {
		dst = append(dst, `,"response":null`...)
	} else {
		dst = append(dst, `,"response":{"status_code":`...)
		dst = strconv.AppendInt(dst, int64(r.Err.Status), 10)
		dst = append(dst, `,"request_id":"","body":{"error":{"message":`...)
		dst = rawjson.AppendQuoted(dst, r.Err.Message)
		dst = append(dst, `,"type":`...)
		dst = rawjson.AppendQuoted(dst, r.Err.Type)
		dst = append(dst, `,"code":`...)
		dst = appendCode(dst, r.Err.Code)
		dst = append(dst, "}}}"...)
	}
	dst = append(dst, `,"error":{"code":`...)
	dst = rawjson.AppendQuoted(dst, batchCode(r.Err))
	dst = append(dst, `,"message":`...)
	dst = rawjson.AppendQuoted(dst, r.Err.Message)
	return append(dst, '}')
}

func appendCode(dst []byte, code string) []byte {
	if code == "" {
		return append(dst, "null"...)
	}
	return rawjson.AppendQuoted(dst, code)
}

// batchCode returns the code of an error, or else its type: an error in a batch line always has a
// code.
func batchCode(e *Error) string {
	if e.Code != "" {
		return e.Code
	}
	return e.Type
}

// appendHash appends 64 bits of FNV-1a in hex.
func appendHash(dst, src []byte) []byte {
	const offset, prime = 14695981039346656037, 1099511628211 // the parameters of FNV for 64 bits
	sum := uint64(offset)
	for _, c := range src {
		sum = (sum ^ uint64(c)) * prime
	}
	var b [8]byte
	for i := range b {
		b[i] = byte(sum >> (56 - 8*i))
	}
	return hex.AppendEncode(dst, b[:])
}
