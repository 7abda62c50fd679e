package sim

import "time"

// bucket is a meter that refills continuously. If the limit takes turns, the capacity stays at the
// highest of them, as in a bucket that others draw from too. If the limit rises, so does the
// capacity.
type bucket struct {
	course course
	burst  time.Duration // what a full bucket holds
	fits   float64       // the level from which any charge is admitted: the initial capacity
	level  float64       // below 0 after a charge that was larger
	now    time.Duration
}

func newBucket(c course, burst time.Duration) *bucket {
	b := &bucket{course: c, burst: burst}
	b.fits = b.capacity()
	b.level = b.fits
	return b
}

// capacity is at least 1, so that a request fits.
func (b *bucket) capacity() float64 { return max(1, b.course.peak(b.now)*b.burst.Minutes()) }

func (b *bucket) advance(now time.Duration) {
	if now <= b.now {
		return
	}
	granted := b.course.granted(b.now, now)
	b.now = now
	b.level = min(b.capacity(), b.level+granted)
}

func (b *bucket) wait(charge int) time.Duration {
	return b.until(min(float64(charge), b.fits))
}

func (b *bucket) spend(charge int) { b.level -= float64(charge) }

func (b *bucket) left() float64 { return b.level }

func (b *bucket) full() time.Duration { return b.until(b.capacity()) }

// until returns the time until the bucket holds level.
func (b *bucket) until(level float64) time.Duration {
	lacks := level - b.level - dust
	if lacks <= 0 {
		return 0
	}
	return b.course.until(b.now, lacks)
}
