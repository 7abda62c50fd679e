package price

import (
	"regexp"
	"strings"
)

// genAIMatch is a rule for models' names, as genai-prices writes it. One of its members is set.
type genAIMatch struct {
	Equals     string       `json:"equals"`
	StartsWith string       `json:"starts_with"`
	EndsWith   string       `json:"ends_with"`
	Contains   string       `json:"contains"`
	Regex      string       `json:"regex"`
	Or         []genAIMatch `json:"or"`
	And        []genAIMatch `json:"and"`
}

// names returns the names that the rule matches exactly.
func (m *genAIMatch) names() []string {
	if m.Equals != "" {
		return []string{m.Equals}
	}
	var all []string
	for i := range m.Or {
		all = append(all, m.Or[i].names()...)
	}
	return all
}

// compile makes a function of a rule. A regular expression that Go cannot compile matches nothing,
// so that a price is unknown and not wrong.
func (m *genAIMatch) compile() func(string) bool {
	switch {
	case m.Equals != "":
		return func(s string) bool { return strings.EqualFold(s, m.Equals) }
	case m.StartsWith != "":
		return folded(strings.HasPrefix, m.StartsWith)
	case m.EndsWith != "":
		return folded(strings.HasSuffix, m.EndsWith)
	case m.Contains != "":
		return folded(strings.Contains, m.Contains)
	case m.Regex != "":
		if expression, err := regexp.Compile(m.Regex); err == nil {
			return expression.MatchString
		}
	case len(m.Or) > 0:
		rules := compileAll(m.Or)
		return func(s string) bool { return count(rules, s) > 0 }
	case len(m.And) > 0:
		rules := compileAll(m.And)
		return func(s string) bool { return count(rules, s) == len(rules) }
	}
	return func(string) bool { return false }
}

func folded(test func(s, part string) bool, part string) func(string) bool {
	part = strings.ToLower(part)
	return func(s string) bool { return test(strings.ToLower(s), part) }
}

func compileAll(rules []genAIMatch) []func(string) bool {
	all := make([]func(string) bool, len(rules))
	for i := range rules {
		all[i] = rules[i].compile()
	}
	return all
}

func count(rules []func(string) bool, s string) int {
	n := 0
	for _, matches := range rules {
		if matches(s) {
			n++
		}
	}
	return n
}
