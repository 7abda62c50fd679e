package lane

import (
	"llmpipe/limiter"
	"llmpipe/stream/provider"
)

// Target is a provider that records may go to, beside the first.
type Target struct {
	// Name is the lane's name in results, ledgers and reports; empty for the provider's host.
	Name string
	// Model replaces the one that a record names; empty to leave it.
	Model    string
	Provider provider.Config
	Pace     limiter.Config
}
