package limiter

import "time"

const (
	// remembered is how many sends are kept: a few seconds' worth at a thousand a second, which is
	// as far back as any judgement looks.
	remembered = 1024

	// A send that was neither refused nor failed in the time that refusals take counts as accepted:
	// three times their mean, for few take longer, and at least leastWait, for networks are uneven.
	// Refusals come back in tens of milliseconds and answers in seconds, so in the order in which
	// they come back every lull of answers would look like an outage.
	leastWait   = 50 * time.Millisecond
	mostWait    = 2 * time.Second
	waitForMean = 3
)

// fate is what became of a send.
type fate uint8

const (
	out     fate = iota // not known
	good                // answered, or accepted for all that is known
	refused             // 429 and its kin
	failed              // 5xx, reset, time-out
	void                // given up on the way, or the record's own failure: it says nothing
	unsent              // never sent
)

// tells reports whether it says how much may be sent.
func (f fate) tells() bool { return f < void }

func (f fate) bad() bool { return f == refused || f == failed }

// A send is one request in the order of sending.
type send struct {
	at     time.Time
	ended  time.Time     // zero while it is out
	hinted time.Time     // when the wait that its refusal asked for ends; zero: none
	tokens float64       // charged
	idle   time.Duration // of the lane, before it
	fate   fate
	judged fate // as it was judged, which may have been before it ended
	held   bool // a found rate was all that it had to wait for
	tries  bool // sent while more places were tried than are known
}

// busy is when it was sent, by a clock that stands still while the lane is idle.
func (e *send) busy() time.Time { return e.at.Add(-e.idle) }

// sends are the latest requests, in the order in which they were sent. That is the order in which a
// provider decides on them, so it is the order in which they are judged.
type sends struct {
	ring   [remembered]send
	next   int // number of the next one; numbers begin at 1
	judged int // those before it have been judged

	quick float64 // mean seconds until a refusal is known; 0: none yet
}

func newSends() sends { return sends{next: 1, judged: 1} }

func (s *sends) get(n int) *send { return &s.ring[n%remembered] }

// oldest is the number of the oldest send that is remembered.
func (s *sends) oldest() int { return max(1, s.next-remembered) }

// add takes in a send, and returns its number.
func (s *sends) add(now time.Time, tokens float64) int {
	n := s.next
	s.next++
	*s.get(n) = send{at: now, tokens: tokens}
	return n
}

// end notes what became of n. It reports false if that is too long ago to matter.
func (s *sends) end(n int, f fate, now time.Time) bool {
	if n < s.oldest() {
		return false
	}
	e := s.get(n)
	e.fate, e.ended = f, now
	if f == refused {
		took := now.Sub(e.at).Seconds()
		if s.quick == 0 {
			s.quick = took
		}
		s.quick += learning * (took - s.quick)
	}
	return true
}

// patience is how long a send may be out before it counts as accepted.
func (s *sends) patience() time.Duration {
	return min(max(time.Duration(waitForMean*s.quick*float64(time.Second)), leastWait), mostWait)
}

// pop returns the number of the next send that can be judged, in the order of sending, or 0.
func (s *sends) pop(now time.Time) int {
	s.judged = max(s.judged, s.oldest())
	if s.judged == s.next {
		return 0
	}
	e := s.get(s.judged)
	switch {
	case e.fate != out:
		e.judged = e.fate
	case now.Sub(e.at) >= s.patience():
		e.judged = good
	default:
		return 0
	}
	s.judged++
	return s.judged - 1
}

// older returns how many sends have been out for longer than a time.
func (s *sends) older(than time.Duration, now time.Time) (count int) {
	for n := s.oldest(); n < s.next; n++ {
		if e := s.get(n); e.fate == out && now.Sub(e.at) > than {
			count++
		}
	}
	return count
}

// accepted returns how many sends are out and count as accepted.
func (s *sends) accepted() (count int) {
	for n := s.oldest(); n < s.judged; n++ {
		if s.get(n).fate == out {
			count++
		}
	}
	return count
}

// badShare is the share of bad sends among the judged sends from a number on.
func (s *sends) badShare(from int) float64 {
	bad, all := 0, 0
	for n := max(from, s.oldest()); n < s.judged; n++ {
		if e := s.get(n); e.judged.tells() {
			all++
			if e.judged.bad() {
				bad++
			}
		}
	}
	return float64(bad) / float64(max(1, all))
}
