package report

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"llmpipe/ledger"
	"llmpipe/ledger/price"
)

// Timeline is what happened when, in steps of equal length, without the idle times between runs.
// Its memory is bounded: the longer the time, the longer the steps.
type Timeline struct {
	Step  time.Duration // how long each is
	Spans []Span        // earliest first, with idle time between; none without records
}

// Span is a time in which something happened.
type Span struct {
	Start   time.Time // of the first step, UTC
	Moments []Moment  // one for each step, including those in which nothing happened
}

// Moment is what happened in one step of a Timeline.
type Moment struct {
	Answers, Failures int64         // each time that a record had one
	Cost              price.Dollars // of those whose cost is known
}

// Steps is how many there are.
func (t *Timeline) Steps() (n int) {
	for i := range t.Spans {
		n += len(t.Spans[i].Moments)
	}
	return n
}

// End is when the last step of the i-th span ends.
func (t *Timeline) End(i int) time.Time {
	s := &t.Spans[i]
	return s.Start.Add(t.Step * time.Duration(len(s.Moments)))
}

// Idle is the sum of the times between the spans.
func (t *Timeline) Idle() (sum time.Duration) {
	for i := range t.Spans {
		if i > 0 {
			sum += t.Spans[i].Start.Sub(t.End(i - 1))
		}
	}
	return sum
}

const (
	// mostMoments limits what is collected: the moments in which anything happened.
	mostMoments = 2000
	// mostSteps bounds a Timeline: about two to a point of ink on paper.
	mostSteps = 400
)

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
	level   int               // of steps
	moments map[int64]*Moment // by the number of the step since 1970, at most mostMoments
	latest  *Moment           // where the record before was
	number  int64             // of that
}

func (t *timeline) addResult(r *ledger.Result) {
	if m := t.at(r.Time); m != nil {
		m.Answers++
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

// lastMilli is the end of the year 2099. A time beyond it counts as this time, and a time before
// 1970 as 1970, so that a time.Duration does not overflow.
const lastMilli = 4_102_444_799_999

// at returns the moment of a time, or nil for a record without a time.
func (t *timeline) at(when time.Time) *Moment {
	if when.IsZero() {
		return nil
	}
	ms := min(max(when.UnixMilli(), 0), lastMilli)
	n := ms / stepAt(t.level)
	if t.latest != nil && t.number == n {
		return t.latest
	}
	if t.moments == nil {
		t.moments = make(map[int64]*Moment)
	}
	m := t.moments[n]
	for m == nil && len(t.moments) >= mostMoments {
		t.widen()
		n = ms / stepAt(t.level)
		m = t.moments[n]
	}
	if m == nil {
		m = new(Moment)
		t.moments[n] = m
	}
	t.latest, t.number = m, n
	return m
}

// widen merges moments into those of the next longer step.
func (t *timeline) widen() {
	factor := stepAt(t.level+1) / stepAt(t.level)
	t.level++
	t.latest = nil
	merged := make(map[int64]*Moment, len(t.moments))
	for n, m := range t.moments {
		wide := merged[n/factor]
		if wide == nil {
			merged[n/factor] = m
			continue
		}
		wide.add(m)
	}
	t.moments = merged
}

func (m *Moment) add(other *Moment) {
	m.Answers += other.Answers
	m.Failures += other.Failures
	m.Cost += other.Cost
}

// gap is a time in which nothing happened, in milliseconds since 1970.
type gap struct{ from, to int64 }

// idle finds the gaps that are worth leaving out: between runs, and longer than a tenth of the time
// that is left without them. A run is not idle while it waits, unless it waits for batches.
func (t *timeline) idle(runs []Run) []gap {
	const second = 1000
	step := stepAt(t.level)
	numbers := slices.Sorted(maps.Keys(t.moments))
	if len(numbers) == 0 {
		return nil
	}
	var gaps []gap
	for i, n := range numbers[1:] {
		g := gap{(numbers[i] + 1) * step, n * step}
		if g.to-g.from >= second && 2*g.busy(runs) < g.to-g.from {
			gaps = append(gaps, g)
		}
	}
	slices.SortFunc(gaps, func(a, b gap) int { return cmp.Compare(b.to-b.from, a.to-a.from) })
	const worth = 10
	left, cut := (numbers[len(numbers)-1]+1-numbers[0])*step, 0
	for i, g := range gaps {
		if left -= g.to - g.from; worth*(g.to-g.from) >= left {
			cut = i + 1 // those before it, which are as long, may be worth it only with it
		}
	}
	return gaps[:cut]
}

// busy returns how much of a gap overlaps with the run that overlaps most with it.
func (g gap) busy(runs []Run) (most int64) {
	for i := range runs {
		if r := &runs[i]; r.Mode == "" || r.Mode == "realtime" {
			most = max(most, min(g.to, r.Ended.UnixMilli())-max(g.from, r.Started.UnixMilli()))
		}
	}
	return most
}

// finish returns a Timeline of at most that many steps, or one for each span if there are more
// spans. It uses up what was collected.
func (t *timeline) finish(most int, idle []gap) Timeline {
	slices.SortFunc(idle, func(a, b gap) int { return cmp.Compare(a.from, b.from) })
	for {
		numbers := slices.Sorted(maps.Keys(t.moments))
		if bounds, count := spans(numbers, stepAt(t.level), idle); count <= max(most, len(bounds)) {
			return t.draw(bounds)
		}
		t.widen()
	}
}

// spans splits the numbers of steps at idle times, and counts the steps of all parts. A part is its
// first and its last number.
func spans(numbers []int64, step int64, idle []gap) (bounds [][2]int64, count int) {
	for i, n := range numbers {
		begins := i == 0
		if !begins && n > numbers[i-1]+1 {
			from, to := (numbers[i-1]+1)*step, n*step
			begins = slices.ContainsFunc(idle, func(g gap) bool { return g.from < to && g.to > from })
		}
		if begins {
			bounds = append(bounds, [2]int64{n, n})
		}
		bounds[len(bounds)-1][1] = n
	}
	for _, b := range bounds {
		count += int(b[1]-b[0]) + 1
	}
	return bounds, count
}

// draw makes the Timeline.
func (t *timeline) draw(bounds [][2]int64) Timeline {
	step := stepAt(t.level)
	line := Timeline{Step: time.Duration(step) * time.Millisecond}
	for _, b := range bounds {
		s := Span{Start: time.UnixMilli(b[0] * step).UTC(), Moments: make([]Moment, b[1]-b[0]+1)}
		for i := range s.Moments {
			if m := t.moments[b[0]+int64(i)]; m != nil {
				s.Moments[i] = *m
			}
		}
		line.Spans = append(line.Spans, s)
	}
	return line
}

// Within returns the same Timeline with at most that many steps, or one for each span, by making
// the steps longer if necessary.
func (t *Timeline) Within(most int) Timeline {
	if t.Steps() <= most {
		return *t
	}
	wide := timeline{moments: make(map[int64]*Moment)}
	for stepAt(wide.level) < t.Step.Milliseconds() {
		wide.level++
	}
	var idle []gap
	for i := range t.Spans {
		first := t.Spans[i].Start.UnixMilli() / t.Step.Milliseconds()
		for j, m := range t.Spans[i].Moments {
			if m != (Moment{}) {
				wide.moments[first+int64(j)] = &m
			}
		}
		if i > 0 {
			idle = append(idle, gap{t.End(i - 1).UnixMilli(), t.Spans[i].Start.UnixMilli()})
		}
	}
	return wide.finish(most, idle)
}
