package record

import (
	"fmt"
	"maps"
	"slices"

	"llmpipe/stream/record/rawjson"
)

// What a template sees of a record. Strings and booleans are Go's.
type (
	object map[string]any
	array  []any
	number string         // as it is spelt, so that 9007199254740993 stays what it is
	null   map[string]any // always nil, so that a template takes it for false
)

// nullMark is how null prints. It is invalid UTF-8, so no prompt that contains it is sent, and no
// valid text contains it.
const nullMark = "\xff\xfenull\xfe\xff"

func (o object) String() string { return string(appendJSON(nil, o)) }
func (a array) String() string  { return string(appendJSON(nil, a)) }
func (null) String() string     { return nullMark }

// fields lists the names of the fields, for a message.
func (o object) fields() string {
	if len(o) == 0 {
		return "the record is empty"
	}
	return "the record has " + listed(slices.Sorted(maps.Keys(o)))
}

// valueAt returns the Go value of the JSON that begins at i, and the position after it. It recurses
// as deep as the JSON nests, which [rawjson.Valid] bounds at 10,000.
func valueAt(src []byte, i int) (any, int) {
	switch src[i] {
	case '{':
		return objectAt(src, i)
	case '[':
		return arrayAt(src, i)
	}
	end := rawjson.SkipValue(src, i)
	switch token := src[i:end]; {
	case rawjson.IsNull(token):
		return null(nil), end
	case rawjson.IsString(token):
		return string(rawjson.Unquote(nil, token)), end
	case rawjson.IsNumber(token):
		return number(token), end
	}
	return src[i] == 't', end
}

// objectAt returns the object at i, and the position after it. If a name comes twice, the last one
// counts.
func objectAt(src []byte, i int) (object, int) {
	o := object{}
	for i = rawjson.SkipSpace(src, i+1); src[i] != '}'; {
		end := rawjson.SkipString(src, i)
		name := string(rawjson.Unquote(nil, src[i:end]))
		colon := rawjson.SkipSpace(src, end)
		o[name], i = valueAt(src, rawjson.SkipSpace(src, colon+1))
		if i = rawjson.SkipSpace(src, i); src[i] == ',' {
			i = rawjson.SkipSpace(src, i+1)
		}
	}
	return o, i + 1
}

func arrayAt(src []byte, i int) (array, int) {
	list := array{}
	for i = rawjson.SkipSpace(src, i+1); src[i] != ']'; {
		var value any
		value, i = valueAt(src, i)
		list = append(list, value)
		if i = rawjson.SkipSpace(src, i); src[i] == ',' {
			i = rawjson.SkipSpace(src, i+1)
		}
	}
	return list, i + 1
}

// appendJSON appends a value as JSON. The keys of objects are sorted.
func appendJSON(dst []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return rawjson.AppendQuoted(dst, v)
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
			dst = rawjson.AppendQuoted(dst, key)
			dst = append(dst, ':')
			dst = appendJSON(dst, v[key])
		}
		return append(dst, '}')
	}
	// A template's own literals and the results of its functions: numbers, and what prints as text.
	if text := fmt.Sprint(v); rawjson.Valid([]byte(text)) {
		return append(dst, text...)
	}
	return rawjson.AppendQuoted(dst, fmt.Sprint(v))
}
