package report

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"llmpipe/ledger/report"
)

// placed is a percentage as a number.
func placed(t *rapid.T, percent string) float64 {
	p, err := strconv.ParseFloat(strings.TrimSuffix(percent, "%"), 64)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Whatever the spans are, columns and gaps follow one another over the whole chart, and no label
// of the axis meets another.
func TestTimeScale(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := report.Timeline{Step: time.Duration(rapid.SampledFrom([]int64{10, 1000, 60_000, 86_400_000}).Draw(t, "ms")) * time.Millisecond}
		start := time.Date(2026, 3, 4, 5, 6, 0, 0, time.UTC)
		for range rapid.IntRange(1, 60).Draw(t, "spans") {
			moments := rapid.IntRange(1, 50).Draw(t, "moments")
			line.Spans = append(line.Spans, report.Span{Start: start, Moments: make([]report.Moment, moments)})
			idle := rapid.Int64Range(1, 1000).Draw(t, "idle")
			start = start.Add(line.Step * (time.Duration(moments) + time.Duration(idle)))
		}
		s := newTimeScale(&line)
		columns := eachColumn(s, func(report.Moment, string) (string, []bar) { return "", nil })
		if len(columns) != line.Steps() || len(s.cuts()) != len(line.Spans)-1 {
			t.Fatalf("%d columns and %d cuts of %+v", len(columns), len(s.cuts()), line)
		}
		if end := s.right(len(line.Spans) - 1); math.Abs(end-100) > 0.01 || s.lefts[0] != 0 {
			t.Errorf("the chart is from %v to %v", s.lefts[0], end)
		}
		for i, c := range s.cuts() {
			if at := placed(t, c.At); math.Abs(at-s.right(i)) > 0.01 || math.Abs(at+placed(t, c.Width)-s.lefts[i+1]) > 0.02 {
				t.Errorf("gap %d is at %s, %s wide, between %v and %v", i, c.At, c.Width, s.right(i), s.lefts[i+1])
			}
		}
		before, beforeMajor := -math.MaxFloat64, -math.MaxFloat64
		for _, tick := range s.ticks() {
			at, room := placed(t, tick.At), 8.9 // as much as a clock takes on a wide page, in per cent
			if at < before+room && len(line.Spans) > 1 {
				t.Errorf("%q is at %v, the label before at %v", tick.Label, at, before)
			}
			before = at
			if !tick.Minor && len(line.Spans) > 1 {
				if at < beforeMajor+29.9 {
					t.Errorf("on a narrow page %q is at %v, the label before at %v", tick.Label, at, beforeMajor)
				}
				beforeMajor = at
			}
		}
	})
}

// However close the percentiles are to each other and to an edge, no label is in another's row, and
// no line goes through a label.
func TestLatencyMarksDoNotMeet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := report.Latencies{P50: rapid.Int64Range(0, 1000).Draw(t, "p50")}
		l.P95 = l.P50 + rapid.Int64Range(0, 1000).Draw(t, "to p95")
		l.P99 = l.P95 + rapid.Int64Range(0, 1000).Draw(t, "to p99")
		marks := latencyMarks(axis{high: float64(l.P99) * rapid.Float64Range(1, 3).Draw(t, "beyond")}, &l)
		const label = 22.0 // the width of a label on a narrow page, in per cent
		for i, m := range marks {
			from, to := placed(t, m.At), placed(t, m.At)
			if m.Left {
				from -= label
			} else {
				to += label
			}
			if from < -0.01 && placed(t, m.At) > label || to > 100.01 {
				t.Errorf("%q at %s is beyond the edge", m.Label, m.At)
			}
			for j, other := range marks {
				if i == j {
					continue
				}
				if m.Row == other.Row {
					t.Errorf("%q and %q are in one row", m.Label, other.Label)
				}
				if at := placed(t, other.At); at > from+0.01 && at < to-0.01 && other.Top < m.Top {
					t.Errorf("the line of %q goes through %q: %+v", other.Label, m.Label, marks)
				}
			}
		}
	})
}
