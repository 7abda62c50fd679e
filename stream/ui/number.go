package ui

import (
	"fmt"
	"strconv"
	"time"

	"llmpipe/ledger/price"
)

// perTime returns a rate per second, or per minute if it is less than one per second; "" if it is
// zero.
func perTime(perSecond float64) string {
	switch {
	case perSecond <= 0:
		return ""
	case perSecond < 1:
		return fmt.Sprintf("%.2g/min", perSecond*60)
	case perSecond < 10:
		return fmt.Sprintf("%.1f/s", perSecond)
	}
	return Grouped(int64(perSecond+0.5)) + "/s"
}

// Grouped returns n with thousands separators, as in 12,345.
func Grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// short returns n in a few digits: from 10,000 on in thousands, with a k, and from ten million on
// in millions, with an M.
func short(n int) string {
	switch {
	case n < 10_000:
		return strconv.Itoa(n)
	case n < 10_000_000:
		return strconv.Itoa(n/1000) + "k"
	}
	return strconv.Itoa(n/1_000_000) + "M"
}

// Duration returns d for people: in seconds, or in its two largest units.
func Duration(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%02dh", int(d.Hours())/24, int(d.Hours())%24)
}

// Number returns a count with its noun.
func Number(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return Grouped(n) + " " + thing + "s"
}

// Bytes returns a number of bytes for people, in units of a thousand.
func Bytes(n int64) string {
	size := float64(n)
	for _, unit := range [...]string{"bytes", "kB", "MB"} {
		if size < 1000 {
			return fmt.Sprintf("%.4g %s", size, unit)
		}
		size /= 1000
	}
	return fmt.Sprintf("%.4g GB", size)
}

// USD returns an amount, given in billionths of a dollar, for people. The smaller the amount, the
// more decimals it shows.
func USD(nanos int64) string {
	digits := 2
	switch {
	case nanos == 0:
	case nanos < 1e7:
		digits = 6
	case nanos < 1e9:
		digits = 4
	}
	return fmt.Sprintf("$%.*f", digits, float64(nanos)/1e9)
}

// Simulated returns a mark for what the simulated provider made up, such as a cost that is never
// billed; "" for what is real.
func Simulated(is bool) string {
	if is {
		return " (simulated)"
	}
	return ""
}

// Sum returns an amount as USD shows it, and how much of it is simulated.
func Sum(nanos, simulated int64) string {
	if 0 < simulated && simulated < nanos {
		return USD(nanos) + " (" + USD(simulated) + " of it simulated)"
	}
	return USD(nanos) + Simulated(simulated > 0)
}

// Amount returns d as USD shows it, or a question mark if it is unknown.
func Amount(d *price.Dollars) string {
	if d == nil {
		return "?"
	}
	return USD(int64(*d))
}

// elapsed returns a run's time for people, in tenths of a second if it is under a minute.
func elapsed(seconds float64) string {
	if seconds < 60 {
		return fmt.Sprintf("%.1f s", seconds)
	}
	return Duration(time.Duration(seconds * float64(time.Second)))
}

// Wait returns the rest of a wait for people, rounded up to whole seconds.
func Wait(d time.Duration) string { return Duration((d + time.Second - 1).Truncate(time.Second)) }
