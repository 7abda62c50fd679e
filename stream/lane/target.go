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
	// Beside says that records go here as well as to the target before, and not only when that is out.
	Beside bool
	Pace   limiter.Config
}
