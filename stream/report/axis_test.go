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

// An axis from 0 has a handful of ticks, at 1, 2 or 5 times a power of ten, no two of the same
// label, and room for what it is of.
func TestUpwardAxes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		highest := math.Pow(10, rapid.Float64Range(-9, 9).Draw(t, "magnitude"))
		a, step := upward(highest)
		mantissa := step / math.Pow(10, math.Floor(math.Log10(step)+1e-9))
		if m := math.Round(mantissa); math.Abs(mantissa-m) > 1e-6 || m != 1 && m != 2 && m != 5 {
			t.Errorf("steps of %g", step)
		}
		if a.high < highest*(1-1e-6) || a.high-highest > step {
			t.Errorf("%g to the top at %g, in steps of %g", highest, a.high, step)
		}
		for _, label := range []func(v, step float64) string{decimal, dollarTick} {
			ticks, seen := upTicks(a, step, label), map[string]bool{}
			for _, tick := range ticks {
				seen[tick.Label] = true
			}
			if len(ticks) < 3 || len(ticks) > 6 || len(seen) != len(ticks) {
				t.Errorf("for %g the ticks are %v", highest, ticks)
			}
		}
	})
}

func labels(ticks []tick) string {
	var all []string
	for _, tick := range ticks {
		all = append(all, strings.ReplaceAll(tick.Label, "\u00a0", " "))
	}
	return strings.Join(all, ", ")
}

func TestTickLabels(t *testing.T) {
	start := time.Date(2026, 3, 4, 21, 58, 7, 0, time.UTC)
	up := func(highest float64, label func(v, step float64) string) string {
		a, step := upward(highest)
		return labels(upTicks(a, step, label))
	}
	for got, want := range map[string]string{
		up(5, decimal):                                 "0, 1, 2, 3, 4, 5",
		up(0.03, decimal):                              "0, 0.01, 0.02, 0.03",
		up(7_300, decimal):                             "0, 2,000, 4,000, 6,000, 8,000",
		up(2, dollarTick):                              "$0, $0.50, $1.00, $1.50, $2.00",
		up(0.0004, dollarTick):                         "$0, $0.0001, $0.0002, $0.0003, $0.0004",
		up(48_000, dollarTick):                         "$0, $10,000, $20,000, $30,000, $40,000, $50,000",
		labels(latencyTicks(axis{high: 2000})):         "0, 500 ms, 1 s, 1.5 s, 2 s",
		labels(latencyTicks(axis{90, 6000, true})):     "100 ms, 200 ms, 500 ms, 1 s, 2 s, 5 s",
		labels(timeTicks(start, start.Add(2e8))):       "07.00, 07.05, 07.10, 07.15, 07.20",
		labels(timeTicks(start, start.Add(4*day/24))):  "22:00, 22:30, 23:00, 23:30, 5 Mar, 00:30, 01:00, 01:30",
		labels(timeTicks(start, start.Add(30*1e9))):    "21:58:10, 21:58:15, 21:58:20, 21:58:25, 21:58:30, 21:58:35",
		labels(timeTicks(start, start.Add(6*day))):     "5 Mar, 6 Mar, 7 Mar, 8 Mar, 9 Mar, 10 Mar",
		labels(timeTicks(start, start.Add(200*day))):   "Apr 2026, May 2026, Jun 2026, Jul 2026, Aug 2026, Sep 2026",
		labels(timeTicks(start, start.Add(2000*day))):  "2027, 2028, 2029, 2030, 2031",
		labels(timeTicks(start, start.Add(40000*day))): "2040, 2060, 2080, 2100, 2120",
	} {
		if got != want {
			t.Errorf("ticks %q, want %q", got, want)
		}
	}
}

// Over whatever time, there are a few ticks, in order, on the axis.
func TestTimeTicks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "from")).UTC()
		over := time.Duration(math.Pow(10, rapid.Float64Range(8, 18.6).Draw(t, "over")))
		ticks := timeTicks(from, from.Add(over))
		if len(ticks) < 1 || len(ticks) > 10 {
			t.Fatalf("%v from %v has the ticks %v", over, from, ticks)
		}
		last := -1.0
		for _, tick := range ticks {
			at, err := strconv.ParseFloat(strings.TrimSuffix(tick.At, "%"), 64)
			if err != nil || at <= last || at > 100 {
				t.Fatalf("%v from %v has the ticks %v", over, from, ticks)
			}
			last = at
		}
	})
}

func TestLatencyBinsHoldEveryResult(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h []report.LatencyBucket
		from, all := rapid.Int64Range(0, 1000).Draw(t, "first"), 0.0
		for range rapid.IntRange(1, 50).Draw(t, "buckets") {
			width := max(from/32, 1)
			count := rapid.Int64Range(1, 1000).Draw(t, "count")
			h, all = append(h, report.LatencyBucket{From: from, To: from + width, Count: count}), all+float64(count)
			from += width * rapid.Int64Range(1, 20).Draw(t, "gap")
		}
		l := report.Latencies{P50: h[len(h)/2].From, P99: h[len(h)-1].From}
		bins, a := latencyBins(h, &l)
		sum := 0.0
		for i, b := range bins {
			sum += b.count
			if b.high <= b.low || i > 0 && math.Abs(b.low-bins[i-1].high) > 1e-9*b.low {
				t.Errorf("bin %+v is out of order", b)
			}
		}
		if math.Abs(sum-all) > 1e-6*all || len(bins) > 300 || a.at(float64(l.P99)) < a.at(float64(l.P50)) {
			t.Errorf("%d bins hold %g results, want %g", len(bins), sum, all)
		}
	})
}

func TestHowLong(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 s", 20 * time.Millisecond: "20 ms", 2340 * time.Millisecond: "2.34 s", 23 * time.Second: "23 s",
		99 * time.Second: "1 min 39 s", 99 * time.Minute: "1 h 39 min", 50 * time.Hour: "2 d 2 h",
	} {
		if got := strings.ReplaceAll(howLong(d), "\u00a0", " "); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}
