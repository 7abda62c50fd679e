package limiter

import "time"

// patience decides when all waiting ends. It gives up only while nothing may be sent, or when an
// answer shows that the time is over: a lane that was merely idle gets another chance.
type patience struct {
	limit        time.Duration
	pressedSince time.Time // first pressure since the last other answer; zero: none
	gaveUp       *GaveUp
}

// pressure takes in an answer that asked to slow down.
func (p *patience) pressure(now time.Time) {
	if p.pressedSince.IsZero() {
		p.pressedSince = now
	}
}

// consider gives up if an answer has shown that waiting is in vain.
func (p *patience) consider(h *hold, now time.Time) {
	switch hint := h.until.Sub(now); {
	case p.gaveUp != nil:
	case h.on && hint > p.limit:
		p.gaveUp = &GaveUp{Reason: LongHint, After: p.limit, Hint: hint}
	case p.pressedFor(now) >= p.limit:
		p.gaveUp = &GaveUp{Reason: Pressed, After: p.limit}
	}
}

// relief takes in an answer that was neither refused nor failed.
func (p *patience) relief() { p.pressedSince = time.Time{} }

// check returns the error that ends the lane, once it has ended.
func (p *patience) check(now time.Time, b *breaker, h *hold) error {
	if p.gaveUp == nil {
		switch {
		case h.on && h.until.After(now) && p.pressedFor(now) >= p.limit:
			p.gaveUp = &GaveUp{Reason: Pressed, After: p.limit}
		case b.open && now.Sub(b.since) >= p.limit && !b.undecided(now, b.since.Add(p.limit)):
			p.gaveUp = &GaveUp{Reason: Outage, After: p.limit}
		default:
			return nil
		}
	}
	return p.gaveUp
}

// remaining is how long until check may come to another conclusion without a further event.
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
