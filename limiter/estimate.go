package limiter

const (
	// bytesPerToken is the first guess, before any answer has shown the true number. English prose is
	// nearer to 4, code and most other languages to 3. To expect too many tokens is the mistake that
	// draws no 429.
	bytesPerToken = 3

	// leanBytesPerToken is more bytes than any text has for a token on average. What exceeds a limit
	// even by this estimate does exceed it.
	leanBytesPerToken = 8

	// firstOutput is how many completion tokens are expected of a request that names no max_tokens,
	// until answers show it.
	firstOutput = 256

	// learning is the weight of the newest answer in a running mean.
	learning = 0.1

	// cacheLearning is that weight in the mean share of a prompt that no cache held. It is larger,
	// because what is in a cache changes at once.
	cacheLearning = 0.5
)

// estimate predicts what a request will be charged from what earlier requests were charged. The
// prompt's part is a ratio of two means, not a mean of ratios, so that the sum of many estimates is
// right whatever the mix of sizes.
type estimate struct {
	bytes    float64
	prompt   float64
	uncached float64 // share of the prompt that was not read from the provider's cache
	output   float64
}

func newEstimate() estimate {
	return estimate{bytes: bytesPerToken, prompt: 1, uncached: 1, output: firstOutput}
}

// charge is what r is expected to take. A provider that counts output apart counts it as it comes,
// without regard to max_tokens (platform.claude.com/docs/en/api/rate-limits).
func (e *estimate) charge(r Request) charge {
	in := float64(r.PromptBytes) * e.prompt / e.bytes
	likely := e.output * float64(max(1, r.N))
	most := likely
	if r.MaxTokens > 0 {
		most = float64(r.MaxTokens)
	}
	return charge{requests: 1, tokens: in + most, input: in * e.uncached, output: min(likely, most)}
}

// learn takes in what an answer really used. cachedTokens are those of the promptTokens that were
// read from a cache.
func (e *estimate) learn(r Request, promptTokens, cachedTokens, completionTokens int) {
	if promptTokens > 0 {
		e.uncached += cacheLearning * (1 - float64(cachedTokens)/float64(promptTokens) - e.uncached)
	}
	if promptTokens > 0 && r.PromptBytes > 0 {
		b := float64(r.PromptBytes)
		if e.bytes == bytesPerToken { // first answer: the guess, at the scale of real prompts
			e.bytes, e.prompt = b, b/bytesPerToken
		}
		e.bytes += learning * (b - e.bytes)
		e.prompt += learning * (float64(promptTokens) - e.prompt)
	}
	if promptTokens > 0 || completionTokens > 0 {
		e.output += learning * (float64(completionTokens)/float64(max(1, r.N)) - e.output)
	}
}

// lean is the least that r can cost of each resource. A record is refused for its size only if that
// exceeds a limit. Of the input, the share that was lately read from a cache does not count. Output
// that is counted apart counts for nothing before it has come.
func (e *estimate) lean(r Request) charge {
	in := float64(r.PromptBytes) / leanBytesPerToken
	return charge{requests: 1, tokens: in + float64(r.MaxTokens), input: in * min(1, e.uncached), output: 0}
}
