package provider

import "llmpipe/stream/record"

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

// unreadable are the ways to say that an image or another file in the request is not one.
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

// objectionable are the ways to say that a filter of content took offence.
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

// barring are the ways to say that a model is not for this key.
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

// barred recognises a model that the key may not use: other records may ask for others.
func (e evidence) barred() bool { return is(e.code(), 401, 403) && e.says(barring) }

// AboutRecord tells whether err speaks of one record, however many of the kind come in a row: a file that is sorted by length begins with
// all that are too long. Whoever says so knows the key and the model.
func AboutRecord(err *record.Error) bool {
	switch err.Type {
	case "content_policy", "too_large", "response_too_large":
		return true
	}
	return evidence{said: *err, asked: []byte{}}.own()
}

// own tells whether the error is the record's own.
func (e evidence) own() bool {
	if e.status == 429 || e.status >= 500 {
		return false
	}
	if e.minimax("1026", "1027") || e.said.Code == "1261" || e.said.Code == "1301" {
		return true
	}
	return e.says(tooLong) || e.says(unreadable) || e.says(objectionable)
}
