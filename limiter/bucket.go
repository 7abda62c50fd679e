package limiter

import (
	"math"
	"time"
)

// A resource is something that providers ration by the minute.
type resource int

const (
	requests resource = iota
	tokens            // prompt and completion together, as OpenAI counts them
	input             // prompt tokens apart, as Anthropic counts them
	output            // completion tokens apart
	resources
)

// A charge is what one request takes of each resource.
type charge [resources]float64

const (
	// depthSeconds is how much of a limit a bucket holds: a tenth of a second's
	// worth. OpenAI and Azure may enforce a minute's limit over a second, so a
	// saved-up minute must never be spent at once.
	depthSeconds = 0.1

	// slowShare is how much is used of a limit whose bucket holds a single request. A provider that
	// counts closely refuses a request that is a millisecond early, and networks do not keep time to
	// the millisecond.
	slowShare = 0.995

	// learnedShare is how much of a limit that only headers told is used. The rest is for the other
	// users of the same key, and for the delay between the provider's clock and ours.
	learnedShare = 0.97
)

// forever is the wait that no timer ends, only another event.
const forever = time.Duration(math.MaxInt64)

// A bucket rations one resource. It is filled evenly, and may go into debt: a
// request that costs more than the bucket can hold goes when it is full, and
// the next one waits until that has been paid back. So in any span of t
// seconds it grants at most rate*t + depth + one request.
type bucket struct {
	told    float64 // a minute, by the user; 0: not told
	learned float64 // a minute, by the provider's headers; 0: none yet
	claim   claim
	found   float64 // a minute, by trial; 0: none
	testing bool    // found is being compared with what was sent before: all of it is used
	spare   float64 // share of every limit that is left unused, 0..1

	byTrial bool // the found limit is the one in force

	limit float64 // a minute, what is paced by; 0: no limit known
	rate  float64 // a minute, what it fills by: limit, or a little less
	depth float64
	level float64
	at    time.Time // when level and left were true

	// left is the provider's own count of what remains of the minute, kept up
	// to date between headers. A request waits until the provider has room for
	// the whole of it.
	left  float64
	spent float64 // all charges so far, to know what a header cannot have seen

	drawn  *drawn  // what fills it if the quota is shared; nil: time does
	agreed float64 // a minute, the limit that holds for all who share it; 0: none
}

func newBucket(told int, spare float64, now time.Time) bucket {
	b := bucket{told: float64(max(told, 0)), spare: spare, at: now, left: math.Inf(1)}
	b.resize()
	b.level = b.depth
	return b
}

// bound is the limit a minute that the user or headers told, with nothing left unused: the most
// that a single request may cost. It is 0 if nobody told.
func (b *bucket) bound() float64 {
	if b.told == 0 || b.learned > 0 && b.learned < b.told {
		return b.learned
	}
	return b.told
}

// tellable is how much of the bound, a minute, is used; 0 if nobody told.
func (b *bucket) tellable() float64 {
	if bound := b.bound(); bound != b.told {
		return bound * min(1-b.spare, learnedShare)
	}
	return b.told * (1 - b.spare)
}

// resize works out the limit, and what the bucket holds, after a change of what is known.
func (b *bucket) resize() {
	was := b.limit
	if b.limit = b.tellable(); b.agreed > 0 && (b.limit == 0 || b.agreed < b.limit) {
		b.limit = b.agreed
	}
	if b.drawn != nil {
		b.depth = math.Inf(1) // no more is leased than is wanted
		if was == 0 {
			b.level = 0
		}
		return
	}
	found := b.found * (1 - b.spare)
	if b.testing {
		found = b.found // a part of what was sent, which already left the spare share unused
	}
	if b.byTrial = found > 0 && (b.limit == 0 || found < b.limit); b.byTrial {
		b.limit = found
	}
	b.rate = b.limit
	if b.depth = b.limit / 60 * depthSeconds; b.depth < 1 {
		b.depth = 1
		b.rate *= slowShare
	}
	switch {
	case was != 0:
	case b.byTrial:
		b.level = 0 // the provider's bucket is empty
	default:
		b.level = b.depth
	}
	b.level = min(b.level, b.depth)
}

// find sets the limit that was found by trial, 0 for none. testing says to use all of it.
func (b *bucket) find(limit float64, testing bool) {
	if b.found == limit && b.testing == testing {
		return
	}
	b.testing = testing
	if limit > 0 && limit < b.found {
		b.level = min(b.level, 0) // the provider's bucket is empty
	}
	b.found = limit
	b.resize()
}

// held reports whether the found limit is what requests wait for.
func (b *bucket) held() bool {
	if b.drawn != nil {
		return b.byTrial && b.level < b.drawn.last
	}
	return b.byTrial && b.level < b.depth/2
}

func (b *bucket) refill(now time.Time) {
	passed := now.Sub(b.at).Seconds()
	if passed <= 0 {
		return
	}
	was := b.at
	b.at = now
	if b.limit == 0 {
		return
	}
	if b.drawn != nil {
		b.level = b.drawn.fill(b.level, was, now)
	} else {
		b.level = min(b.depth, b.level+passed*b.rate/60)
	}
	if bound := b.bound(); bound > 0 {
		b.left = min(bound, b.left+passed*bound/60)
	}
}

// wait is how long until the bucket has room for a charge of n, as things are.
func (b *bucket) wait(n float64) time.Duration {
	if b.limit == 0 {
		return 0
	}
	short, lease := 0.0, time.Duration(0)
	if b.drawn != nil {
		lease = b.drawn.wait(b.level, n, b.at)
	} else {
		short = (min(n, b.depth) - b.level) / b.rate
	}
	if bound := b.bound(); bound > 0 {
		short = max(short, (min(n, bound)-b.left)/bound)
	}
	if short <= 0 {
		return lease
	}
	return max(lease, time.Duration(math.Ceil(short*float64(time.Minute))))
}

// take charges n, and returns what it charged. That is never more than a minute's limit: a larger
// charge would keep the lane in debt for longer than any provider does.
func (b *bucket) take(n float64) float64 {
	if b.limit > 0 {
		n = min(n, b.limit)
	}
	if b.drawn != nil {
		b.drawn.used += n
		b.drawn.last = n
	}
	b.correct(n)
	return n
}

// correct charges n more (or, below zero, gives n back).
func (b *bucket) correct(n float64) {
	b.level = min(b.depth, b.level-n)
	b.left -= n
	b.spent += n
}

// giveBack undoes a charge of n. ago is how long ago the charge was made. Without it the bucket
// might have been full since, and lost what filled it. So that much does not come back, or it could
// be spent twice.
func (b *bucket) giveBack(n float64, ago time.Duration) {
	if n -= b.limit * ago.Minutes(); n > 0 {
		b.correct(-n)
	}
}

// teach takes in what an answer's headers said about the minute, which may be nothing. They
// describe the moment when the provider counted the request, which may be as long ago as ago says.
// So teach adds what was filled since then, less what was spent: late news is not bad news.
// spentThen is bucket.spent as it was then.
func (b *bucket) teach(w Window, spentThen float64, ago time.Duration) {
	if learned := b.claim.hear(float64(w.Limit), b.told > 0); learned != b.learned {
		b.learned = learned
		b.left = math.Inf(1)
		b.resize()
	}
	bound := b.bound()
	if bound == 0 || !w.Known || w.Limit > 0 && float64(w.Limit) < bound { // it is not believed
		return
	}
	filled := ago.Seconds()*bound/60 - (b.spent - spentThen)
	b.left = min(b.left, float64(w.Remaining)+max(0, filled))
}

// A claim is a limit that headers tell. The claim of the first answer is believed at once, for the
// sake of the requests right behind it. After that, or beside a limit that the user told, a claim
// is believed only if it stays: a router passes on the headers of whichever backend answered.
type claim struct {
	limit float64
	votes int // answers that said so, less those that did not
	heard bool
	holds bool
}

// staying is how many votes a claim needs to be one that stays. mostVotes is how many it keeps.
const (
	staying   = 3
	mostVotes = 6
)

// hear takes in the limit of one answer, 0 for none, and returns the one that holds, 0 for none.
func (c *claim) hear(limit float64, told bool) float64 {
	first := !c.heard
	c.heard = true
	switch {
	case limit == c.limit:
		c.votes = min(c.votes+1, mostVotes)
	case c.votes > 0 && c.limit > 0:
		c.votes--
	default:
		*c = claim{limit: limit, votes: 1, heard: true}
	}
	switch {
	case c.votes == 0:
		c.holds = false
	case c.votes >= staying || first && !told:
		c.holds = true
	}
	if !c.holds {
		return 0
	}
	return c.limit
}
