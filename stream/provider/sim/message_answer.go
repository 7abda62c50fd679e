package sim

// messages is Anthropic's way to ask.
var messages = &endpoint{prompt: "messages", readPrompt: (*request).readMessages, generates: true, append: appendMessage}

// appendMessage appends an answer as Anthropic gives it
// (platform.claude.com/docs/en/api/messages/create).
func appendMessage(dst []byte, q *request, a *answer) []byte {
	c := &a.choices[0]
	dst = append(append(dst, `{"id":"msg_`...), hex(c.hash)...)
	dst = append(dst, `","type":"message","role":"assistant","model":`...)
	dst = appendQuoted(dst, q.model)
	dst = append(dst, `,"content":[{"type":"text","text":`...)
	dst = appendText(dst, q, c)
	reason := "end_turn"
	if c.cut {
		reason = "max_tokens"
	}
	dst = append(dst, `}],"stop_reason":"`+reason+`","stop_sequence":null,"usage":`...)
	dst = appendNumber(dst, `{"input_tokens":`, a.usage.prompt)
	dst = appendNumber(dst, `,"output_tokens":`, a.usage.completion)
	return append(dst, "}}\n"...)
}
