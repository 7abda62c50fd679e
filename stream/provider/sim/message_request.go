package sim

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
)

// message holds raw members of a request to Anthropic's API, each nil if the request does not have
// it, and what is wrong with the request.
type message struct {
	system      []byte
	tools       []byte
	messages    []byte
	temperature []byte
	automatic   []byte // the request's own cache_control, which marks the last block
	unknown     string // the name of a member that the API does not know; "" for none
	role        string // a message's role that the API does not know, raw; "" for none
	roleAt      int    // the index of that message
}

// messageMembers are the members of a request that the API knows and that change nothing here
// (platform.claude.com/docs/en/api/messages/create, and what betas add).
var messageMembers = []string{
	"top_p", "top_k", "stop_sequences", "metadata", "thinking", "service_tier", "container", "mcp_servers", "context_management",
	"inference_geo", "speed", "fallbacks",
}

// messageMember reads one member of a request to Anthropic's API, if other APIs do not have it or
// have it in another form. handled is false for members that all APIs share.
func (q *request) messageMember(name string) (handled bool, fault *apiError) {
	if !q.endpoint.anthropic {
		return false, nil
	}
	var out *[]byte
	switch name {
	case "model", "stream", "max_tokens":
		return false, nil
	case "system":
		return true, q.readBlocks(&q.message.system)
	case "tools":
		return true, q.readBlocks(&q.message.tools)
	case "temperature":
		out = &q.message.temperature
	case "tool_choice":
		out = &q.structured.toolChoice
	case "output_format", "output_config":
		out = &q.structured.format
	case "cache_control":
		out = &q.message.automatic
	default:
		out = new([]byte)
		if !slices.Contains(messageMembers, name) {
			q.message.unknown = name
		}
	}
	*out, fault = q.value()
	return true, fault
}

// readBlocks reads blocks that are billed in addition to the prompt into out. Marks cost nothing.
func (q *request) readBlocks(out *[]byte) (fault *apiError) {
	*out, fault = q.value()
	if fault == nil {
		q.eachBlock(*out, func(_ []byte, n int, _ []byte) { q.otherTokens += n })
	}
	return fault
}

// checkMessage says what Anthropic refuses in a request although other APIs take it.
func (q *request) checkMessage() *apiError {
	m := &q.message
	switch {
	case m.unknown != "":
		return errField(m.unknown, "Extra inputs are not permitted")
	case q.model == "":
		return errField("model", "Field required")
	case q.maxTokens == 0:
		return errField("max_tokens", "Field required")
	case !q.hasPrompt:
		return errField("messages", "Field required")
	}
	if t, err := strconv.ParseFloat(string(m.temperature), 64); m.temperature != nil && (err != nil || t < 0 || t > 1) {
		return errField("temperature", "range: 0..1")
	}
	switch m.role {
	case "":
		return nil
	case `"system"`:
		return errField("messages", `Unexpected role "system". The Messages API accepts a top-level `+
			"`system` parameter, not \"system\" as an input message role.")
	}
	return errField("messages."+strconv.Itoa(m.roleAt)+".role", "Input should be 'user' or 'assistant'")
}

// noteRole notes a message's role, raw, if Anthropic's API does not know it.
func (q *request) noteRole(at int, role []byte) {
	if q.endpoint.anthropic && q.message.role == "" && !bytes.Equal(role, []byte(`"user"`)) && !bytes.Equal(role, []byte(`"assistant"`)) {
		q.message.role, q.message.roleAt = string(role), at
	}
}

// planMessage returns the form that the answer is to have; nil for text.
func (q *request) planMessage() (*structure, *apiError) {
	var choice struct {
		Type string `json:"type"`
		Name string `json:"name"`
	}
	if !isNull(q.structured.toolChoice) && json.Unmarshal(q.structured.toolChoice, &choice) != nil {
		return nil, errField("tool_choice", "Input should be an object")
	}
	if choice.Type == "any" || choice.Type == "tool" {
		return q.planTool(choice.Type, choice.Name)
	}
	var format struct {
		wireFormat
		Format *wireFormat `json:"format"` // of output_config
	}
	if isNull(q.structured.format) || json.Unmarshal(q.structured.format, &format) != nil {
		return nil, nil
	}
	if format.Format != nil {
		format.wireFormat = *format.Format
	}
	if format.Type != "json_schema" || isNull(format.Schema) {
		return nil, nil
	}
	return &structure{schema: readOrdered(format.Schema)}, nil
}

// planTool returns the tool call that the request asks for. kind is any or tool.
func (q *request) planTool(kind, name string) (*structure, *apiError) {
	var tools []struct {
		Name   string          `json:"name"`
		Schema json.RawMessage `json:"input_schema"`
	}
	if isNull(q.message.tools) || json.Unmarshal(q.message.tools, &tools) != nil {
		return nil, errField("tool_choice", "may only be specified while providing `tools`")
	}
	for _, tool := range tools {
		if kind == "any" || tool.Name == name {
			return &structure{schema: readOrdered(tool.Schema), call: tool.Name}, nil
		}
	}
	return nil, errField("tool_choice", "Tool '"+name+"' not found in provided tools")
}
