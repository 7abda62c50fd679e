package batchapi

import (
	"errors"
	"fmt"
	"iter"

	"llmpipe/stream/provider"
)

// errNoNextPage says that a list cannot be walked to its end. To end it early would hide what is
// there.
var errNoNextPage = errors.New("the provider says that the list goes on, and gives no next page")

// pages walks all pages of a list. fetch asks for the page after the item with that id, "" for the
// first; of what it gets, id is the cursor. What goes wrong is the last that is yielded.
func pages[T, Item any](fetch func(after string) (provider.Page[T], error), id func(*T) string, item func(*T) Item) iter.Seq2[Item, error] {
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
