package record

import (
	"bytes"
	"strings"
	"testing"

	"llmpipe/stream/record/rawjson"
)

const batchOutputLine = `{"id":"batch_req_1","custom_id":"r-1","response":{"status_code":200,"request_id":"req_1","body":` + chatBody +
	`},"error":null}`

func TestParseBatchOutput(t *testing.T) {
	for _, c := range []struct {
		name, line    string
		id, request   string
		status        int
		body          string
		code, message string
	}{
		{"OpenAI: answered", batchOutputLine, "r-1", "req_1", 200, chatBody, "", ""},
		{"OpenAI: refused", `{"id":"b","custom_id":"r","response":{"status_code":400,"request_id":"q",` +
			`"body":{"error":{"message":"m"}}},"error":null}`, "r", "q", 400, `{"error":{"message":"m"}}`, "", ""},
		{"OpenAI: expired", `{"id":"b","custom_id":"r","response":null,"error":{"code":"batch_expired","message":"too late"}}`,
			"r", "", 0, "", "batch_expired", "too late"},
		{"vLLM: refused", `{"id":"b","custom_id":"r","response":{"status_code":400,"request_id":"q","body":null},` +
			`"error":{"object":"error","message":"m","type":"BadRequestError","code":400}}`, "r", "q", 400, "", "400", "m"},
		{"Anthropic: answered", `{"custom_id":"r","result":{"type":"succeeded","message":{"id":"msg_1","content":[]}}}`,
			"r", "", 200, `{"id":"msg_1","content":[]}`, "", ""},
		{"Anthropic: refused", `{"custom_id":"r","result":{"type":"errored","error":{"type":"error","request_id":"q",` +
			`"error":{"type":"invalid_request_error","message":"max_tokens: Field required"}}}}`, "r", "", 400,
			`{"type":"error","request_id":"q","error":{"type":"invalid_request_error","message":"max_tokens: Field required"}}`, "", ""},
		{"Anthropic: refused, as its guide writes it", `{"custom_id":"r","result":{"type":"errored","error":{"type":"invalid_request",` +
			`"message":"m"}}}`, "r", "", 400, `{"type":"invalid_request","message":"m"}`, "", ""},
		{"Anthropic: failed", `{"custom_id":"r","result":{"type":"errored","error":{"type":"error","error":{"type":"new_error",` +
			`"message":"m"}}}}`, "r", "", 500, `{"type":"error","error":{"type":"new_error","message":"m"}}`, "", ""},
		{"Anthropic: overloaded", `{"custom_id":"r","result":{"type":"errored","error":{"error":{"type":"overloaded_error"}}}}`,
			"r", "", 529, `{"error":{"type":"overloaded_error"}}`, "", ""},
		{"Anthropic: expired", `{"custom_id":"r","result":{"type":"expired"}}`, "r", "", 0, "", "batch_expired",
			"the batch expired before it got to the request"},
		{"Anthropic: canceled", `{"custom_id":"r","result":{"type":"canceled"}}`, "r", "", 0, "", "batch_cancelled",
			"the batch was cancelled before it got to the request"},
		{"an error that is text", `{"custom_id":"r","error":"gone"}`, "r", "", 0, "", "", "gone"},
		{"no status", `{"custom_id":"r","response":{"body":{"choices":[]}}}`, "r", "", 200, `{"choices":[]}`, "", ""},
		{"white space", " { \"custom_id\" : \"r\" ,\t\"response\" : { \"status_code\" : 200 , \"body\" : { } } }\r\n",
			"r", "", 200, `{ }`, "", ""},
		{"escapes", `{"custom\u005fid":"\u0072\u002f\"","response":{"status_code":200,"request_id":"\u0071"}}`, `r/"`, "q", 200, "", "", ""},
		{"a custom_id that comes twice", `{"custom_id":"a","custom_id":"b","response":{}}`, "b", "", 200, "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := BatchOutput{CustomID: []byte("old"), Status: 1, RequestID: []byte("old"), Body: []byte("old"), Err: &Error{}}
			if err := ParseBatchOutput([]byte(c.line), &out); err != nil {
				t.Fatal(err)
			}
			if string(out.CustomID) != c.id || string(out.RequestID) != c.request || out.Status != c.status || string(out.Body) != c.body {
				t.Errorf("%q, %q, %d, %s", out.CustomID, out.RequestID, out.Status, out.Body)
			}
			failed := c.code != "" || c.message != ""
			if (out.Err != nil) != failed || failed && (out.Err.Code != c.code || out.Err.Message != c.message || out.Err.Status != 0) {
				t.Errorf("error %+v", out.Err)
			}
		})
	}
}

func TestParseBatchOutputRefuses(t *testing.T) {
	for _, c := range []struct{ name, line, want string }{
		{"nothing", "", "not JSON"},
		{"cut short", batchOutputLine[:60], "not JSON"},
		{"two values", `{"custom_id":"r","error":"x"}{}`, "not JSON"},
		{"no object", `["r"]`, "an array, not an object"},
		{"a result of no kind", `{"custom_id":"r","result":{"type":"paused"}}`, "neither a response nor an error"},
		{"no message", `{"custom_id":"r","result":{"type":"succeeded"}}`, "neither a response nor an error"},
		{"no id", `{"response":{"status_code":200,"body":{}}}`, "no custom_id"},
		{"an empty id", `{"custom_id":"","error":{"message":"invalid line"}}`, "no custom_id"},
		{"an id that is no string", `{"custom_id":7,"error":"x"}`, "no custom_id"},
		{"nothing said", `{"custom_id":"r","response":null,"error":null}`, "r has neither a response nor an error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out BatchOutput
			err := ParseBatchOutput([]byte(c.line), &out)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v does not say %q", err, c.want)
			}
		})
	}
}

func TestParseBatchOutputAllocations(t *testing.T) {
	line := []byte(batchOutputLine + "\n")
	var out BatchOutput
	allocs := testing.AllocsPerRun(100, func() {
		if err := ParseBatchOutput(line, &out); err != nil {
			t.Fatal(err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations a line", allocs)
	}
}

func BenchmarkParseBatchOutput(b *testing.B) {
	line := []byte(batchOutputLine)
	var out BatchOutput
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		if err := ParseBatchOutput(line, &out); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzBatchOutput: no line makes a panic or is changed, and what is found in it is a part of it.
func FuzzBatchOutput(f *testing.F) {
	for _, line := range []string{
		batchOutputLine, `{"custom_id":"r","response":null,"error":{"code":"batch_expired","message":"m"}}`, "",
		`{"custom_id":"\u0072","response":{"status_code":1e3,"request_id":"\ud800","body":"x"},"error":[[{"error":{"code":1}}]]}`,
		`{"response":[],"error":"x","custom_id":""}`, " {\"custom_id\":\"\xff\",\"response\":{\"status_code\":-1}} \n", `null`,
	} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		given := bytes.Clone(line)
		var out BatchOutput
		err := ParseBatchOutput(line, &out)
		if !bytes.Equal(line, given) {
			t.Fatalf("the line was changed to %q", line)
		}
		if out.Body != nil && (!rawjson.Valid(out.Body) || !bytes.Contains(line, out.Body)) || out.Status < 0 {
			t.Fatalf("status %d with the body %q", out.Status, out.Body)
		}
		if err == nil && (len(out.CustomID) == 0 || out.Status == 0 && out.Err == nil) {
			t.Fatalf("read %+v", out)
		}
	})
}

func TestBatchOutputID(t *testing.T) {
	for start, want := range map[string]string{
		`{"id":"b","custom_id":"one","response":{"body":{"cut`: "one",
		`{"custom_id":"two"`:                   "two",
		`{"response":{"body":{"cut`:            "",
		`{"custom_id":"cut`:                    "",
		`{"custom_id":3,"response":{}}`:        "",
		`["custom_id","three"]`:                "",
		`{"response":{},"custom_id":"behind"}`: "behind",
		``:                                     "",
	} {
		if got := string(BatchOutputID([]byte(start))); got != want {
			t.Errorf("%q of %s", got, start)
		}
	}
}
