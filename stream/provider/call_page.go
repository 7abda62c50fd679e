package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
)

// page is one page of a list, as the API answers it.
type page[T any] struct {
	Object  string `json:"object"`
	Data    []T    `json:"data"`
	HasMore bool   `json:"has_more"`
}

// UnmarshalJSON implements json.Unmarshaler. Some providers list in a bare array.
func (p *page[T]) UnmarshalJSON(raw []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("[")) {
		p.Object = "list"
		return json.Unmarshal(raw, &p.Data)
	}
	type plain page[T]
	return json.Unmarshal(raw, (*plain)(p))
}

func (p *page[T]) known() bool { return p.Object == "list" || p.Data != nil }

// errNoNextPage says that a list cannot be walked to its end. To end it early would hide what is
// there.
var errNoNextPage = errors.New("the provider says that the list goes on, and gives no next page")

// pages walks all pages of a list. fetch asks for the page after the item with that id, "" for the
// first; of what it gets, id is the cursor. What goes wrong is the last that is yielded.
func pages[T, Item any](fetch func(after string) (page[T], error), id func(*T) string, item func(*T) Item) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		var none Item
		for after := ""; ; {
			p, err := fetch(after)
			if err != nil {
				yield(none, err)
				return
			}
			last := ""
			if n := len(p.Data); n > 0 {
				last = id(&p.Data[n-1])
			}
			if p.HasMore && last == "" || after != "" && last == after {
				yield(none, fmt.Errorf("listing after %q: %w", after, errNoNextPage))
				return
			}
			for i := range p.Data {
				if !yield(item(&p.Data[i]), nil) {
					return
				}
			}
			if !p.HasMore {
				return
			}
			after = last
		}
	}
}
