package price

import (
	"fmt"
	"strconv"
	"strings"
)

// unit is the number of tokens that a table gives a price for, as a power of ten. A fee is what a
// million would be: of a rate of one dollar a million, billionths are the same as of a dollar.
type unit int

const (
	perToken    unit = 0
	perMillion  unit = 6
	perRequest       = perMillion
	perThousand unit = perRequest + 3 // requests
)

// maxRate is more than any price: a million dollars a million tokens. Beyond it the units are
// wrong.
const maxRate Dollars = 1_000_000 * nanosPerDollar

// parseRate reads a JSON number as the price of so many tokens, without making a float of it. What
// is finer than a billionth of a dollar a million tokens is rounded to the nearest, which undoes
// what a table got from floating point: 1.9999999999999998e-06.
func parseRate(number string, of unit) (Dollars, error) {
	fail := func() (Dollars, error) { return 0, fmt.Errorf("%.40q is no price", number) }
	mantissa, exponent := number, 0
	if i := strings.IndexAny(number, "eE"); i >= 0 {
		var err error
		if exponent, err = strconv.Atoi(number[i+1:]); err != nil {
			return fail()
		}
		mantissa = number[:i]
	}
	whole, decimals, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+decimals, "0")
	if whole == "" || strings.Trim(digits, "0123456789") != "" {
		return fail()
	}
	// The rate is 0.digits times ten to the power of length.
	length := len(digits) - len(decimals) + exponent + nanosDigits + int(perMillion-of)
	switch {
	case digits == "" || length < 0:
		return 0, nil
	case length > len(strconv.Itoa(int(maxRate))):
		return fail()
	}
	padded := digits + strings.Repeat("0", max(0, length-len(digits)))
	rate, err := strconv.ParseInt("0"+padded[:length], 10, 64)
	if err != nil {
		return fail()
	}
	if length < len(padded) && padded[length] >= '5' {
		rate++
	}
	if Dollars(rate) > maxRate {
		return fail()
	}
	return Dollars(rate), nil
}
