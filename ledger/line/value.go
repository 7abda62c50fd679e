package line

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"llmpipe/ledger/price"
)

// appendText writes a member, unless it is empty.
func appendText(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(append(append(dst, `,"`...), name...), `":`...)
	// The error says only that bytes that are not UTF-8 were replaced. That is what a message from
	// elsewhere needs.
	dst, _ = jsontext.AppendQuote(dst, value)
	return dst
}

// appendNumber writes a member, unless it is zero.
func appendNumber(dst []byte, name string, value int64) []byte {
	if value == 0 {
		return dst
	}
	dst = append(append(append(dst, `,"`...), name...), `":`...)
	return strconv.AppendInt(dst, value, 10)
}

// appendFlag writes a member that is true, and nothing for false.
func appendFlag(dst []byte, name string, value bool) []byte {
	if !value {
		return dst
	}
	return append(append(append(dst, `,"`...), name...), `":true`...)
}

// appendCost writes a cost in dollars, or null if it is not known.
func appendCost(dst []byte, nanos int64, known bool) []byte {
	if !known {
		return append(dst, "null"...)
	}
	return price.Dollars(nanos).Append(dst)
}

// appendAmount writes a member in dollars, unless it is zero.
func appendAmount(dst []byte, name string, nanos int64) []byte {
	if nanos == 0 {
		return dst
	}
	dst = append(append(append(dst, `,"`...), name...), `":`...)
	return appendCost(dst, nanos, true)
}

// parseCost parses what appendCost writes.
func parseCost(text []byte) (nanos int64, known, ok bool) {
	if string(text) == "null" {
		return 0, false, true
	}
	cost, ok := price.ReadDollars(text)
	return int64(cost), ok, ok
}

// parseInt parses a number of decimal digits only.
func parseInt(text []byte) (int64, bool) {
	if len(text) == 0 {
		return 0, false
	}
	var v int64
	for _, b := range text {
		if b < '0' || b > '9' || v > (1<<63-1-int64(b-'0'))/10 {
			return 0, false
		}
		v = v*10 + int64(b-'0')
	}
	return v, true
}

const badDigit = 0xff

// hexDigit holds the value of every lower-case hexadecimal digit. Upper case is refused: a flipped
// bit must not pass for the same digit.
var hexDigit = func() (table [256]byte) {
	for i := range table {
		table[i] = badDigit
	}
	for i := range 16 {
		table["0123456789abcdef"[i]] = byte(i)
	}
	return table
}()

// parseHex parses up to 16 digits.
func parseHex(text []byte) (uint64, bool) {
	var v uint64
	var seen byte
	for _, b := range text {
		d := hexDigit[b]
		seen |= d
		v = v<<4 | uint64(d&0xf)
	}
	return v, seen != badDigit
}

// appendHex writes v as 16 digits.
func appendHex(dst []byte, v uint64) []byte {
	for shift := 60; shift >= 0; shift -= 4 {
		dst = append(dst, "0123456789abcdef"[v>>shift&0xf])
	}
	return dst
}
