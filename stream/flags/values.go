package flags

import (
	"fmt"
	"strconv"
	"strings"

	"llmpipe/ledger/price"
)

// Amount is a number of US dollars, as in 5, 0.25 or $12.50, read exactly.
type Amount price.Dollars

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *Amount) UnmarshalText(text []byte) error {
	d, err := price.ParseDollars(strings.TrimPrefix(string(text), "$"))
	if err != nil || d <= 0 {
		return fmt.Errorf("%q is not an amount of US dollars above 0, such as 5 or 0.25", text)
	}
	*a = Amount(d)
	return nil
}

// Size is a number of bytes, as in 64MiB or 1000000.
type Size int

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Size) UnmarshalText(text []byte) error {
	digits := strings.TrimRight(string(text), "kKMGiB")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 {
		return fmt.Errorf("%q is not a number of bytes: 1000000, 512KiB, 64MiB", text)
	}
	unit, ok := map[string]int{
		"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "kB": 1e3, "MB": 1e6, "GB": 1e9,
	}[string(text[len(digits):])]
	if !ok {
		return fmt.Errorf("%q has no unit that is known: B, KiB, MiB, GiB, kB, MB, GB", text)
	}
	*s = Size(n * unit)
	return nil
}
