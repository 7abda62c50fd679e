package flags

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"llmpipe/ledger/price"
	"llmpipe/stream/naming"
	"llmpipe/stream/ui"
)

// Values make the parser read numbers and durations in the forms that people write, with errors
// that show the right form.
var Values = []kong.Option{
	reads(parseDuration),
	reads(parseCount),
	reads(parseSome),
	reads(func(text string) (uint64, error) {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return 0, notWhole(text)
		}
		return n, nil
	}),
	reads(func(text string) (float64, error) {
		n, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
		if err != nil {
			return 0, ui.WithHint("write a number, such as 20 or 2.5", fmt.Errorf("%q is not a number", naming.Short(text)))
		}
		return n, nil
	}),
}

// reads makes the parser use parse for values of type T.
func reads[T any](parse func(string) (T, error)) kong.Option {
	return kong.TypeMapper(reflect.TypeFor[T](), kong.MapperFunc(func(ctx *kong.DecodeContext, target reflect.Value) error {
		var text string
		if err := ctx.Scan.PopValueInto("value", &text); err != nil {
			return err
		}
		value, err := parse(text)
		if err == nil {
			target.Set(reflect.ValueOf(value))
		}
		return err
	}))
}

func parseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err == nil {
		return d, nil
	}
	hint := "add a unit: 30s, 10m, 2h"
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		hint = text + "s is seconds, " + text + "m minutes, " + text + "h hours"
	}
	return 0, ui.WithHint(hint, fmt.Errorf("%q is not a duration", naming.Short(text)))
}

// parseCount reads a number of things: 500, 10k, 2M.
func parseCount(text string) (int, error) {
	const most = 1e15 // a float64 holds it exactly, and nobody needs more
	digits, unit := text, 1
	for letter, n := range map[string]int{"k": 1e3, "K": 1e3, "M": 1e6} {
		if rest, ok := strings.CutSuffix(text, letter); ok {
			digits, unit = rest, n
		}
	}
	n, err := strconv.ParseFloat(digits, 64)
	if n *= float64(unit); err != nil || n != math.Trunc(n) || math.Abs(n) > most || strings.ContainsAny(digits, "eExXpP_") {
		return 0, notWhole(text)
	}
	return int(n), nil
}

func notWhole(text string) error {
	return ui.WithHint("write a whole number, such as 500, 10k or 2M", fmt.Errorf("%q is not a whole number", naming.Short(text)))
}

// Some is a number of records above 0.
type Some int

func parseSome(text string) (Some, error) {
	n, err := parseCount(text)
	if err == nil && n < 1 {
		err = ui.WithHint("leave it out to send all records; --dry-run sends none", errors.New("it must be 1 or more"))
	}
	return Some(n), err
}

// amountHint is for amounts that are not valid. A shell turns $5 into nothing, and $50 into 0.
const amountHint = "write 5 or 0.25, for example, without the $: to a shell, $5 is a variable"

// Amount is a number of US dollars, as in 5, 0.25 or $12.50, read exactly.
type Amount price.Dollars

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *Amount) UnmarshalText(text []byte) error {
	d, err := price.ParseDollars(strings.TrimPrefix(string(text), "$"))
	if err != nil || d <= 0 {
		return ui.WithHint(amountHint, fmt.Errorf("%q is not an amount of US dollars above 0", naming.Short(text)))
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
		return ui.WithHint("write 1000000, 512KiB or 64MiB, for example", fmt.Errorf("%q is not a number of bytes", naming.Short(string(text))))
	}
	unit, ok := map[string]int{
		"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "kB": 1e3, "MB": 1e6, "GB": 1e9,
	}[string(text[len(digits):])]
	if !ok {
		return ui.WithHint("use one of the units B, KiB, MiB, GiB, kB, MB and GB",
			fmt.Errorf("%q has an unknown unit", naming.Short(string(text))))
	}
	*s = Size(n * unit)
	return nil
}
