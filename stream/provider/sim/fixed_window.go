package sim

import "time"

// fixedWindow is a meter that grants the window's part of the limit again at the beginning of each
// window. Windows follow one another from the simulator's start.
type fixedWindow struct {
	course     course
	length     time.Duration
	begin, now time.Duration // of the window; the current time
	spent      float64       // in the window
}

func (w *fixedWindow) advance(now time.Duration) {
	w.now = max(w.now, now)
	if begin := w.now.Truncate(w.length); begin != w.begin {
		w.begin, w.spent = begin, 0
	}
}

// capacity is at least 1, so that a request fits.
func (w *fixedWindow) capacity() float64 { return max(1, w.course.at(w.begin)*w.length.Minutes()) }

func (w *fixedWindow) wait(charge int) time.Duration {
	if w.spent+min(float64(charge), w.capacity()) <= w.capacity()+dust {
		return 0
	}
	return w.full()
}

func (w *fixedWindow) spend(charge int) { w.spent += float64(charge) }

func (w *fixedWindow) left() float64 { return w.capacity() - w.spent }

func (w *fixedWindow) full() time.Duration { return w.begin + w.length - w.now }
