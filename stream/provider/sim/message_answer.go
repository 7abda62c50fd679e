package sim

// messages is Anthropic's endpoint.
var messages = &endpoint{
	prompt: "messages", readPrompt: (*request).readMessages, talks: true, anthropic: true, generates: true, append: appendMessage,
}

// appendMessage appends an answer in Anthropic's form
// (platform.claude.com/docs/en/api/messages/create).
func appendMessage(dst []byte, q *request, a *answer) []byte {
	c := &a.choices[0]
	dst = append(append(dst, `{"id":"msg_`...), hex(q.hash)...)
	dst = append(dst, `","type":"message","role":"assistant","model":`...)
	dst = appendQuoted(dst, q.model)
	dst = append(dst, `,"content":[{"type":`...)
	if c.call != "" && !c.cut {
		dst = append(append(dst, `"tool_use","id":"toolu_`...), hex(c.hash)...)
		dst = appendQuoted(append(dst, `","name":`...), c.call)
		dst = append(append(dst, `,"input":`...), c.said...)
	} else {
		dst = appendText(append(dst, `"text","text":`...), q, c)
	}
	dst = append(append(dst, `}],"stop_reason":"`...), c.stopReason()...)
	dst = append(dst, `","stop_sequence":null,"usage":`...)
	u := &a.usage
	dst = appendNumber(dst, `{"input_tokens":`, u.prompt-u.read-u.write)
	dst = appendNumber(dst, `,"cache_creation_input_tokens":`, u.write)
	dst = appendNumber(dst, `,"cache_read_input_tokens":`, u.read)
	dst = appendNumber(dst, `,"cache_creation":{"ephemeral_5m_input_tokens":`, u.write-u.hour)
	dst = appendNumber(dst, `,"ephemeral_1h_input_tokens":`, u.hour)
	dst = appendNumber(dst, `},"output_tokens":`, u.completion)
	return append(dst, ",\"service_tier\":\"standard\"}}\n"...)
}

// stopReason returns why a choice ended, in Anthropic's words.
func (c *choice) stopReason() string {
	switch {
	case c.cut:
		return "max_tokens"
	case c.call != "":
		return "tool_use"
	}
	return "end_turn"
}
