package report

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"llmpipe/ledger"
	"llmpipe/ledger/price"
)

// sum adds a timeline up, and says from when to when it is.
func sum(t *Timeline) (all Moment) {
	for i := range t.Spans {
		for j := range t.Spans[i].Moments {
			all.add(&t.Spans[i].Moments[j])
		}
	}
	return all
}

// Whatever the times are and whatever order they come in, nothing is lost, each record is in its
// step, and the memory is bounded.
func TestTimelineHoldsEveryRecord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		span := rapid.SampledFrom([]int64{1, 1_000, 60_000, 86_400_000, 400 * 86_400_000, 100 * 365 * 86_400_000}).Draw(t, "span")
		start := rapid.SampledFrom([]int64{0, 772_600_767_089}).Draw(t, "start")
		times := rapid.SliceOfN(rapid.Int64Range(start, start+span), 1, 300).Draw(t, "times")
		var line timeline
		want := Moment{}
		for i, ms := range times {
			when := time.UnixMilli(ms)
			if i%3 == 0 {
				want.Failures++
				line.addFailure(&ledger.Failure{Record: ledger.Record{Time: when, CostNanos: 7, CostKnown: true}, Billed: i%2 == 0})
				if i%2 == 0 {
					want.Cost += 7
				}
				continue
			}
			want.Answers++
			line.addResult(&ledger.Result{Record: ledger.Record{Time: when, CostNanos: int64(i), CostKnown: i%5 != 0}})
			if i%5 != 0 {
				want.Cost += price.Dollars(i)
			}
		}
		if len(line.moments) > mostMoments {
			t.Fatalf("%d moments are kept, want at most %d", len(line.moments), mostMoments)
		}
		whole := line.finish(mostSteps, line.idle(nil))
		for _, most := range []int{mostSteps, 120, 7, 1} {
			got := whole.Within(most)
			if got.Steps() > max(most, len(got.Spans)) {
				t.Errorf("%d steps, want at most %d", got.Steps(), most)
			}
			for _, ms := range times {
				if when := time.UnixMilli(ms); !holds(&got, when) {
					t.Errorf("nothing is drawn at %v", when)
				}
			}
			if sum := sum(&got); sum != want {
				t.Errorf("within %d the moments add up to %+v, want %+v", most, sum, want)
			}
			for i := range got.Spans {
				if i > 0 && !got.Spans[i].Start.After(got.End(i-1)) {
					t.Errorf("span %d begins at %v, that before it ends at %v", i, got.Spans[i].Start, got.End(i-1))
				}
			}
		}
	})
}

// holds reports whether something is drawn at a time.
func holds(t *Timeline, when time.Time) bool {
	for i := range t.Spans {
		if from := t.Spans[i].Start; !when.Before(from) && when.Before(t.End(i)) {
			m := t.Spans[i].Moments[when.Sub(from)/t.Step]
			return m.Answers+m.Failures > 0
		}
	}
	return false
}

// lineOf is the timeline of answers at seconds, in which runs were under way from a second to
// another.
func lineOf(seconds []int, runs ...Run) Timeline {
	var line timeline
	for _, s := range seconds {
		line.addResult(&ledger.Result{Record: ledger.Record{Time: testTime().Add(time.Duration(s) * time.Second)}})
	}
	return line.finish(mostSteps, line.idle(runs))
}

// from is a run from a second to another.
func from(start, end int, mode string) Run {
	at := func(s int) time.Time { return testTime().Add(time.Duration(s) * time.Second) }
	return Run{Started: at(start), Ended: at(end), Mode: mode}
}

func TestTimelineLeavesIdleTimeOut(t *testing.T) {
	busy := func(at int) (seconds []int) {
		for s := range 60 {
			seconds = append(seconds, at+s)
		}
		return seconds
	}
	const hour, day = 3600, 24 * 3600
	apart := append(busy(0), busy(hour)...)
	var daily []int
	for i := range 30 {
		daily = append(daily, busy(i*day)...)
	}
	for name, c := range map[string]struct {
		line  Timeline
		spans int
	}{
		"two runs":                {lineOf(apart, from(0, 60, "realtime"), from(hour, hour+60, "realtime")), 2},
		"runs that nobody knows":  {lineOf(apart), 2},
		"an outage within a run":  {lineOf(apart, from(0, hour+60, "realtime")), 1},
		"an earlier version's":    {lineOf(apart, from(0, hour+60, "")), 1},
		"a wait for a batch":      {lineOf(apart, from(0, hour+60, "batch")), 2},
		"a run each day":          {lineOf(daily), 30},
		"two runs close together": {lineOf(append(busy(0), busy(63)...)), 1},
	} {
		if len(c.line.Spans) != c.spans {
			t.Errorf("%s: %d spans, want %d: %+v", name, len(c.line.Spans), c.spans, c.line)
		}
		if c.spans == 2 && c.line.Idle().Round(time.Minute) != time.Hour-time.Minute {
			t.Errorf("%s: %v are idle", name, c.line.Idle())
		}
	}
}

func TestTimelineStepsAsLongAsTheyMustBe(t *testing.T) {
	for span, want := range map[time.Duration]time.Duration{
		0:                     10 * time.Millisecond,
		3 * time.Second:       10 * time.Millisecond,
		time.Minute:           500 * time.Millisecond,
		time.Hour:             15 * time.Second,
		30 * 24 * time.Hour:   3 * time.Hour,
		2000 * 24 * time.Hour: 8 * 24 * time.Hour,
	} {
		var line timeline
		line.addResult(&ledger.Result{Record: ledger.Record{Time: testTime()}})
		line.addResult(&ledger.Result{Record: ledger.Record{Time: testTime().Add(span)}})
		line.addResult(&ledger.Result{}) // of no time
		got := line.finish(mostSteps, line.idle([]Run{{Started: testTime(), Ended: testTime().Add(span)}}))
		if got.Step != want || len(got.Spans) != 1 || sum(&got).Answers != 2 {
			t.Errorf("over %v the step is %v, want %v, with %+v", span, got.Step, want, got.Spans)
		}
	}
	var odd timeline
	for _, when := range []time.Time{time.Date(3, 1, 1, 0, 0, 0, 0, time.UTC), testTime(), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)} {
		odd.addResult(&ledger.Result{Record: ledger.Record{Time: when}})
	}
	if got := odd.finish(mostSteps, odd.idle(nil)); got.Spans[0].Start.Year() != 1970 || got.Steps() != 3 {
		t.Errorf("of clocks that are wrong there is %+v", got)
	}
	var none timeline
	if got := none.finish(mostSteps, none.idle(nil)); got.Steps() > 0 || len(none.moments) > 0 {
		t.Errorf("of nothing there is %+v", got)
	}
}

func TestReportKeepsTheFirstMessageOfEachKind(t *testing.T) {
	first, second := testFailure(1), testFailure(2)
	first.Message = strings.Repeat("x", maxMessage-1) + "é and more"
	second.Message = "another"
	r, err := New(testOptions(), writeLedger(t, ledger.Options{}, &ledger.Group{Failures: []ledger.Failure{first, second}}))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Errors) != 1 || r.Errors[0].Count != 2 || r.Errors[0].Message != strings.Repeat("x", maxMessage-1) {
		t.Errorf("errors %+v", r.Errors)
	}
}

func TestLatencyHistogramHoldsEveryResult(t *testing.T) {
	r, err := New(testOptions(), reportLedger(t, ledger.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	sum, end := int64(0), int64(-1)
	for _, b := range r.LatencyHistogram {
		if b.From < end || b.To <= b.From || b.Count < 1 {
			t.Errorf("bucket %+v after one to %d", b, end)
		}
		sum, end = sum+b.Count, b.To
	}
	if sum != r.Total.Results {
		t.Errorf("the histogram has %d results, want %d", sum, r.Total.Results)
	}
}
