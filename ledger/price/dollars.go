package price

import (
	"fmt"
	"math"
	"strconv"
)

// Dollars is an amount in billionths of a US dollar. As JSON and as text it is written in dollars,
// exactly: 13800 is 0.0000138.
type Dollars int64

const (
	nanosPerDollar = 1_000_000_000
	nanosDigits    = 9 // the most decimals that an amount in dollars has
)

// Append appends the amount in decimal, with no more decimals than it needs. The amount must not be
// negative.
func (d Dollars) Append(dst []byte) []byte {
	dst = strconv.AppendInt(dst, int64(d/nanosPerDollar), 10)
	rest := d % nanosPerDollar
	if rest == 0 {
		return dst
	}
	dst = append(dst, '.')
	for unit := Dollars(nanosPerDollar / 10); rest > 0; unit /= 10 {
		dst = append(dst, byte('0'+rest/unit))
		rest %= unit
	}
	return dst
}

func (d Dollars) String() string { return string(d.Append(nil)) }

// MarshalJSON writes a JSON number.
func (d Dollars) MarshalJSON() ([]byte, error) { return d.Append(nil), nil }

// UnmarshalJSON reads a JSON number, exactly.
func (d *Dollars) UnmarshalJSON(text []byte) (err error) {
	*d, err = ParseDollars(string(text))
	return err
}

// ParseDollars reads what String writes: a decimal number with at most nine decimals, not negative.
func ParseDollars(s string) (Dollars, error) {
	d, ok := ReadDollars([]byte(s))
	if !ok {
		return 0, fmt.Errorf("%q is not an amount of dollars", s)
	}
	return d, nil
}

// ReadDollars is [ParseDollars] without allocations, for many numbers.
func ReadDollars(text []byte) (Dollars, bool) {
	point, nanos := -1, int64(0)
	for i, b := range text {
		if b == '.' && point < 0 {
			point = i
			continue
		}
		digit := int64(b) - '0'
		if b < '0' || b > '9' || nanos > (math.MaxInt64-digit)/10 {
			return 0, false
		}
		nanos = 10*nanos + digit
	}
	decimals := 0
	if point >= 0 {
		decimals = len(text) - point - 1
	}
	if len(text) == 0 || point == 0 || point > 0 && decimals == 0 || decimals > nanosDigits {
		return 0, false
	}
	for ; decimals < nanosDigits; decimals++ {
		if nanos > math.MaxInt64/10 {
			return 0, false
		}
		nanos *= 10
	}
	return Dollars(nanos), true
}
