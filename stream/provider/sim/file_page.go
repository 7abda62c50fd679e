package sim

import (
	"net/http"
	"strconv"
)

// page is one page of a list, in the form of GET /files and GET /batches.
type page struct {
	Object  string  `json:"object"`
	Data    []any   `json:"data"`
	FirstID *string `json:"first_id"`
	LastID  *string `json:"last_id"`
	HasMore bool    `json:"has_more"`

	indexes []int
}

// pageOf chooses what the query's after and limit ask for, out of n items in order of creation.
// Items come newest first, unless the query has order=asc. usual is the limit if the query has
// none, and most is the largest limit.
func pageOf(r *http.Request, n, usual, most int, id func(i int) string) (*page, *apiError) {
	query := r.URL.Query()
	limit := usual
	if text := query.Get("limit"); text != "" {
		var err error
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > most {
			return nil, errValue("limit", "an integer from 1 to "+strconv.Itoa(most))
		}
	}
	page := &page{Object: "list", Data: []any{}}
	after := query.Get("after")
	begun := after == ""
	for k := range n {
		i := n - 1 - k
		if query.Get("order") == "asc" {
			i = k
		}
		switch {
		case !begun:
			begun = id(i) == after
		case len(page.indexes) == limit:
			page.HasMore = true
		default:
			page.indexes = append(page.indexes, i)
		}
	}
	if !begun {
		return nil, errValue("after", "the id of something that is listed")
	}
	if len(page.indexes) > 0 {
		first, last := id(page.indexes[0]), id(page.indexes[len(page.indexes)-1])
		page.FirstID, page.LastID = &first, &last
	}
	return page, nil
}
