package price

// Tokens are the counts that a provider says it bills for.
type Tokens struct {
	Prompt     int64 // all of the prompt, with Cached, CacheWrite, AudioIn and ImageIn
	Cached     int64 // the part of Prompt read from the cache
	CacheWrite int64 // the part of Prompt written to the cache
	CacheHour  int64 // the part of CacheWrite that is kept for an hour
	AudioIn    int64 // the part of Prompt that is sound
	ImageIn    int64 // the part of Prompt that is images

	Completion int64 // all of the completion, with Reasoning, AudioOut and ImageOut
	Reasoning  int64 // the hidden part of Completion
	AudioOut   int64 // the part of Completion that is sound
	ImageOut   int64 // the part of Completion that is images

	Searches int64         // web searches, which are billed separately
	Context  SearchContext // of each search
}

// SearchContext is how much of what a web search finds is given to the model. The price of the
// search depends on it.
type SearchContext uint8

const (
	UnsaidContext SearchContext = iota
	LowContext
	MediumContext
	HighContext
)

// SearchContextOf reads the name of a search context from the search_context_size of a request or a
// usage.
func SearchContextOf(name string) SearchContext {
	switch name {
	case "low":
		return LowContext
	case "medium":
		return MediumContext
	case "high":
		return HighContext
	}
	return UnsaidContext
}
