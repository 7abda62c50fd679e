package sim

import (
	"regexp"
	"regexp/syntax"
	"unicode/utf8"
)

// matching returns a text that matches a pattern and has from least to most characters. ok is false
// if none was found: a pattern may use syntax that Go's regexp does not know.
func (v *inventor) matching(pattern string, least, most int) (text string, ok bool) {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return "", false
	}
	matches, err := regexp.Compile(pattern)
	if err != nil {
		return "", false
	}
	for more := range 40 { // repeats more and more often, until it is long enough
		out := string(v.match(nil, tree, more))
		if n := utf8.RuneCountInString(out); n >= least && n <= most && matches.MatchString(out) {
			return out, true
		}
	}
	return "", false
}

// match appends a text that matches tree. A repetition occurs up to more times more often than it
// must.
func (v *inventor) match(dst []byte, tree *syntax.Regexp, more int) []byte {
	const mostRepeats = 1000
	least, most := 0, 0
	switch tree.Op {
	case syntax.OpLiteral:
		for _, r := range tree.Rune {
			dst = utf8.AppendRune(dst, r)
		}
		return dst
	case syntax.OpCharClass:
		return utf8.AppendRune(dst, v.oneOf(tree.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return append(dst, byte('a'+v.upTo(26)))
	case syntax.OpCapture:
		return v.match(dst, tree.Sub[0], more)
	case syntax.OpConcat:
		for _, sub := range tree.Sub {
			dst = v.match(dst, sub, more)
		}
		return dst
	case syntax.OpAlternate:
		return v.match(dst, tree.Sub[v.upTo(len(tree.Sub))], more)
	case syntax.OpStar:
		least, most = 0, mostRepeats
	case syntax.OpPlus:
		least, most = 1, mostRepeats
	case syntax.OpQuest:
		least, most = 0, 1
	case syntax.OpRepeat:
		least, most = tree.Min, tree.Max
		if most < 0 {
			most = mostRepeats
		}
	default:
		return dst // what matches no character, such as an anchor
	}
	for range min(most, least+v.upTo(more+1)) {
		dst = v.match(dst, tree.Sub[0], more)
	}
	return dst
}

// oneOf returns a character of a class, which is given as pairs of a first and a last character. It
// prefers a visible character.
func (v *inventor) oneOf(class []rune) rune {
	for range 20 {
		pair := 2 * v.upTo(len(class)/2)
		low, high := class[pair], class[pair+1]
		if low <= '~' && high > '~' {
			high = '~'
		}
		if low < ' ' && high >= ' ' {
			low = ' '
		}
		if r := low + rune(v.upTo(int(high-low)+1)); r > ' ' && r != utf8.RuneError {
			return r
		}
	}
	return class[0]
}
