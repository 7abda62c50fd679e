package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"llmpipe/stream/ui"
)

// axis maps values to places along a chart's side, in per cent of its length.
type axis struct {
	low, high float64
	log       bool // low is above 0
}

// tick is a labelled place on an axis.
type tick struct {
	At    string // per cent
	Label string
	Minor bool // may be left out if there is little room
}

func (a axis) at(v float64) float64 {
	low, high := a.low, a.high
	if a.log {
		v, low, high = math.Log(max(v, low)), math.Log(low), math.Log(high)
	}
	return min(max(100*(v-low)/(high-low), 0), 100)
}

// percent formats a length or a place for SVG.
func percent(p float64) string { return strconv.FormatFloat(p, 'f', 2, 64) + "%" }

// niceStep returns the smallest number of the form 1, 2 or 5 times a power of ten that is not below
// v.
func niceStep(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= v*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// upward returns the axis from 0 to a round number that is not below highest, and the distance of
// its ticks.
func upward(highest float64) (axis, float64) {
	const ticks = 5
	step := niceStep(highest / ticks)
	return axis{high: step * math.Ceil(highest/step*(1-1e-9))}, step
}

// upTicks returns the ticks of an upward axis. Their places are measured from the top.
func upTicks(a axis, step float64, label func(v, step float64) string) []tick {
	var ticks []tick
	for i := 0.0; i*step <= a.high*(1+1e-9); i++ {
		ticks = append(ticks, tick{At: percent(100 - a.at(i*step)), Label: label(i*step, step)})
	}
	return ticks
}

// decimal writes v with as many decimals as tell one step from the next, and with its thousands
// grouped.
func decimal(v, step float64) string {
	if v == 0 {
		return "0"
	}
	decimals := max(0, int(-math.Floor(math.Log10(step)+1e-9)))
	whole, part := math.Modf(math.Round(v*math.Pow10(decimals)) / math.Pow10(decimals))
	return ui.Grouped(int64(whole)) + strings.TrimPrefix(strconv.FormatFloat(part, 'f', decimals, 64), "0")
}

func dollarTick(v, step float64) string {
	const cent = 0.01
	switch {
	case v == 0:
		return "$0"
	case step < 1:
		step = min(step, cent)
	}
	return "$" + decimal(v, step)
}

// latencyTicks returns the ticks of an axis in milliseconds.
func latencyTicks(a axis) []tick {
	var ticks []tick
	if !a.log {
		const most = 8
		step := niceStep((a.high - a.low) / most)
		for i := math.Ceil(a.low / step); i*step <= a.high*(1+1e-9); i++ {
			ticks = append(ticks, tick{At: percent(a.at(i * step)), Label: latencyTick(i * step), Minor: int64(i)%2 == 1})
		}
		return ticks
	}
	for power := math.Pow(10, math.Floor(math.Log10(a.low))); power <= a.high; power *= 10 {
		for _, m := range []float64{1, 2, 5} {
			if v := m * power; v >= a.low && v <= a.high {
				ticks = append(ticks, tick{At: percent(a.at(v)), Label: latencyTick(v), Minor: m > 1})
			}
		}
	}
	return ticks
}

// latencyTick writes a round number of milliseconds: 200 ms, 1.5 s.
func latencyTick(ms float64) string {
	switch {
	case ms == 0:
		return "0"
	case ms < 1000:
		return strconv.FormatFloat(ms, 'f', -1, 64) + "\u00a0ms"
	}
	whole, part := math.Modf(ms / 1000)
	return ui.Grouped(int64(whole)) + strings.TrimPrefix(strconv.FormatFloat(part, 'f', -1, 64), "0") + "\u00a0s"
}

// latencyLabel writes milliseconds with a readable precision: 812 ms, 2.50 s, 75 s.
func latencyLabel(ms int64) string {
	switch {
	case ms < 1000:
		return strconv.FormatInt(ms, 10) + "\u00a0ms"
	case ms < 10_000:
		return strconv.FormatFloat(float64(ms)/1000, 'f', 2, 64) + "\u00a0s"
	}
	return ui.Grouped((ms+500)/1000) + "\u00a0s"
}

// timeSteps are the possible distances of ticks in time. Distances of a month and more follow the
// calendar: see monthSteps.
var timeSteps = [...]time.Duration{
	10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, day, 2 * day, 7 * day,
}

const day = 24 * time.Hour

// monthSteps are the possible distances of ticks in months.
var monthSteps = [...]int{1, 2, 3, 6, 12, 24, 60, 120, 240}

// mostTicks is about how many ticks an axis of time has at most.
const mostTicks = 8

// timeStep returns the distance of ticks over a duration, or 0 if it is one of monthSteps.
func timeStep(over time.Duration) time.Duration {
	for _, step := range timeSteps {
		if over/step <= mostTicks {
			return step
		}
	}
	return 0
}

// timeTicks returns the ticks between two moments, at round times in UTC.
func timeTicks(from, to time.Time) []tick {
	a := timeAxis(from, to)
	var ticks []tick
	add := func(t time.Time, layout string) {
		ticks = append(ticks, tick{At: percent(a.at(float64(t.UnixMilli()))), Label: t.Format(layout), Minor: len(ticks)%2 == 1})
	}
	if step := timeStep(to.Sub(from)); step > 0 {
		for t := from.Add(step - 1).Truncate(step); !t.After(to); t = t.Add(step) {
			add(t, tickLayout(t, step))
		}
		return ticks
	}
	for _, step := range monthSteps {
		if to.Sub(from)/(30*day) > time.Duration(mostTicks*step) {
			continue
		}
		layout := "Jan 2006"
		if step >= 12 {
			layout = "2006"
		}
		months := (from.Year()*12 + int(from.Month()) - 1) / step * step
		for t := monthOf(months); !t.After(to); t = monthOf(months) {
			if !t.Before(from) {
				add(t, layout)
			}
			months += step
		}
		break
	}
	return ticks
}

func monthOf(months int) time.Time {
	return time.Date(months/12, time.Month(months%12+1), 1, 0, 0, 0, 0, time.UTC)
}

func timeAxis(from, to time.Time) axis {
	return axis{low: float64(from.UnixMilli()), high: float64(to.UnixMilli())}
}

// tickLayout returns a layout that shows what differs from tick to tick. A tick at midnight shows
// the day that begins.
func tickLayout(t time.Time, step time.Duration) string {
	switch {
	case step >= day || t.Equal(t.Truncate(day)):
		return "2 Jan"
	case step >= time.Minute:
		return "15:04"
	case step >= time.Second:
		return "15:04:05"
	}
	return "05.00"
}

// momentLayout returns the layout for a moment that stands for a step of this length.
func momentLayout(step time.Duration) string {
	switch {
	case step >= day:
		return "2 Jan 2006"
	case step >= time.Minute:
		return "2 Jan 15:04"
	case step >= time.Second:
		return "2 Jan 15:04:05"
	}
	return "2 Jan 15:04:05.00"
}

// dates returns the dates of a period, without repeating the month or the year if both ends share
// it.
func dates(from, to time.Time) string {
	const date = "2\u00a0January 2006"
	switch {
	case from.Truncate(day).Equal(to.Truncate(day)):
		return from.Format(date)
	case from.Year() == to.Year() && from.Month() == to.Month():
		return from.Format("2") + " to " + to.Format(date)
	case from.Year() == to.Year():
		return from.Format("2\u00a0January") + " to " + to.Format(date)
	}
	return from.Format(date) + " to " + to.Format(date)
}

// when returns a period in UTC: its dates, and its clock times if it is within one day.
func when(from, to time.Time) []string {
	const clock = "15:04"
	switch {
	case !from.Truncate(day).Equal(to.Truncate(day)):
		return []string{dates(from, to) + " UTC"}
	case from.Truncate(time.Minute).Equal(to.Truncate(time.Minute)):
		return []string{dates(from, to), from.Format(clock) + " UTC"}
	}
	return []string{dates(from, to), from.Format(clock) + " to " + to.Format(clock) + " UTC"}
}

// howLong writes a duration in its two largest units.
func howLong(d time.Duration) string {
	units := []struct {
		name string
		unit time.Duration
	}{{"d", day}, {"h", time.Hour}, {"min", time.Minute}, {"s", time.Second}}
	for i, u := range units[:len(units)-1] {
		if d >= u.unit {
			next := units[i+1]
			return fmt.Sprintf("%d\u00a0%s %d\u00a0%s", d/u.unit, u.name, d%u.unit/next.unit, next.name)
		}
	}
	if d >= 10*time.Second || d == 0 {
		return fmt.Sprintf("%d\u00a0s", d/time.Second)
	}
	return latencyLabel(d.Milliseconds())
}
