package limiter

import "time"

// Clock tells the time and wakes the limiter. It is handed in, so that a test
// owns time.
//
// Both methods are called with the limiter's mutex held: they must not block,
// and AfterFunc must not call f before it returns.
type Clock interface {
	Now() time.Time
	AfterFunc(d time.Duration, f func()) Timer
}

// Timer is what AfterFunc returns.
type Timer interface {
	// Stop prevents the call, if it has not begun, and reports whether it did.
	Stop() bool
}

// System is the real clock. Nothing in this package uses it unless a Config
// names it.
var System Clock = systemClock{}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) AfterFunc(d time.Duration, f func()) Timer { return time.AfterFunc(d, f) }
