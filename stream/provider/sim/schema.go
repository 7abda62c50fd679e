package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// fields is a JSON object that keeps the order of its members.
type fields struct {
	names []string
	of    map[string]any
}

// memberOf returns a member of o. It returns nil if o is no object or does not have the member.
func memberOf(o any, name string) any {
	if f, ok := o.(*fields); ok && f != nil {
		return f.of[name]
	}
	return nil
}

// readOrdered reads JSON into fields, []any, string, json.Number, bool and nil. It returns nil for
// what is not JSON.
func readOrdered(raw []byte) any {
	d := jsontext.NewDecoder(bytes.NewReader(raw), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	value, err := decodeOrdered(d)
	if err != nil {
		return nil
	}
	return value
}

func decodeOrdered(d *jsontext.Decoder) (any, error) {
	token, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case '{':
		f := &fields{of: make(map[string]any)}
		for d.PeekKind() == '"' {
			name, err := d.ReadToken()
			if err != nil {
				return nil, err
			}
			key := name.String()
			value, err := decodeOrdered(d)
			if err != nil {
				return nil, err
			}
			if _, ok := f.of[key]; !ok {
				f.names = append(f.names, key)
			}
			f.of[key] = value
		}
		_, err = d.ReadToken()
		return f, err
	case '[':
		list := []any{}
		for kind := d.PeekKind(); kind != ']' && kind != 0; kind = d.PeekKind() {
			value, err := decodeOrdered(d)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err = d.ReadToken()
		return list, err
	case '"':
		return token.String(), nil
	case '0':
		return json.Number(token.String()), nil
	case 't', 'f':
		return token.Bool(), nil
	}
	return nil, nil
}

// appendOrdered appends a value that readOrdered returned, as JSON.
func appendOrdered(dst []byte, value any) []byte {
	switch v := value.(type) {
	case *fields:
		dst = append(dst, '{')
		for i, name := range v.names {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendQuoted(dst, name), ':')
			dst = appendOrdered(dst, v.of[name])
		}
		return append(dst, '}')
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendOrdered(dst, e)
		}
		return append(dst, ']')
	case string:
		return appendQuoted(dst, v)
	case json.Number:
		return append(dst, v...)
	case bool:
		return strconv.AppendBool(dst, v)
	}
	return append(dst, "null"...)
}

// inventor makes up values that fit schemas. It knows JSON Schema as far as OpenAI's structured
// outputs support it, and most of the other keywords that check a value by itself. It ignores
// `not`, `if` and dependencies.
type inventor struct {
	root    any
	hash    uint64
	drawn   uint64
	values  int // made so far, and steps through schemas
	request *request
}

// A schema may be recursive without a way out. From depth deep on there are no optional members and
// no further elements, and of several choices the one that ends soonest is taken. Below depth
// bottom every value is null. After many values the depth counts as deep, and after most of them
// every value is null.
const (
	deep   = 6
	bottom = 40
	many   = 300
	most   = 3000
)

// draw returns the next number of the hash's sequence.
func (v *inventor) draw() uint64 {
	v.drawn++
	return mix(v.hash, v.drawn)
}

// upTo draws a number from 0 to n-1.
func (v *inventor) upTo(n int) int {
	if n <= 1 {
		return 0
	}
	return int(v.draw() % uint64(n))
}

// value appends a value that fits schema.
func (v *inventor) value(dst []byte, schema any, depth int) []byte {
	if v.values++; v.values > many {
		depth = max(depth, deep)
	}
	s, ok := v.resolve(schema, depth).(*fields)
	switch {
	case depth > bottom || v.values > most:
		return append(dst, "null"...)
	case !ok: // true, or no schema
		return v.text(dst, nil)
	}
	if constant, ok := s.of["const"]; ok {
		return appendOrdered(dst, constant)
	}
	if enum, ok := s.of["enum"].([]any); ok && len(enum) > 0 {
		return appendOrdered(dst, enum[v.upTo(len(enum))])
	}
	switch v.kind(s, depth) {
	case "object":
		return v.object(dst, s, depth)
	case "array":
		return v.array(dst, s, depth)
	case "integer":
		return v.number(dst, s, true)
	case "number":
		return v.number(dst, s, false)
	case "boolean":
		return strconv.AppendBool(dst, v.draw()&1 == 0)
	case "null":
		return append(dst, "null"...)
	}
	return v.text(dst, s)
}

// resolve follows references, takes one of several choices, and merges schemas that must hold at
// once.
func (v *inventor) resolve(schema any, depth int) any {
	for ; depth <= bottom && v.values <= most; depth++ {
		v.values++
		s, ok := schema.(*fields)
		if !ok {
			return schema
		}
		next, rest := any(nil), without(s, "$ref", "anyOf", "oneOf", "allOf")
		if ref, ok := s.of["$ref"].(string); ok {
			next = v.follow(ref)
		} else if choices, ok := firstList(s, "anyOf", "oneOf"); ok {
			next = v.choose(choices, depth)
		} else if all, ok := s.of["allOf"].([]any); ok {
			merged := any(rest)
			for _, part := range all {
				merged = merge(merged, v.resolve(part, depth+1))
			}
			return merged
		} else {
			return s
		}
		schema = merge(rest, next)
	}
	return nil
}

func firstList(s *fields, names ...string) ([]any, bool) {
	for _, name := range names {
		if list, ok := s.of[name].([]any); ok && len(list) > 0 {
			return list, true
		}
	}
	return nil, false
}

// without returns s without some of its members.
func without(s *fields, names ...string) *fields {
	rest := &fields{of: make(map[string]any)}
	for _, name := range s.names {
		if !slices.Contains(names, name) {
			rest.names = append(rest.names, name)
			rest.of[name] = s.of[name]
		}
	}
	return rest
}

// merge returns a schema that asks for what both ask for. If both have the same keyword, such as a
// bound, b's value holds; but properties, definitions and required are united.
func merge(a, b any) any {
	x, ok := a.(*fields)
	if !ok || len(x.names) == 0 {
		return b
	}
	y, ok := b.(*fields)
	if !ok {
		return a
	}
	both := without(x)
	for _, name := range y.names {
		value := y.of[name]
		switch before := both.of[name].(type) {
		case nil:
			both.names = append(both.names, name)
		case *fields:
			if name == "properties" || name == "$defs" || name == "definitions" {
				value = mergeMembers(before, value)
			}
		case []any:
			if more, ok := value.([]any); ok && name == "required" {
				value = slices.Concat(before, more)
			}
		}
		both.of[name] = value
	}
	return both
}

func mergeMembers(a *fields, b any) any {
	both := without(a)
	if y, ok := b.(*fields); ok {
		for _, name := range y.names {
			if _, ok := both.of[name]; ok {
				both.of[name] = merge(both.of[name], y.of[name])
				continue
			}
			both.names = append(both.names, name)
			both.of[name] = y.of[name]
		}
	}
	return both
}

// follow returns the schema that a reference within the root schema stands for.
func (v *inventor) follow(ref string) any {
	path, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return nil
	}
	at := v.root
	for name := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		if name == "" {
			continue
		}
		name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
		if list, ok := at.([]any); ok {
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(list) {
				return nil
			}
			at = list[i]
			continue
		}
		at = memberOf(at, name)
	}
	return at
}

// choose takes one of the choices: any of them, or from depth deep on the one that ends soonest.
func (v *inventor) choose(choices []any, depth int) any {
	if depth < deep {
		return choices[v.upTo(len(choices))]
	}
	best, least := choices[0], math.MaxInt
	for _, c := range choices {
		if h := v.height(c, 0); h < least {
			best, least = c, h
		}
	}
	return best
}

// height returns how deep the shallowest value of a schema nests.
func (v *inventor) height(schema any, depth int) int {
	v.values++
	s, ok := schema.(*fields)
	if depth > deep || v.values > most || !ok {
		return depth
	}
	if ref, ok := s.of["$ref"].(string); ok {
		return v.height(v.follow(ref), depth+1)
	}
	if choices, ok := firstList(s, "anyOf", "oneOf"); ok {
		least := math.MaxInt
		for _, c := range choices {
			least = min(least, v.height(c, depth+1))
		}
		return least
	}
	most := depth
	required, _ := s.of["required"].([]any)
	for _, name := range required {
		if name, ok := name.(string); ok {
			most = max(most, v.height(memberOf(s.of["properties"], name), depth+1))
		}
	}
	if whole(s.of["minItems"], 0) > 0 {
		most = max(most, v.height(s.of["items"], depth+1))
	}
	return most
}

// kind returns the type of value to make: one that the schema names, or else the type that its
// other members are about.
func (v *inventor) kind(s *fields, depth int) string {
	switch kind := s.of["type"].(type) {
	case string:
		return kind
	case []any:
		if depth >= deep && slices.Contains(kind, any("null")) {
			return "null"
		}
		if len(kind) > 0 {
			name, _ := kind[v.upTo(len(kind))].(string)
			return name
		}
	}
	for _, about := range [...]struct{ name, kind string }{
		{"properties", "object"}, {"required", "object"}, {"additionalProperties", "object"}, {"minProperties", "object"},
		{"items", "array"}, {"prefixItems", "array"}, {"minItems", "array"}, {"contains", "array"},
		{"minimum", "number"}, {"maximum", "number"}, {"exclusiveMinimum", "number"}, {"exclusiveMaximum", "number"}, {"multipleOf", "number"},
	} {
		if _, ok := s.of[about.name]; ok {
			return about.kind
		}
	}
	return "string"
}

// object appends an object with all required members, most of the others, and as many in all as the
// schema requires.
func (v *inventor) object(dst []byte, s *fields, depth int) []byte {
	known, _ := s.of["properties"].(*fields)
	if known == nil {
		known = &fields{}
	}
	required, _ := s.of["required"].([]any)
	names := make([]string, 0, len(known.names)+len(required))
	atMost := whole(s.of["maxProperties"], math.MaxInt)
	for _, name := range known.names {
		needed := slices.Contains(required, any(name))
		if needed || depth < deep && len(names)+len(required) < atMost && v.upTo(4) > 0 && known.of[name] != false {
			names = append(names, name)
		}
	}
	for _, name := range required {
		if name, ok := name.(string); ok && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	least := whole(s.of["minProperties"], 0)
	for _, name := range known.names {
		if len(names) < least && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for i := 1; len(names) < least; i++ {
		names = append(names, "more_"+strconv.Itoa(i))
	}
	dst = append(dst, '{')
	for i, name := range names {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendQuoted(dst, name), ':')
		schema, ok := known.of[name]
		if !ok {
			schema = s.of["additionalProperties"]
		}
		dst = v.value(dst, schema, depth+1)
	}
	return append(dst, '}')
}

// array appends an array of a few elements, or of as many as the schema requires.
func (v *inventor) array(dst []byte, s *fields, depth int) []byte {
	prefix, _ := s.of["prefixItems"].([]any)
	items := s.of["items"]
	if list, ok := items.([]any); ok { // as it was before draft 2020-12
		prefix, items = list, s.of["additionalItems"]
	}
	least, most := whole(s.of["minItems"], 0), whole(s.of["maxItems"], math.MaxInt)
	n := max(least, len(prefix))
	if depth < deep && items != false {
		n = max(n, 1+v.upTo(3))
	}
	if items == false {
		n = min(n, len(prefix))
	}
	n = min(n, most)
	unique := s.of["uniqueItems"] == true
	var elements [][]byte
	for i := range n {
		schema := items
		if i < len(prefix) {
			schema = prefix[i]
		} else if i == n-1 && s.of["contains"] != nil {
			schema = merge(items, s.of["contains"])
		}
		element := v.value(nil, schema, depth+1)
		same := func(other []byte) bool { return bytes.Equal(element, other) }
		for try := 0; unique && try < 50 && slices.ContainsFunc(elements, same); try++ {
			element = v.value(nil, schema, depth+1)
		}
		if unique && len(elements) >= least && slices.ContainsFunc(elements, same) {
			break // there are no more that differ
		}
		elements = append(elements, element)
	}
	dst = append(dst, '[')
	dst = append(dst, bytes.Join(elements, []byte(","))...)
	return append(dst, ']')
}

// whole returns a value as a count, or otherwise if it is none.
func whole(value any, otherwise int) int {
	number, ok := value.(json.Number)
	if !ok {
		return otherwise
	}
	f, err := number.Float64()
	if err != nil || f < 0 || f > 1e6 {
		return otherwise
	}
	return int(f)
}

// number appends a number within the schema's bounds. Without bounds it is from 0 to 100.
func (v *inventor) number(dst []byte, s *fields, integer bool) []byte {
	low, high := v.bounds(s, integer)
	step := 0.01
	if integer {
		step = 1
	}
	if m, ok := float(s.of["multipleOf"]); ok && m > 0 {
		step = m
		if integer && step != math.Trunc(step) {
			step = math.Ceil(step)
		}
	}
	first, last := math.Ceil(low/step), math.Floor(high/step)
	if first > last { // narrower than a step
		return strconv.AppendFloat(dst, low+(high-low)/2, 'g', -1, 64)
	}
	steps := min(last-first, 1e9)
	n := first + float64(v.upTo(int(steps)+1))
	if step < 1 && math.Abs(n*step) < 1e6 { // to be exact in decimals
		return strconv.AppendFloat(dst, math.Round(n*step*1e9)/1e9, 'f', -1, 64)
	}
	return strconv.AppendFloat(dst, n*step, 'f', -1, 64)
}

// bounds returns the least and the greatest value that a number may have.
func (v *inventor) bounds(s *fields, integer bool) (low, high float64) {
	const width = 100
	low, hasLow := float(s.of["minimum"])
	high, hasHigh := float(s.of["maximum"])
	gap := 1e-6
	if integer {
		gap = 1
	}
	if x, ok := float(s.of["exclusiveMinimum"]); ok && (!hasLow || x >= low) {
		low, hasLow = x+gap, true
	} else if s.of["exclusiveMinimum"] == true { // as it was in draft 4
		low += gap
	}
	if x, ok := float(s.of["exclusiveMaximum"]); ok && (!hasHigh || x <= high) {
		high, hasHigh = x-gap, true
	} else if s.of["exclusiveMaximum"] == true {
		high -= gap
	}
	switch {
	case !hasLow && !hasHigh:
		return 0, width
	case !hasLow:
		low = min(0, high-width)
	case !hasHigh:
		high = max(low+width, width)
	}
	if integer {
		low, high = math.Ceil(low), math.Floor(high)
	}
	return low, high
}

func float(value any) (float64, bool) {
	number, ok := value.(json.Number)
	if !ok {
		return 0, false
	}
	f, err := number.Float64()
	return f, err == nil
}

// text appends a string in the format or of the pattern that s asks for, or else a few words of a
// permitted length. s is nil if nothing is known about the string.
func (v *inventor) text(dst []byte, s *fields) []byte {
	least, most := whole(memberOf(s, "minLength"), 0), whole(memberOf(s, "maxLength"), math.MaxInt)
	if format, ok := memberOf(s, "format").(string); ok {
		if text := v.format(format); text != "" {
			return appendQuoted(dst, text)
		}
	}
	if pattern, ok := memberOf(s, "pattern").(string); ok {
		if text, ok := v.matching(pattern, least, most); ok {
			return appendQuoted(dst, text)
		}
	}
	words := v.words(1 + v.upTo(6))
	for utf8.RuneCountInString(words) < least {
		words += " " + v.words(4)
	}
	if runes := []rune(words); len(runes) > most {
		words = string(runes[:most])
	}
	return appendQuoted(dst, words)
}

// words returns n words of the filler.
func (v *inventor) words(n int) string {
	start := v.upTo(len(filler))
	var words []string
	for i := range n {
		words = append(words, strings.Trim(filler[(start+i)%len(filler)], ".,"))
	}
	return strings.Join(words, " ")
}

// format returns a text in a format that JSON Schema names; "" for an unknown format.
func (v *inventor) format(name string) string {
	n := v.upTo(28)
	switch name {
	case "date-time":
		return fmt.Sprintf("2025-01-%02dT12:00:00Z", n+1)
	case "date":
		return fmt.Sprintf("2025-01-%02d", n+1)
	case "time":
		return fmt.Sprintf("12:00:%02dZ", n)
	case "duration":
		return fmt.Sprintf("P%dD", n+1)
	case "email", "idn-email":
		return fmt.Sprintf("person%d@example.com", n)
	case "hostname", "idn-hostname":
		return fmt.Sprintf("host%d.example.com", n)
	case "ipv4":
		return fmt.Sprintf("192.0.2.%d", n+1)
	case "ipv6":
		return fmt.Sprintf("2001:db8::%d", n+1)
	case "uri", "iri":
		return fmt.Sprintf("https://example.com/%d", n)
	case "uri-reference", "iri-reference":
		return fmt.Sprintf("/%d", n)
	case "uuid":
		h := hex(v.draw()) + hex(v.draw())
		return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-8" + h[17:20] + "-" + h[20:]
	}
	return ""
}
