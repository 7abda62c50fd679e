package sim

import "time"

// slidingWindow is a meter that grants the window's part of the limit in any span of time as long
// as the window.
type slidingWindow struct {
	course  course
	length  time.Duration
	now     time.Duration
	charges []charge // those within the window, oldest first
	spent   float64  // their sum
}

type charge struct {
	at     time.Duration
	amount float64
}

func (w *slidingWindow) advance(now time.Duration) {
	w.now = max(w.now, now)
	for len(w.charges) > 0 && w.charges[0].at+w.length <= w.now {
		w.spent -= w.charges[0].amount
		w.charges = w.charges[1:]
	}
}

// capacity is at least 1, so that a request fits.
func (w *slidingWindow) capacity() float64 { return max(1, w.course.at(w.now)*w.length.Minutes()) }

// wait returns the true time if the limit stays the same.
func (w *slidingWindow) wait(charge int) time.Duration {
	over := w.spent + min(float64(charge), w.capacity()) - w.capacity() - dust
	for _, c := range w.charges {
		if over <= 0 {
			break
		}
		if over -= c.amount; over <= 0 {
			return c.at + w.length - w.now
		}
	}
	return 0
}

func (w *slidingWindow) spend(amount int) {
	w.charges = append(w.charges, charge{w.now, float64(amount)})
	w.spent += float64(amount)
}

func (w *slidingWindow) left() float64 { return w.capacity() - w.spent }

func (w *slidingWindow) full() time.Duration {
	if len(w.charges) == 0 {
		return 0
	}
	return w.charges[len(w.charges)-1].at + w.length - w.now
}
