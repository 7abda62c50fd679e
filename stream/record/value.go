package record

import (
	"fmt"
	"maps"
	"slices"
)

// What a template sees of a record. Strings and booleans are Go's.
type (
	object map[string]any
	array  []any
	number string         // as it is spelt, so that 9007199254740993 stays what it is
	null   map[string]any // always nil, so that a template takes it for false
)

// nullMark is how null prints: as what is no UTF-8, so that no prompt with it goes out, and no other text holds it by chance.
const nullMark = "\xff\xfenull\xfe\xff"

func (o object) String() string { return string(appendJSON(nil, o)) }
func (a array) String() string  { return string(appendJSON(nil, a)) }
func (null) String() string     { return nullMark }

// valueFrom returns the Go value of valid JSON. It recurs as deep as the JSON nests, which the check before bounds at 10,000.
func valueFrom(src []byte) any {
	switch {
	case isNull(src):
		return null(nil)
	case isString(src):
		return string(unquote(nil, src))
	case isNumber(src):
		return number(src)
	case src[0] == '[':
		list := array{}
		elements(src, func(value []byte) bool {
			list = append(list, valueFrom(value))
			return true
		})
		return list
	case src[0] == '{':
		return objectOf(src)
	}
	return src[0] == 't'
}

// objectOf returns an object's members; of names that come twice the last counts.
func objectOf(src []byte) object {
	members := appendMembers(nil, src, 0)
	o := make(object, len(members))
	for _, m := range members {
		o[string(unquote(nil, m.key.of(src)))] = valueFrom(m.value.of(src))
	}
	return o
}

// appendJSON appends a value as JSON, an object's keys sorted.
func appendJSON(dst []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return appendQuoted(dst, v)
	case number:
		return append(dst, v...)
	case null, nil:
		return append(dst, "null"...)
	case bool:
		if v {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case array:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendJSON(dst, e)
		}
		return append(dst, ']')
	case object:
		dst = append(dst, '{')
		for i, key := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendQuoted(dst, key)
			dst = append(dst, ':')
			dst = appendJSON(dst, v[key])
		}
		return append(dst, '}')
	}
	// A template's own literals and the results of its functions: numbers, and what prints as text.
	if text := fmt.Sprint(v); isValid([]byte(text)) {
		return append(dst, text...)
	}
	return appendQuoted(dst, fmt.Sprint(v))
}
