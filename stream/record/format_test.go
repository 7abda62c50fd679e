package record

import (
	"testing"
)

// answered is the result of an answer to the endpoint.
func answered(t testing.TB, e Endpoint, body string) *Result {
	t.Helper()
	a, err := ParseAnswer(e, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return &Result{ID: []byte(`"r1"`), Line: 1, Answer: &a, Response: []byte(body), CostNanos: 13800, CostKnown: true, Attempts: 1,
		LatencyMS: 812}
}

const chatBody = `{"id":"c","model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"message":{"role":"assistant",` +
	`"content":"a\nb"},"finish_reason":"stop"}],` +
	`"usage":{"prompt_tokens":12,"completion_tokens":20,"total_tokens":32}}`

func TestFormatAnswers(t *testing.T) {
	chat := func(change func(*Result)) *Result {
		r := answered(t, Chat, pretty(chatBody))
		if change != nil {
			change(r)
		}
		return r
	}
	const chatLine = `{"id":"r1","content":"a\nb","model":"gpt-4o-mini-2024-07-18","finish_reason":"stop",` +
		`"usage":{"prompt_tokens":12,"completion_tokens":20,"total_tokens":32},`
	tests := []struct {
		name   string
		format Format
		r      *Result
		want   string
	}{
		{"result", FormatResult, chat(nil), chatLine + `"cost_usd":0.0000138,"attempts":1,"latency_ms":812}`},
		{"all that may be there", FormatResult, chat(func(r *Result) {
			r.ID, r.File, r.CostKnown, r.Provider, r.DowngradedFrom, r.Input = []byte("17"), "f", false, "lane 2", "gpt-4o",
				[]byte(" {\"a\": 1}\r")
		}), `{"id":17,` + chatLine[len(`{"id":"r1",`):] +
			`"cost_usd":null,"attempts":1,"latency_ms":812,"provider":"lane 2","downgraded_from":"gpt-4o","input":{"a": 1}}`},
		{"input that is text", FormatResult, chat(func(r *Result) { r.Input, r.InputIsText = []byte(`say "hi"`), true }),
			chatLine + `"cost_usd":0.0000138,"attempts":1,"latency_ms":812,"input":"say \"hi\""}`},
		{"tool calls, details, no cost", FormatResult, func() *Result {
			r := answered(t, Chat, `{"choices":[{"message":{"content":null,"tool_calls":[ {"id" : "c"}]},"finish_reason":"tool_calls"}],
				"usage":{"prompt_tokens":1,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":1},
				"completion_tokens_details":{"reasoning_tokens":2}}}`)
			r.CostNanos = 0
			return r
		}(), `{"id":"r1","content":null,"tool_calls":[{"id":"c"}],"model":null,"finish_reason":"tool_calls",` +
			`"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"cached_tokens":1,"reasoning_tokens":2},"cost_usd":0,` +
			`"attempts":1,"latency_ms":812}`},
		{"several, flagged", FormatResult,
			answered(t, Chat, `{"choices":[{"message":{"content":"","refusal":"no"},"finish_reason":"length"}, {"message":{"content":"b"}}]}`),
			`{"id":"r1","content":"","choices":[{"message":{"content":"","refusal":"no"},"finish_reason":"length"},` +
				`{"message":{"content":"b"}}],"refusal":"no",` +
				`"model":null,"finish_reason":"length","flagged":"length","usage":null,"cost_usd":0.0000138,"attempts":1,"latency_ms":812}`},
		{"embedding", FormatResult, answered(t, Embeddings, `{"model":"e","data":[{"embedding":[0.5,
			-1]}],"usage":{"prompt_tokens":7,"total_tokens":7}}`),
			`{"id":"r1","embedding":[0.5,-1],"model":"e","usage":{"prompt_tokens":7,"completion_tokens":0,"total_tokens":7},` +
				`"cost_usd":0.0000138,"attempts":1,"latency_ms":812}`},
		{"embeddings", FormatResult, answered(t, Embeddings, `{"data":[{"embedding":[1]},{"embedding":[2 ]},{}]}`),
			`{"id":"r1","embedding":[1],"embeddings":[[1],[2],null],"model":null,"flagged":"empty","usage":null,"cost_usd":0.0000138,"attempts":1,` +
				`"latency_ms":812}`},
		{"raw", FormatRaw, chat(func(r *Result) { r.Input = []byte("1") }), `{"id":"r1","response":` + chatBody + `,"input":1}`},
		{"batch", FormatBatch, chat(nil), `{"id":"batch_req_ea54af8404fd7f4a","custom_id":"r1",` +
			`"response":{"status_code":200,"request_id":"","body":` + chatBody + `},"error":null}`},
		{"batch, a number for an id", FormatBatch, chat(func(r *Result) { r.ID = []byte("1e3") }),
			`{"id":"batch_req_44bb4218178916d8","custom_id":"1e3",` +
				`"response":{"status_code":200,"request_id":"","body":` + chatBody + `},"error":null}`},
		{"text", FormatText, chat(nil), "a\nb"},
		{"text of an embedding", FormatText, answered(t, Embeddings, `{"data":[{"embedding":[1, 2]}]}`), "[1,2]"},
		{"text of a refusal", FormatText, answered(t, Chat, `{"choices":[{"message":{"refusal":"n\u006f"}}]}`), "no"},
		{"text of a call", FormatText, answered(t, Chat, `{"choices":[{"message":{"tool_calls":[ 1 ]}}]}`), "[1]"},
		{"text of nothing", FormatText, answered(t, Chat, `{"choices":[]}`), ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := string(test.format.Append([]byte("> "), test.r)); got != "> "+test.want+"\n" {
				t.Errorf("\n got %swant > %s", got, test.want)
			}
		})
	}
}

func TestFormatFailures(t *testing.T) {
	limited := &Error{Type: "rate_limit", Code: "rate_limit_exceeded", Status: 429, Message: `slow "down"`}
	tests := []struct {
		name   string
		format Format
		r      *Result
		want   string
	}{
		{"result", FormatResult, &Result{ID: []byte(`"r2"`), Line: 2, Err: limited, Attempts: 6},
			`{"id":"r2","line":2,"error":{"type":"rate_limit","code":"rate_limit_exceeded","status":429,"message":"slow \"down\""},` +
				`"attempts":6}`},
		{"bare", FormatRaw, &Result{Line: 3, File: "in", Err: &Error{Type: TypeUpstream}},
			`{"id":null,"file":"in","line":3,"error":{"type":"upstream","message":""},"attempts":0}`},
		{"billed, another lane, not JSON", FormatResult,
			&Result{Line: 1, Err: &Error{Type: "t", Message: "m"}, CostNanos: 2_000_000_001, CostKnown: true, Provider: "p",
				Input: []byte("{\xff")},
			`{"id":null,"line":1,"error":{"type":"t","message":"m"},"attempts":0,"cost_usd":2.000000001,"provider":"p",` +
				`"input":"{` + "\uFFFD" + `"}`},
		{"batch", FormatBatch, &Result{ID: []byte(`"r2"`), Err: limited},
			`{"id":"batch_req_ea5f218405069585","custom_id":"r2","response":{"status_code":429,"request_id":"","body":` +
				`{"error":{"message":"slow \"down\"","type":"rate_limit","code":"rate_limit_exceeded"}}},` +
				`"error":{"code":"rate_limit_exceeded","message":"slow \"down\""}}`},
		{"batch, no response", FormatBatch, &Result{Err: &Error{Type: "timeout", Message: "m"}},
			`{"id":"batch_req_cbf29ce484222325","custom_id":null,"response":null,"error":{"code":"timeout","message":"m"}}`},
		{"batch, no code", FormatBatch, &Result{Err: &Error{Type: "t", Status: 500, Message: "m"}},
			`{"id":"batch_req_cbf29ce484222325","custom_id":null,"response":{"status_code":500,"request_id":"","body":` +
				`{"error":{"message":"m","type":"t","code":null}}},"error":{"code":"t","message":"m"}}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := string(test.format.Append(nil, test.r)); got != test.want+"\n" {
				t.Errorf("\n got %swant %s", got, test.want)
			}
		})
	}
	if got := FormatText.Append([]byte("> "), &Result{Err: limited}); string(got) != "> " {
		t.Errorf("text of a failure: %q", got)
	}
}

func TestCost(t *testing.T) {
	for nanos, want := range map[int64]string{
		0: "0", 1: "0.000000001", 13800: "0.0000138", 1e9: "1", 1_500_000_000: "1.5", 12_000_000_010: "12.00000001",
		-1: "-0.000000001", 1<<63 - 1: "9223372036.854775807", -1 << 63: "-9223372036.854775808",
	} {
		if got := appendCost(nil, &Result{CostNanos: nanos, CostKnown: true}); string(got) != want {
			t.Errorf("%d: got %s, want %s", nanos, got, want)
		}
	}
}

func TestFormatAllocations(t *testing.T) {
	r := answered(t, Chat, pretty(chatBody))
	failed := &Result{ID: []byte(`"x"`), Err: &Error{Type: "t", Code: "c", Message: "m"}, Input: []byte(`{"a":1}`)}
	many := answered(t, Embeddings, `{"data":[{"embedding":[1]},{"embedding":[2 ]}]}`)
	dst := make([]byte, 0, 4096)
	for _, f := range []Format{FormatResult, FormatBatch, FormatRaw, FormatText} {
		for name, r := range map[string]*Result{"answer": r, "failure": failed, "embeddings": many} {
			if n := testing.AllocsPerRun(100, func() { dst = f.Append(dst[:0], r) }); n != 0 {
				t.Errorf("%s of an %s: %v allocations", f, name, n)
			}
		}
	}
}
