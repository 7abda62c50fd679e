package price

// Tokens are what a provider says it charges for.
type Tokens struct {
	Prompt     int64 // all of the prompt, Cached, CacheWrite, AudioIn and ImageIn included
	Cached     int64 // the part of Prompt read from the cache
	CacheWrite int64 // the part of Prompt written to the cache
	CacheHour  int64 // the part of CacheWrite that is to be kept for an hour
	AudioIn    int64 // the part of Prompt that is sound
	ImageIn    int64 // the part of Prompt that is images

	Completion int64 // all of the completion, Reasoning, AudioOut and ImageOut included
	Reasoning  int64 // the part of Completion that is not seen
	AudioOut   int64 // the part of Completion that is sound
	ImageOut   int64 // the part of Completion that is images

	Searches int64         // of the web, which are billed apart
	Context  SearchContext // how much each of them finds
}

// SearchContext is how much of what it finds a search of the web takes along. It has a price.
type SearchContext uint8

const (
	UnsaidContext SearchContext = iota
	LowContext
	MediumContext
	HighContext
)

// SearchContextOf reads the name of one, as a request or a usage has it under search_context_size.
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
