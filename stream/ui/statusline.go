package ui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// part is a piece of the status line. If the terminal is too narrow for all parts, those of the
// highest rank are left out first.
type part struct {
	rank int
	text string
}

// anyWidth is wider than any line.
const anyWidth = 1 << 10

// line returns the status in at most width columns. It is plain ASCII, so that a byte is a column.
func (s *Status) line(width int) string {
	parts := s.parts()
	byRank := slices.SortedFunc(slices.Values(parts), func(a, b part) int { return cmp.Compare(a.rank, b.rank) })
	const gap = 2
	left := min(width, anyWidth) + gap
	fits := map[int]bool{}
	for _, p := range byRank {
		if n := len(p.text) + gap; n <= left {
			fits[p.rank] = true
			left -= n
		}
	}
	var kept []string
	for _, p := range parts {
		if fits[p.rank] {
			kept = append(kept, p.text)
		}
	}
	if len(kept) == 0 {
		return byRank[0].text[:min(max(width, 0), len(byRank[0].text))]
	}
	return strings.Replace(strings.Join(kept, "  "), "]  ", "] ", 1)
}

// parts returns the parts of the line that are not empty, from left to right.
func (s *Status) parts() []part {
	var parts []part
	add := func(rank int, text string) {
		if text != "" {
			parts = append(parts, part{rank, text})
		}
	}
	add(6, s.bar())
	add(2, s.progress())
	add(5, s.percent())
	add(1, s.State)
	add(7, perTime(s.PerSecond))
	add(8, fmt.Sprintf("in flight %d/%d", s.InFlight, s.Allowed))
	add(12, s.lanes())
	add(10, ofLimit("rpm ", s.RPM, s.RPMLimit))
	add(11, ofLimit("tpm ", s.TPM, s.TPMLimit))
	if s.Sleeping > 0 {
		add(9, fmt.Sprintf("retry %d", s.Sleeping))
	}
	if s.Held > 0 {
		add(14, "held back "+Grouped(s.Held))
	}
	if s.Reasked > 0 {
		add(13, fmt.Sprintf("asked again %d", s.Reasked))
	}
	add(3, s.money())
	if s.ETA > 0 {
		add(4, "eta "+Duration(time.Duration(s.ETA*float64(time.Second))))
	}
	return parts
}

// share returns how much of the work is done, 0 to 1. It reports false if the total is unknown.
func (s *Status) share() (float64, bool) {
	if s.Total <= 0 {
		return 0, false
	}
	return min(float64(s.Done)/float64(s.Total), 1), true
}

// bar returns a bar that shows the share.
func (s *Status) bar() string {
	const cells = 14
	share, ok := s.share()
	if !ok {
		return ""
	}
	n := int(share * cells)
	if n == cells {
		return "[" + strings.Repeat("=", cells) + "]"
	}
	return "[" + strings.Repeat("=", n) + ">" + strings.Repeat(" ", cells-n-1) + "]"
}

// progress returns how many records are done, and of how many.
func (s *Status) progress() string {
	switch {
	case s.Total <= 0:
		return Grouped(s.Done)
	case s.Estimated:
		return Grouped(s.Done) + "/~" + Grouped(s.Total)
	}
	return Grouped(s.Done) + "/" + Grouped(s.Total)
}

func (s *Status) percent() string {
	share, ok := s.share()
	if !ok {
		return ""
	}
	return fmt.Sprintf("%d%%", int(share*100))
}

// money returns what was spent, the budget if there is one, and how much of the spending is
// simulated.
func (s *Status) money() string {
	text := ""
	switch {
	case s.Budget > 0:
		text = USD(int64(s.Spent)) + "/" + USD(int64(s.Budget))
	case s.Spent > 0:
		text = USD(int64(s.Spent))
	}
	switch {
	case s.Rehearsal:
		text += Simulated(true)
	case s.SimulatedSpent > 0:
		text += " (" + USD(int64(s.SimulatedSpent)) + " simulated)"
	}
	return strings.TrimSpace(text)
}

// lanes returns how many requests are in flight in each lane, if there are several.
func (s *Status) lanes() string {
	var each []string
	for _, l := range s.Lanes {
		if l.Open {
			each = append(each, "down")
		} else {
			each = append(each, fmt.Sprintf("%d/%d", l.InFlight, l.Allowed))
		}
	}
	if each == nil {
		return ""
	}
	return "lanes " + strings.Join(each, " ")
}

func ofLimit(name string, used, limit int) string {
	if limit == 0 {
		return ""
	}
	return name + short(used) + "/" + short(limit)
}
