package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// billing is how one provider bills, and how its answers report that.
type billing struct {
	tariff tariff
	model  string // the model that answers, if it is not the one asked for
	thinks bool   // it reasons before it answers, whatever the model's name
	caches bool   // tokens that it reads from its cache are cheaper
	writes bool   // tokens that it writes to its cache cost more
	speaks bool   // half of the prompt and of the visible answer is audio
	tiers  bool   // it has the service tiers flex and priority
	// say appends the usage object.
	say func(dst []byte, i *invoice) []byte
}

// billings maps the names that Options.Bill takes to the providers that the simulator can bill
// like. Each usage has the form of that provider's recorded answers.
var billings = map[string]*billing{
	"openai": {tariff: tariff{input: 2000, cached: 100, write: 2500, output: 10_000}, caches: true, tiers: true, thinks: true,
		say: func(dst []byte, i *invoice) []byte {
			return fmt.Appendf(dst, `{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,`+
				`"prompt_tokens_details":{"cached_tokens":%d,"cache_write_tokens":0,"audio_tokens":0},"completion_tokens_details":`+
				`{"reasoning_tokens":%d,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}`,
				i.prompt, i.completion, i.prompt+i.completion, i.read, i.reasoning)
		}},
	"responses": {tariff: tariff{input: 2000, cached: 100, write: 2500, output: 10_000}, caches: true, writes: true, tiers: true, thinks: true,
		say: func(dst []byte, i *invoice) []byte {
			return fmt.Appendf(dst, `{"input_tokens":%d,"input_tokens_details":{"cached_tokens":%d,"cache_write_tokens":%d},"output_tokens":%d,`+
				`"output_tokens_details":{"reasoning_tokens":%d},"total_tokens":%d}`,
				i.prompt, i.read, i.write, i.completion, i.reasoning, i.prompt+i.completion)
		}},
	// A deployment of any name: the answer names the model instead.
	"azure": {tariff: tariff{input: 2500, cached: 1250, output: 10_000}, caches: true, model: "gpt-4o-2024-11-20",
		say: func(dst []byte, i *invoice) []byte {
			return fmt.Appendf(dst, `{"completion_tokens":%d,"completion_tokens_details":{"reasoning_tokens":0},"prompt_tokens":%d,`+
				`"prompt_tokens_details":{"cached_tokens":%d},"total_tokens":%d}`, i.completion, i.prompt, i.read, i.prompt+i.completion)
		}},
	"anthropic": {tariff: tariff{input: 3000, cached: 300, write: 3750, hour: 6000, output: 15_000}, caches: true, writes: true,
		say: func(dst []byte, i *invoice) []byte {
			return fmt.Appendf(dst, `{"input_tokens":%d,"cache_creation_input_tokens":%d,"cache_read_input_tokens":%d,`+
				`"cache_creation":{"ephemeral_5m_input_tokens":%d,"ephemeral_1h_input_tokens":%d},"output_tokens":%d,"service_tier":"standard"}`,
				i.prompt-i.read-i.write, i.write, i.read, i.write-i.hour, i.hour, i.completion)
		}},
	// Anthropic's endpoint in OpenAI's form, which reports nothing about the cache.
	"claude": {tariff: tariff{input: 3000, output: 15_000}, say: plainUsage},
	// Reasoning is counted in the total only.
	"gemini": {tariff: tariff{input: 300, output: 2500}, thinks: true,
		say: func(dst []byte, i *invoice) []byte {
			return fmt.Appendf(dst, `{"completion_tokens":%d,"prompt_tokens":%d,"total_tokens":%d}`,
				i.completion-i.reasoning, i.prompt, i.prompt+i.completion)
		}},
	"xai": {tariff: tariff{input: 2000, cached: 500, output: 6000}, thinks: true, caches: true,
		say: func(dst []byte, i *invoice) []byte {
			return fmt.Appendf(dst, `{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,"prompt_tokens_details":`+
				`{"text_tokens":%[1]d,"audio_tokens":0,"image_tokens":0,"cached_tokens":%[4]d},"completion_tokens_details":`+
				`{"reasoning_tokens":%[5]d,"audio_tokens":0},"num_sources_used":0,"cost_in_usd_ticks":%[6]d}`,
				i.prompt, i.completion-i.reasoning, i.prompt+i.completion, i.read, i.reasoning, i.nanos*10)
		}},
	"deepseek": {tariff: tariff{input: 300, cached: 6, output: 1200}, thinks: true, caches: true,
		say: func(dst []byte, i *invoice) []byte {
			return fmt.Appendf(dst, `{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,"prompt_cache_hit_tokens":%d,`+
				`"prompt_cache_miss_tokens":%d,"completion_tokens_details":{"reasoning_tokens":%d}}`,
				i.prompt, i.completion, i.prompt+i.completion, i.read, i.prompt-i.read, i.reasoning)
		}},
	"mistral": {tariff: tariff{input: 150, cached: 15, output: 600}, caches: true,
		say: func(dst []byte, i *invoice) []byte {
			return fmt.Appendf(dst, `{"prompt_tokens":%d,"total_tokens":%d,"completion_tokens":%d,"prompt_tokens_details":{"cached_tokens":%d},`+
				`"prompt_audio_seconds":null}`, i.prompt, i.prompt+i.completion, i.completion, i.read)
		}},
	"groq": {tariff: tariff{input: 150, cached: 75, output: 600}, caches: true, thinks: true,
		say: func(dst []byte, i *invoice) []byte {
			return fmt.Appendf(dst, `{"queue_time":0.018,"prompt_tokens":%d,"prompt_time":0.001,"completion_tokens":%d,"completion_time":0.2,`+
				`"total_tokens":%d,"total_time":0.201,"prompt_tokens_details":{"cached_tokens":%d},`+
				`"completion_tokens_details":{"reasoning_tokens":%d}}`,
				i.prompt, i.completion, i.prompt+i.completion, i.read, i.reasoning)
		}},
	"together": {tariff: tariff{input: 880, output: 880},
		say: func(dst []byte, i *invoice) []byte {
			return fmt.Appendf(dst, `{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,"cached_tokens":0}`,
				i.prompt, i.completion, i.prompt+i.completion)
		}},
	"moonshot": {tariff: tariff{input: 600, cached: 100, output: 3000}, caches: true,
		say: func(dst []byte, i *invoice) []byte {
			return fmt.Appendf(dst, `{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,"cached_tokens":%d}`,
				i.prompt, i.completion, i.prompt+i.completion, i.read)
		}},
	"openrouter": {tariff: tariff{input: 700, cached: 70, output: 2800}, caches: true, thinks: true,
		say: func(dst []byte, i *invoice) []byte {
			return fmt.Appendf(dst, `{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,"cost":%s,"is_byok":false,`+
				`"prompt_tokens_details":{"cached_tokens":%d,"audio_tokens":0},"cost_details":{"upstream_inference_cost":null},`+
				`"completion_tokens_details":{"reasoning_tokens":%d,"image_tokens":0}}`,
				i.prompt, i.completion, i.prompt+i.completion, decimal(i.nanos), i.read, i.reasoning)
		}},
	// With the user's own key at the provider, which bills all except the fee.
	"byok": {tariff: tariff{input: 700, output: 2800, fee: 40_000},
		say: func(dst []byte, i *invoice) []byte {
			return fmt.Appendf(dst, `{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,"cost":0.00004,"is_byok":true,`+
				`"cost_details":{"upstream_inference_cost":%s}}`, i.prompt, i.completion, i.prompt+i.completion, decimal(i.nanos-40_000))
		}},
	"perplexity": {tariff: tariff{input: 1000, output: 1000, fee: 5_000_000},
		say: func(dst []byte, i *invoice) []byte {
			return fmt.Appendf(dst, `{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,"search_context_size":"low","cost":`+
				`{"input_tokens_cost":%s,"output_tokens_cost":%s,"request_cost":0.005,"total_cost":%s}}`, i.prompt, i.completion,
				i.prompt+i.completion, decimal(int64(i.prompt)*1000), decimal(int64(i.completion)*1000), decimal(i.nanos))
		}},
	// A fee for each request, which no answer states.
	"fee": {tariff: tariff{input: 1000, output: 1000, fee: 12_000_000}, say: plainUsage},
	// Only the total is reported.
	"voyage": {tariff: tariff{input: 60},
		say: func(dst []byte, i *invoice) []byte { return fmt.Appendf(dst, `{"total_tokens":%d}`, i.prompt) }},
	"cohere": {tariff: tariff{input: 2500, output: 10_000},
		say: func(dst []byte, i *invoice) []byte {
			return fmt.Appendf(dst, `{"billed_units":{"input_tokens":%d,"output_tokens":%d},"tokens":{"input_tokens":%d,"output_tokens":%d}}`,
				i.prompt, i.completion, i.prompt+70, i.completion+1)
		}},
	"qwen": {tariff: tariff{input: 400, cached: 40, write: 500, output: 1200}, caches: true, writes: true,
		say: func(dst []byte, i *invoice) []byte {
			return fmt.Appendf(dst, `{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,"prompt_tokens_details":{"cached_tokens":%d,`+
				`"cache_creation_input_tokens":%d,"cache_creation":{"ephemeral_5m_input_tokens":%[5]d},"cache_type":"ephemeral"}}`,
				i.prompt, i.completion, i.prompt+i.completion, i.read, i.write)
		}},
	// A gateway that writes both of OpenAI's spellings: those that it does not use are 0 or null.
	"both": {tariff: tariff{input: 2500, cached: 1250, output: 10_000}, caches: true,
		say: func(dst []byte, i *invoice) []byte {
			return fmt.Appendf(dst, `{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,"prompt_tokens_details":{"cached_tokens":%d,`+
				`"text_tokens":0},"completion_tokens_details":null,"input_tokens":0,"output_tokens":0,"input_tokens_details":null}`,
				i.prompt, i.completion, i.prompt+i.completion, i.read)
		}},
	"audio": {tariff: tariff{input: 2500, output: 10_000, audioIn: 40_000, audioOut: 80_000}, speaks: true,
		say: func(dst []byte, i *invoice) []byte {
			return fmt.Appendf(dst, `{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,"prompt_tokens_details":{"audio_tokens":%d,`+
				`"cached_tokens":0},"completion_tokens_details":{"audio_tokens":%d,"reasoning_tokens":0}}`,
				i.prompt, i.completion, i.prompt+i.completion, i.audioIn, i.audioOut)
		}},
	// It bills, but reports no numbers.
	"null": {tariff: tariff{input: 150, output: 600},
		say: func(dst []byte, i *invoice) []byte {
			return append(dst, `{"prompt_tokens":null,"completion_tokens":null,"total_tokens":null}`...)
		}},
}

func plainUsage(dst []byte, i *invoice) []byte {
	return fmt.Appendf(dst, `{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d}`, i.prompt, i.completion, i.prompt+i.completion)
}

// decimal writes billionths of a dollar as dollars.
func decimal(nanos int64) string { return fmt.Sprintf("%d.%09d", nanos/1e9, nanos%1e9) }

// billAs is the setter of the option bill.
func billAs(o *Options, v string) error {
	if billings[v] == nil {
		return fmt.Errorf("want one of %s", strings.Join(slices.Sorted(maps.Keys(billings)), ", "))
	}
	o.Bill = v
	return nil
}

// appendBill appends the usage in the form of the provider that the options bill like, and the end
// of the answer.
func appendBill(dst []byte, q *request, u usage) []byte {
	i := q.billing.bill(q, u)
	dst = q.billing.say(append(dst, `,"usage":`...), &i)
	if i.tier != "" {
		dst = appendQuoted(append(dst, `,"service_tier":`...), i.tier)
	}
	return append(dst, "}\n"...)
}

// answers returns the model that the answer names.
func (q *request) answers() string {
	if q.billing != nil && q.billing.model != "" {
		return q.billing.model
	}
	return q.model
}

// cost returns what is billed for an answer, in billionths of a dollar; 0 if Options.Bill is not
// set.
func (q *request) cost(u usage) int64 {
	if q.billing == nil {
		return 0
	}
	return q.billing.bill(q, u).nanos
}
