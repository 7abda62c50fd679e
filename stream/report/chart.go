package report

import (
	"fmt"
	"math"
	"strings"
	"time"

	"llmpipe/ledger/price"
	"llmpipe/ledger/report"
	"llmpipe/stream/ui"
)

// chart is what the template draws. All places are in per cent, so that the chart stretches with
// the page but its letters do not.
type chart struct {
	Title   string
	Caption string // the unit, and remarks
	Kinds   bool   // some bars are of failures
	Summary string // for readers who cannot see the chart
	Up      []tick
	Along   []tick
	Columns []column
	Cuts    []cut  // gaps for idle time
	Line    string // an SVG path in a box of 1000 by 1000, and the area below it
	Area    string
	Marks   []mark
}

// column is a place along a chart, with the bars that stand there and a text about them.
type column struct {
	At, Width string
	Text      string
	Bars      []bar
}

type bar struct {
	Class       string
	At, Width   string
	Top, Height string
	percent     float64
}

// mark is a vertical line with a label.
type mark struct {
	At, Label string
	Row       int  // of the label, so that labels of close marks do not overlap
	Top       int  // of the line, in pixels: beside its label
	Left      bool // the label is left of the line, as there is no room to the right
}

// maxColumns bounds the number of columns, because a page has only so many pixels.
const maxColumns = 200

// timeColumns returns the moments that a page's columns show. There are fewer if there are few
// records, so that columns do not become hairlines.
func timeColumns(r *report.Report) report.Timeline {
	const fewest, perColumn = 24, 4
	lines := (r.Attempts.Answers + r.Attempts.Failures) / perColumn
	return r.Timeline.Within(int(min(max(lines, fewest), maxColumns)))
}

// overTime returns the part of a caption about the time axis: its dates, and the idle time that is
// left out.
func overTime(r *report.Report, line *report.Timeline) string {
	text := "; UTC, " + dates(r.First.UTC(), r.Last.UTC())
	if len(line.Spans) > 1 {
		text += "; shaded: " + howLong(line.Idle()) + " without requests, left out"
	}
	return text
}

// spendChart shows the sum spent over time.
func spendChart(r *report.Report, columns *report.Timeline) *chart {
	total := float64(*r.Total.Cost) / 1e9
	up, step := upward(total)
	along := newTimeScale(columns)
	c := &chart{
		Title:   "Spend",
		Caption: "US dollars, cumulative" + overTime(r, columns),
		Summary: fmt.Sprintf("Spend over time, from $0 at the start to %s at the end.", ui.USD(int64(*r.Total.Cost))),
		Up:      upTicks(up, step, dollarTick), Along: along.ticks(), Cuts: along.cuts(),
	}
	var line strings.Builder
	var sum price.Dollars
	x, y := 0.0, 1000.0
	fmt.Fprintf(&line, "M%.1f,%.1f", x, y)
	for i := range columns.Spans {
		x = 10 * along.lefts[i]
		if i > 0 {
			fmt.Fprintf(&line, "H%.1f", x)
		}
		for _, m := range columns.Spans[i].Moments {
			sum += m.Cost
			x, y = x+10*along.step, 1000-10*up.at(float64(sum)/1e9)
			if m.Cost != 0 {
				fmt.Fprintf(&line, "L%.1f,%.1f", x, y)
			} else {
				fmt.Fprintf(&line, "H%.1f", x)
			}
		}
	}
	c.Line = line.String()
	c.Area = fmt.Sprintf("%sL%.1f,1000L0,1000Z", c.Line, x)
	sum = 0
	c.Columns = eachColumn(along, func(m report.Moment, when string) (string, []bar) {
		sum += m.Cost
		return fmt.Sprintf("%s UTC: %s, %s in total", when, ui.USD(int64(m.Cost)), ui.USD(int64(sum))), nil
	})
	return c
}

// eachColumn makes the columns of a chart over time.
func eachColumn(along *timeScale, draw func(m report.Moment, when string) (string, []bar)) []column {
	var columns []column
	line := along.line
	for i := range line.Spans {
		for j, m := range line.Spans[i].Moments {
			when := line.Spans[i].Start.Add(line.Step * time.Duration(j)).Format(momentLayout(line.Step))
			text, bars := draw(m, when)
			columns = append(columns, standing(along.lefts[i]+float64(j)*along.step, along.step, line.Steps(), text, bars))
		}
	}
	return columns
}

// standing stacks bars, with a gap beside them if the columns are few enough for gaps to be
// visible.
func standing(at, width float64, columns int, text string, bars []bar) column {
	const gapBelow, gap = 90, 0.12
	drawn := width
	if columns < gapBelow {
		drawn -= gap * width
	}
	bottom := 100.0
	for i := range bars {
		b := &bars[i]
		b.At, b.Width = percent(at), percent(drawn)
		b.Top, b.Height = percent(bottom-b.percent), percent(b.percent)
		bottom -= b.percent
	}
	return column{At: percent(at), Width: percent(width), Text: text, Bars: bars}
}

// throughputChart shows how many answers and failures there were per unit of time.
func throughputChart(r *report.Report, columns *report.Timeline) *chart {
	peak := int64(0)
	for i := range columns.Spans {
		for _, m := range columns.Spans[i].Moments {
			peak = max(peak, m.Answers+m.Failures)
		}
	}
	unit, per := "day", day
	for _, u := range []struct {
		name string
		per  time.Duration
	}{{"second", time.Second}, {"minute", time.Minute}, {"hour", time.Hour}} {
		if float64(peak)*float64(u.per)/float64(columns.Step) >= 1 {
			unit, per = u.name, u.per
			break
		}
	}
	rate := func(n int64) float64 { return float64(n) * float64(per) / float64(columns.Step) }
	up, step := upward(rate(peak))
	along := newTimeScale(columns)
	return &chart{
		Title:   "Throughput",
		Caption: "Answers per " + unit + overTime(r, columns),
		Kinds:   r.Attempts.Failures > 0,
		Summary: fmt.Sprintf("Throughput over time, at most %s answers per %s.", decimal(rate(peak), step/10), unit),
		Up:      upTicks(up, step, decimal), Along: along.ticks(), Cuts: along.cuts(),
		Columns: eachColumn(along, func(m report.Moment, when string) (string, []bar) {
			text := fmt.Sprintf("%s UTC: %s answered, %s failed, %s per %s",
				when, ui.Grouped(m.Answers), ui.Grouped(m.Failures), decimal(rate(m.Answers+m.Failures), step/10), unit)
			var bars []bar
			if m.Answers > 0 {
				bars = append(bars, bar{Class: "ok", percent: up.at(rate(m.Answers))})
			}
			if m.Failures > 0 {
				bars = append(bars, bar{Class: "failed", percent: up.at(rate(m.Failures))})
			}
			return text, bars
		}),
	}
}

// timed returns how many answers have a latency.
func timed(r *report.Report) (n int64) {
	for _, b := range r.LatencyHistogram {
		n += b.Count
	}
	return n
}

// latencyChart shows how many answers took how long.
func latencyChart(r *report.Report) *chart {
	l := &r.Total.Latency
	bins, along := latencyBins(r.LatencyHistogram, l)
	highest, shown := 0.0, 0.0
	for _, b := range bins {
		highest, shown = max(highest, b.count), shown+b.count
	}
	const headroom = 1.2 // for the labels of the marks
	up, step := upward(max(headroom*highest, 5))
	c := &chart{
		Title: "Latency", Caption: "Answers by latency",
		Summary: fmt.Sprintf("Histogram of latencies. Half of the answers took at most %s, 95 %% at most %s, 99 %% at most %s.",
			latencyLabel(l.P50), latencyLabel(l.P95), latencyLabel(l.P99)),
		Up: upTicks(up, step, decimal), Along: latencyTicks(along),
	}
	if along.log {
		c.Caption += "; logarithmic"
	}
	answers := timed(r)
	if longer := answers - int64(math.Round(shown)); longer > 0 {
		longest := r.LatencyHistogram[len(r.LatencyHistogram)-1].To - 1
		c.Caption += fmt.Sprintf("; %s took longer than shown, up to %s", ui.Grouped(longer), latencyLabel(longest))
	}
	for _, b := range bins {
		from, to := along.at(b.low), along.at(b.high)
		text := fmt.Sprintf("%s to %s: about %s answers, %.1f %%",
			latencyLabel(int64(math.Round(b.low))), latencyLabel(int64(math.Round(b.high))),
			ui.Grouped(int64(math.Round(b.count))), 100*b.count/float64(max(answers, 1)))
		c.Columns = append(c.Columns, standing(from, to-from, len(bins), text, []bar{{Class: "ok", percent: up.at(b.count)}}))
	}
	c.Marks = latencyMarks(along, l)
	return c
}

// latencyMarks returns the marks of the percentiles. Each label has a row of its own, and its line
// begins at that row, so that no label crosses another's line. Labels to the right of their lines
// go down from the first, and labels to the left go down from the last.
func latencyMarks(along axis, l *report.Latencies) []mark {
	const room = 25 // for a label on a narrow page, in per cent
	marks := []mark{{Label: "p50 " + latencyLabel(l.P50)}, {Label: "p95 " + latencyLabel(l.P95)}, {Label: "p99 " + latencyLabel(l.P99)}}
	right := 100.0 // where the next label to the left of its line would have to begin
	for i, ms := range []int64{l.P99, l.P95, l.P50} {
		m := &marks[len(marks)-1-i]
		at := along.at(float64(ms))
		m.At, m.Left = percent(at), at > right-room
		if m.Left {
			right = at
		}
	}
	row := 0
	place := func(m *mark) {
		m.Row, m.Top = row, 2+16*row
		row++
	}
	for i := range marks {
		if !marks[i].Left {
			place(&marks[i])
		}
	}
	for i := range marks {
		if m := &marks[len(marks)-1-i]; m.Left {
			place(m)
		}
	}
	return marks
}

// bin is a bar of a histogram, in milliseconds.
type bin struct{ low, high, count float64 }

// latencyBins regroups a histogram for display: in equal steps from 0 to a little beyond p99. If
// p99 is more than ten times the median, it uses equal ratios over the whole range instead. It
// spreads the count of a bucket evenly over the bucket.
func latencyBins(h []report.LatencyBucket, l *report.Latencies) ([]bin, axis) {
	const wanted, beyond, farOut, ratiosPerDoubling = 48, 1.1, 10, 4
	var bins []bin
	a := axis{}
	if l.P99 > farOut*max(l.P50, 1) {
		first := math.Floor(ratiosPerDoubling * math.Log2(float64(max(h[0].From, 1))))
		last := math.Ceil(ratiosPerDoubling * math.Log2(float64(h[len(h)-1].To)))
		for i := first; i < last; i++ {
			bins = append(bins, bin{low: math.Exp2(i / ratiosPerDoubling), high: math.Exp2((i + 1) / ratiosPerDoubling)})
		}
		a = axis{low: bins[0].low, high: bins[len(bins)-1].high, log: true}
	} else {
		step := max(niceStep(beyond*float64(l.P99+1)/wanted), 1)
		for low := 0.0; low < beyond*float64(l.P99+1) || len(bins) < wanted/4; low += step {
			bins = append(bins, bin{low: low, high: low + step})
		}
		a = axis{high: bins[len(bins)-1].high}
	}
	for _, b := range h {
		from, to := float64(b.From), float64(b.To)
		if a.log {
			from, to = max(from, a.low), max(to, a.low*1.001)
		}
		for i := range bins {
			if part := min(to, bins[i].high) - max(from, bins[i].low); part > 0 {
				bins[i].count += float64(b.Count) * part / (to - from)
			}
		}
	}
	return bins, a
}
