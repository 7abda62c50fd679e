package price

// Fees are what a request costs beside its tokens, in billionths of a US dollar.
type Fees struct {
	Request  Dollars       // each request
	Search   [3]Dollars    // each search of the web, by its context: low, medium, high; all 0: not published
	Usual    SearchContext // what a search has whose request does not say
	Searches bool          // every request searches, once unless its usage says how often
	Image    bool          // an image costs something beside its tokens, and how much is not said
}

// search is the fee of one search.
func (f *Fees) search(context SearchContext) Dollars {
	if context == UnsaidContext {
		context = max(f.Usual, LowContext)
	}
	return f.Search[context-LowContext]
}

// cost is what a request with these tokens costs beside them.
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

// maxSearches bounds the searches of one request: more are a mistake.
const maxSearches = 10_000

// worst is the most that a request costs beside its tokens. What it is to search is not known
// beforehand where its usage tells how often it did.
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
