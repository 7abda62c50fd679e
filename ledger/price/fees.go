package price

// Fees are what a request costs beside its tokens.
type Fees struct {
	Request  Dollars       // each request
	Search   [3]Dollars    // each search of the web, by its context: low, medium, high; all 0: not published
	Usual    SearchContext // the context of a search if the request names none
	Searches bool          // every request searches: once, unless its usage says how often
	Image    bool          // an image costs an unknown amount beside its tokens
}

// search is the fee of one search.
func (f *Fees) search(context SearchContext) Dollars {
	if context == UnsaidContext {
		context = max(f.Usual, LowContext)
	}
	return f.Search[context-LowContext]
}

// cost returns what a request with these tokens costs beside them.
func (f *Fees) cost(t *Tokens) int64 {
	searches := max(t.Searches, 0)
	if f.Searches {
		searches = max(searches, 1)
	}
	if searches > maxSearches {
		searches = maxSearches
	}
	return int64(f.Request) + searches*int64(f.search(t.Context))
}

// maxSearches bounds the searches of one request: a larger number is a mistake.
const maxSearches = 10_000

// worst returns the most that a request costs beside its tokens. It counts most.Searches searches,
// and at least one if every request searches. If the context is not known, each has the dearest
// one.
func (f *Fees) worst(most *Tokens) int64 {
	dearest := max(f.Search[0], f.Search[1], f.Search[2])
	if most.Context != UnsaidContext {
		dearest = f.search(most.Context)
	}
	searches := max(most.Searches, 0)
	if f.Searches {
		searches = max(searches, 1)
	}
	return int64(f.Request) + min(searches, maxSearches)*int64(dearest)
}
