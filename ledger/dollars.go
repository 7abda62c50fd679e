package ledger

import "fmt"

// Dollars is an amount in billionths of a US dollar. As JSON and as text it is in dollars, exactly.
type Dollars int64

func (d Dollars) String() string { return string(appendCost(nil, int64(d), true)) }

// MarshalJSON writes a JSON number.
func (d Dollars) MarshalJSON() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalJSON reads a JSON number, exactly.
func (d *Dollars) UnmarshalJSON(text []byte) (err error) {
	*d, err = ParseDollars(string(text))
	return err
}

// ParseDollars reads what String writes: a decimal number with at most nine decimals, not below zero.
func ParseDollars(s string) (Dollars, error) {
	nanos, known, ok := parseCost([]byte(s))
	if !ok || !known {
		return 0, fmt.Errorf("%q is not an amount of dollars", s)
	}
	return Dollars(nanos), nil
}
