package limiter

import (
	"errors"
	"fmt"
	"time"
)

// ErrGaveUp is what Acquire returns once the lane has been without a success for too long. It is
// final for the limiter. The error itself is a *GaveUp.
var ErrGaveUp = errors.New("gave up on the provider")

// ErrOpen is what Acquire returns to a Movable request while the breaker is
// open and no probe is due.
var ErrOpen = errors.New("the breaker is open")

// Reason says why a limiter gave up.
type Reason int

// The reasons.
const (
	Pressed  Reason = iota + 1 // every answer asked for less, and none was a success
	Outage                     // the breaker stayed open
	LongHint                   // the provider named a wait longer than Config.GiveUp
)

func (r Reason) String() string {
	switch r {
	case Pressed:
		return "it answered every request with a rate limit or overload"
	case Outage:
		return "every request failed"
	case LongHint:
		return "it asked for a longer wait"
	}
	return "unknown reason"
}

// GaveUp says after how long a limiter gave up, and why. errors.Is finds
// ErrGaveUp in it.
type GaveUp struct {
	Reason Reason
	After  time.Duration // Config.GiveUp
	Hint   time.Duration // with LongHint: the wait that was asked for
}

func (e *GaveUp) Error() string {
	if e.Reason == LongHint {
		return fmt.Sprintf("%v: it asked for a wait of %v, and %v is the longest allowed", ErrGaveUp, e.Hint, e.After)
	}
	return fmt.Sprintf("%v after %v: %v", ErrGaveUp, e.After, e.Reason)
}

// Is makes errors.Is(err, ErrGaveUp) true.
func (e *GaveUp) Is(target error) bool { return target == ErrGaveUp }

// TooLarge refuses a request that costs more than a whole minute's limit. It concerns this record
// alone.
type TooLarge struct {
	Resource string // "tokens", "input tokens" or "output tokens"
	Need     int    // the least that the request can cost
	Limit    int    // a minute
}

func (e *TooLarge) Error() string {
	return fmt.Sprintf("request too large: it needs at least %d %s, and the limit is %d a minute", e.Need, e.Resource, e.Limit)
}
