package stream

import (
	"fmt"
)

// Mode says which way records are asked about.
type Mode uint8

// The modes.
const (
	// ModeRealtime asks about each record by itself, at once.
	ModeRealtime Mode = iota
	// ModeBatch hands them to the provider in files, for half the price and within a day.
	ModeBatch
	// ModeHybrid asks about urgent records at once, and about all others by batch.
	ModeHybrid
)

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *Mode) UnmarshalText(text []byte) error {
	for i, known := range [...]string{"realtime", "batch", "hybrid"} {
		if string(text) == known {
			*m = Mode(i)
			return nil
		}
	}
	return fmt.Errorf("%q is none of realtime, batch, hybrid", text)
}

// BatchConfig says how records go by batch.
type BatchConfig struct {
	Mode Mode
	// Detach collects what is ready, submits the rest, and waits for nothing.
	Detach bool
	// Metadata is shown with each batch by the provider.
	Metadata map[string]string
	// Window is the time within which the provider is to be done, as it wants it written.
	Window string
}

// urgent are the priorities that hybrid mode asks about at once.
func urgent(priority string) bool { return priority == "high" || priority == "urgent" }

// ShardLabel is the metadata that says which shard of which ledger a batch is.
const ShardLabel = "llmpipe_shard"
