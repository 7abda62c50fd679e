package record

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
	"unicode/utf8"
)

// promptTemplate is a text/template over a record's fields, {{.name}}, or over a line that is a
// string, {{.}}.
//
// Every field that it names must be there: a missing field is an error of that record, even in {{if
// .title}}. A null field may be tested, but not printed. Numbers print as they are spelt and
// compare as strings; objects and arrays print as JSON. Besides the functions of text/template
// there are
//
//	json VALUE         the value as JSON
//	trim TEXT          without the white space around it
//	truncate N TEXT    the first N characters
type promptTemplate struct {
	tmpl *template.Template
	out  bytes.Buffer
}

func parseTemplate(text string) (*promptTemplate, error) {
	tmpl, err := template.New("prompt").Option("missingkey=error").Funcs(template.FuncMap{
		"json":     func(v any) string { return string(appendJSON(nil, v)) },
		"trim":     trim,
		"truncate": truncate,
		"index":    index, // the built-in one gives "<no value>" for what is missing
	}).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("--prompt: %w", meantField(text, err))
	}
	return &promptTemplate{tmpl: tmpl}, nil
}

// undefined matches the template parser's error for a name that is not a function.
var undefined = regexp.MustCompile(`function "(\w+)" not defined`)

// meantField adds to such an error what was probably meant, if the name stands alone in its braces:
// other template languages write a field without the dot.
func meantField(text string, err error) error {
	m := undefined.FindStringSubmatch(err.Error())
	if m == nil || !regexp.MustCompile(`{{-?\s*`+m[1]+`\s*-?}}`).MatchString(text) {
		return err
	}
	return fmt.Errorf("%w: did you mean {{.%s}}?", err, m[1])
}

// constant reports whether the template makes the same prompt for every record: it reads neither a
// field nor the record itself.
func (p *promptTemplate) constant() bool {
	return !slices.ContainsFunc(p.tmpl.Templates(), func(t *template.Template) bool { return t.Tree != nil && readsData(t.Root) })
}

// readsData reports whether a part of a template reads the data that the template is executed with.
func readsData(n parse.Node) bool {
	switch n := n.(type) {
	case *parse.FieldNode, *parse.DotNode, *parse.ChainNode:
		return true
	case *parse.VariableNode:
		return n.Ident[0] == "$"
	case *parse.ListNode:
		return n != nil && slices.ContainsFunc(n.Nodes, readsData)
	case *parse.ActionNode:
		return readsData(n.Pipe)
	case *parse.PipeNode:
		return n != nil && slices.ContainsFunc(n.Cmds, func(c *parse.CommandNode) bool { return slices.ContainsFunc(c.Args, readsData) })
	case *parse.IfNode:
		return readsBranch(&n.BranchNode)
	case *parse.RangeNode:
		return readsBranch(&n.BranchNode)
	case *parse.WithNode:
		return readsBranch(&n.BranchNode)
	}
	return false
}

func readsBranch(n *parse.BranchNode) bool {
	return readsData(n.Pipe) || readsData(n.List) || readsData(n.ElseList)
}

// execute returns the prompt, which is valid until the next call.
func (p *promptTemplate) execute(data any) ([]byte, *Error) {
	if p.out.Cap() > keepSize {
		p.out = bytes.Buffer{}
	}
	p.out.Reset()
	if err := p.tmpl.Execute(&p.out, data); err != nil {
		return nil, templateError(err, data)
	}
	text := p.out.Bytes()
	if !utf8.Valid(text) {
		if bytes.Contains(text, []byte(nullMark)) {
			return nil, invalid("null_field", "the template prints a field that is null; test for it with {{if .name}}")
		}
		return nil, checkUTF8("the template's output", text)
	}
	return text, nil
}

// templateError returns the error of a record that the template failed on. It says which field is
// missing, and which fields there are.
func templateError(err error, data any) *Error {
	message := err.Error()
	_, name, ok := strings.Cut(message, "map has no entry for key ")
	if top, isObject := data.(object); isObject && ok {
		_, where, _ := strings.Cut(message, " at <")
		where, _, _ = strings.Cut(where, ">: ")
		return invalid("missing_field", "the template's %s names the field %s, which is missing; %s", where, name, top.fields())
	}
	if _, isText := data.(string); isText && strings.Contains(message, "can't evaluate field") {
		return invalid("missing_field", "the template names a field, but the line is a string, which has none; write {{.}} for the line")
	}
	_, where, ok := strings.Cut(message, " at <")
	where, why, _ := strings.Cut(where, ">: ")
	if !ok {
		return invalid("template_failed", "the template: %s", strings.TrimPrefix(message, "template: "))
	}
	if field, isField := strings.CutPrefix(why, "can't evaluate field "); isField {
		field, _, _ = strings.Cut(field, " ")
		return invalid("missing_field", "the template's %s names the field %q of a value that is not an object", where, field)
	}
	if calling, isCall := strings.CutPrefix(why, "error calling "); isCall {
		_, why, _ = strings.Cut(calling, ": ")
	}
	return invalid("template_failed", "the template's {{%s}}: %s", where, why)
}

func trim(v any) (string, error) {
	text, err := textOf(v)
	return strings.TrimSpace(text), err
}

func truncate(n int, v any) (string, error) {
	text, err := textOf(v)
	if n < 0 {
		return "", fmt.Errorf("truncate %d: the length is negative", n)
	}
	for i := range text {
		if n == 0 {
			return text[:i], err
		}
		n--
	}
	return text, err
}

// textOf returns a value as the template would print it.
func textOf(v any) (string, error) {
	if _, ok := v.(null); ok {
		return "", errors.New("the value is null; test for it with {{if .name}}")
	}
	return fmt.Sprint(v), nil
}

func index(v any, keys ...any) (any, error) {
	for _, key := range keys {
		switch from := v.(type) {
		case object:
			name := fmt.Sprint(key)
			value, ok := from[name]
			if !ok {
				return nil, fmt.Errorf("map has no entry for key %q", name)
			}
			v = value
		case array:
			i, ok := key.(int)
			if !ok || i < 0 || i >= len(from) {
				return nil, fmt.Errorf("index %v: the length of the array is %d", key, len(from))
			}
			v = from[i]
		default:
			return nil, fmt.Errorf("index %v: the value is neither an object nor an array", key)
		}
	}
	return v, nil
}
