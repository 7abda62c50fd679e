package provider

import (
	"bytes"
	"encoding/json"
)

// Page is one page of a list, as the API returns it.
type Page[T any] struct {
	Object  string `json:"object"`
	Data    []T    `json:"data"`
	HasMore bool   `json:"has_more"`
}

// UnmarshalJSON implements json.Unmarshaler. Some providers return a bare array.
func (p *Page[T]) UnmarshalJSON(raw []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("[")) {
		p.Object = "list"
		return json.Unmarshal(raw, &p.Data)
	}
	type plain Page[T]
	return json.Unmarshal(raw, (*plain)(p))
}

// Known implements [Object].
func (p *Page[T]) Known() bool { return p.Object == "list" || p.Data != nil }
