package record

import (
	"bytes"
	"fmt"
	"strconv"

	"llmpipe/stream/record/rawjson"
	"llmpipe/stream/record/usage"
)

// Format is the format of the output lines.
type Format uint8

// The formats, named as --format names them.
const (
	FormatResult Format = iota // result: what was asked for, what it cost, or what went wrong
	FormatBatch                // batch: the line of an OpenAI batch's output file
	FormatRaw                  // raw: the id and the provider's whole response
	FormatText                 // text: the content alone
	FormatText0                // text0: the same, with a NUL byte at its end, since an answer may have many lines
)

var formats = [...]string{FormatResult: "result", FormatBatch: "batch", FormatRaw: "raw", FormatText: "text", FormatText0: "text0"}

// IsText reports whether the output is text alone. It then does not name the records, and has no
// line for a failure.
func (f Format) IsText() bool { return f == FormatText || f == FormatText0 }

// End is the byte that every line ends with.
func (f Format) End() byte {
	if f == FormatText0 {
		return 0
	}
	return '\n'
}

// String returns the format's name, as --format takes it.
func (f Format) String() string {
	if int(f) >= len(formats) {
		return fmt.Sprintf("Format(%d)", uint8(f))
	}
	return formats[f]
}

// ParseFormat returns the format of a name that --format takes.
func ParseFormat(s string) (Format, error) {
	for i, name := range formats {
		if name == s {
			return Format(i), nil
		}
	}
	return 0, fmt.Errorf("unknown format %q: it must be one of result, batch, raw, text, text0", s)
}

// UnmarshalText implements encoding.TextUnmarshaler by ParseFormat, for a flag.
func (f *Format) UnmarshalText(text []byte) (err error) {
	*f, err = ParseFormat(string(text))
	return err
}

// Result is the outcome of a record: Answer and Response, or Err.
type Result struct {
	ID   []byte // JSON string or number; nil is written as null
	Line int64  // written in error records
	File string // written in error records, when set

	Answer   *Answer // what the provider answered; nil when the record failed
	Response []byte  // the provider's response body, valid JSON
	Err      *Error  // why the record failed; nil when it was answered

	CostNanos      int64  // in 1e-9 USD
	CostKnown      bool   // false is written as null
	CostPartial    bool   // written when set: the cost is a lower bound
	Attempts       int    // requests sent
	LatencyMS      int64  // of the attempt that was answered
	Provider       string // written when set
	DowngradedFrom string // the model asked for when another was used; written when set

	Parsed []byte // the JSON value of an answer that fits its schema; written when set
	Said   []byte // of a failed record: the last answer's content, a JSON string; written when set
	// Earlier is the usage of earlier answers, which did not fit the schema. The cost and the attempts
	// above include theirs.
	Earlier usage.Counts

	SameAs []byte // the id of the record whose answer this is; written when set

	Input       []byte // the line, written when set
	InputIsText bool   // Input is text, not JSON
}

// Append appends the record's output line, including its end. A text format has no line for a
// failure. The only allocation is to grow dst.
func (f Format) Append(dst []byte, r *Result) []byte {
	switch {
	case f.IsText():
		return f.appendText(dst, r)
	case f == FormatBatch:
		dst = appendBatch(dst, r)
	case r.Err != nil:
		dst = appendFailure(dst, r)
	case f == FormatRaw:
		dst = append(dst, `{"id":`...)
		dst = appendToken(dst, r.ID)
		dst = append(dst, `,"response":`...)
		dst = rawjson.Compact(dst, r.Response)
	default:
		dst = appendAnswer(dst, r)
	}
	dst = appendInput(dst, r)
	return append(dst, "}\n"...)
}

// appendText appends an answer as text, if there is one. In text0 a NUL byte ends an answer, so a
// NUL byte inside the answer becomes U+FFFD.
func (f Format) appendText(dst []byte, r *Result) []byte {
	if r.Err != nil {
		return dst
	}
	start := len(dst)
	if r.Parsed != nil {
		dst = append(dst, r.Parsed...)
	} else {
		dst = appendContent(dst, r.Answer)
	}
	if f == FormatText0 && bytes.IndexByte(dst[start:], 0) >= 0 {
		dst = append(dst[:start], bytes.ReplaceAll(dst[start:], []byte{0}, []byte("\uFFFD"))...)
	}
	return append(dst, f.End())
}

// appendContent appends an answer's content.
func appendContent(dst []byte, a *Answer) []byte {
	switch {
	case a.Content != nil:
		return rawjson.Unquote(dst, a.Content)
	case a.Embedding != nil:
		return rawjson.Compact(dst, a.Embedding)
	case a.Refusal != nil:
		return rawjson.Unquote(dst, a.Refusal)
	}
	return rawjson.Compact(dst, a.ToolCalls)
}

// appendAnswer appends an answered record, without the end of the object.
func appendAnswer(dst []byte, r *Result) []byte {
	a := r.Answer
	dst = append(dst, `{"id":`...)
	dst = appendToken(dst, r.ID)
	if a.Embedding != nil {
		dst = append(dst, `,"embedding":`...)
		dst = rawjson.Compact(dst, a.Embedding)
	} else {
		dst = append(dst, `,"content":`...)
		dst = appendToken(dst, a.Content)
	}
	dst = appendJSONMember(dst, `,"parsed":`, r.Parsed)
	if a.More != nil {
		dst = appendMore(dst, a)
	}
	dst = appendJSONMember(dst, `,"tool_calls":`, a.ToolCalls)
	dst = appendJSONMember(dst, `,"refusal":`, a.Refusal)
	dst = append(dst, `,"model":`...)
	dst = appendToken(dst, a.Model)
	dst = appendJSONMember(dst, `,"finish_reason":`, a.FinishReason)
	if flag := a.Flag(); flag != "" {
		dst = appendTextMember(dst, `,"flagged":`, flag)
	}
	dst = append(dst, `,"usage":`...)
	if a.HasUsage || r.Earlier.Total > 0 {
		dst = appendUsage(dst, &a.Usage, &r.Earlier)
	} else {
		dst = append(dst, "null"...)
	}
	dst = append(dst, `,"cost_usd":`...)
	dst = appendCost(dst, r)
	dst = appendPartial(dst, r)
	dst = append(dst, `,"attempts":`...)
	dst = strconv.AppendInt(dst, int64(r.Attempts), 10)
	dst = append(dst, `,"latency_ms":`...)
	dst = strconv.AppendInt(dst, r.LatencyMS, 10)
	dst = appendTextMember(dst, `,"provider":`, r.Provider)
	dst = appendTextMember(dst, `,"downgraded_from":`, r.DowngradedFrom)
	return appendJSONMember(dst, `,"same_as":`, r.SameAs)
}

// appendMore appends all choices, or all embeddings, of an answer that has several.
func appendMore(dst []byte, a *Answer) []byte {
	if a.Embedding == nil {
		return appendJSONMember(dst, `,"choices":`, a.More)
	}
	dst = append(dst, `,"embeddings":[`...)
	first := true
	rawjson.Elements(a.More, func(item []byte) bool {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = appendToken(dst, rawjson.MemberOf(item, "embedding"))
		return true
	})
	return append(dst, ']')
}

// appendUsage appends the sum of the usage of an answer and of the answers before it.
func appendUsage(dst []byte, u, before *usage.Counts) []byte {
	dst = append(dst, `{"prompt_tokens":`...)
	dst = strconv.AppendInt(dst, u.Prompt+before.Prompt, 10)
	dst = append(dst, `,"completion_tokens":`...)
	dst = strconv.AppendInt(dst, u.Completion+before.Completion, 10)
	dst = append(dst, `,"total_tokens":`...)
	dst = strconv.AppendInt(dst, u.Total+before.Total, 10)
	if cached := u.Cached + before.Cached; cached > 0 {
		dst = append(dst, `,"cached_tokens":`...)
		dst = strconv.AppendInt(dst, cached, 10)
	}
	if reasoning := u.Reasoning + before.Reasoning; reasoning > 0 {
		dst = append(dst, `,"reasoning_tokens":`...)
		dst = strconv.AppendInt(dst, reasoning, 10)
	}
	return append(dst, '}')
}

// appendFailure appends a failed record, without the end of the object.
func appendFailure(dst []byte, r *Result) []byte {
	dst = append(dst, `{"id":`...)
	dst = appendToken(dst, r.ID)
	dst = appendTextMember(dst, `,"file":`, r.File)
	dst = append(dst, `,"line":`...)
	dst = strconv.AppendInt(dst, r.Line, 10)
	dst = append(dst, `,"error":{"type":`...)
	dst = rawjson.AppendQuoted(dst, r.Err.Type)
	dst = appendTextMember(dst, `,"code":`, r.Err.Code)
	if r.Err.Status != 0 {
		dst = append(dst, `,"status":`...)
		dst = strconv.AppendInt(dst, int64(r.Err.Status), 10)
	}
	dst = append(dst, `,"message":`...)
	dst = rawjson.AppendQuoted(dst, r.Err.Message)
	dst = appendJSONMember(append(dst, '}'), `,"content":`, r.Said)
	if r.Earlier.Total > 0 {
		dst = appendUsage(append(dst, `,"usage":`...), &usage.Counts{}, &r.Earlier)
	}
	dst = append(dst, `,"attempts":`...)
	dst = strconv.AppendInt(dst, int64(r.Attempts), 10)
	if r.CostKnown && r.CostNanos > 0 { // failures may be billed
		dst = append(dst, `,"cost_usd":`...)
		dst = appendPartial(appendCost(dst, r), r)
	}
	return appendTextMember(dst, `,"provider":`, r.Provider)
}

// appendInput appends the record's own line. A line that is not JSON becomes a string, because it
// would make the output line invalid.
func appendInput(dst []byte, r *Result) []byte {
	if r.Input == nil {
		return dst
	}
	dst = append(dst, `,"input":`...)
	if r.InputIsText || r.Err != nil && !rawjson.Valid(r.Input) {
		return rawjson.AppendQuoted(dst, r.Input)
	}
	return append(dst, rawjson.TrimSpace(r.Input)...)
}

// appendToken appends a JSON value without white space, or null when there is none.
func appendToken(dst, value []byte) []byte {
	if value == nil {
		return append(dst, "null"...)
	}
	return rawjson.Compact(dst, value)
}

// appendJSONMember appends a member whose value is JSON, if it has one.
func appendJSONMember(dst []byte, name string, value []byte) []byte {
	if value == nil {
		return dst
	}
	return rawjson.Compact(append(dst, name...), value)
}

// appendTextMember appends a member whose value is text, if it has one.
func appendTextMember(dst []byte, name, text string) []byte {
	if text == "" {
		return dst
	}
	return rawjson.AppendQuoted(append(dst, name...), text)
}

// appendCost appends a cost as a plain decimal, exact to the last nano-dollar, or null when it is
// unknown.
func appendCost(dst []byte, r *Result) []byte {
	if !r.CostKnown {
		return append(dst, "null"...)
	}
	const nano = 1e9
	nanos := r.CostNanos
	if nanos < 0 {
		dst = append(dst, '-')
	}
	dst = strconv.AppendUint(dst, magnitude(nanos/nano), 10)
	rest := magnitude(nanos % nano)
	if rest == 0 {
		return dst
	}
	dst = append(dst, '.')
	for digit := uint64(nano / 10); rest > 0; digit /= 10 {
		dst = append(dst, byte('0'+rest/digit))
		rest %= digit
	}
	return dst
}

// appendPartial appends a mark if a known cost is only a lower bound.
func appendPartial(dst []byte, r *Result) []byte {
	if !r.CostKnown || !r.CostPartial {
		return dst
	}
	return append(dst, `,"cost_partial":true`...)
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return uint64(-n)
	}
	return uint64(n)
}
