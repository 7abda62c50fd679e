package limiter

import "time"

// patience holds the pauses that providers ask for, and the end of all
// waiting. It gives up only while nothing may be sent, or when an answer shows
// that the time is over: a lane that was merely idle gets another chance.
type patience struct {
	limit        time.Duration
	pausedUntil  time.Time
	pressedSince time.Time // first pressure since the last other answer; zero: none
	gaveUp       *GaveUp
}

func (p *patience) wait(now time.Time) time.Duration {
	return max(0, p.pausedUntil.Sub(now))
}

// pressure takes in an answer that asked to slow down. A hint holds the whole
// lane: what the provider says of one request, it means of the key.
func (p *patience) pressure(now time.Time, hint time.Duration) {
	if p.pressedSince.IsZero() {
		p.pressedSince = now
	}
	if until := now.Add(hint); until.After(p.pausedUntil) {
		p.pausedUntil = until
	}
	switch {
	case p.gaveUp != nil:
	case hint > p.limit:
		p.gaveUp = &GaveUp{Reason: LongHint, After: p.limit, Hint: hint}
	case now.Sub(p.pressedSince) >= p.limit:
		p.gaveUp = &GaveUp{Reason: Pressed, After: p.limit}
	}
}

// relief takes in an answer that was neither refused nor failed.
func (p *patience) relief() { p.pressedSince = time.Time{} }

// check returns the error that ends the lane, once it has ended.
func (p *patience) check(now time.Time, b *breaker) error {
	if p.gaveUp == nil {
		switch {
		case p.pausedUntil.After(now) && p.pressedFor(now) >= p.limit:
			p.gaveUp = &GaveUp{Reason: Pressed, After: p.limit}
		case b.open && now.Sub(b.since) >= p.limit && !b.undecided(now, b.since.Add(p.limit)):
			p.gaveUp = &GaveUp{Reason: Outage, After: p.limit}
		default:
			return nil
		}
	}
	return p.gaveUp
}

// remaining is how long until check may come to another conclusion by itself.
func (p *patience) remaining(now time.Time, b *breaker) time.Duration {
	wait := forever
	if left := p.limit - p.pressedFor(now); left > 0 && !p.pressedSince.IsZero() {
		wait = left
	}
	if left := p.limit - now.Sub(b.since); left > 0 && b.open {
		wait = min(wait, left)
	}
	return wait
}

func (p *patience) pressedFor(now time.Time) time.Duration {
	if p.pressedSince.IsZero() {
		return 0
	}
	return now.Sub(p.pressedSince)
}
