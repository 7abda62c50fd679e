package record

import (
	"strings"
	"testing"

	"llmpipe/stream/record/rawjson"
)

// What becomes a request to Anthropic's API, and how.
func TestDecodeMessages(t *testing.T) {
	messages := Options{Endpoint: Messages, Model: "m"}
	with := func(change func(o *Options)) Options {
		o := messages
		change(&o)
		return o
	}
	system := with(func(o *Options) { o.System = "s" })
	fewer := with(func(o *Options) { o.Set = []Field{{"max_tokens", []byte("9")}} })
	blocks := with(func(o *Options) {
		o.Set = []Field{{"system", []byte(`[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}]`)}}
	})
	const said = `"messages":[{"role":"user","content":"hi"}]`
	for _, test := range []struct {
		name, line string
		opt        Options
		body       string
	}{
		{"string", `"hi"`, messages, `{"model":"m","max_tokens":4096,` + said + `}`},
		{"string, a bound set", `"hi"`, fewer, `{"model":"m",` + said + `,"max_tokens":9}`},
		{"string with a system prompt", `"hi"`, system, `{"model":"m","max_tokens":4096,"system":"s",` + said + `}`},
		{"string with a marked system prompt", `"hi"`, blocks,
			`{"model":"m","max_tokens":4096,` + said + `,"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}]}`},
		{"text", "hi", with(func(o *Options) { o.Raw = true }), `{"model":"m","max_tokens":4096,` + said + `}`},
		{"template", `{"id":1,"who":"hi"}`, with(func(o *Options) { o.Template, o.System = "{{.who}}", "s" }),
			`{"model":"m","max_tokens":4096,"system":"s",` + said + `}`},
		{"simple", `{"id":1,"prompt":"hi","temperature":0.50}`, messages, `{"model":"m","max_tokens":4096,` + said + `,"temperature":0.50}`},
		{"simple with its own", `{"prompt":"hi","system":"own","max_tokens":7,"model":"o"}`, system,
			`{` + said + `,"system":"own","max_tokens":7,"model":"o"}`},
		{"simple with marked blocks", `{"prompt":"hi","system":[{"type":"text","text":"own","cache_control":{"type":"ephemeral"}}]}`, system,
			`{"model":"m","max_tokens":4096,` + said + `,"system":[{"type":"text","text":"own","cache_control":{"type":"ephemeral"}}]}`},
		{"simple, system null", `{"prompt":"hi","system":null}`, messages, `{"model":"m","max_tokens":4096,` + said + `}`},
		{"request body", `{"max_tokens":5, "messages": [ {"role":"user","content":[{"type":"text","text":"hi",` +
			`"cache_control":{"type":"ephemeral","ttl":"1h"}}]} ] ,"id":"x","model":"o"}`, system,
			`{"system":"s","max_tokens":5, "messages": [ {"role":"user","content":[{"type":"text","text":"hi",` +
				`"cache_control":{"type":"ephemeral","ttl":"1h"}}]} ] ,"model":"o"}`},
		{"request body with a system prompt", `{"system":"own","messages":[],"max_tokens":5,"model":"o"}`, system,
			`{"system":"own","messages":[],"max_tokens":5,"model":"o"}`},
		{"batch line", `{"custom_id":"a","params":{"max_tokens" : 1e1, "metadata":{"user_id":9007199254740993}}}`, system,
			`{"max_tokens" : 1e1, "metadata":{"user_id":9007199254740993}}`},
		{"batch line in OpenAI's form", `{"custom_id":"a","url":"/v1/messages","body":{"messages":[] }}`, system, `{"messages":[] }`},
		{"batch line without a url", `{"custom_id":"a","body":{"messages":[] }}`, system, `{"messages":[] }`},
	} {
		t.Run(test.name, func(t *testing.T) {
			rec, e := decode(t, test.opt, test.line)
			if e != nil || string(rec.Body) != test.body || rec.Endpoint != Messages {
				t.Errorf("%v\n%s, want\n%s", e, rec.Body, test.body)
			}
			if bound := strings.Contains(test.body, "4096"); bound != (rec.MaxTokens == 4096) {
				t.Errorf("its bound is %d", rec.MaxTokens)
			}
			if !rawjson.Valid(rec.Body) {
				t.Errorf("not JSON: %s", rec.Body)
			}
		})
	}
}

// One body is another request at another endpoint, and what was asked before messages is the same
// request still.
func TestMessagesAreRequestsOfTheirOwn(t *testing.T) {
	const line = `{"messages":[],"max_tokens":1}`
	chat, _ := decode(t, Options{}, line)
	messages, _ := decode(t, Options{Endpoint: Messages}, line)
	if chat.Request == messages.Request {
		t.Error("chat and messages have one fingerprint")
	}
}

// What does not go with the endpoint, or with another one.
func TestDecodeMessagesErrors(t *testing.T) {
	messages, chat := Options{Endpoint: Messages}, Options{}
	for _, test := range []struct {
		name, line string
		opt        Options
		code, says string
	}{
		{"params elsewhere", `{"custom_id":"a","params":{}}`, chat, "other_dialect", "use --endpoint messages"},
		{"params no object", `{"custom_id":"a","params":[]}`, messages, "invalid_body", "an array"},
		{"url elsewhere", `{"custom_id":"a","url":"/v1/messages","body":{}}`, chat, "other_dialect", "--endpoint chat uses OpenAI's"},
		{"another's url", `{"custom_id":"a","url":"/v1/chat/completions","body":{}}`, messages, "other_dialect",
			"--endpoint messages uses Anthropic's"},
		{"params alone", `{"params":{}}`, messages, "unknown_shape", "`params`"},
		{"input", `{"input":"x"}`, messages, "input_without_endpoint", "the messages endpoint does not take"},
		{"messages no array", `{"messages":"x"}`, messages, "invalid_messages", "a string"},
		{"system a number", `{"prompt":"x","system":1}`, messages, "invalid_system", "a number"},
		{"stream", `{"messages":[],"stream":true}`, messages, "stream_unsupported", "not streamed"},
		{"stream in params", `{"custom_id":"a","params":{"stream":true}}`, messages, "stream_unsupported", "not streamed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, e := decode(t, test.opt, test.line)
			if e == nil || e.Code != test.code || !strings.Contains(e.Message, test.says) {
				t.Errorf("%v", e)
			}
		})
	}
	for _, set := range []Options{
		{Endpoint: Messages, System: "s", Set: []Field{{"system", []byte(`"t"`)}}},
		{Set: []Field{{"system", []byte(`"t"`)}}},
	} {
		if _, err := NewDecoder(set); err == nil || !strings.Contains(err.Error(), "--set system") {
			t.Errorf("%+v: %v", set, err)
		}
	}
}

// What Anthropic's API answers.
func TestParseMessage(t *testing.T) {
	message := func(content, stop, more string) string {
		return `{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":` + content +
			`,"stop_reason":` + stop + `,"stop_sequence":null` + more + `}`
	}
	for _, test := range []struct {
		name, body                              string
		content, calls, refusal, finish, flag   string
		answered, broken                        bool
		prompt, cached, written, hour, complete int64
	}{
		{name: "text", body: message(`[{"type":"text","text":"a\u0062"}]`, `"end_turn"`,
			`,"usage":{"input_tokens":10,"cache_creation_input_tokens":30,"cache_read_input_tokens":100,`+
				`"cache_creation":{"ephemeral_5m_input_tokens":20,"ephemeral_1h_input_tokens":10},"output_tokens":7,"service_tier":"standard"}`),
			content: `"a\u0062"`, finish: `"end_turn"`, answered: true, prompt: 140, cached: 100, written: 30, hour: 10, complete: 7},
		{name: "texts, and what was thought", body: message(`[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"a"},`+
			`{"type":"redacted_thinking","data":"x"},{"type":"text","text":"b","citations":[]}]`, `"stop_sequence"`, ``),
			content: `"ab"`, finish: `"stop_sequence"`, answered: true},
		{name: "calls", body: message(`[{"type":"text","text":"I look."},`+
			`{"type":"tool_use","id":"toolu_1","name":"f","input":{ "a":"\"b\"", "n":1.0 }},`+
			`{"type":"server_tool_use","id":"srv","name":"web_search","input":{}},{"type":"tool_use","id":"toolu_2","name":"g","input":{}}]`,
			`"tool_use"`, ``),
			content: `"I look."`, finish: `"tool_use"`, answered: true,
			calls: `[{"id":"toolu_1","type":"function","function":{"name":"f","arguments":"{\"a\":\"\\\"b\\\"\",\"n\":1.0}"}},` +
				`{"id":"toolu_2","type":"function","function":{"name":"g","arguments":"{}"}}]`},
		{name: "cut", body: message(`[{"type":"text","text":"a"}]`, `"max_tokens"`, ``), content: `"a"`, finish: `"max_tokens"`, flag: "length",
			answered: true},
		{name: "the window full", body: message(`[]`, `"model_context_window_exceeded"`, ``), finish: `"model_context_window_exceeded"`,
			flag: "length", answered: true},
		{name: "refused", body: message(`[]`, `"refusal"`, `,"stop_details":{"type":"refusal","category":"cyber","explanation":"no"}`),
			finish: `"refusal"`, refusal: `"no"`, flag: "content_filter", answered: true},
		{name: "refused without a word", body: message(`[]`, `"refusal"`, `,"stop_details":null`), finish: `"refusal"`, flag: "content_filter",
			answered: true},
		{name: "paused", body: message(`[{"type":"server_tool_use","id":"srv","name":"web_search","input":{}}]`, `"pause_turn"`, ``),
			finish: `"pause_turn"`, flag: "paused", answered: true},
		{name: "empty", body: message(`[]`, `"end_turn"`, ``), finish: `"end_turn"`, flag: "empty", answered: true},
		{name: "a reason that nobody knows", body: message(`[{"type":"text","text":"a"}]`, `"moon"`, ``), content: `"a"`, finish: `"moon"`,
			flag: "finish_reason", answered: true},
		{name: "no message", body: `{"id":"msg_1"}`, flag: "empty"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, err := ParseAnswer(Messages, []byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			if string(a.Content) != test.content || string(a.ToolCalls) != test.calls || string(a.Refusal) != test.refusal ||
				string(a.FinishReason) != test.finish || a.Flag() != test.flag || (a.Choices == 1) != test.answered || a.Broken() != test.broken {
				t.Errorf("%s %s %s %s, flagged %q, %d choices", a.Content, a.ToolCalls, a.Refusal, a.FinishReason, a.Flag(), a.Choices)
			}
			if a.ToolCalls != nil && !rawjson.Valid(a.ToolCalls) {
				t.Errorf("no JSON: %s", a.ToolCalls)
			}
			u := a.Usage
			if u.Prompt != test.prompt || u.Cached != test.cached || u.CacheWrite != test.written || u.CacheHour != test.hour ||
				u.Completion != test.complete {
				t.Errorf("%+v", u)
			}
		})
	}
}
