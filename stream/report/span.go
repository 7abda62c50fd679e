package report

import (
	"time"

	"llmpipe/ledger/report"
)

// timeScale maps times to places along a chart, in per cent. Idle time between spans becomes a gap.
// All gaps have the same width, whatever their length in time.
type timeScale struct {
	line  *report.Timeline
	step  float64 // the width of a step
	cut   float64 // the width of a gap
	lefts []float64
}

// mostCut is how much of a chart all gaps may take together, and oneCut how much one may take, in
// per cent.
const mostCut, oneCut = 25.0, 3.0

func newTimeScale(line *report.Timeline) *timeScale {
	s := &timeScale{line: line}
	gaps := float64(max(len(line.Spans)-1, 0))
	if gaps > 0 {
		s.cut = min(oneCut, mostCut/gaps)
	}
	s.step = (100 - gaps*s.cut) / float64(max(line.Steps(), 1))
	left := 0.0
	for i := range line.Spans {
		s.lefts = append(s.lefts, left)
		left += s.step*float64(len(line.Spans[i].Moments)) + s.cut
	}
	return s
}

// at returns the place of a time within the i-th span.
func (s *timeScale) at(i int, when time.Time) float64 {
	return s.lefts[i] + s.step*float64(when.Sub(s.line.Spans[i].Start))/float64(s.line.Step)
}

// right returns where the i-th span ends.
func (s *timeScale) right(i int) float64 { return s.at(i, s.line.End(i)) }

// cut is a gap in a chart for time in which nothing happened.
type cut struct {
	At, Width, Text string
	Thin            bool // too narrow for a border
}

// cuts returns all gaps.
func (s *timeScale) cuts() (cuts []cut) {
	const border = 1.0
	for i := range s.lefts {
		if i > 0 {
			idle := s.line.Spans[i].Start.Sub(s.line.End(i - 1))
			cuts = append(cuts, cut{
				At: percent(s.right(i - 1)), Width: percent(s.cut), Text: howLong(idle) + " without requests", Thin: s.cut < border,
			})
		}
	}
	return cuts
}

// ticks returns the ticks of all spans, at round times in UTC. If there are gaps, each span with
// enough room also has a label for its beginning.
func (s *timeScale) ticks() []tick {
	if len(s.line.Spans) == 1 {
		return timeTicks(s.line.Spans[0].Start, s.line.End(0))
	}
	// The room for the label of a span's beginning on a wide page and on a narrow one, and for other
	// labels.
	const wide, narrow, short = 13.0, 30.0, 9.0
	var active time.Duration
	for i := range s.line.Spans {
		active += s.line.End(i).Sub(s.line.Spans[i].Start)
	}
	layout := momentLayout(time.Minute)
	if active < time.Minute {
		layout = momentLayout(time.Second)
	}
	var ticks []tick
	last, lastMajor := -wide, -narrow // the place of the last label, and of the last that stays on a narrow page
	add := func(at float64, label string) {
		minor := at < lastMajor+narrow
		ticks = append(ticks, tick{At: percent(at), Label: label, Minor: minor})
		if last = at; !minor {
			lastMajor = at
		}
	}
	for i := range s.line.Spans {
		from, to := s.line.Spans[i].Start, s.line.End(i)
		if s.lefts[i] >= last+short {
			add(s.lefts[i], from.Format(layout))
			last += wide - short
		}
		end := 100.0
		if i+1 < len(s.lefts) {
			end = s.lefts[i+1] - short
		}
		if step := timeStep(active); step > 0 {
			for t := from.Add(step - 1).Truncate(step); !t.After(to); t = t.Add(step) {
				if at := s.at(i, t); at >= last+short && at <= end {
					add(at, t.Format(tickLayout(t, step)))
				}
			}
		}
	}
	return ticks
}
