package provider

import (
	"strings"
	"unicode/utf8"
)

// simReasoningFactor is how many tokens a reasoning model thinks, on average,
// for each that it shows; they come in blocks of simReasoningBlock, as OpenAI
// bills them ("Reasoning models", platform.openai.com/docs/guides/reasoning).
const (
	simReasoningFactor = 4
	simReasoningBlock  = 64
)

// simUsage is what an answer is billed for, in tokens. Completion includes reasoning.
type simUsage struct{ prompt, completion, reasoning int }

// simAnswer is the outcome of a request before it takes an endpoint's form.
type simAnswer struct {
	choices []simChoice
	usage   simUsage
}

// simChoice is one completion. Its visible tokens are its words.
type simChoice struct {
	hash               uint64
	visible, reasoning int
	cut                bool // ended by the limit on its length
}

// reasons tells whether the model's name is one of those that think first.
func (q *simRequest) reasons() bool {
	for _, family := range [...]string{"o1", "o3", "o4", "gpt-5"} {
		if strings.HasPrefix(q.model, family) {
			return true
		}
	}
	return false
}

// completions is the number of choices that the request asks for.
func (q *simRequest) completions() int {
	if !q.endpoint.generates {
		return 0
	}
	return q.n * max(1, len(q.inputs))
}

// charge is what a limit takes for the request before it is answered, in
// tokens: the prompt, and all the output that it may have. mean is the
// expected output where it sets no bound.
func (q *simRequest) charge(mean int) int {
	output := q.maxTokens
	if output == 0 {
		output = mean
		if q.reasons() {
			output += mean * simReasoningFactor
		}
	}
	return q.promptTokens + q.otherTokens + output*q.completions()
}

// answer decides what the request gets. mean is the expected number of visible
// tokens; truncate cuts the answer in half, as if max_tokens had.
func (q *simRequest) answer(mean int, truncate bool) simAnswer {
	a := simAnswer{usage: simUsage{prompt: q.promptTokens + q.otherTokens}}
	for i := range q.completions() {
		c := q.choice(i, mean, truncate)
		a.choices = append(a.choices, c)
		a.usage.completion += c.visible + c.reasoning
		a.usage.reasoning += c.reasoning
	}
	return a
}

func (q *simRequest) choice(index, mean int, truncate bool) simChoice {
	c := simChoice{hash: simMix(q.hash, uint64(index))}
	c.visible = simLogNormal(c.hash, mean)
	if q.reasons() {
		thought := simLogNormal(simMix(c.hash, 1), mean*simReasoningFactor)
		c.reasoning = (thought + simReasoningBlock - 1) / simReasoningBlock * simReasoningBlock
	}
	bound := c.visible + c.reasoning
	if truncate {
		bound = c.reasoning + (c.visible+1)/2
		c.cut = true
	}
	if q.maxTokens > 0 && q.maxTokens < c.visible+c.reasoning {
		bound = min(bound, q.maxTokens)
		c.cut = true
	}
	c.reasoning = min(c.reasoning, bound)
	c.visible = bound - c.reasoning
	return c
}

func (c *simChoice) finishReason() string {
	if c.cut {
		return "length"
	}
	return "stop"
}

// An answer quotes the first words of its prompt, so that a person sees which
// one it belongs to, and goes on with filler.
const (
	simEchoWords = 8
	simWordBytes = 32 // of an echoed word; a longer one is cut
	simOpening   = "Simulated answer to"
)

// simFiller is said again and again, from a sentence that the hash chooses.
var simFiller = strings.Fields(`This text was made up by the simulator. It has the length, the shape and the price of a real answer, ` +
	`but no meaning. The same seed and the same request give the same words again. Nothing was sent anywhere, and nothing was paid. ` +
	`Use it to try out a pipeline before the first real prompt leaves this machine.`)

// writeText appends the text of a choice: exactly c.visible words.
func (q *simRequest) writeText(dst []byte, c *simChoice) []byte {
	left := c.visible
	word := func(w string) {
		if left == 0 {
			return
		}
		if left < c.visible {
			dst = append(dst, ' ')
		}
		dst = append(dst, w...)
		left--
	}
	for w := range strings.FieldsSeq(simOpening) {
		word(w)
	}
	if echo := q.echoed(); len(echo) > 0 {
		echo[0] = `"` + echo[0]
		echo[len(echo)-1] += `":`
		for _, w := range echo {
			word(w)
		}
	} else {
		word("this:")
	}
	start := int(c.hash % uint64(len(simFiller)))
	for start > 0 && !strings.HasSuffix(simFiller[start-1], ".") {
		start-- // to the beginning of the sentence
	}
	for i := start; left > 0; i++ {
		word(simFiller[i%len(simFiller)])
	}
	return dst
}

// echoed returns the first words of the prompt.
func (q *simRequest) echoed() []string {
	if q.echo == nil {
		return nil
	}
	text := q.plain(q.echo)
	// The words wanted are in the first bytes, however long the prompt is.
	text = text[:min(len(text), 4*simEchoWords*simWordBytes)]
	words := make([]string, 0, simEchoWords+1)
	for w := range strings.FieldsSeq(strings.ToValidUTF8(string(text), "")) {
		if len(words) == simEchoWords {
			words[simEchoWords-1] += "…"
			break
		}
		words = append(words, shortWord(w))
	}
	return words
}

func shortWord(w string) string {
	if len(w) <= simWordBytes {
		return w
	}
	end := simWordBytes
	for !utf8.RuneStart(w[end]) {
		end--
	}
	return w[:end] + "…"
}
