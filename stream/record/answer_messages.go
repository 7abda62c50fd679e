package record

import "llmpipe/stream/record/rawjson"

// readOfMessage reads a member of a message from Anthropic's API: its blocks, why it ended, or why
// the model refused (platform.claude.com/docs/en/api/messages/create).
func (a *Answer) readOfMessage(name string, value []byte) {
	switch name {
	case "content":
		a.readBlocks(value)
	case "stop_reason":
		a.FinishReason = rawjson.TextOf(value)
	case "stop_details": // only a refusal has them
		a.Refusal = rawjson.TextOf(rawjson.MemberOf(value, "explanation"))
	}
}

// readBlocks reads a message's blocks: its texts, which together are the content, and the calls of
// the tools that the request defines. Thinking blocks are not content, nor are the calls and
// results of the provider's own tools.
func (a *Answer) readBlocks(blocks []byte) {
	a.Content, a.ToolCalls = nil, nil
	if blocks[0] != '[' {
		return
	}
	a.Choices = 1
	rawjson.Elements(blocks, func(block []byte) bool {
		switch string(rawjson.MemberOf(block, "type")) {
		case `"text"`:
			a.Content = joinStrings(a.Content, textOrNothing(block))
		case `"tool_use"`:
			a.ToolCalls = appendElement(a.ToolCalls, toolCall(block))
		}
		return true
	})
}

// textOrNothing returns a block's text, a JSON string that may be empty; nil if it has none.
func textOrNothing(block []byte) []byte {
	if text := rawjson.MemberOf(block, "text"); rawjson.IsString(text) {
		return text
	}
	return nil
}

// toolCall returns a tool_use block in the form of a chat completion's tool call, whose arguments
// are JSON in a string.
func toolCall(block []byte) []byte {
	call := append([]byte(nil), '{')
	if id := rawjson.MemberOf(block, "id"); rawjson.IsString(id) {
		call = rawjson.AppendMember(call, "id", id)
	}
	call = rawjson.AppendMember(call, "type", []byte(`"function"`))
	call = append(rawjson.AppendKey(call, "function"), '{')
	if name := rawjson.MemberOf(block, "name"); rawjson.IsString(name) {
		call = rawjson.AppendMember(call, "name", name)
	}
	arguments := []byte("{}")
	if input := rawjson.MemberOf(block, "input"); !rawjson.IsNull(input) {
		arguments = rawjson.Compact(nil, input)
	}
	call = rawjson.AppendMember(call, "arguments", rawjson.AppendQuoted(nil, arguments))
	return append(call, '}', '}')
}
