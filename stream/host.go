package stream

import "llmpipe/stream/provider"

// Host is a provider that records are asked of.
type Host struct {
	index  int    // its place in the order of preference
	name   string // in results, ledgers and reports
	client *provider.Client
}
