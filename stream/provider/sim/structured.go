package sim

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// structure is the form that a request asks its answer to have: an object or a function call,
// either of which fits a schema (platform.openai.com/docs/guides/structured-outputs,
// …/function-calling).
type structure struct {
	schema any    // of the object, or of the function's arguments; nil: any object will do
	call   string // the function's name; empty for an object
	forced bool   // the request names the function, rather than asking for any
}

// structured holds the raw members of a request that say what form its answer is to have, each nil
// if the request does not have it.
type structured struct {
	format     []byte // response_format, or a response's text
	tools      []byte
	toolChoice []byte
}

// wireFormat is response_format, or `format` in a response's text, which holds the name and the
// schema itself.
type wireFormat struct {
	Type       string          `json:"type"`
	Name       string          `json:"name"`
	Schema     json.RawMessage `json:"schema"`
	JSONSchema *struct {
		Name   string          `json:"name"`
		Schema json.RawMessage `json:"schema"`
	} `json:"json_schema"`
	Format *wireFormat `json:"format"`
}

// wireFunction is a tool, or the choice of one. In chat the name and the parameters are under
// `function`.
type wireFunction struct {
	Type       string          `json:"type"`
	Name       string          `json:"name"`
	Parameters json.RawMessage `json:"parameters"`
	Function   *wireFunction   `json:"function"`
	Mode       string          `json:"mode"`  // of allowed_tools
	Tools      []wireFunction  `json:"tools"` // of allowed_tools
	Allowed    *wireFunction   `json:"allowed_tools"`
}

// own returns the function itself.
func (f *wireFunction) own() *wireFunction {
	if f.Function != nil {
		return f.Function
	}
	return f
}

// plan returns the form that the answer is to have; nil for text.
func (q *request) plan() (*structure, *apiError) {
	if q.structured.format == nil && q.structured.toolChoice == nil {
		return nil, nil
	}
	if q.endpoint.anthropic {
		return q.planMessage()
	}
	call, fault := q.planCall()
	if call != nil || fault != nil {
		return call, fault
	}
	return q.planFormat()
}

// planFormat reads the response_format.
func (q *request) planFormat() (*structure, *apiError) {
	const param = "response_format"
	if isNull(q.structured.format) {
		return nil, nil
	}
	var f wireFormat
	if json.Unmarshal(q.structured.format, &f) != nil {
		return nil, errType(param, "an object")
	}
	if f.Format != nil {
		f = *f.Format
	} else if q.endpoint == responses {
		return nil, nil // a text without a format, such as only a verbosity
	}
	switch f.Type {
	case "text", "":
		return nil, nil
	case "json_object":
		return &structure{}, nil
	case "json_schema":
	default:
		return nil, errValue(param, "of type text, json_object or json_schema")
	}
	if f.JSONSchema != nil {
		f.Name, f.Schema = f.JSONSchema.Name, f.JSONSchema.Schema
	}
	if f.Name == "" {
		return nil, errMissing(param + ".json_schema.name")
	}
	if isNull(f.Schema) {
		return nil, errMissing(param + ".json_schema.schema")
	}
	return &structure{schema: readOrdered(f.Schema)}, nil
}

// planCall reads the tool_choice. It returns the call that this asks for, nil for none.
func (q *request) planCall() (*structure, *apiError) {
	const param = "tool_choice"
	raw := q.structured.toolChoice
	if isNull(raw) {
		return nil, nil
	}
	var choice wireFunction
	mode := ""
	if json.Unmarshal(raw, &mode) != nil && json.Unmarshal(raw, &choice) != nil {
		return nil, errType(param, "a string or an object")
	}
	if choice.Allowed != nil {
		choice = *choice.Allowed
	}
	if mode == "" {
		mode = choice.Mode
	}
	var tools []wireFunction
	if json.Unmarshal(q.structured.tools, &tools) != nil || len(tools) == 0 {
		return nil, &apiError{status: 400, kind: invalid, param: param,
			message: "'tool_choice' is only allowed when 'tools' are specified."}
	}
	name := choice.own().Name
	switch {
	case mode == "none" || mode == "auto":
		return nil, nil
	case len(choice.Tools) > 0:
		name = choice.Tools[0].own().Name
	case name == "" && mode != "required":
		return nil, errValue(param, "none, auto, required or the name of a function")
	}
	for i := range tools {
		f := tools[i].own()
		if f.Name != "" && (name == "" || f.Name == name) {
			return &structure{schema: readOrdered(f.Parameters), call: f.Name, forced: mode == ""}, nil
		}
	}
	return nil, &apiError{status: 400, kind: invalid, param: param,
		message: "Tool choice " + strconv.Quote(name) + " not found in 'tools' parameter."}
}

func isNull(raw []byte) bool { return len(raw) == 0 || bytes.Equal(raw, []byte("null")) }

// invent sets what c says, in the form that the request asks for. It cuts that so that it has, with
// the reasoning, at most most tokens; 0 means no bound.
func (q *request) invent(c *choice, mean, most int, truncate bool) {
	s := q.structure
	c.call, c.forced = s.call, s.forced
	if s.schema == nil && s.call == "" {
		c.visible = logNormal(c.hash, mean)
		c.said = append(appendQuoted([]byte(`{"answer":`), q.writeText(nil, c)), '}')
	} else {
		v := inventor{root: s.schema, hash: c.hash, request: q}
		c.said = v.value(nil, s.schema, 0)
	}
	switch c.misfit {
	case noFault:
	case misfitCut:
		truncate = true
	default:
		c.said = spoil(c.said, s.schema, c.misfit)
	}
	c.visible = (len(c.said) + bytesPerToken - 1) / bytesPerToken
	bound := c.visible
	if truncate {
		bound = (c.visible + 1) / 2
	}
	if most > 0 {
		bound = min(bound, max(0, most-c.reasoning))
	}
	if bound < c.visible {
		c.visible, c.cut = bound, true
		end := bound * bytesPerToken
		for end > 0 && !utf8.RuneStart(c.said[end]) {
			end--
		}
		c.said = c.said[:end]
	}
}
