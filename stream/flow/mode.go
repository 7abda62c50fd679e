package flow

import (
	"fmt"
)

// Mode says how records are asked about.
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
