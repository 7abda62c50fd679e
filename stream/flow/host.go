package flow

import (
	"sync/atomic"

	"llmpipe/stream/provider"
)

// Host is a provider that records are asked of.
type Host struct {
	Index  int    // its place in the order of preference
	Name   string // in results, ledgers and reports
	Client *provider.Client

	unrecorded atomic.Int64 // its answers that no ledger holds yet
}
