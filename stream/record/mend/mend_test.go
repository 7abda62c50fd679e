package mend_test

import (
	"encoding/binary"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"llmpipe/stream/record"
	"llmpipe/stream/record/mend"
	"llmpipe/stream/record/rawjson"
)

const fineAnswer = `{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"fine"},"finish_reason":"stop"}],` +
	`"usage":{"prompt_tokens":3}}`

// utf16Of is text in UTF-16.
func utf16Of(order binary.AppendByteOrder, text string) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		b = order.AppendUint16(b, unit)
	}
	return string(b)
}

// What is no JSON as it came, and says all the same what the answer is.
func TestAnswer(t *testing.T) {
	const bom = "\xef\xbb\xbf"
	chunk := func(delta, finish string) string {
		return `{"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":` + delta + `,"finish_reason":` + finish + `}]}`
	}
	data := func(events ...string) string { return "data: " + strings.Join(events, "\n\ndata: ") + "\n\n" }
	for _, test := range []struct {
		name     string
		endpoint record.Endpoint
		body     string
		content  string // "" where nothing can be made of it
	}{
		{"a byte order mark", record.Chat, bom + fineAnswer, "fine"},
		{"a byte order mark behind white space", record.Chat, "\r\n" + bom + fineAnswer, "fine"},
		{"the end of a stream behind it", record.Chat, fineAnswer + "\n\ndata: [DONE]\n\n", "fine"},
		{"a zero byte behind it", record.Chat, fineAnswer + "\x00", "fine"},
		{"a page behind it", record.Chat, fineAnswer + "<html>", "fine"},
		{"UTF-16", record.Chat, utf16Of(binary.LittleEndian, "\ufeff"+fineAnswer), "fine"},
		{"UTF-16 of the other order", record.Chat, utf16Of(binary.BigEndian, "\ufeff"+fineAnswer), "fine"},
		{"in an array", record.Chat, "[\n" + fineAnswer + " ]", "fine"},
		{"two in an array", record.Chat, "[" + fineAnswer + "," + fineAnswer + "]", ""},
		{"in a string", record.Chat, strconv.Quote(fineAnswer), "fine"},
		{"behind a comment", record.Chat, ": PROCESSING\n\n: PROCESSING\n\n" + fineAnswer, "fine"},
		{"another string", record.Chat, `"fine"`, ""},
		{"twice", record.Chat, fineAnswer + fineAnswer, "fine"},
		{"a number that Python has", record.Chat, strings.Replace(fineAnswer, `"id":"c"`, `"p":-Infinity,"x":[NaN, Infinity]`, 1), "fine"},
		{"the word in the text", record.Chat, strings.Replace(fineAnswer, `"id":"c"`, `"logprob":NaN`, 1), "fine"},
		{"a line break in the text", record.Chat, strings.Replace(fineAnswer, "fine", "fi\nne\tNaN", 1), "fi\u000ane\u0009NaN"},
		{"cut", record.Chat, fineAnswer[:len(fineAnswer)-9], ""},
		{"cut, with a number of Python's", record.Chat, `{"logprob":NaN,"choices":[{"message":{"content":"fi`, ""},
		{"a page", record.Chat, "<html>busy</html>", ""},
		{"text", record.Chat, "Ollama is running", ""},
		{"nothing", record.Chat, "", ""},

		{"a stream", record.Chat, data(chunk(`{"role":"assistant","content":""}`, "null"), chunk(`{"content":"fi"}`, "null"),
			chunk(`{"content":"n\u0065"}`, "null"),
			chunk(`{}`, `"stop"`), `{"object":"chat.completion.chunk","choices":[],"usage":{"prompt_tokens":3}}`, "[DONE]"), "fine"},
		{"a stream with comments, names and no space", record.Chat,
			": keep-alive\n\nevent: message\r\nid: 1\r\ndata:" + chunk(`{"content":"fine"}`, `"stop"`) +
				"\r\n\r\n", "fine"},
		{"a stream of chunks on lines", record.Chat,
			chunk(`{"content":"fi"}`, "null") + "\n" + chunk(`{"content":"ne"}`, `"stop"`) + "\n", "fine"},
		{"the answer as the one event", record.Chat, data(fineAnswer, "[DONE]"), "fine"},
		{"pings between", record.Chat, data(`{"type":"ping"}`, chunk(`{"content":"fine"}`, `"stop"`)), "fine"},
		{"a stream that breaks off", record.Chat, data(chunk(`{"content":"fi"}`, "null")), ""},
		{"a stream that breaks off in a word", record.Chat, data(chunk(`{"content":"fi"}`, "null"))[:60], ""},
		{"an empty stream", record.Chat, "data: [DONE]\n\n", ""},
		{"completions", record.Completions, data(`{"choices":[{"index":0,"text":"fi"}]}`,
			`{"choices":[{"index":0,"text":"ne","finish_reason":"stop"}]}`), "fine"},
		{"responses", record.Responses, "event: response.created\n" + data(
			`{"type":"response.created","response":{"status":"in_progress","output":[]}}`,
			`{"type":"response.output_text.delta","delta":"fi"}`, `{"type":"response.completed","response":{"status":"completed","output":[`+
				`{"type":"message","content":[{"type":"output_text","text":"fine"}]}]}}`), "fine"},
	} {
		t.Run(test.name, func(t *testing.T) {
			mended, ok := mend.Answer([]byte(test.body))
			if ok != (test.content != "") {
				t.Fatalf("%t: %s", ok, mended)
			}
			if !ok {
				return
			}
			a, err := record.ParseAnswer(test.endpoint, mended)
			if got := string(rawjson.Unquote(nil, a.Content)); err != nil || got != test.content || a.Flag() != "" {
				t.Errorf("%q, flagged %q, %v, of %s", got, a.Flag(), err, mended)
			}
		})
	}
}

// All that the parts of a stream hold is in the answer that they make.
func TestAnswerKeepsWhatIsStreamed(t *testing.T) {
	const stream = `data: {"id":"c","created":7,"model":"m","choices":[{"index":0,"delta":{"content":null,"reasoning_content":"hm"}}]}

data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t","type":"function","function":{"name":"f"}}]}}],"usage":null}

data: {"choices":[{"index":0,"delta":{"reasoning_content":"m","tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}]}}]}

data: {"choices":[{"index":1,"delta":{"content":"b","refusal":"no"}}]}

data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}}]}

data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"u","function":{"name":"g","arguments":"{}"}}]}}]}

data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}

data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}
`
	const want = `{"id":"c","created":7,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":null,` +
		`"reasoning_content":"hmm",` +
		`"tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},{"id":"u","type":"function",` +
		`"function":{"name":"g","arguments":"{}"}}]},"finish_reason":"tool_calls"},{"index":1,"message":{"role":"assistant","content":"b",` +
		`"refusal":"no"},"finish_reason":null}],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}`
	if got, ok := mend.Answer([]byte(stream)); !ok || string(got) != want {
		t.Errorf("%t:\n%s, want\n%s", ok, got, want)
	}
}

// An error among the events is the answer.
func TestAnswerFindsErrors(t *testing.T) {
	for _, body := range []string{
		`data: {"error":{"message":"slow down","code":429}}` + "\n\n",
		`data: {"choices":[{"index":0,"delta":{"content":"fi"}}]}` + "\n\n" +
			`data: {"error":{"message":"slow down","code":429}}` + "\n\ndata: [DONE]\n",
		"event: error\n" + `data: {"type":"error","code":"429","message":"slow down"}` + "\n\n",
	} {
		mended, ok := mend.Answer([]byte(body))
		if !ok {
			t.Errorf("%s", body)
			continue
		}
		if e := record.FindError(mended); e == nil || e.Message != "slow down" || e.Code != "429" {
			t.Errorf("%+v of %s", e, mended)
		}
	}
}
