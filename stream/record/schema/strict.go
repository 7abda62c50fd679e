package schema

import (
	"fmt"
	"slices"
)

// What OpenAI takes with "strict": true (platform.openai.com/docs/guides/structured-outputs,
// "Supported schemas", read 2026-11): a subset of JSON Schema, within these bounds. The root is an
// object. Every object has additionalProperties false, and requires all its properties.
const (
	strictDepth      = 10
	strictProperties = 5000
	strictEnums      = 1000
)

// strictKeywords are the keywords that OpenAI takes. Some are annotations, which say nothing about
// the value.
var strictKeywords = []string{
	"$schema", "$id", "$comment", "title", "description", "type", "properties", "required", "additionalProperties", "items", "enum", "const",
	"anyOf", "$ref", "$defs", "definitions", "pattern", "format", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum",
	"minItems", "maxItems",
}

// strict returns why OpenAI would not take a schema as strict; nil if it would.
func strict(doc any) error {
	root, ok := doc.(map[string]any)
	if !ok || root["type"] != "object" {
		return fmt.Errorf(`the root does not have "type": "object"`)
	}
	if _, ok := root["anyOf"]; ok {
		return fmt.Errorf("the root has anyOf")
	}
	w := strictWalk{}
	return w.check(root, "", 0)
}

// strictWalk counts the things that are bounded for a schema as a whole.
type strictWalk struct{ properties, enums int }

func (w *strictWalk) check(node any, path string, depth int) error {
	s, ok := node.(map[string]any)
	if !ok {
		return fmt.Errorf("%s is not an object", at(path))
	}
	if depth > strictDepth {
		return fmt.Errorf("%s is more than %d levels deep", at(path), strictDepth)
	}
	for key := range s {
		if !slices.Contains(strictKeywords, key) {
			return fmt.Errorf("%s uses %s", at(path), key)
		}
	}
	if enum, ok := s["enum"].([]any); ok {
		if w.enums += len(enum); w.enums > strictEnums {
			return fmt.Errorf("its enums have more than %d values", strictEnums)
		}
	}
	if err := w.object(s, path, depth); err != nil {
		return err
	}
	if items, ok := s["items"]; ok {
		if err := w.check(items, path+"/items", depth+1); err != nil {
			return err
		}
	}
	if any, ok := s["anyOf"].([]any); ok {
		for i, one := range any {
			if err := w.check(one, fmt.Sprintf("%s/anyOf/%d", path, i), depth); err != nil {
				return err
			}
		}
	}
	for _, key := range []string{"$defs", "definitions"} {
		defs, _ := s[key].(map[string]any)
		for name, one := range defs {
			if err := w.check(one, path+"/"+key+"/"+escaped.Replace(name), depth); err != nil {
				return err
			}
		}
	}
	return nil
}

// object checks a schema of an object, and the schemas of its properties. Other schemas pass.
func (w *strictWalk) object(s map[string]any, path string, depth int) error {
	properties, has := s["properties"].(map[string]any)
	if !has && !isObject(s["type"]) {
		return nil
	}
	if s["additionalProperties"] != false {
		return fmt.Errorf("%s does not set additionalProperties: false", at(path))
	}
	if w.properties += len(properties); w.properties > strictProperties {
		return fmt.Errorf("it has more than %d properties", strictProperties)
	}
	required, _ := s["required"].([]any)
	for name, one := range properties {
		if !slices.Contains(required, any(name)) {
			return fmt.Errorf("%s does not require %q", at(path), name)
		}
		if err := w.check(one, path+"/properties/"+escaped.Replace(name), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// isObject reports whether a type is object, or a list with object in it.
func isObject(t any) bool {
	several, _ := t.([]any)
	return t == "object" || slices.Contains(several, any("object"))
}

// at names a place in a schema, for messages.
func at(path string) string {
	if path == "" {
		return "the root"
	}
	return path
}
