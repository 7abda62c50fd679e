package report

import (
	"time"

	"llmpipe/ledger"
	"llmpipe/ledger/price"
)

// Timeline is what happened when, in steps of equal length. Its memory is bounded: the longer the
// time, the longer the steps.
type Timeline struct {
	Start   time.Time     // of the first step, UTC
	Step    time.Duration // how long each is
	Moments []Moment      // one for each step, those in which nothing happened among them; none without records
}

// Moment is what happened in one step of a Timeline.
type Moment struct {
	Results, Failures int64
	Cost              price.Dollars // of those whose cost is known
}

// maxMoments bounds a Timeline: about two to a point of ink on paper.
const maxMoments = 400

// steps are the lengths that a step may have, in milliseconds. Each is a multiple of the one
// before, so that moments can be merged, and none more than five times as long, so that widening
// leaves at least a fifth of the moments. Beyond the last they double.
var steps = [...]int64{
	10, 50, 100, 500, 1_000, 5_000, 15_000, 30_000, 60_000, 300_000, 900_000, 1_800_000,
	3_600_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000,
}

func stepAt(level int) int64 {
	last := len(steps) - 1
	return steps[min(level, last)] << max(level-last, 0)
}

// timeline collects a Timeline from records in any order.
type timeline struct {
	level       int               // of steps
	first, last int64             // numbers of steps since 1970
	moments     map[int64]*Moment // by the number of the step, at most maxMoments apart
}

func (t *timeline) addResult(r *ledger.Result) {
	if m := t.at(r.Time); m != nil {
		m.Results++
		m.addCost(r.CostNanos, r.CostKnown)
	}
}

func (t *timeline) addFailure(f *ledger.Failure) {
	if m := t.at(f.Time); m != nil {
		m.Failures++
		m.addCost(f.CostNanos, f.Billed && f.CostKnown)
	}
}

func (m *Moment) addCost(nanos int64, known bool) {
	if known {
		m.Cost += price.Dollars(nanos)
	}
}

// lastMilli is the end of the year 2099. What a clock says beyond it or before 1970 counts as
// these, which keeps a time.Duration from overflowing.
const lastMilli = 4_102_444_799_999

// at returns the moment of a time, nil for a record that has none.
func (t *timeline) at(when time.Time) *Moment {
	if when.IsZero() {
		return nil
	}
	ms := min(max(when.UnixMilli(), 0), lastMilli)
	n := ms / stepAt(t.level)
	if t.moments == nil {
		t.moments, t.first, t.last = make(map[int64]*Moment), n, n
	}
	for max(t.last, n)-min(t.first, n) >= maxMoments {
		t.widen()
		n = ms / stepAt(t.level)
	}
	t.first, t.last = min(t.first, n), max(t.last, n)
	m := t.moments[n]
	if m == nil {
		m = new(Moment)
		t.moments[n] = m
	}
	return m
}

// widen merges moments into those of the next longer step.
func (t *timeline) widen() {
	factor := stepAt(t.level+1) / stepAt(t.level)
	t.level++
	merged := make(map[int64]*Moment, maxMoments)
	for n, m := range t.moments {
		wide := merged[n/factor]
		if wide == nil {
			merged[n/factor] = m
			continue
		}
		wide.add(m)
	}
	t.moments, t.first, t.last = merged, t.first/factor, t.last/factor
}

func (m *Moment) add(other *Moment) {
	m.Results += other.Results
	m.Failures += other.Failures
	m.Cost += other.Cost
}

func (t *timeline) finish() Timeline {
	if t.moments == nil {
		return Timeline{}
	}
	step := stepAt(t.level)
	line := Timeline{
		Start:   time.UnixMilli(t.first * step).UTC(),
		Step:    time.Duration(step) * time.Millisecond,
		Moments: make([]Moment, t.last-t.first+1),
	}
	for n, m := range t.moments {
		line.Moments[n-t.first] = *m
	}
	return line
}

// Within returns the same in longer steps, if that is what it takes to have at most so many
// moments.
func (t *Timeline) Within(most int) Timeline {
	if len(t.Moments) <= most {
		return *t
	}
	wide := timeline{moments: make(map[int64]*Moment, len(t.Moments))}
	for stepAt(wide.level) < t.Step.Milliseconds() {
		wide.level++
	}
	wide.first = t.Start.UnixMilli() / t.Step.Milliseconds()
	wide.last = wide.first + int64(len(t.Moments)) - 1
	for i := range t.Moments {
		m := t.Moments[i]
		wide.moments[wide.first+int64(i)] = &m
	}
	for wide.last-wide.first >= int64(max(most, 1)) {
		wide.widen()
	}
	return wide.finish()
}
