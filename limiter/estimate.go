package limiter

const (
	// bytesPerToken is the first guess, before any answer has said. English
	// prose is nearer to 4, code and most other languages to 3; too many tokens
	// is the mistake that draws no 429.
	bytesPerToken = 3

	// leanBytesPerToken is more than any text needs for a token on average: what
	// is over a limit even so, is over it.
	leanBytesPerToken = 8

	// firstOutput is the completion tokens expected of a request that names no
	// max_tokens, until answers say.
	firstOutput = 256

	// learning is the weight of the newest answer in a running mean.
	learning = 0.1
)

// estimate foretells what a request will be charged, from what the ones before
// it were. The prompt's part is a ratio of two means, not a mean of ratios, so
// that the sum of many estimates is right, whatever the mix of sizes.
type estimate struct {
	bytes  float64
	prompt float64
	output float64
}

func newEstimate() estimate {
	return estimate{bytes: bytesPerToken, prompt: 1, output: firstOutput}
}

// charge is what r is expected to take.
func (e *estimate) charge(r Request) charge {
	in := float64(r.PromptBytes) * e.prompt / e.bytes
	out := float64(r.MaxTokens)
	if r.MaxTokens == 0 {
		out = e.output * float64(max(1, r.N))
	}
	return charge{requests: 1, tokens: in + out, input: in, output: out}
}

// learn takes in what an answer really used.
func (e *estimate) learn(r Request, promptTokens, completionTokens int) {
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

// lean is the least that r can cost of each resource: what a limit is compared
// with before a record is refused for its size.
func lean(r Request) charge {
	in := float64(r.PromptBytes) / leanBytesPerToken
	out := float64(r.MaxTokens)
	return charge{requests: 1, tokens: in + out, input: in, output: out}
}
