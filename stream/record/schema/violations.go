package schema

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Bounds on what is said about an answer that does not fit: a model mends what it is told first.
const (
	mostViolations = 5
	mostSaid       = 1 << 10 // bytes
)

// Violations are what is wrong with an answer.
type Violations struct {
	All []Violation // at most five, sorted by path
	Of  int         // how many there are in all; counting stops at 1,001
}

// Violation is a rule that a part of an answer breaks.
type Violation struct {
	Path string // a JSON pointer into the answer, empty for all of it
	Rule string // what should be there, in words
}

// fault returns a single violation.
func fault(path, rule string) *Violations { return &Violations{All: []Violation{{path, rule}}, Of: 1} }

// String returns the violations on one line, separated by semicolons. It has at most 1 KiB.
func (v *Violations) String() string {
	var b strings.Builder
	for i, one := range v.All {
		if i > 0 {
			b.WriteString("; ")
		}
		if one.Path != "" {
			b.WriteString("at " + one.Path + ": ")
		}
		b.WriteString(one.Rule)
	}
	if more := v.Of - len(v.All); more > 0 {
		b.WriteString("; and more")
	}
	said := b.String()
	if len(said) > mostSaid {
		cut := mostSaid - len("…")
		for cut > 0 && !utf8.RuneStart(said[cut]) {
			cut--
		}
		said = said[:cut] + "…"
	}
	return said
}

// report returns the violations in the validator's tree of errors: its leaves.
func report(e *jsonschema.ValidationError) *Violations {
	v := &Violations{}
	seen := map[Violation]bool{}
	var walk func(*jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		for _, cause := range e.Causes {
			walk(cause)
		}
		if len(e.Causes) > 0 {
			return
		}
		one := Violation{pointer(e.InstanceLocation), rule(e)}
		if len(seen) > 1000 || seen[one] {
			return
		}
		seen[one] = true
		v.All = append(v.All, one)
	}
	walk(e)
	slices.SortStableFunc(v.All, func(a, b Violation) int { return cmp.Compare(a.Path, b.Path) })
	v.Of = len(v.All)
	v.All = v.All[:min(len(v.All), mostViolations)]
	return v
}

// rule returns what a leaf says, without its place.
func rule(e *jsonschema.ValidationError) string {
	leaf := *e
	leaf.InstanceLocation = nil
	return strings.TrimPrefix(leaf.Error(), "at '': ")
}

var escaped = strings.NewReplacer("~", "~0", "/", "~1")

// pointer returns a place in a JSON value as a JSON pointer (RFC 6901).
func pointer(place []string) string {
	var b strings.Builder
	for _, token := range place {
		b.WriteString("/" + escaped.Replace(token))
	}
	return b.String()
}

// Place returns the place of the first violation as the fragment of a URI (RFC 6901, section 6). An
// asterisk stands for each number, because in a long list one fault may be anywhere. Place is never
// empty.
func (v *Violations) Place() string {
	if len(v.All) == 0 {
		return "#"
	}
	tokens := strings.Split(v.All[0].Path, "/")
	for i, token := range tokens {
		if token != "" && strings.Trim(token, "0123456789") == "" {
			tokens[i] = "*"
		}
	}
	place := "#" + strings.Join(tokens, "/")
	if len(place) > mostPlace {
		place = strings.ToValidUTF8(place[:mostPlace], "") + "…"
	}
	return place
}

// mostPlace bounds a place, in bytes: names in an answer are as long as the model likes.
const mostPlace = 100
