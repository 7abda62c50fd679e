package sim

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

var errRate = errors.New("want a limit a minute, limits in turn like 6000,1800/10s, or a rising limit like 600+300/s")

// rate makes the setter of a limit and of how the limit changes: 6000, or 6000,1800/10s, or
// 600+300/s.
func rate(fields func(*Options) (*int, *Change)) func(*Options, string) error {
	return func(o *Options, v string) error {
		limit, change := fields(o)
		limits, every, moves := strings.Cut(v, "/")
		if !moves {
			return count(func(*Options) *int { return limit })(o, v)
		}
		numbers, rises := numbersOf(limits)
		length, err := lengthOf(every)
		if err != nil || rises && len(numbers) != 2 || len(numbers) < 2 {
			return errRate
		}
		*limit, *change = numbers[0], Change{Every: length, Turns: numbers[1:]}
		if rises {
			*change = Change{Every: length, Rise: numbers[1]}
		}
		return nil
	}
}

// numbersOf reads numbers above 0, separated by commas, or by a plus sign for a rise. Decoding a
// query turns a plus sign into a space, so a space counts as a plus sign. If the text is wrong,
// there are no numbers.
func numbersOf(text string) (numbers []int, rises bool) {
	text = strings.ReplaceAll(text, " ", "+")
	rises = strings.Contains(text, "+")
	for part := range strings.SplitSeq(strings.ReplaceAll(text, "+", ","), ",") {
		n, err := strconv.ParseInt(part, 10, 32)
		if err != nil || n <= 0 {
			return nil, rises
		}
		numbers = append(numbers, int(n))
	}
	return numbers, rises
}

// lengthOf reads a length of time above 0, whose number may be left out: s is a second.
func lengthOf(text string) (time.Duration, error) {
	if text != "" && text[0] > '9' {
		text = "1" + text
	}
	d, err := time.ParseDuration(text)
	if err == nil && d <= 0 {
		err = errRate
	}
	return d, err
}
