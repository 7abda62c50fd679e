package sim

import (
	"strings"
	"unicode/utf8"
)

// reasoningFactor is how many tokens a reasoning model thinks, on average, for each token that it
// shows. They come in blocks of reasoningBlock tokens, as OpenAI bills them ("Reasoning models",
// platform.openai.com/docs/guides/reasoning).
const (
	reasoningFactor = 4
	reasoningBlock  = 64
)

// usage is what is billed for an answer, in tokens. completion includes reasoning.
type usage struct {
	prompt, completion, reasoning int
	cached                        // of the prompt
}

// answer is the outcome of a request before it takes an endpoint's form.
type answer struct {
	choices []choice
	usage   usage
}

// choice is one completion. Each visible token is a word, unless said is set: then it is four
// bytes.
type choice struct {
	hash               uint64
	visible, reasoning int
	cut                bool // ended by the limit on its length

	misfit faultKind // how the object in said was spoilt; noFault if it was not

	said   []byte // the text if the request asks for an object or a call; nil for words
	call   string // the function that it calls with said as the arguments; "" for none
	forced bool   // the request named that function
}

// reasons reports whether the model reasons before it answers. The provider that Options.Bill names
// decides, or else the model's name.
func (q *request) reasons() bool {
	if q.billing != nil && q.endpoint.generates {
		return q.billing.thinks
	}
	for _, family := range [...]string{"o1", "o3", "o4", "gpt-5"} {
		if strings.HasPrefix(q.model, family) {
			return true
		}
	}
	return false
}

// completions returns the number of choices that the request asks for.
func (q *request) completions() int {
	if !q.endpoint.generates {
		return 0
	}
	return q.n * max(1, len(q.inputs))
}

// toll is what a request is charged against the limits before it is answered, in tokens. OpenAI's
// limits take tokens. Anthropic's take input; they take the output when it is known.
type toll struct{ tokens, input int }

// toll returns the charge: at OpenAI the prompt and the most output that there may be, at Anthropic
// the prompt without what is read from the cache. mean is the expected output, which is used if the
// request sets no bound.
func (q *request) toll(mean int) toll {
	if q.endpoint.anthropic {
		return toll{input: q.promptTokens + q.otherTokens - q.cached.read}
	}
	output := q.maxTokens
	if output == 0 {
		output = mean
		if q.reasons() {
			output += mean * reasoningFactor
		}
	}
	return toll{tokens: q.promptTokens + q.otherTokens + output*q.completions()}
}

// answer decides what the request gets. With truncate it cuts the answer in half, as max_tokens
// would.
func (q *request) answer(o *Options, truncate bool) answer {
	a := answer{usage: usage{prompt: q.promptTokens + q.otherTokens, cached: q.cached}}
	for i := range q.completions() {
		c := q.choice(i, o, truncate)
		a.choices = append(a.choices, c)
		a.usage.completion += c.visible + c.reasoning
		a.usage.reasoning += c.reasoning
	}
	return a
}

// words returns the hash that an answer's words come from. In a conversation it is the hash of what
// the user said last, so that the same prompt has the same answer from every API and model.
func (q *request) words() uint64 {
	if !q.endpoint.talks || q.echo == nil {
		return q.hash
	}
	return hash(q.seed, q.plain(q.echo))
}

func (q *request) choice(index int, o *Options, truncate bool) choice {
	mean, most := o.Output, q.maxTokens
	if o.Overrun == OverrunAll {
		most = 0
	}
	c := choice{hash: mix(q.words(), uint64(index))}
	c.visible = logNormal(c.hash, mean)
	if q.reasons() {
		thought := logNormal(mix(c.hash, 1), mean*reasoningFactor)
		c.reasoning = (thought + reasoningBlock - 1) / reasoningBlock * reasoningBlock
	}
	if o.Overrun == OverrunReasoning && most > 0 {
		most += c.reasoning
	}
	if q.structure != nil {
		if most > 0 {
			c.reasoning = min(c.reasoning, most)
		}
		if q.structure.schema != nil && q.structure.call == "" {
			c.misfit = o.misfit(&c)
		}
		q.invent(&c, mean, most, truncate)
		return c
	}
	bound := c.visible + c.reasoning
	if truncate {
		bound = c.reasoning + (c.visible+1)/2
		c.cut = true
	}
	if most > 0 && most < c.visible+c.reasoning {
		bound = min(bound, most)
		c.cut = true
	}
	c.reasoning = min(c.reasoning, bound)
	c.visible = bound - c.reasoning
	return c
}

func (c *choice) finishReason() string {
	switch {
	case c.cut:
		return "length"
	case c.call != "" && !c.forced: // OpenAI says stop if the request named the function
		return "tool_calls"
	}
	return "stop"
}

// An answer quotes the first words of its prompt, so that a person sees which prompt it belongs to,
// and goes on with filler.
const (
	echoWords = 8
	wordBytes = 32 // of an echoed word; a longer one is cut
	opening   = "Simulated answer to"
)

// filler is repeated, starting with a sentence that the hash chooses.
var filler = strings.Fields(`This text was made up by the simulator. It has the length, the shape and the price of a real answer, ` +
	`but no meaning. The same seed and the same request give the same words again. Nothing was sent anywhere, and nothing was paid. ` +
	`Use it to try out a pipeline before the first real prompt leaves this machine.`)

// writeText appends the text of a choice: exactly c.visible words.
func (q *request) writeText(dst []byte, c *choice) []byte {
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
	for w := range strings.FieldsSeq(opening) {
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
	start := int(c.hash % uint64(len(filler)))
	for start > 0 && !strings.HasSuffix(filler[start-1], ".") {
		start-- // to the beginning of the sentence
	}
	for i := start; left > 0; i++ {
		word(filler[i%len(filler)])
	}
	return dst
}

// echoed returns the first words of the text that the answer quotes.
func (q *request) echoed() []string {
	if q.echo == nil {
		return nil
	}
	text := q.plain(q.echo)
	// The words wanted are in the first bytes, however long the prompt is.
	text = text[:min(len(text), 4*echoWords*wordBytes)]
	words := make([]string, 0, echoWords+1)
	for w := range strings.FieldsSeq(strings.ToValidUTF8(string(text), "")) {
		if len(words) == echoWords {
			words[echoWords-1] += "…"
			break
		}
		words = append(words, shortWord(w))
	}
	return words
}

func shortWord(w string) string {
	if len(w) <= wordBytes {
		return w
	}
	end := wordBytes
	for !utf8.RuneStart(w[end]) {
		end--
	}
	return w[:end] + "…"
}
