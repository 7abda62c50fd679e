package price

import (
	"fmt"
	"strconv"
	"strings"
)

// unit is the number of tokens that a table's price is for, as a power of ten. A fee in dollars a
// request has the unit of a million tokens, because parseRate then keeps it in dollars.
type unit int

const (
	perToken    unit = 0
	perMillion  unit = 6
	perRequest       = perMillion
	perThousand unit = perRequest + 3 // requests
)

// maxRate is more than any real price: a million dollars for a million tokens. A larger number has
// the wrong unit.
const maxRate Dollars = 1_000_000 * nanosPerDollar

// parseRate reads a JSON number as the price of so many tokens, without converting it to a float.
// It rounds to the nearest billionth of a dollar for a million tokens. That undoes the
// floating-point errors of tables, such as 1.9999999999999998e-06.
func parseRate(number string, of unit) (Dollars, error) {
	fail := func() (Dollars, error) { return 0, fmt.Errorf("%.40q is not a price", number) }
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
