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
	// ModeBatch hands records to the provider in files, for half the price and within a day.
	ModeBatch
	// ModeHybrid asks about urgent records at once, and about all others by batch.
	ModeHybrid
)

var modeNames = [...]string{"realtime", "batch", "hybrid"}

// String is the mode as --mode takes it.
func (m Mode) String() string { return modeNames[m] }

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *Mode) UnmarshalText(text []byte) error {
	for i, known := range modeNames {
		if string(text) == known {
			*m = Mode(i)
			return nil
		}
	}
	return fmt.Errorf("%q is not one of realtime, batch, hybrid", text)
}
