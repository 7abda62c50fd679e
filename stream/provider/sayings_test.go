package provider

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"llmpipe/stream/record"
)

// shape is an answer as it was reported of a provider.
type shape struct {
	name, header string // "Name: value"
	status       int
	body         string
}

func (s *shape) judge(asked string) *Reply {
	r := &Reply{Status: s.status, Header: http.Header{}, Body: []byte(s.body)}
	if name, value, ok := strings.Cut(s.header, ": "); ok {
		r.Header.Set(name, value)
	}
	var request []byte
	if asked != "" {
		request = []byte(asked)
	}
	r.judge(record.Chat, request, room{})
	return r
}

func says(code, kind, message string) string {
	quoted := func(s string) string {
		if s == "" {
			return "null"
		}
		return `"` + s + `"`
	}
	return `{"error":{"message":` + quoted(message) + `,"type":` + quoted(kind) + `,"param":null,"code":` + quoted(code) + `}}`
}

const tooLow = "Your credit balance is too low to access the API. Go to Plans & Billing to buy credits."

// An account without money or quota is one in whatever status and words.
func TestExhausted(t *testing.T) {
	for _, s := range []shape{
		{"OpenAI", "", 429, says("insufficient_quota", "insufficient_quota", "You exceeded your current quota, please check your plan")},
		{"OpenAI, of a project", "", 429, says("project_spend_limit_exceeded", "", "m")},
		{"Anthropic", "", 400, `{"type":"error","error":{"type":"invalid_request_error","message":"` + tooLow + `"}}`},
		{"Anthropic, told not to retry", "X-Should-Retry: false", 400, says("", "invalid_request_error", tooLow)},
		{"Anthropic's limit of the customer's own", "", 400,
			says("", "invalid_request_error", "You have reached your specified API usage limits.")},
		{"Anthropic behind LiteLLM", "", 400,
			says("400", "", `litellm.BadRequestError: AnthropicException - {\"error\":{\"message\":\"`+tooLow+`\"}}`)},
		{"Anthropic behind OpenRouter", "", 400,
			`{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\"error\":{\"message\":\"` + tooLow + `\"}}"}}}`},
		{"xAI", "", 403,
			`{"code":"no permission","error":"Your team T has either used all available credits or reached its monthly spending limit."}`},
		{"xAI", "", 429,
			`{"code":"exhausted","error":"Your team T has either used all available credits or reached its monthly spending limit."}`},
		{"OpenRouter's key", "", 403, `{"error":{"message":"Key limit exceeded (monthly limit).","code":403}}`},
		{"OpenRouter's account", "", 402, `{"error":{"message":"Insufficient credits. Add more","code":402}}`},
		{"DeepSeek", "", 402, says("invalid_request_error", "unknown_error", "Insufficient Balance")},
		{"DeepSeek, with a wait", "Retry-After: 5", 402, says("invalid_request_error", "unknown_error", "Insufficient Balance")},
		{"Moonshot", "", 429, says("", "exceeded_current_quota_error", "Your account is suspended due to insufficient balance")},
		{"SiliconFlow", "", 403, `{"code":30001,"message":"Sorry, your account balance is insufficient","data":null}`},
		{"Zhipu", "", 429, says("1113", "", "账户已欠费")},
		{"Alibaba", "", 400, says("Arrearage", "Arrearage", "Access denied, please make sure your account is in good standing.")},
		{"Alibaba's free tier", "", 403, says("AllocationQuota.FreeTierOnly", "", "The free tier of the model has been exhausted.")},
		{"Volcengine", "", 403, says("AccountOverdueError", "Forbidden", "The request failed because your account has an overdue balance.")},
		{"Fireworks", "", 412,
			says("", "", "Account x is suspended, possibly due to reaching the monthly spending limit or failure to pay past invoices")},
		{"LiteLLM's budget", "", 429, says("429", "budget_exceeded", "Budget has been exceeded! Current cost: 5.0, Max budget: 1.0")},
		{"LiteLLM's budget, as it was", "", 400, says("400", "", "Budget has been exceeded! Current cost: 5.0, Max budget: 1.0")},
		{"one-api", "", 403, says("insufficient_user_quota", "one_api_error", "user quota is not enough")},
		{"one-api, in Chinese", "", 403, says("", "new_api_error", "用户额度不足")},
		{"sub2api", "", 403, `{"code":"INSUFFICIENT_BALANCE","message":"Insufficient account balance"}`},
		{"Azure API Management", "Retry-After: 7954", 403,
			`{"statusCode":403,"message":"Out of call volume quota. Quota will be replenished in 02:12:34."}`},
		{"Hugging Face", "", 402, `{"error":"You have exceeded your monthly included credits for Inference Providers."}`},
		{"Perplexity", "", 401, says("401", "insufficient_quota", "You exceeded your current quota")},
		{"Gemini's cap", "", 429, says("429", "RESOURCE_EXHAUSTED", "Your project has exceeded its monthly spending cap.")},
		{"a gateway's 500", "", 500, says("", "", tooLow)},
		{"MiniMax", "", 200, `{"choices":null,"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}`},
		{"within 200", "", 200, `{"error":{"message":"Insufficient credits","code":402}}`},
		{"without a body", "", 402, ""},

		{"OpenRouter's day", "X-Ratelimit-Reset: 99999999999", 429, says("429", "", "Rate limit exceeded: free-models-per-day. Add 10 credits")},
		{"a day without a reset", "", 429, says("", "", "You have reached your daily limit of requests")},
		{"Groq's day, hours away", "", 429,
			says("", "tokens", "tokens per day (TPD): Limit 100, Used 99, Requested 9. Please try again in 5h2m")},
		{"GitHub's day", "", 429,
			says("RateLimitReached", "", "Rate limit of 50 per 86400s exceeded for UserByModelByDay. Please wait 39000 seconds")},
		{"Gemini's day, the last of three", "", 429,
			`[{"error":{"code":429,"message":"You exceeded your current quota","details":[{"violations":[` +
				`{"quotaId":"InputTokensPerModelPerMinute"},{"quotaId":"RequestsPerMinute"},{"quotaId": "GenerateRequestsPerDayPerProject"}]},` +
				`{"retryDelay":"3s"}]}}]`},
	} {
		for _, asked := range []string{`{"messages":[{"role":"user","content":"hello"}]}`, ""} {
			if asked == "" && s.status == 400 && !strings.HasPrefix(s.name, "Alibaba") {
				continue // of a batch's line the request is not at hand, and some of these stand in the middle of a message
			}
			if r := s.judge(asked); r.Class != Exhausted || r.Err.Type != "quota" {
				t.Errorf("%s: %s, %v", s.name, r.Class, r.Err)
			}
		}
	}
}

// What looks like an empty account and is none.
func TestNotExhausted(t *testing.T) {
	const asked = `{"messages":[{"role":"user","content":"Translate: \"Your CREDIT balance is too low\" and insufficient balance"}]}`
	for _, c := range []struct {
		shape
		want Class
	}{
		{shape{"a quote of the prompt", "", 400, says("invalid_prompt", "", "Invalid prompt: your credit balance is too low")}, Refused},
		{shape{"a quote of the prompt in a 403", "", 403, says("", "", "flagged by moderation: insufficient balance")}, Refused},
		{shape{"a minute's quota of Gemini's", "", 429,
			`[{"error":{"code":429,"message":"You exceeded your current quota, please check your plan ` +
				`and billing details.","details":[{"violations":[{"quotaId":"GenerateRequestsPerMinutePerProject"}]},{"retryDelay":"3s"}]}}]`},
			Pressure},
		{shape{"a minute's limit with advice", "", 429,
			says("", "", "Rate limit reached for requests per min. Add a payment method to raise it")},
			Pressure},
		{shape{"a day's limit that comes back bit by bit", "", 429,
			says("", "tokens", "tokens per day (TPD): Limit 100, Used 99, Requested 9. Please try again in 2m9s")}, Pressure},
		{shape{"OpenRouter's minute", "", 429, says("429", "", "Rate limit exceeded: free-models-per-min. ")}, Pressure},
		{shape{"concurrency", "", 429, says("1302", "", "rate limit")}, Pressure},
		{shape{"MiniMax's rate", "", 200, `{"choices":null,"base_resp":{"status_code":1002,"status_msg":"rate limit"}}`}, Pressure},
		{shape{"another's 1008 within 200", "", 200, `{"error":{"code":1008,"message":"trouble"}}`}, Transient},
		{shape{"an answer about money", "", 200, `{"choices":[{"message":{"content":"Insufficient balance"},"finish_reason":"stop"}]}`}, OK},
	} {
		if r := c.judge(asked); r.Class != c.want {
			t.Errorf("%s: %s, want %s: %v", c.name, r.Class, c.want, r.Err)
		}
	}
	// Where every prompt speaks of it, a message that begins with the words is still the provider's.
	own := shape{"", "", 400, says("", "invalid_request_error", tooLow)}
	if r := own.judge(asked); r.Class != Exhausted {
		t.Errorf("the provider's own words: %s", r.Class)
	}
	line := shape{"", "", 400, says("", "", "the prompt says that the credit balance is too low")}
	if r := line.judge(""); r.Class != Refused {
		t.Errorf("a line of a batch: %s", r.Class)
	}
}

// What is wrong with one record is told apart from what is wrong with all of them.
func TestAboutRecord(t *testing.T) {
	for _, s := range []shape{
		{"vLLM", "", 400,
			`{"object":"error","message":"This model's maximum context length is 4096 tokens. However, you requested 9000 tokens",` +
				`"type":"BadRequestError","code":400}`},
		{"OpenAI", "", 400, says("context_length_exceeded", "invalid_request_error", "m")},
		{"Anthropic", "", 400, says("", "invalid_request_error", "prompt is too long: 219396 tokens > 200000 maximum")},
		{"Bedrock", "", 400, `{"message":"Input is too long for requested model."}`},
		{"Gemini", "", 400,
			says("400", "INVALID_ARGUMENT", "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).")},
		{"llama.cpp", "", 400, says("400", "exceed_context_size_error", "the request exceeds the available context size, try increasing it")},
		{"Mistral", "", 400,
			`{"object":"error","message":"Prompt contains 40000 tokens, too large for model with 32768 maximum context length"}`},
		{"TGI", "", 422,
			`{"error":"Input validation error: ` + "`inputs`" + ` tokens + ` + "`max_new_tokens`" + ` must be <= 4096","error_type":"validation"}`},
		{"Alibaba", "", 400, says("invalid_parameter_error", "", "Range of input length should be [1, 30720]")},
		{"Moonshot", "", 400, says("", "invalid_request_error", "Invalid request: Your request exceeded model token limit: 8192")},
		{"Baidu", "", 400, says("tokens_too_long", "invalid_request_error", "Prompt tokens too long")},
		{"too large", "", 413, says("request_too_large", "", "m")},
		{"an image", "", 400, says("invalid_image_format", "", "You uploaded an unsupported image.")},
		{"an image at Anthropic", "", 400, says("", "invalid_request_error", "messages.0.content.0.image: Could not process image")},
		{"an image at Gemini", "", 400, says("400", "INVALID_ARGUMENT", "Unable to process input image.")},
		{"an image that cannot be loaded", "", 400, says("", "", "Error while downloading https://example.com/a.png.")},
		{"Azure's filter", "", 400,
			says("content_filter", "", "The response was filtered due to the prompt triggering content management policy.")},
		{"DeepSeek's filter", "", 400, says("invalid_request_error", "", "Content Exists Risk")},
		{"Moonshot's filter", "", 400, says("", "content_filter", "The request was rejected because it was considered high risk")},
		{"Alibaba's filter", "", 400, says("data_inspection_failed", "", "Input text data may contain inappropriate content.")},
		{"Volcengine's filter", "", 400, says("InputTextSensitiveContentDetected", "", "m")},
		{"Zhipu's filter", "", 400, says("1301", "", "系统检测到输入或生成内容可能包含不安全或敏感内容")},
		{"xAI's filter", "", 403, `{"code":"permission","error":"Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO"}`},
		{"OpenRouter's filter", "", 403, `{"error":{"code":403,"message":"Input was flagged","metadata":{"reasons":["violence"]}}}`},
		{"within 200", "", 200, says("context_length_exceeded", "", "m")},
		{"MiniMax's filter", "", 200, `{"choices":null,"base_resp":{"status_code":1026,"status_msg":"input new_sensitive"}}`},
	} {
		r := s.judge(`{}`)
		if r.Class != Refused {
			t.Errorf("%s: %s, %v", s.name, r.Class, r.Err)
		} else if !AboutRecord(r.Err) && !strings.HasPrefix(s.name, "MiniMax") {
			t.Errorf("%s: %v is not the record's own", s.name, r.Err)
		}
	}
	for _, s := range []shape{
		{"an unknown model", "", 404, says("model_not_found", "", "The model x does not exist or you do not have access to it.")},
		{"a parameter", "", 400, says("unsupported_parameter", "", "Unsupported parameter: 'max_tokens' is not supported with this model.")},
		{"a parameter that is too large", "", 400, says("", "", "max_tokens is too large: 100000. This model supports at most 16384 tokens")},
		{"no key", "", 400, says("400", "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.")},
		{"a path", "", 404, `{"detail":"Not Found"}`},
		{"a model that the key may not use", "", 401, says("401", "key_model_access_denied", "key not allowed to access model.")},
		{"a model that the project may not use", "", 403, says("model_not_found", "", "Project p does not have access to model m")},
		{"a model that is blocked", "", 403, says("model_permission_blocked_project", "", "The model m is blocked at the project level.")},
	} {
		if r := s.judge(`{}`); r.Class != Refused || AboutRecord(r.Err) {
			t.Errorf("%s: %s, %v", s.name, r.Class, r.Err)
		}
	}
	for _, s := range []shape{
		{"a firewall's page", "", 403, "<!DOCTYPE html><title>Attention Required!</title><h1>Sorry, you have been blocked</h1>"},
		{"no permission", "", 403, says("", "permission_error", "Your API key does not have permission to use the specified resource")},
		{"no key", "", 401, says("invalid_api_key", "", "Incorrect API key provided")},
	} {
		if r := s.judge(`{}`); r.Class != Fatal {
			t.Errorf("%s: %s, %v", s.name, r.Class, r.Err)
		}
	}
}

// Bodies of a 2xx that are no plain JSON, and those that are and hold no answer.
func TestOddAnswers(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte(answeredBody))
	_ = z.Close()
	finished := func(reason string) string { return strings.Replace(answeredBody, `"stop"`, `"`+reason+`"`, 1) }
	const usage = `"usage":{"prompt_tokens":10,"completion_tokens":16,"total_tokens":26}`
	for _, c := range []struct {
		shape
		want   Class
		says   string
		billed bool
	}{
		{shape{"gzip", "Content-Encoding: gzip", 200, packed.String()}, OK, "", false},
		{shape{"gzip that nobody says is", "", 200, packed.String()}, OK, "", false},
		{shape{"no gzip that somebody says is", "Content-Encoding: gzip", 200, answeredBody}, OK, "", false},
		{shape{"gzip that is cut", "Content-Encoding: gzip", 200, packed.String()[:packed.Len()-9]}, Transient, "decompressing", false},
		{shape{"brotli", "Content-Encoding: br", 200, "\x1b\x0e\x00\xf8"}, Transient, "compressed with br", true},
		{shape{"an end, and no JSON before it", "", 200, `{"choices":[{"message":{"content":"a "quote""}}]}`}, Transient, "not JSON", true},
		{shape{"cut short", "", 200, answeredBody[:30]}, Transient, "not JSON", false},
		{shape{"in a string", "", 200, strconv.Quote(answeredBody)}, OK, "", false},
		{shape{"a byte order mark", "", 200, "\xef\xbb\xbf" + answeredBody}, OK, "", false},
		{shape{"a byte order mark before an error", "", 429, "\xef\xbb\xbf" + says("insufficient_quota", "", "m")}, Exhausted, "m", false},
		{shape{"gzip around an error", "Content-Encoding: gzip", 400, packed.String()}, Refused, "yes", false},
		{shape{"something behind it", "", 200, answeredBody + "\n\ndata: [DONE]"}, OK, "", false},
		{shape{"a stream", "Content-Type: text/event-stream", 200,
			`data: {"choices":[{"index":0,"delta":{"content":"yes"},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n"}, OK, "", false},
		{shape{"a stream that breaks off", "Content-Type: text/event-stream; charset=utf-8", 200,
			`data: {"choices":[{"index":0,"delta":{"content":"yes"}}]}` + "\n\n"}, Transient, "--set stream=false", false},
		{shape{"a page", "", 200, "<!doctype html><title>Welcome</title>"}, Transient, "a web page", false},
		{shape{"an error that broke it off", "", 200, finished("error")}, Transient, `finish_reason is "error"`, false},
		{shape{"a lack of resources", "", 200, finished("insufficient_system_resource")}, Transient, "insufficient_system_resource", false},
		{shape{"a filter", "", 200, finished("SAFETY")}, OK, "", false},
		{shape{"an error that says nothing", "", 200, strings.Replace(answeredBody, "{", `{"error":{"message":"","code":0},`, 1)}, OK, "", false},
		{shape{"an error by name", "", 200, says("rate_limit_exceeded", "", "slow down")}, Pressure, "slow down", false},
		{shape{"an error of Baidu's", "", 200, `{"error_code":18,"error_msg":"Open api qps request limit reached"}`}, Transient, "qps", false},
		{shape{"an error without its name", "", 200, `{"code":50001,"message":"service busy"}`}, Transient, "service busy", false},
		{shape{"nothing that is billed", "", 200, `{"choices":[],` + usage + `}`}, Transient, "no choice", true},
		{shape{"nothing", "", 200, `{"choices":[]}`}, Transient, "no choice", false},
	} {
		r := c.judge(`{}`)
		if r.Class != c.want || r.Billed != c.billed || c.want != OK && !strings.Contains(r.Err.Message, c.says) {
			t.Errorf("%s: %s, billed %t, %v", c.name, r.Class, r.Billed, r.Err)
		}
		if c.want == OK && string(r.Answer.Content) != `"yes"` {
			t.Errorf("%s: %s", c.name, r.Answer.Content)
		}
	}
}

// A response that says why there is nothing in it is an answer; one that is yet to come is none,
// and asking again begins another.
func TestResponsesWithoutOutput(t *testing.T) {
	for body, want := range map[string]Class{
		`{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"output":[],"usage":{"output_tokens":16}}`: OK,
		`{"status":"incomplete","incomplete_details":{"reason":"content_filter"},"output":[]}`:                                 OK,
		`{"status":"queued","background":true,"output":[],"usage":null}`:                                                       Refused,
		`{"status":"in_progress","output":[]}`:                                                                                 Refused,
		`{"status":"failed","error":{"code":"server_error","message":"m"},"output":[]}`:                                        Transient,
		`{"status":"failed","error":{"code":"rate_limit_exceeded","message":"m"},"output":[]}`:                                 Pressure,
		`{"status":"cancelled","output":[{"type":"message","content":[{"text":"half"}]}]}`:                                     Transient,
		`{"status":"completed","output":[],"usage":{"output_tokens":16}}`:                                                      Transient,
	} {
		r := Reply{Status: http.StatusOK, Header: http.Header{}, Body: []byte(body)}
		r.judge(record.Responses, nil, room{})
		if r.Class != want {
			t.Errorf("%s: %s, want %s: %v", body, r.Class, want, r.Err)
		}
	}
}

// What is wrong with a batch as a whole is told from its code, or from how it is worded.
func TestBatchSayings(t *testing.T) {
	for _, c := range []struct {
		err          record.Error
		large, model bool
	}{
		{record.Error{Status: 413, Message: "<html>413 Request Entity Too Large</html>"}, true, false},
		{record.Error{Code: "too_many_tasks", Message: "The number of requests in the input file exceeds the maximum"}, true, false},
		{record.Error{Status: 400, Message: "File is too large: the maximum file size is 100 MB"}, true, false},
		{record.Error{Type: "request_too_large", Message: "Request exceeds the maximum allowed number of bytes."}, true, false},
		{record.Error{Code: "model_not_found", Message: "The model `x` does not exist or you do not have access to it."}, false, true},
		{record.Error{Message: "Invalid model: x"}, false, true},
		{record.Error{Code: "token_limit_exceeded", Message: "Enqueued token limit reached"}, false, false},
		{record.Error{Code: "invalid_json_line", Message: "This line is not parseable as valid JSON."}, false, false},
		{record.Error{Status: 429, Message: "Rate limit reached"}, false, false},
	} {
		if large, model := FileTooLarge(&c.err), AboutModel(&c.err); large != c.large || model != c.model {
			t.Errorf("%v: too large %t, about the model %t", &c.err, large, model)
		}
	}
}
