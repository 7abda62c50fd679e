package record

import (
	"reflect"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"llmpipe/stream/record/rawjson"
)

// pretty is how OpenAI's servers write.
func pretty(body string) string {
	v := jsontext.Value(body)
	if err := v.Indent(); err != nil {
		panic(err)
	}
	return string(v)
}

func TestParseAnswer(t *testing.T) {
	type want struct {
		content, embedding, more, toolCalls, refusal, finish, model, err, flag string
		choices                                                                int
	}
	tests := []struct {
		name     string
		endpoint Endpoint
		body     string
		want     want
	}{
		{"chat", Chat, `{"model":"m-1","choices":[{"index":0,"message":{"role":"assistant","content":"a\n\u00e9"},` +
			`"finish_reason":"stop"}],"error":null}`,
			want{content: `"a\n\u00e9"`, finish: `"stop"`, model: `"m-1"`, choices: 1}},
		{"chat, tool calls", Chat,
			`{"choices":[{"message":{"content":null,"tool_calls":[{"id":"c"}],"refusal":null},"finish_reason":"tool_calls"}]}`,
			want{toolCalls: `[{"id":"c"}]`, finish: `"tool_calls"`, choices: 1}},
		{"chat, refusal", Chat, `{"choices":[{"message":{"content":null,"tool_calls":[ ],"refusal":"no"}}]}`, want{refusal: `"no"`,
			choices: 1}},
		{"chat, parts", Chat, `{"choices":[{"message":{"content":[{"type":"text","text":"a"},{"type":"x"},{"type":"text","text":"b"}]}}]}`,
			want{content: `"ab"`, choices: 1}},
		{"chat, several", Chat, `{"choices":[{"message":{"content":"a"}},{"message":{"content":"b"}}]}`,
			want{content: `"a"`, more: `[{"message":{"content":"a"}},{"message":{"content":"b"}}]`, choices: 2}},
		{"chat, cut", Chat, `{"choices":[{"message":{"content":""},"finish_reason":"length"}]}`,
			want{content: `""`, finish: `"length"`, flag: "length", choices: 1}},
		{"chat, withheld", Chat, `{"choices":[{"message":{"content":"x"},"finish_reason":"content_filter"}]}`,
			want{content: `"x"`, finish: `"content_filter"`, flag: "content_filter", choices: 1}},
		{"chat, white space", Chat, `{"choices":[{"message":{"content":" \n\t"},"finish_reason":"stop"}]}`,
			want{content: `" \n\t"`, finish: `"stop"`, flag: "empty", choices: 1}},
		{"chat, no choices", Chat, `{"choices":[]}`, want{flag: "empty"}},
		{"chat, an error instead", Chat, `{"error":{"code":502}}`, want{err: `{"code":502}`, flag: "empty"}},
		{"chat, an error inside", Chat, `{"choices":[{"error":{"code":502},"message":{"content":""}}]}`,
			want{content: `""`, err: `{"code":502}`, flag: "empty", choices: 1}},
		{"chat, keys escaped", Chat, `{"ch\u006fices":[{"message":{"c\u006fntent":"a"}}]}`, want{content: `"a"`, choices: 1}},
		{"completions", Completions, `{"choices":[{"text":"t","finish_reason":"stop"}]}`, want{content: `"t"`, finish: `"stop"`, choices: 1}},
		{"embeddings", Embeddings, `{"model":"e","data":[{"embedding":[0.1,-2e-3],"index":0}]}`, want{embedding: `[0.1,-2e-3]`, model: `"e"`,
			choices: 1}},
		{"embeddings, base64", Embeddings, `{"data":[{"embedding":"AAAA"},{"embedding":"BBBB"}]}`,
			want{embedding: `"AAAA"`, more: `[{"embedding":"AAAA"},{"embedding":"BBBB"}]`, choices: 2}},
		{"embeddings, none", Embeddings, `{"data":[]}`, want{flag: "empty"}},
		{"responses", Responses, `{"status":"completed","error":null,"incomplete_details":null,"output":[{"type":"reasoning","summary":[]},` +
			`{"type":"message","content":[{"type":"output_text","text":"a\""},{"type":"output_text","text":"b"}]}]}`,
			want{content: `"a\"b"`, finish: `"completed"`, choices: 1}},
		{"responses, refusal", Responses, `{"output":[{"type":"message","content":[{"type":"refusal","refusal":"no"}]}]}`,
			want{refusal: `"no"`, choices: 1}},
		{"responses, calls", Responses, `{"output":[{"type":"function_call","name":"f"},{"type":"function_call","name":"g"}]}`,
			want{toolCalls: `[{"type":"function_call","name":"f"},{"type":"function_call","name":"g"}]`, choices: 1}},
		{"responses, cut", Responses,
			`{"incomplete_details":{"reason":"max_output_tokens"},"status":"incomplete","output":[{"type":"message","content":[]}]}`,
			want{finish: `"max_output_tokens"`, flag: "length", choices: 1}},
		{"responses, incomplete", Responses, `{"status":"incomplete","output":[{"type":"message","content":[{"text":"a"}]}]}`,
			want{content: `"a"`, finish: `"incomplete"`, flag: "length", choices: 1}},
		{"responses, withheld", Responses, `{"status":"incomplete","incomplete_details":{"reason":"content_filter"},"output":[]}`,
			want{finish: `"content_filter"`, flag: "content_filter"}},
		{"what is not as it should be", Chat, `{"model":3,"choices":[7],"usage":"x","data":{},"output":1}`, want{flag: "empty", choices: 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, body := range []string{test.body, pretty(test.body)} {
				a, err := ParseAnswer(test.endpoint, []byte(body))
				if err != nil {
					t.Fatal(err)
				}
				if again, err := RecallAnswer(test.endpoint, rawjson.Compact(nil, []byte(test.body))); err != nil || again.Flag() != a.Flag() {
					t.Errorf("recalled %+v, %v", again, err)
				}
				dense := func(token []byte) string { return string(rawjson.Compact(nil, token)) }
				got := want{dense(a.Content), dense(a.Embedding), dense(a.More), dense(a.ToolCalls), dense(a.Refusal),
					dense(a.FinishReason), dense(a.Model), dense(a.Error), a.Flag(), a.Choices}
				if got != test.want {
					t.Errorf("got  %+v\nwant %+v", got, test.want)
				}
				if a.HasUsage {
					t.Error("usage out of nothing")
				}
				taken, left, err := TakeAnswer(test.endpoint, []byte(" "+body+"\n"))
				if want := rawjson.Compact(nil, []byte(body)); err != nil || string(left) != string(want) {
					t.Errorf("of %s\nis left %s\nwant    %s, %v", body, left, want, err)
				}
				if parsed, err := ParseAnswer(test.endpoint, left); err != nil || !reflect.DeepEqual(taken, parsed) {
					t.Errorf("taken %+v\nwant  %+v, %v", taken, parsed, err)
				}
			}
		})
	}
}

func TestParseAnswerErrors(t *testing.T) {
	for body, message := range map[string]string{
		"":                         "not JSON",
		"<html>busy</html>":        "not JSON: <html>busy</html>",
		`{"choices":[`:             "not JSON",
		`[{"choices":[]}]`:         "an array, not an object",
		"7":                        "a number",
		strings.Repeat("[", 20000): "not JSON",
	} {
		if _, err := ParseAnswer(Chat, []byte(body)); err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("%.20s: got %v, want …%s…", body, err, message)
		}
		if _, left, err := TakeAnswer(Chat, []byte(body)); err == nil || string(left) != body {
			t.Errorf("%.20s: what is no answer is not left as it is: %.20s, %v", body, left, err)
		}
	}
}

func TestParseError(t *testing.T) {
	tests := []struct{ name, body, kind, code, message string }{
		{"openai", `{"error":{"message":"slow down","type":"requests","param":null,"code":"rate_limit_exceeded"}}`, "requests",
			"rate_limit_exceeded", "slow down"},
		{"anthropic", `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, "overloaded_error", "", "Overloaded"},
		{"gemini", `[{"error":{"code":429,"message":"quota","status":"RESOURCE_EXHAUSTED"}}]`, "RESOURCE_EXHAUSTED", "429", "quota"},
		{"mistral", `{"object":"error","message":"bad key","type":"invalid","code":1000}`, "invalid", "1000", "bad key"},
		{"openrouter", `{"error":{"message":"Provider returned error","code":502,"metadata":{"raw":"up\nstream"}}}`, "", "502",
			"Provider returned error: up stream"},
		{"text under error", `{"error":"model \"x\" not found"}`, "", "", `model "x" not found`},
		{"message", `{"message":"Unauthorized"}`, "", "", "Unauthorized"},
		{"detail", `{"detail":"Not Found"}`, "", "", "Not Found"},
		{"detail in parts", `{"detail":[{"loc": ["body"], "msg":"missing"}]}`, "", "", `[{"loc":["body"],"msg":"missing"}]`},
		{"a message that is no text", `{"error":{"message":{"a": 1},"code":null}}`, "", "", `{"a":1}`},
		{"minimax", `{"choices":null,"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}`, "", "1008", "insufficient balance"},
		{"baidu", `{"error_code":17,"error_msg":"Open api daily request limit reached"}`, "", "17", "Open api daily request limit reached"},
		{"cloudflare", `{"result":null,"success":false,"errors":[{"code":7009,"message":"no"}]}`, "", "7009", "no"},
		{"apigee", `{"fault":{"faultstring":"over","detail":{"errorcode":"policies.ratelimit.QuotaViolation"}}}`, "",
			"policies.ratelimit.QuotaViolation", "over"},
		{"aws", `{"__type":"ThrottlingException","message":"slow down"}`, "ThrottlingException", "", "slow down"},
		{"text generation inference", `{"error":"out of memory","error_type":"generation"}`, "generation", "", "out of memory"},
		{"xai", `{"code":"no permission","error":"no credits"}`, "", "no permission", "no credits"},
		{"a byte order mark", "\xef\xbb\xbf" + `{"error":{"message":"m"}}`, "", "", "m"},
		{"another object", `{"ok": false}`, "", "", `{"ok": false}`},
		{"a string", `"no \u0041"`, "", "", "no A"},
		{"an empty array", `[]`, "", "", "[]"},
		{"html", "<html>\n  <h1>502   Bad\tGateway</h1>\n", "", "", "<html> <h1>502 Bad Gateway</h1>"},
		{"much text", strings.Repeat("é ", 5000), "", "", strings.TrimSpace(strings.Repeat("é ", 100)) + " "},
		{"not UTF-8", "caf\xe9", "", "", "caf\uFFFD"},
		{"null", `null`, "", "", "null"},
		{"an empty text", `{"error":" ","code":"c"}`, "", "c", `{"error":" ","code":"c"}`},
		{"nothing", " \n", "", "", "the error response is empty"},
		{"too deep", strings.Repeat(`{"error":`, 50) + "1" + strings.Repeat("}", 50), "", "", `{"error":{"error":`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := ParseError([]byte(test.body))
			if test.name == "too deep" && strings.HasPrefix(e.Message, test.message) {
				return
			}
			if want := (Error{Type: test.kind, Code: test.code, Message: test.message}); *e != want {
				t.Errorf("got  %+v\nwant %+v", *e, want)
			}
		})
	}
}

func TestErrorText(t *testing.T) {
	tests := []struct {
		e    Error
		want string
	}{
		{Error{Type: "rate_limit", Code: "slow", Status: 429, Message: "m"}, "rate_limit slow 429: m"},
		{Error{Type: "a", Code: "a"}, "a"},
		{Error{Type: "NotFoundError", Code: "404", Status: 404, Message: "m"}, "NotFoundError 404: m"},
		{Error{Type: "tls", Message: "tls: failed to verify certificate"}, "tls: failed to verify certificate"},
		{Error{Status: 500, Message: "m"}, "500: m"},
		{Error{Code: "c"}, "c"},
		{Error{Message: "m"}, "m"},
		{*TooLongError(99, 10), "invalid_input line_too_long: the line is 99 bytes long, and --max-line allows 10"},
	}
	for _, test := range tests {
		if got := test.e.Error(); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

func TestCompact(t *testing.T) {
	const body = " {\"a b\" :\t[ 1.0 ,\r\n true ] , \"c\\\" d\\\\\" : \" x  y \" , \"e\" : { } } \n"
	const want = `{"a b":[1.0,true],"c\" d\\":" x  y ","e":{}}`
	if got := rawjson.Compact([]byte("> "), []byte(body)); string(got) != "> "+want {
		t.Errorf("got %s", got)
	}
	if got := rawjson.Compact(nil, []byte(want)); string(got) != want {
		t.Errorf("twice: %s", got)
	}
	if got := rawjson.Compact(nil, []byte(` { "open `)); string(got) != `{"open ` {
		t.Errorf("not JSON: %s", got)
	}
}

// Of choices that come twice the last count, whatever was wrong with the first.
func TestChoicesTwice(t *testing.T) {
	const failed, fine = `"choices":[{"error":{"message":"boom"}}]`, `"choices":[{"message":{"content":"fine"}}]`
	for _, body := range []string{"{" + failed + "," + fine + "}", "{" + fine + "," + failed + "}"} {
		a, err := ParseAnswer(Chat, []byte(body))
		if last := body[len(body)/2:]; err != nil || a.Choices != 1 || (a.Error != nil) == (a.Content != nil) ||
			(a.Content != nil) != strings.Contains(last, "fine") {
			t.Errorf("%s: content %s, error %s, %d choices, %v", body, a.Content, a.Error, a.Choices, err)
		}
	}
}
