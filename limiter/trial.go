package limiter

import "time"

const (
	// trialAnswers is how many answers make a sample, and trialRounds how many
	// times the number in flight, if that is more: answers come in bunches.
	trialAnswers = 100
	trialRounds  = 4

	// A growth is kept if it has brought a good part of what it could have. A
	// gain of a twentieth, which noise alone gives now and then, would let the
	// limit drift upwards for ever.
	double     = 2.0
	doubleGain = 1.33
	gentle     = 1.25 // after a growth that gained nothing
	gentleGain = 1.125

	// trialPause is how long a growth that gained nothing is not tried again.
	trialPause = 60 * time.Second
)

// A trial asks whether more in flight bring more tokens a second. Some servers
// refuse nothing: they only queue, and every request in flight beyond what
// they can do makes each of them slower.
//
// By Little's law the throughput is tokens / latency * the number in flight,
// which needs no clock but each answer's own. Only what was sent after the lane
// had filled up counts.
type trial struct {
	filled   bool // the lane has been full under this limit
	fill     int  // times it has filled up so far
	answers  int
	tokens   float64
	latency  float64 // seconds
	inFlight float64 // sum over the answers, as they were sent

	before float64 // limit before the growth on trial; 0: none
	base   float64 // throughput before it
	failed bool    // a growth has gained nothing
	again  time.Time
}

func (t *trial) restart() {
	t.filled = false
	t.answers, t.tokens, t.latency, t.inFlight = 0, 0, 0, 0
}

// grant marks p with the sample that its answer belongs to.
func (t *trial) grant(p *Permit, allowed int) {
	if !t.filled && p.inFlight >= allowed {
		t.filled = true
		t.fill++
	}
	p.sample = t.fill
}

// add takes in an answer. What is long past fades.
func (t *trial) add(p *Permit, tokens float64, now time.Time) {
	if !t.filled || p.sample != t.fill {
		return
	}
	if t.answers >= 20*trialAnswers {
		t.answers /= 2
		t.tokens /= 2
		t.latency /= 2
		t.inFlight /= 2
	}
	t.answers++
	t.tokens += tokens
	t.latency += now.Sub(p.sent).Seconds()
	t.inFlight += float64(p.inFlight)
}

func (t *trial) throughput() float64 {
	return t.tokens / t.latency * t.inFlight / float64(t.answers)
}

// next is the limit after a clean round at limit: more, the same, or what it
// was before a growth that gained nothing.
func (t *trial) next(limit float64, now time.Time) float64 {
	if float64(t.answers) < max(trialAnswers, trialRounds*limit) || t.latency <= 0 {
		return limit
	}
	throughput := t.throughput()
	if before := t.before; before > 0 && before < limit {
		t.before = 0
		gain := doubleGain
		if t.failed {
			gain = gentleGain
		}
		if throughput < gain*t.base {
			t.failed = true
			t.again = now.Add(trialPause)
			return before
		}
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
