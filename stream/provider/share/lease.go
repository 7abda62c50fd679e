package share

import (
	"sync"
	"time"

	"llmpipe/limiter"
)

// Lease is the part of a budget that is lent to this process. It implements [limiter.Lease].
type Lease struct {
	daily bool
	ahead time.Duration // of the clock by which days begin

	mu   sync.Mutex
	most int64               // total that may be spent and set aside
	day  int64               // the day that most is for, in a daily lease
	need int64               // what a request that finds no room needs; 0 if every request finds room
	none *limiter.OverBudget // why no more will be lent for that much; nil if more may be
	full bool                // others have all of the budget for now
}

// dayOf returns the day of t in UTC, counted from 1970.
func dayOf(t time.Time) int64 { return t.Unix() / (24 * 60 * 60) }

// Most implements [limiter.Lease]. What is lent for one day is not available on the next.
func (l *Lease) Most(now time.Time) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.daily && dayOf(now.Add(l.ahead)) != l.day {
		return 0
	}
	return l.most
}

// Want implements [limiter.Lease].
func (l *Lease) Want(cost int64) *limiter.OverBudget {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.none != nil && cost >= l.none.Need {
		why := *l.none
		why.Need = cost
		return &why
	}
	l.need = max(l.need, cost)
	return nil
}

// Waits reports whether a request waits for more to be lent.
func (l *Lease) Waits() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.need > 0 && l.none == nil
}

// Rises reports whether a request waits for money that will be lent as soon as the others know of
// it.
func (l *Lease) Rises() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.need > 0 && l.none == nil && !l.full
}

// turn begins the day of now in a daily lease. Nothing is lent for a new day yet.
func (l *Lease) turn(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if today := dayOf(now.Add(l.ahead)); l.daily && l.day != today {
		l.day, l.most = today, 0
	}
}

// state returns what is lent, and what a waiting request needs.
func (l *Lease) state() (most, need int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.most, l.need
}

// lower gives back what is lent beyond most.
func (l *Lease) lower(most int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.most = min(l.most, most)
}

// set sets what is lent from now on, and reports whether that is news to a waiting request.
func (l *Lease) set(day, most int64, full bool, none *limiter.OverBudget) (news bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.daily && l.day != day {
		return false // the reply came after midnight
	}
	news = most > l.most || none != nil && l.none == nil
	if most > l.most {
		l.need = 0 // waiting requests look again
	}
	l.most, l.full, l.none = most, full, none
	return news
}

// fits says that what is needed has room now.
func (l *Lease) fits() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.need = 0
}
