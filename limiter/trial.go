package limiter

import "time"

const (
	// A growth is kept if it has brought a good part of what it could have. If a gain of a twentieth
	// were enough, which noise alone gives now and then, the limit would drift upwards for ever.
	double     = 2.0
	doubleGain = 1.25
	gentle     = 1.25 // after a growth that gained nothing
	gentleGain = 1.125

	// A growth that seems to gain nothing is judged by trialAnswers answers, or by trialRounds times
	// the number in flight if that is more, because the verdict holds for a while.
	trialAnswers = 100
	trialRounds  = 4

	// trialPause is how long no growth is tried after one that gained nothing.
	trialPause = 60 * time.Second

	// starved is how many mean waits a request must be out to count as one that is not worked on.
	starved = 4
)

// A trial finds out whether more requests in flight bring more tokens a second. Some servers refuse
// nothing and only queue. Then every request in flight beyond what they can do makes all of them
// slower, or waits for ever.
//
// By Little's law the throughput is tokens / time in flight * the number in flight, which needs
// only the time of each answer. Refusals and failures take time, too, and bring nothing. Only what
// was sent under this limit counts.
type trial struct {
	filled   bool // the lane has been full under this limit
	fill     int  // limits so far
	answers  int
	tokens   float64
	time     float64 // seconds
	inFlight float64 // sum over the answers, as they were sent

	before float64 // limit before the growth on trial; 0: none
	base   float64 // throughput before it
	failed bool    // a growth has gained nothing
	again  time.Time
}

func (t *trial) restart() {
	t.filled = false
	t.fill++
	t.answers, t.tokens, t.time, t.inFlight = 0, 0, 0, 0
}

// grant marks p with the sample that its answer belongs to.
func (t *trial) grant(p *Permit, full bool) {
	t.filled = t.filled || full
	p.sample = t.fill
}

// add takes in an answer. What is long past fades.
func (t *trial) add(p *Permit, tokens float64, took time.Duration) {
	if !t.filled || p.sample != t.fill {
		return
	}
	if t.answers >= 20*trialAnswers {
		t.answers /= 2
		t.tokens /= 2
		t.time /= 2
		t.inFlight /= 2
	}
	t.answers++
	t.tokens += tokens
	t.time += took.Seconds()
	t.inFlight += float64(p.inFlight)
}

// throughput is how many tokens a second the lane brings. Requests in flight that are not worked on
// do not count.
func (t *trial) throughput(l *Limiter) float64 {
	mean := t.time / float64(t.answers)
	idle := l.sends.older(time.Duration(starved*mean*float64(time.Second)), l.now)
	inFlight := max(1, t.inFlight/float64(t.answers)-float64(idle))
	return t.tokens / t.time * inFlight
}

// next is the limit after a round at limit. It is more, the same, or, after a growth that gained
// nothing, what it was before.
func (t *trial) next(limit float64, l *Limiter) float64 {
	now := l.now
	enough, sure := max(0.75*limit, minRound), max(trialAnswers, trialRounds*limit)
	if t.failed {
		enough = sure
	}
	if float64(t.answers) < enough || t.tokens <= 0 {
		return limit
	}
	throughput := t.throughput(l)
	if before := t.before; before > 0 && before < limit {
		gain := doubleGain
		if t.failed {
			gain = gentleGain
		}
		if throughput < gain*t.base {
			if float64(t.answers) < sure {
				return limit
			}
			t.before, t.failed = 0, true
			t.again = now.Add(trialPause)
			return before
		}
		t.before = 0
	}
	if now.Before(t.again) {
		return limit
	}
	t.before, t.base = limit, throughput
	if t.failed {
		return gentle * limit
	}
	return double * limit
}
