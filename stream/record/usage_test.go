package record

import (
	"testing"

	"llmpipe/stream/record/usage"
)

// Usage as providers were seen to write it. What a server bills is Prompt and Completion.
func TestUsage(t *testing.T) {
	tests := []struct {
		name     string
		endpoint Endpoint
		usage    string
		want     usage.Counts
	}{
		{"OpenAI, reasoning inside", Chat, `{"prompt_tokens":12,"completion_tokens":20,"total_tokens":32,` +
			`"prompt_tokens_details":{"audio_tokens":0,"cached_tokens":8},"completion_tokens_details":{"reasoning_tokens":5}}`,
			usage.Counts{Prompt: 12, Completion: 20, Total: 32, Cached: 8, Reasoning: 5}},
		{"OpenAI, responses", Responses, `{"input_tokens":12,"input_tokens_details":{"cached_tokens":8},"output_tokens":20,` +
			`"output_tokens_details":{"reasoning_tokens":5},"total_tokens":32}`,
			usage.Counts{Prompt: 12, Completion: 20, Total: 32, Cached: 8, Reasoning: 5}},
		{"OpenAI, all of it reasoning", Chat, `{"prompt_tokens":9,"completion_tokens":16,"total_tokens":25,` +
			`"completion_tokens_details":{"reasoning_tokens":16}}`,
			usage.Counts{Prompt: 9, Completion: 16, Total: 25, Reasoning: 16}},
		{"xAI, reasoning beside", Chat, `{"prompt_tokens":32,"completion_tokens":9,"total_tokens":135,` +
			`"prompt_tokens_details":{"text_tokens":32,"cached_tokens":6},"completion_tokens_details":{"reasoning_tokens":94}}`,
			usage.Counts{Prompt: 32, Completion: 103, Total: 135, Cached: 6, Reasoning: 94}},
		{"xAI, less reasoning than completion", Chat, `{"prompt_tokens":32,"completion_tokens":200,"total_tokens":326,` +
			`"completion_tokens_details":{"reasoning_tokens":94}}`,
			usage.Counts{Prompt: 32, Completion: 294, Total: 326, Reasoning: 94}},
		{"Gemini, reasoning in the total alone", Chat, `{"completion_tokens":7,"prompt_tokens":10,"total_tokens":317}`,
			usage.Counts{Prompt: 10, Completion: 307, Total: 317}},
		{"Perplexity, reasoning in no sum", Chat, `{"prompt_tokens":33,"completion_tokens":7163,"total_tokens":7196,` +
			`"citation_tokens":20016,"num_search_queries":18,"reasoning_tokens":73997}`,
			usage.Counts{Prompt: 33, Completion: 81160, Total: 81193, Reasoning: 73997, Searches: 18}},
		{"no total, and more reasoning than completion", Chat, `{"prompt_tokens":3,"completion_tokens":4,` +
			`"completion_tokens_details":{"reasoning_tokens":50}}`,
			usage.Counts{Prompt: 3, Completion: 54, Total: 57, Reasoning: 50}},

		{"DeepSeek's cache", Chat, `{"prompt_tokens":1000,"completion_tokens":10,"total_tokens":1010,"prompt_cache_hit_tokens":900,` +
			`"prompt_cache_miss_tokens":100}`,
			usage.Counts{Prompt: 1000, Completion: 10, Total: 1010, Cached: 900}},
		{"Moonshot's cache", Chat, `{"prompt_tokens":1000,"completion_tokens":10,"total_tokens":1010,"cached_tokens":900}`,
			usage.Counts{Prompt: 1000, Completion: 10, Total: 1010, Cached: 900}},
		{"OpenAI's cache, written", Responses, `{"input_tokens":2000,"input_tokens_details":{"cached_tokens":300,"cache_write_tokens":1500},` +
			`"output_tokens":10,"total_tokens":2010}`,
			usage.Counts{Prompt: 2000, Completion: 10, Total: 2010, Cached: 300, CacheWrite: 1500}},
		{"Anthropic's cache, beside", Chat, `{"input_tokens":100,"cache_creation_input_tokens":248,"cache_read_input_tokens":50,` +
			`"cache_creation":{"ephemeral_5m_input_tokens":148,"ephemeral_1h_input_tokens":100},"output_tokens":503}`,
			usage.Counts{Prompt: 398, Completion: 503, Total: 901, Cached: 50, CacheWrite: 248, CacheHour: 100}},
		{"Anthropic's cache, none of it", Chat, `{"input_tokens":100,"cache_creation_input_tokens":0,"cache_read_input_tokens":null,` +
			`"cache_creation":null,"output_tokens":5}`,
			usage.Counts{Prompt: 100, Completion: 5, Total: 105}},
		{"Anthropic's cache, and no sum of it", Chat, `{"input_tokens":3,"output_tokens":5,` +
			`"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":2048}}`,
			usage.Counts{Prompt: 2051, Completion: 5, Total: 2056, CacheWrite: 2048, CacheHour: 2048}},
		{"Anthropic's cache, in the total", Chat, `{"input_tokens":900,"output_tokens":5,"total_tokens":1005,"cache_read_input_tokens":100}`,
			usage.Counts{Prompt: 1000, Completion: 5, Total: 1005, Cached: 100}},
		{"Anthropic's cache, in the input", Chat, `{"input_tokens":1000,"output_tokens":5,"total_tokens":1005,"cache_read_input_tokens":100}`,
			usage.Counts{Prompt: 1000, Completion: 5, Total: 1005, Cached: 100}},
		{"LiteLLM, which adds it to the prompt", Chat, `{"prompt_tokens":1000,"completion_tokens":5,"total_tokens":1005,` +
			`"prompt_tokens_details":{"cached_tokens":100,"cache_creation_tokens":300,` +
			`"cache_creation_token_details":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":300}},` +
			`"cache_creation_input_tokens":300,"cache_read_input_tokens":100}`,
			usage.Counts{Prompt: 1000, Completion: 5, Total: 1005, Cached: 100, CacheWrite: 300, CacheHour: 300}},
		{"a gateway that does not", Chat, `{"prompt_tokens":20,"completion_tokens":5,"total_tokens":25,` +
			`"prompt_tokens_details":{"cached_tokens":1000}}`,
			usage.Counts{Prompt: 1020, Completion: 5, Total: 1025, Cached: 1000}},
		{"DashScope's cache", Chat, `{"prompt_tokens":1510,"completion_tokens":9,"total_tokens":1519,` +
			`"prompt_tokens_details":{"cached_tokens":0,` +
			`"cache_creation":{"ephemeral_5m_input_tokens":1494},"cache_creation_input_tokens":1494,"cache_type":"ephemeral"}}`,
			usage.Counts{Prompt: 1510, Completion: 9, Total: 1519, CacheWrite: 1494}},
		{"xAI, a cache, and reasoning beside", Chat, `{"prompt_tokens":500,"completion_tokens":9,"total_tokens":603,` +
			`"prompt_tokens_details":{"cached_tokens":400},"completion_tokens_details":{"reasoning_tokens":94}}`,
			usage.Counts{Prompt: 500, Completion: 103, Total: 603, Cached: 400, Reasoning: 94}},
		{"Gemini, a cache, and reasoning in the total", Chat, `{"prompt_tokens":500,"completion_tokens":9,"total_tokens":1603,` +
			`"prompt_tokens_details":{"cached_tokens":400}}`,
			usage.Counts{Prompt: 500, Completion: 1103, Total: 1603, Cached: 400}},

		{"both spellings, the second zero", Chat, `{"prompt_tokens":1000,"completion_tokens":500,"total_tokens":1500,` +
			`"prompt_tokens_details":{"cached_tokens":400},"completion_tokens_details":{"reasoning_tokens":100},` +
			`"input_tokens":0,"output_tokens":0,"input_tokens_details":{"cached_tokens":0},"output_tokens_details":{"reasoning_tokens":0}}`,
			usage.Counts{Prompt: 1000, Completion: 500, Total: 1500, Cached: 400, Reasoning: 100}},
		{"both spellings, the first zero", Responses, `{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0,` +
			`"prompt_tokens_details":{"cached_tokens":0},"input_tokens":1000,"output_tokens":500,` +
			`"input_tokens_details":{"cached_tokens":400}}`,
			usage.Counts{Prompt: 1000, Completion: 500, Total: 1500, Cached: 400}},
		{"both spellings, the second null", Chat, `{"prompt_tokens":1000,"completion_tokens":500,` +
			`"prompt_tokens_details":{"cached_tokens":400},"total_tokens":null,` +
			`"input_tokens":null,"output_tokens":null,"input_tokens_details":null}`,
			usage.Counts{Prompt: 1000, Completion: 500, Total: 1500, Cached: 400}},
		{"both spellings alike", Chat, `{"prompt_tokens":10,"input_tokens":10,"completion_tokens":5,"output_tokens":5}`,
			usage.Counts{Prompt: 10, Completion: 5, Total: 15}},
		{"no total", Responses, `{"input_tokens":1,"output_tokens":2}`, usage.Counts{Prompt: 1, Completion: 2, Total: 3}},
		{"a total of less", Chat, `{"prompt_tokens":10,"completion_tokens":2,"total_tokens":0}`,
			usage.Counts{Prompt: 10, Completion: 2, Total: 12}},
		{"a completion of null", Chat, `{"prompt_tokens":7,"completion_tokens":null,"total_tokens":null,"prompt_tokens_details":null}`,
			usage.Counts{Prompt: 7, Total: 7}},
		{"embeddings", Embeddings, `{"prompt_tokens":7,"total_tokens":7}`, usage.Counts{Prompt: 7, Total: 7}},
		{"Voyage, a total alone", Embeddings, `{"total_tokens":355}`, usage.Counts{Prompt: 355, Total: 355}},
		{"Voyage through a gateway", Embeddings, `{"prompt_tokens":0,"completion_tokens":0,"total_tokens":355}`,
			usage.Counts{Prompt: 355, Total: 355}},
		{"a total alone of what has output, at most", Chat, `{"total_tokens":355}`, usage.Counts{Completion: 355, Total: 355}},
		{"floats", Chat, `{"prompt_tokens":12.0,"completion_tokens":2e1}`, usage.Counts{Prompt: 12, Completion: 20, Total: 32}},
		{"empty details, as PHP writes them", Chat, `{"prompt_tokens":2,"completion_tokens":3,"prompt_tokens_details":[],` +
			`"completion_tokens_details":""}`,
			usage.Counts{Prompt: 2, Completion: 3, Total: 5}},
	}
	for _, test := range tests {
		a, err := ParseAnswer(test.endpoint, []byte(`{"usage":`+test.usage+`}`))
		if err != nil || a.Usage != test.want || !a.HasUsage {
			t.Errorf("%s: got %+v, %v, %v", test.name, a.Usage, a.HasUsage, err)
		}
	}
}

// What cannot be read is no usage, and never one of zero.
func TestUsageUnreadable(t *testing.T) {
	for _, said := range []string{
		`{}`, `null`, `[1]`, `"x"`, `{"cost":0.5}`, `{"prompt_tokens_details":{"cached_tokens":3}}`,
		`{"prompt_tokens":null,"completion_tokens":null,"total_tokens":null}`,
		`{"prompt_tokens":null,"input_tokens":null,"output_tokens":null}`,
		`{"prompt_tokens":"12","completion_tokens":"20","total_tokens":"32"}`,
		`{"prompt_tokens":12,"completion_tokens":"20"}`,
		`{"prompt_tokens":12,"completion_tokens":20,"total_tokens":"x"}`,
		`{"prompt_tokens":-1,"completion_tokens":20}`,
		`{"prompt_tokens":1e99,"completion_tokens":5}`,
		`{"prompt_tokens":99999999999999999999999,"completion_tokens":5}`,
		`{"prompt_tokens":1000000001,"completion_tokens":5}`,
		`{"prompt_tokens":12.5,"completion_tokens":5}`,
		`{"prompt_tokens":true,"completion_tokens":5}`,
		`{"prompt_tokens":{},"completion_tokens":[5]}`,
		`{"prompt_tokens":12,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":"8"}}`,
		`{"prompt_tokens":12,"completion_tokens":5,"completion_tokens_details":{"reasoning_tokens":-8}}`,
		`{"input_tokens":12,"output_tokens":5,"cache_creation":{"ephemeral_1h_input_tokens":"8"}}`,
	} {
		a, err := ParseAnswer(Chat, []byte(`{"usage":`+said+`}`))
		if err != nil || a.HasUsage || a.Usage != (usage.Counts{}) {
			t.Errorf("%s: got %+v, %v, %v", said, a.Usage, a.HasUsage, err)
		}
	}
}

// The tier that an answer is billed at stands beside the usage, or in it as Anthropic writes it.
func TestAnswerTier(t *testing.T) {
	for body, want := range map[string]string{
		`{"service_tier":"flex","usage":{"prompt_tokens":1}}`:                         `"flex"`,
		`{"usage":{"prompt_tokens":1},"service_tier":"priority"}`:                     `"priority"`,
		`{"usage":{"input_tokens":1,"service_tier":"batch"}}`:                         `"batch"`,
		`{"usage":{"input_tokens":1,"service_tier":"batch"},"service_tier":"flex"}`:   `"flex"`,
		`{"service_tier":"flex","usage":{"input_tokens":1,"service_tier":"default"}}`: `"flex"`,
		`{"service_tier":null,"usage":{"input_tokens":1,"service_tier":null}}`:        ``,
		`{"service_tier":3,"usage":{"input_tokens":1,"service_tier":""}}`:             ``,
	} {
		if a, err := ParseAnswer(Chat, []byte(body)); err != nil || string(a.Tier) != want || !a.HasUsage {
			t.Errorf("%s: %s, %v", body, a.Tier, err)
		}
	}
}

// The tier that a request asks for is the one in its body, whichever way it got there.
func TestRequestTier(t *testing.T) {
	for _, test := range []struct {
		line, want string
		set        []Field
	}{
		{`{"prompt":"p","service_tier":"flex"}`, "flex", nil},
		{`{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"messages":[],"service_tier":"priority"}}`, "priority", nil},
		{`"p"`, "flex", []Field{{"service_tier", []byte(`"flex"`)}}},
		{`"p"`, "", nil},
		{`{"prompt":"p","service_tier":null}`, "", nil},
		{`{"prompt":"p","service_tier":7}`, "", nil},
	} {
		d, err := NewDecoder(Options{Model: "m", Set: test.set})
		if err != nil {
			t.Fatal(err)
		}
		var rec Record
		if e := d.Decode(&rec, []byte(test.line)); e != nil || rec.Tier != test.want {
			t.Errorf("%s: %q, %v", test.line, rec.Tier, e)
		}
	}
}
