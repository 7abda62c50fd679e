package schema

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"llmpipe/stream/record/rawjson"
)

// Schema is a JSON Schema. Any number of goroutines may use one.
type Schema struct {
	name   string
	text   []byte
	whole  *jsonschema.Schema
	strict error // why a strict provider would not take it; nil if it would
}

// Bounds on a schema: OpenAI takes 5,000 properties and 120,000 characters of names and values
// (platform.openai.com/docs/guides/structured-outputs, "Supported schemas"), so more is a mistake.
const (
	maxText = 1 << 20 // bytes
	// maxPaths bounds how many ways lead through the parts of a schema that look at the same value. If
	// each part refers to the next one twice, every further part doubles the time to check a value.
	maxPaths = 10_000
)

// url is the name of a schema that has no $id of its own.
const url = "schema:"

// New reads a schema. The schema's name, which some providers want, is made from name, that of its
// file.
func New(name string, text []byte) (*Schema, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("the schema is %d bytes long, and at most %d are allowed", len(text), maxText)
	}
	doc, err := decode(text)
	if err != nil {
		return nil, fmt.Errorf("the schema is not JSON: %w", err)
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(nothing{})
	if err := c.AddResource(url, doc); err != nil {
		return nil, fmt.Errorf("the schema: %w", err)
	}
	whole, err := c.Compile(url)
	if err != nil {
		return nil, compileError(err)
	}
	if n := paths(whole); n > maxPaths {
		return nil, fmt.Errorf("the schema checks one value along more than %d paths: its parts refer to one another too often", maxPaths)
	}
	return &Schema{name: nameOf(name), text: rawjson.Compact(nil, bytes.TrimSpace(text)), whole: whole, strict: strict(doc)}, nil
}

// nothing is a loader that opens nothing: a schema may refer only to itself.
type nothing struct{}

// Load implements jsonschema.URLLoader.
func (nothing) Load(url string) (any, error) {
	return nil, errors.New("it is in another file, and no other file is opened or fetched")
}

// compileError says what is wrong with a schema, and where.
func compileError(err error) error {
	var invalid *jsonschema.SchemaValidationError
	var violations *jsonschema.ValidationError
	if errors.As(err, &invalid) && errors.As(invalid.Err, &violations) {
		return fmt.Errorf("it is not a valid schema: %s", report(violations).String())
	}
	var load *jsonschema.LoadURLError
	if errors.As(err, &load) {
		return fmt.Errorf("the schema refers to %s: %w", load.URL, load.Err)
	}
	return fmt.Errorf("the schema: %s", strings.ReplaceAll(err.Error(), url, ""))
}

// notName matches the characters that OpenAI does not take in the name of a schema, which has 1 to
// 64 characters.
var notName = regexp.MustCompile(`[^a-zA-Z0-9_-]+`)

func nameOf(file string) string {
	base := filepath.Base(file)
	name := strings.Trim(notName.ReplaceAllString(strings.TrimSuffix(base, filepath.Ext(base)), "_"), "_")
	if name == "" {
		return "answer"
	}
	return name[:min(len(name), 64)]
}

// Name returns the schema's name: 1 to 64 of the characters a-z, A-Z, 0-9, _ and -.
func (s *Schema) Name() string { return s.name }

// Text returns the schema as it was given, without white space between its tokens. The caller must
// not change it.
func (s *Schema) Text() []byte { return s.text }

// Strict returns nil if OpenAI takes the schema with "strict": true, and so makes the model keep to
// it. Otherwise it returns why OpenAI would not.
func (s *Schema) Strict() error { return s.strict }

// paths counts the ways that lead from a schema through the schemas that look at the same value.
// The schemas of properties and items look at other values, and are counted on their own. It
// returns the largest count, at most maxPaths+1.
func paths(root *jsonschema.Schema) int {
	counts := map[*jsonschema.Schema]int{}
	most := 0
	var count func(*jsonschema.Schema) int
	count = func(s *jsonschema.Schema) int {
		if s == nil {
			return 0
		}
		if n, known := counts[s]; known {
			return n
		}
		counts[s] = 0 // a schema that leads to itself is refused when it is used
		same, others := parts(s)
		sum := 1
		for _, p := range same {
			sum = min(sum+count(p), maxPaths+1)
		}
		counts[s] = sum
		most = max(most, sum)
		for _, p := range others {
			count(p)
		}
		return sum
	}
	count(root)
	return most
}

// parts returns the schemas inside a schema: those that look at the same value, and those that look
// at the values inside it.
func parts(s *jsonschema.Schema) (same, others []*jsonschema.Schema) {
	same = append(same, s.Ref, s.RecursiveRef, s.Not, s.If, s.Then, s.Else, s.UnevaluatedProperties, s.UnevaluatedItems, s.ContentSchema)
	if s.DynamicRef != nil {
		same = append(same, s.DynamicRef.Ref)
	}
	for _, list := range [][]*jsonschema.Schema{s.AllOf, s.AnyOf, s.OneOf} {
		same = append(same, list...)
	}
	for _, d := range s.DependentSchemas {
		same = append(same, d)
	}
	for _, d := range s.Dependencies {
		if d, ok := d.(*jsonschema.Schema); ok {
			same = append(same, d)
		}
	}
	others = append(others, s.PropertyNames, s.Contains, s.Items2020)
	for _, p := range s.Properties {
		others = append(others, p)
	}
	for _, p := range s.PatternProperties {
		others = append(others, p)
	}
	others = append(others, s.PrefixItems...)
	for _, either := range []any{s.AdditionalProperties, s.AdditionalItems, s.Items} {
		switch p := either.(type) {
		case *jsonschema.Schema:
			others = append(others, p)
		case []*jsonschema.Schema:
			others = append(others, p...)
		}
	}
	return same, others
}
