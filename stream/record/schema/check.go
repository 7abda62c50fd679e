package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"llmpipe/stream/record/rawjson"
)

// maxChecked is the longest answer that is checked, in bytes: a quarter of a million tokens, more
// than any model writes. It also bounds the violations, because every item of an answer can be one.
const maxChecked = 1 << 20

// Check returns the JSON value of an answer, without white space between its tokens, or why the
// answer does not fit. White space and a code fence around the value do not count; any other text
// around it does, and makes the answer not fit.
func (s *Schema) Check(content []byte) (parsed []byte, wrong *Violations) {
	text := unfence(content)
	if len(text) > maxChecked {
		return nil, fault("", fmt.Sprintf("the answer is %d bytes long, and at most %d are checked", len(text), maxChecked))
	}
	value, err := decode(text)
	if err != nil {
		return nil, fault("", "the answer is not one JSON value: "+err.Error())
	}
	err = s.whole.Validate(value)
	var violations *jsonschema.ValidationError
	switch {
	case err == nil:
		return rawjson.Compact(nil, text), nil
	case errors.As(err, &violations):
		return nil, report(violations)
	}
	return nil, fault("", err.Error())
}

// unfence removes the white space around a text, and the code fence around it, with or without the
// name of a language.
func unfence(text []byte) []byte {
	text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")))
	const fence = "```"
	inner, ok := bytes.CutPrefix(text, []byte(fence))
	if !ok {
		return text
	}
	inner, ok = bytes.CutSuffix(inner, []byte(fence))
	if !ok {
		return text
	}
	if first, rest, more := bytes.Cut(inner, []byte("\n")); more && isLanguage(bytes.TrimSpace(first)) {
		inner = rest
	}
	return bytes.TrimSpace(inner)
}

// isLanguage reports whether the word after a fence can be the name of a language, such as json. An
// empty word can.
func isLanguage(word []byte) bool {
	return !bytes.ContainsFunc(word, func(c rune) bool { return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') })
}

// decode reads one JSON value. Its numbers keep their digits.
func decode(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("it is empty")
		}
		return nil, err
	}
	if rest := bytes.TrimSpace(text[d.InputOffset():]); len(rest) > 0 {
		return nil, fmt.Errorf("something follows the value at byte %d", len(text)-len(rest)+1)
	}
	return v, checkNumbers(v)
}

// Bounds on a number. Numbers are compared exactly, and an exponent stands for as many digits.
const (
	maxDigits   = 1000
	maxExponent = 1000
)

// checkNumbers refuses numbers that would take too long to compare.
func checkNumbers(v any) error {
	switch v := v.(type) {
	case json.Number:
		_, exponent, _ := strings.Cut(strings.ToLower(string(v)), "e")
		n, err := strconv.Atoi(exponent)
		if len(v) > maxDigits || exponent != "" && (err != nil || n > maxExponent || n < -maxExponent) {
			return errors.New("a number in it is out of range")
		}
	case []any:
		for _, item := range v {
			if err := checkNumbers(item); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, item := range v {
			if err := checkNumbers(item); err != nil {
				return err
			}
		}
	}
	return nil
}

// Value returns the JSON value of an answer that [Schema.Check] found to fit, without white space
// between its tokens.
func Value(content []byte) []byte { return rawjson.Compact(nil, unfence(content)) }
