package batchapi

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"llmpipe/stream/provider"
)

// errNoNextPage says that a list cannot be walked to its end. To end it early without an error
// would hide the rest.
var errNoNextPage = errors.New("the provider says that the list continues, but gives no next page")

// pages walks all pages of a list. fetch asks for the page after the item with the id after, or for
// the first page if that is "". id returns an item's id. An error ends the walk and is yielded
// last.
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

// numberedPage is one page of a list whose pages have numbers, in Mistral's form.
type numberedPage[T any] struct {
	Data  []T   `json:"data"`
	Total int64 `json:"total"` // of items on all pages
}

// Known implements [provider.Object].
func (p *numberedPage[T]) Known() bool { return p.Data != nil }

// listPages returns a function that asks for one page of a list. doing names the list's items in
// messages.
func listPages[T any](ctx context.Context, client *provider.Client, path, doing string) func(page int) (numberedPage[T], error) {
	return func(page int) (p numberedPage[T], err error) {
		query := url.Values{"page": {strconv.Itoa(page)}, "page_size": {strconv.Itoa(batchPage)}}
		err = client.Call(ctx, &provider.Request{Method: http.MethodGet, Path: path, Query: query, Into: &p, Called: "a list of " + doing})
		if err != nil {
			err = fmt.Errorf("listing %s: %w", doing, err)
		}
		return p, err
	}
}

// numbered walks all pages of a list, from page 0, until it has seen as many items as the list is
// said to have. In a list that is newest first, an item created meanwhile moves others to later
// pages: some come twice, but none is left out. An item deleted meanwhile moves others to earlier
// pages, and then some may be left out without an error.
func numbered[T, Item any](fetch func(page int) (numberedPage[T], error), item func(*T) Item) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		var none Item
		seen := int64(0)
		for page := 0; ; page++ {
			p, err := fetch(page)
			if err == nil && len(p.Data) == 0 && seen < p.Total {
				err = fmt.Errorf("listing page %d: %w", page, errNoNextPage)
			}
			if err != nil {
				yield(none, err)
				return
			}
			for i := range p.Data {
				if !yield(item(&p.Data[i]), nil) {
					return
				}
			}
			if seen += int64(len(p.Data)); seen >= p.Total {
				return
			}
		}
	}
}
