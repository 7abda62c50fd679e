package rawjson

import "strings"

// TextOf returns the value if it is a string that is not empty, else nil.
func TextOf(value []byte) []byte {
	if IsString(value) && len(value) > len(`""`) {
		return value
	}
	return nil
}

// IsBlank reports whether a string is nil, or holds nothing but white space.
func IsBlank(text []byte) bool {
	if text == nil {
		return true
	}
	for i := 1; i < len(text)-1; i++ {
		switch c := text[i]; {
		case c == ' ':
		case c == '\\' && (text[i+1] == 'n' || text[i+1] == 't' || text[i+1] == 'r'):
			i++
		default:
			return false
		}
	}
	return true
}

// SaysNothing reports whether the value of an error member says that there is no error: null,
// false, 0, an empty value, a word such as "ok", or an array or object that holds nothing else.
// Gateways put such members beside good answers.
func SaysNothing(value []byte) bool {
	if len(value) == 0 {
		return true
	}
	switch value[0] {
	case 'n', 'f':
		return true
	case '"':
		return IsBlank(value) || isSuccess(value)
	case '[':
		nothing := true
		Elements(value, func(element []byte) bool {
			nothing = SaysNothing(element)
			return nothing
		})
		return nothing
	case '{':
		for w := WalkAt(value, 0); w.Next(); {
			if !SaysNothing(w.Value()) && !isSuccess(w.Value()) {
				return false
			}
		}
		return true
	}
	return value[0] == '0' && strings.Trim(string(value), "0.") == ""
}

// isSuccess reports whether a value is one with which servers say that there is no error.
func isSuccess(value []byte) bool {
	switch strings.ToLower(string(value[:min(len(value), 16)])) {
	case "200", `"200"`, `"0"`, `"ok"`, `"success"`, `"none"`, `"null"`:
		return true
	}
	return false
}
