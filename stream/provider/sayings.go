package provider

import (
	"bytes"
	"net/http"
	"strings"
	"time"

	"llmpipe/stream/provider/hint"
	"llmpipe/stream/record"
)

// saying is how a provider says something in its own codes and words.
type saying struct {
	who string // the provider, and where it documents this

	// codes are suffixes of the error's code or type, in lower case.
	codes []string
	// phrases are parts of the message, in lower case.
	phrases []string
}

// spent are the ways to say that an account, a key or a budget has nothing left, and that a short
// wait does not change that. They come with many statuses: 400, 402, 403, 412, 429, and 200 around
// an error.
//
// A phrase is long enough to mean this and nothing else: Gemini, for one, says "exceeded your
// current quota, please check your plan and billing details" about a quota per minute.
var spent = []saying{
	{"OpenAI: platform.openai.com/docs/guides/error-codes",
		[]string{
			"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "credit_balance_exhausted",
			"organization_usage_limit_exceeded", "spend_limit_exceeded",
		},
		[]string{"billing hard limit has been reached", "your account is not active, please check your billing"}},
	{"Anthropic: docs.anthropic.com/en/api/errors, code.claude.com/docs/en/errors",
		[]string{"enforced_spend_limit_reached", "billing_error"},
		[]string{"credit balance is too low", "reached your specified api usage limits", "reached your specified workspace api usage limits"}},
	{"Gemini: ai.google.dev/gemini-api/docs/billing; Google Cloud: cloud.google.com/billing/docs",
		[]string{"billing_disabled"},
		[]string{
			"prepayment credits are depleted", "requires billing to be enabled", "billing is disabled", "billing account is disabled",
			"exceeded its monthly spending cap",
		}},
	{"Bedrock: docs.aws.amazon.com/bedrock", nil, []string{"invalid_payment_instrument", "valid payment instrument"}},
	{"xAI: docs.x.ai/docs/key-information/billing", nil,
		[]string{"used all available credits", "reached its monthly spending limit"}},
	{"OpenRouter: openrouter.ai/docs/api-reference/errors", nil,
		[]string{"insufficient credits", "requires more credits", "key limit exceeded"}},
	{"DeepSeek: api-docs.deepseek.com/quick_start/error_codes; Xiaomi MiMo, Novita, SiliconFlow (30001)",
		[]string{"insufficient_balance"},
		[]string{"insufficient balance", "insufficient account balance", "account balance is insufficient", "balance is not enough"}},
	{"Moonshot: platform.moonshot.cn/docs/api/errors",
		[]string{"exceeded_current_quota_error"},
		[]string{"suspended due to insufficient balance"}},
	{"MiniMax: platform.minimax.io/docs/api-reference/errorcode (base_resp 1008)", nil, nil}, // by its number: see minimax
	{"Zhipu: docs.bigmodel.cn/cn/api/api-code (1113, 1309)", nil,
		[]string{"余额不足", "账户已欠费", "套餐已到期", "insufficient balance or no resource package"}},
	{"Alibaba Model Studio: help.aliyun.com/en/model-studio/error-code",
		[]string{"arrearage", "prepaidbilloverdue", "postpaidbilloverdue", "allocationquota.freetieronly"},
		[]string{"make sure your account is in good standing", "free tier of the model has been exhausted"}},
	{"Volcengine Ark: volcengine.com/docs/82379/1299023",
		[]string{"accountoverdueerror", "setlimitexceeded"},
		[]string{"account has an overdue balance"}},
	{"Fireworks: docs.fireworks.ai/guides/inference-error-codes (412)", nil,
		[]string{"due to reaching the monthly spending limit", "failure to pay past invoices"}},
	{"Together, Hugging Face, Cohere, NVIDIA, Vercel: their pages on errors and billing", nil,
		[]string{
			"credit limit exceeded", "exceeded your monthly included credits", "limited to 1000 api calls / month", "cloud credits expired",
			"reached the spending limit", "reached its spend limit", "exceeded its spend limit", "spending limit reached",
			"free credits have been used up",
		}},
	{"LiteLLM: docs.litellm.ai/docs/proxy/users",
		[]string{"budget_exceeded"},
		[]string{"budget has been exceeded", "exceededbudget:", "crossed spend within"}},
	{"one-api, new-api and what is built on them: github.com/songquanpeng/one-api",
		[]string{"insufficient_user_quota", "pre_consume_token_quota_failed", "quota_not_enough"},
		[]string{
			"quota is not enough", "用户额度不足", "用户剩余额度不足",
			"令牌额度不足", "令牌额度已用尽", "该令牌额度已用尽",
		}},
	{"Azure API Management: learn.microsoft.com/azure/api-management/quota-policy", nil,
		[]string{"out of call volume quota", "out of bandwidth quota"}},
	{"other gateways",
		[]string{"insufficient_credits", "insufficient_credit", "insufficient_funds", "payment_required", "out_of_credits", "credits_exhausted"},
		[]string{"out of credits", "not enough credits", "no credits remaining", "insufficient credit balance", "insufficient funds"}},
}

// daily are the ways to say that a quota is per day or for a longer time. It comes back at its
// reset.
var daily = []saying{
	{"Gemini: ai.google.dev/gemini-api/docs/rate-limits (the quotaId of a violation)", nil, []string{"perday", "per_day"}},
	{"OpenRouter: openrouter.ai/docs/api-reference/limits", nil, []string{"free-models-per-day", "per-day"}},
	{"OpenAI, Groq, Cerebras, Google Cloud: requests and tokens per day", nil,
		[]string{"per day", "(rpd)", "(tpd)", "daily limit", "daily quota", "daily request limit", "daily token limit"}},
	{"GitHub Models: docs.github.com/github-models", nil, []string{"bymodelbyday", "per 86400s"}},
	{"Cloudflare Workers AI: developers.cloudflare.com/workers-ai/platform/pricing", nil, []string{"daily free allocation"}},
	{
		"Zhipu: docs.bigmodel.cn/cn/api/api-code (1304, 1308, 1310)", nil,
		[]string{"今日调用次数限额", "的使用上限", "每周/每月使用上限"},
	},
	{"plans of hours or weeks: Z.ai's, ChatGPT's", []string{"usage_limit_reached"}, []string{"usage limit reached",
		"reached your usage limit"}},
	{"Mistral, AI21: by the month", nil, []string{"per month", "monthly quota", "monthly limit", "monthly usage limit"}},
}

// says reports whether the error is worded in one of these ways. A phrase that the request itself
// holds proves nothing, because providers quote what they refuse. But a phrase that begins the
// message is the provider's own.
func (e evidence) says(ways []saying) bool {
	code, kind, message := strings.ToLower(e.said.Code), strings.ToLower(e.said.Type), strings.ToLower(e.said.Message)
	for i := range ways {
		for _, c := range ways[i].codes {
			if strings.HasSuffix(code, c) || strings.HasSuffix(kind, c) {
				return true
			}
		}
		for _, phrase := range ways[i].phrases {
			if at := strings.Index(message, phrase); at >= 0 && (at <= leading || !e.quotes(phrase)) {
				return true
			}
		}
	}
	return false
}

// leading is how many bytes of a message may come before its own first words, such as "Your ".
const leading = 8

// quotes reports whether a phrase may be quoted from the request. For a line of a batch the request
// is not at hand, and a 400 or 422 is assumed to quote.
func (e evidence) quotes(phrase string) bool {
	if e.asked == nil {
		return e.code() == 400 || e.code() == 422
	}
	return bytes.Contains(bytes.ToLower(e.asked), []byte(phrase))
}

// outOfMoney recognises an account that has nothing left.
func (e evidence) outOfMoney() bool {
	switch {
	case e.wellMeant():
		return false
	case e.minimax("1008"), e.code() == 429 && (e.said.Code == "1113" || e.said.Code == "1309"), e.code() == 403 && e.said.Code == "30001":
		return true
	}
	return e.says(spent)
}

// wellMeant reports whether the reply says that nothing is wrong.
func (e evidence) wellMeant() bool { return e.success() && !e.embedded && !e.unasked }

// outForToday recognises a quota that comes back tomorrow or later. A quota whose reset is near, as
// when it comes back bit by bit, is waited for like any limit. But Gemini's retryDelay says nothing
// about its daily quota.
func (e evidence) outForToday(now time.Time) bool {
	if !is(e.code(), 402, 403, 429) {
		return false
	}
	if e.minimax("2056") || gemini(e.body) {
		return true
	}
	if !is(e.code(), 429) || strings.Contains(strings.ToLower(e.said.Message), "per-min") || !e.says(daily) {
		return false
	}
	wait := hint.Of(e.header, e.body, now)
	return wait == 0 || wait > nearReset
}

// nearReset is how far away the reset of a used-up daily quota may be and still be waited for.
const nearReset = 5 * time.Minute

// gemini reports whether the details, wherever they stand in body, hold a violation of a daily
// quota, which quotaId names.
func gemini(body []byte) bool {
	for rest := body; ; {
		_, after, ok := bytes.Cut(rest, []byte(`"quotaId"`))
		if !ok {
			return false
		}
		id := after[:min(len(after), 200)]
		if end := bytes.IndexAny(id, ",}"); end >= 0 {
			id = id[:end]
		}
		if bytes.Contains(id, []byte("PerDay")) {
			return true
		}
		rest = after
	}
}

// minimax reports whether the error is one of these numbered errors of MiniMax, which come within a
// 200.
func (e evidence) minimax(codes ...string) bool {
	for _, code := range codes {
		if e.said.Code == code && bytes.Contains(e.body, []byte(`"base_resp"`)) {
			return true
		}
	}
	return false
}

// tooLong are the ways to say that a prompt does not fit the model.
var tooLong = []saying{
	{"OpenAI: platform.openai.com/docs/guides/error-codes; vLLM, SGLang, llama.cpp, LM Studio after it",
		[]string{"context_length_exceeded", "string_above_max_length", "exceed_context_size_error", "context_size_exceeded"},
		[]string{
			"maximum context length", "maximum model length", "model's context", "context length", "context size", "context window",
			"maximum input length", "longer than the model's", "reduce the length of the",
		}},
	{"Anthropic, Bedrock", []string{"request_too_large"},
		[]string{"prompt is too long", "input is too long", "input length and `max_tokens` exceed", "too many input tokens", "prompt too long"}},
	{"Gemini", nil, []string{"input token count", "exceeds the maximum number of tokens"}},
	{"Groq, Mistral, Cohere, Together, TGI", nil,
		[]string{
			"please reduce the length", "too large for model with", "too many tokens", "`inputs` tokens + `max_new_tokens`",
			"`inputs` must have less than", "input validation error: `inputs`", "tokens exceeds the maximum",
		}},
	{"Alibaba, Moonshot, Zhipu (1261), Baidu",
		[]string{"tokens_too_long", "characters_too_long"},
		[]string{"range of input length", "exceeded model token limit", "prompt 超长", "prompt exceeds max length", "prompt tokens too long"}},
}

// unreadable are the ways to say that an image or another file in the request cannot be used.
var unreadable = []saying{
	{"OpenAI, Azure: platform.openai.com/docs/guides/images-vision",
		[]string{
			"invalid_image", "invalid_image_format", "invalid_image_url", "invalid_base64", "invalid_base64_image", "image_parse_error",
			"image_too_large", "image_too_small", "unsupported_image_media_type", "empty_image_file", "failed_to_download_image",
			"image_content_policy_violation", "image_file_too_large", "image_file_not_found", "invalid_image_size",
		},
		[]string{
			"invalid image", "unsupported image", "not a valid image", "valid image", "image data", "error while downloading",
			"failed to download", "could not process image", "unable to process input image", "cannot identify image", "invalid base64",
			"image exceeds", "image dimensions", "image size", "failed to decode image", "failed to load image", "could not process pdf",
			"password protected", "audio file",
		}},
}

// objectionable are the ways to say that a content filter rejected something.
var objectionable = []saying{
	{"OpenAI, Azure: learn.microsoft.com/azure/ai-services/openai/concepts/content-filter",
		[]string{
			"content_policy_violation", "content_filter", "content_policy", "moderation_blocked", "invalid_prompt",
			"responsibleaipolicyviolation", "safety_violations", "content_violation",
		},
		[]string{"content management policy", "content policy", "usage policy", "usage policies", "flagged", "safety system"}},
	{"OpenRouter, xAI: moderation as a 403", []string{"moderation"}, []string{"moderation", "violates usage guidelines", "safety check"}},
	{"Anthropic: docs.anthropic.com", nil, []string{"blocked by content filtering policy"}},
	{"Gemini", nil, []string{"prohibited_content", "blocked due to safety", "prompt was blocked"}},
	{"DeepSeek, Moonshot", nil, []string{"content exists risk", "considered high risk"}},
	{"Alibaba Model Studio: help.aliyun.com/en/model-studio/error-code",
		[]string{"datainspectionfailed", "data_inspection_failed"}, []string{"inappropriate content"}},
	{"Volcengine Ark: volcengine.com/docs/82379/1299023", []string{"sensitivecontentdetected"}, []string{"may contain sensitive information"}},
	{"Zhipu (1301), MiniMax (1026, 1027), Baidu", []string{"sensitive_content"},
		[]string{"敏感内容", "input new_sensitive", "output new_sensitive"}},
}

// fullQueues are the ways to say that the account has as many batches, or tokens in batches, under
// way as it may have.
var fullQueues = []saying{
	{"OpenAI, Azure: platform.openai.com/docs/guides/batch", []string{"token_limit_exceeded", "tokenlimitexceeded"},
		[]string{"enqueued token limit", "enqueued tokens", "enqueued requests"}},
	{"Mistral, Groq, Together, Gemini", nil,
		[]string{"too many batches", "batch queue", "queue is full", "queue limit", "concurrent batch", "active batch", "pending batch",
			"maximum number of batch", "batch limit"}},
}

// QueueFull reports whether err says that there is no room for another batch until one has ended.
func QueueFull(err *record.Error) bool { return evidence{said: *err, asked: noPrompt}.says(fullQueues) }

// unreadyFiles are the ways to say that an uploaded file cannot be used yet.
var unreadyFiles = []saying{
	{"Azure: learn.microsoft.com/azure/ai-services/openai/how-to/batch", nil,
		[]string{"must be processed before", "not in a valid state", "file is not ready", "file is still", "has not been processed",
			"still being processed", "not yet been processed", "not processed yet"}},
}

// FileUnready reports whether err says that a batch's file cannot be used yet.
func FileUnready(err *record.Error) bool {
	return evidence{said: *err, asked: noPrompt}.says(unreadyFiles)
}

// largeFiles are the ways to say that a batch holds more than the provider accepts.
var largeFiles = []saying{
	{"OpenAI, Azure: learn.microsoft.com/azure/foundry/openai/how-to/batch",
		[]string{"file_too_large", "too_many_tasks", "file_size_exceeded", "max_file_size_exceeded", "too_many_requests_in_batch"},
		[]string{"number of requests in the input file exceeds", "input file is larger", "exceeds the size limit"}},
	{"Anthropic: platform.claude.com/docs/en/api/errors", []string{"request_too_large"}, nil},
	{"Groq, Together, Mistral, vLLM, nginx, and others", nil,
		[]string{"file is too large", "file too large", "maximum file size", "file size exceeds", "file exceeds", "too many lines",
			"too many requests in the", "maximum number of requests", "maximum number of lines", "entity too large", "payload too large",
			"batch is too large", "batch too large"}},
}

// FileTooLarge reports whether err says that a file or a batch holds more than the provider
// accepts.
func FileTooLarge(err *record.Error) bool {
	return err.Status == http.StatusRequestEntityTooLarge || evidence{said: *err, asked: noPrompt}.says(largeFiles)
}

// AboutModel reports whether err says that the model does not exist, or that this key may not use
// it.
func AboutModel(err *record.Error) bool {
	return UnknownModel(err) || evidence{said: *err, asked: noPrompt}.says(barring)
}

// misdirected are the ways to say, within a 200, that nothing is served at a path.
var misdirected = []saying{
	{"LM Studio: github.com/lmstudio-ai/lmstudio-bug-tracker", nil, []string{"unexpected endpoint or method"}},
	{"others", nil, []string{"not found", "no route", "no such endpoint", "unknown endpoint", "invalid endpoint", "unknown path",
		"invalid url"}},
}

// barring are the ways to say that this key may not use a model.
var barring = []saying{
	{"OpenAI: platform.openai.com/docs/guides/error-codes", []string{"model_not_found"},
		[]string{"does not have access to model", "do not have access to the model", "don't have access to the model"}},
	{"LiteLLM: docs.litellm.ai/docs/proxy/exception_mapping",
		[]string{"key_model_access_denied", "team_model_access_denied", "user_model_access_denied", "org_model_access_denied"},
		[]string{"not allowed to access model"}},
	{"Groq: console.groq.com/docs/model-permissions",
		[]string{"model_permission_blocked_org", "model_permission_blocked_project"}, []string{"blocked at the project level"}},
	{"Alibaba Model Studio: help.aliyun.com/en/model-studio/error-code", []string{"model.accessdenied"}, []string{"model access denied"}},
	{"one-api and what is built on it", nil, []string{"无权访问模型", "该令牌无权使用模型", "no access to model"}},
}

// unknownModels are the ways to say, without a 404, that there is no such model.
var unknownModels = []saying{
	{"OpenAI and those that follow it", []string{"model_not_found", "invalid_model", "unknown_model", "modelnotfound"}, nil},
	{"DeepSeek, OpenRouter, Mistral, LiteLLM", nil,
		[]string{"model not exist", "is not a valid model id", "invalid model", "unknown model", "no such model", "model does not exist"}},
}

// UnknownModel reports whether err says that the provider has no such model.
func UnknownModel(err *record.Error) bool {
	return evidence{said: *err, asked: noPrompt}.says(unknownModels)
}

// barred recognises a model that the key may not use. Other records may ask for other models.
func (e evidence) barred() bool { return is(e.code(), 401, 403) && e.says(barring) }

// AboutRecord reports whether err is about one record, however many such errors come in a row: a
// file sorted by length may begin with all records that are too long. A provider that gives such an
// error has recognised the key and the model.
func AboutRecord(err *record.Error) bool {
	switch err.Type {
	case "content_policy", "too_large", "response_too_large":
		return true
	}
	return evidence{said: *err, asked: []byte{}}.own()
}

// own reports whether the error is the record's own fault.
func (e evidence) own() bool {
	if e.status == 429 || e.status >= 500 {
		return false
	}
	if e.minimax("1026", "1027") || e.said.Code == "1261" || e.said.Code == "1301" {
		return true
	}
	return e.says(tooLong) || e.says(unreadable) || e.says(objectionable)
}
