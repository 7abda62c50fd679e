package record

import (
	"fmt"
	"strconv"
	"strings"
)

// Endpoint is the API that a record's request is for.
type Endpoint uint8

// The endpoints, named as --endpoint names them. Their paths are OpenAI's, and Anthropic's.
const (
	Chat        Endpoint = iota // chat: a conversation in, a message out
	Embeddings                  // embeddings: text in, a vector out
	Responses                   // responses: OpenAI's successor of chat
	Completions                 // completions: text in, its continuation out
	Messages                    // messages: Anthropic's conversation in, a message out
)

// Endpoints is the number of endpoints.
const Endpoints = int(Messages) + 1

var endpoints = [Endpoints]struct{ name, path string }{
	Chat:        {"chat", "/v1/chat/completions"},
	Embeddings:  {"embeddings", "/v1/embeddings"},
	Responses:   {"responses", "/v1/responses"},
	Completions: {"completions", "/v1/completions"},
	Messages:    {"messages", "/v1/messages"},
}

// Dialect is the family of APIs that an endpoint belongs to, named for the company that designed
// it.
type Dialect uint8

// The dialects. They differ in how the key is sent, in the members besides the prompt, and in their
// batches.
const (
	OpenAI    Dialect = iota // OpenAI's, which most providers speak
	Anthropic                // Anthropic's own
)

// String returns the name of the company.
func (d Dialect) String() string {
	if d == Anthropic {
		return "Anthropic"
	}
	return "OpenAI"
}

// Dialect returns the dialect that the endpoint belongs to.
func (e Endpoint) Dialect() Dialect {
	if e == Messages {
		return Anthropic
	}
	return OpenAI
}

// String returns the endpoint's name, as --endpoint takes it.
func (e Endpoint) String() string {
	if int(e) >= len(endpoints) {
		return fmt.Sprintf("Endpoint(%d)", uint8(e))
	}
	return endpoints[e].name
}

// Path returns the endpoint's path, which is also the url of an OpenAI batch line; "" for a value
// that is no endpoint.
func (e Endpoint) Path() string {
	if int(e) >= len(endpoints) {
		return ""
	}
	return endpoints[e].path
}

// ParseEndpoint returns the endpoint of a name that --endpoint takes.
func ParseEndpoint(name string) (Endpoint, error) {
	for i, e := range endpoints {
		if e.name == name {
			return Endpoint(i), nil
		}
	}
	return 0, fmt.Errorf("unknown endpoint %q: it must be one of chat, embeddings, responses, completions, messages", name)
}

// UnmarshalText implements encoding.TextUnmarshaler by ParseEndpoint, for a flag.
func (e *Endpoint) UnmarshalText(text []byte) (err error) {
	*e, err = ParseEndpoint(string(text))
	return err
}

// EndpointOf returns the endpoint of a batch line's url: its path, with or without the leading /v1,
// which Azure leaves out.
func EndpointOf(url string) (Endpoint, bool) {
	for i, e := range endpoints {
		if url == e.path || url == strings.TrimPrefix(e.path, "/v1") {
			return Endpoint(i), true
		}
	}
	return 0, false
}

// takesInput reports whether a request to the endpoint holds its prompt under `input`.
func (e Endpoint) takesInput() bool { return e == Embeddings || e == Responses }

// takesSystem reports whether a request to the endpoint has a place for a system prompt.
func (e Endpoint) takesSystem() bool { return e == Chat || e == Responses || e == Messages }

// takesMessages reports whether a request to the endpoint holds its prompt under `messages`.
func (e Endpoint) takesMessages() bool { return e == Chat || e == Messages }

// defaultMaxTokens is the max_tokens of a request to Anthropic's API that sets none; the API
// requires it (platform.claude.com/docs/en/api/messages/create).
const defaultMaxTokens = 4096

// needs returns the member that the endpoint requires besides the prompt and the model, and its
// default value; "" for none.
func (e Endpoint) needs() (name, value string) {
	if e == Messages {
		return "max_tokens", strconv.Itoa(defaultMaxTokens)
	}
	return "", ""
}
