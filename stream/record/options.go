package record

import (
	"fmt"
	"strings"

	"llmpipe/stream/record/rawjson"
	"llmpipe/stream/record/schema"
)

// Options say how a line becomes a record. Each is a flag.
type Options struct {
	Template string   // --prompt: a text/template over the record's fields; "" when there is none
	System   string   // --system: for records that bring no system prompt of their own
	Raw      bool     // --raw-input: a line is text, not JSON
	IDField  string   // --id-field: the member that is the id; "" for id or custom_id
	Endpoint Endpoint // --endpoint: where a prompt goes, and what `input` means
	Model    string   // --model: for records that name none; "" leaves the field out
	Set      []Field  // --set: members for records that lack them; if a key comes twice, the last counts

	// Attach are the fields of a record that name files and URLs to attach to its request.
	// AttachHTTP also allows URLs with http:, which are fetched without encryption.
	Attach     []string
	AttachHTTP bool

	// Schema is the JSON Schema that requests ask for; nil for none. It is not part of the
	// fingerprint: an answer recorded without it, or with another schema, still counts.
	Schema *schema.Schema
	// OnlyCheck leaves Schema out of the requests, for servers that do not support schemas.
	OnlyCheck bool
}

// Field is a member of a request body.
type Field struct {
	Key   string
	Value []byte // JSON
}

// ParseField reads a field from KEY=JSON.
func ParseField(s string) (Field, error) {
	key, value, ok := strings.Cut(s, "=")
	if !ok || key == "" {
		return Field{}, fmt.Errorf("%q is not of the form KEY=JSON", Cut(s))
	}
	if !rawjson.Valid([]byte(value)) {
		return Field{}, fmt.Errorf("field %s: %q is not JSON", key, Cut(value))
	}
	return Field{Key: key, Value: []byte(value)}, nil
}
