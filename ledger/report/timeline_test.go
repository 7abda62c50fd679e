package report

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"llmpipe/ledger"
	"llmpipe/ledger/price"
)

// Whatever the times are and whatever order they come in, nothing is lost, each record is in its
// step, and the memory is bounded.
func TestTimelineHoldsEveryRecord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		span := rapid.SampledFrom([]int64{1, 1_000, 60_000, 86_400_000, 400 * 86_400_000, 100 * 365 * 86_400_000}).Draw(t, "span")
		start := rapid.SampledFrom([]int64{0, 772_600_767_089}).Draw(t, "start")
		times := rapid.SliceOfN(rapid.Int64Range(start, start+span), 1, 300).Draw(t, "times")
		var line timeline
		var first, last time.Time
		failures, cost := int64(0), price.Dollars(0)
		for i, ms := range times {
			when := time.UnixMilli(ms)
			if first.IsZero() || when.Before(first) {
				first = when
			}
			if when.After(last) {
				last = when
			}
			if i%3 == 0 {
				failures++
				line.addFailure(&ledger.Failure{Record: ledger.Record{Time: when, CostNanos: 7, CostKnown: true}, Billed: i%2 == 0})
				if i%2 == 0 {
					cost += 7
				}
				continue
			}
			line.addResult(&ledger.Result{Record: ledger.Record{Time: when, CostNanos: int64(i), CostKnown: i%5 != 0}})
			if i%5 != 0 {
				cost += price.Dollars(i)
			}
		}
		if len(line.moments) > maxMoments {
			t.Fatalf("%d moments are kept, want at most %d", len(line.moments), maxMoments)
		}
		whole := line.finish()
		for _, most := range []int{maxMoments, 120, 7, 1} {
			got := whole.Within(most)
			if len(got.Moments) > most {
				t.Errorf("%d moments, want at most %d", len(got.Moments), most)
			}
			end := got.Start.Add(got.Step * time.Duration(len(got.Moments)))
			if first.Before(got.Start) || !last.Before(end) {
				t.Errorf("%v to %v is not within %v to %v", first, last, got.Start, end)
			}
			var sum Moment
			for i := range got.Moments {
				sum.add(&got.Moments[i])
			}
			if want := (Moment{Results: int64(len(times)) - failures, Failures: failures, Cost: cost}); sum != want {
				t.Errorf("within %d the moments add up to %+v, want %+v", most, sum, want)
			}
		}
	})
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
		got := line.finish()
		if got.Step != want || got.Moments[0].Results+got.Moments[len(got.Moments)-1].Results < 2 {
			t.Errorf("over %v the step is %v, want %v, with %+v", span, got.Step, want, got.Moments)
		}
	}
	var odd timeline
	for _, when := range []time.Time{time.Date(3, 1, 1, 0, 0, 0, 0, time.UTC), testTime(), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)} {
		odd.addResult(&ledger.Result{Record: ledger.Record{Time: when}})
	}
	if got := odd.finish(); got.Start.Year() != 1970 || got.Moments[0].Results != 1 || got.Moments[len(got.Moments)-1].Results != 1 {
		t.Errorf("of clocks that are wrong there is %+v", got)
	}
	var none timeline
	if got := none.finish(); len(got.Moments) > 0 || len(got.Within(1).Moments) > 0 {
		t.Errorf("of nothing there is %+v", got)
	}
}

func TestReportKeepsTheFirstMessageOfEachKind(t *testing.T) {
	first, second := testFailure(1), testFailure(2)
	first.Message = strings.Repeat("x", maxMessage-1) + "é and more"
	second.Message = "another"
	r, err := New(nil, writeLedger(t, ledger.Options{}, &ledger.Group{Failures: []ledger.Failure{first, second}}))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Errors) != 1 || r.Errors[0].Count != 2 || r.Errors[0].Message != strings.Repeat("x", maxMessage-1) {
		t.Errorf("errors %+v", r.Errors)
	}
}

func TestLatencyHistogramHoldsEveryResult(t *testing.T) {
	r, err := New(nil, reportLedger(t, ledger.Options{}))
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
