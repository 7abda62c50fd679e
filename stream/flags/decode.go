package flags

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"llmpipe/stream"
	"llmpipe/stream/naming"
	"llmpipe/stream/provider"
	"llmpipe/stream/record"
	"llmpipe/stream/ui"
)

// decode configures how a line becomes a record.
func (f *Flags) decode(cfg *stream.Config) error {
	system, err := textOrFile(f.System)
	if err != nil {
		return ui.WithHint(fileHint(f.System[1:]), fmt.Errorf("--system: %w", err))
	}
	o := record.Options{
		Template: f.Prompt, System: system, Raw: f.RawInput, IDField: f.IDField, Endpoint: f.Endpoint, Model: f.Model,
		Attach: f.Attach, AttachHTTP: f.AttachHTTP,
	}
	for _, s := range f.Set {
		if key, value, ok := strings.Cut(s, "="); ok && strings.HasPrefix(value, "@") {
			text, err := textOrFile(value)
			if err != nil {
				return ui.WithHint(fileHint(value[1:]), fmt.Errorf("--set %s: %w", key, err))
			}
			s = key + "=" + text
		}
		field, err := record.ParseField(s)
		if err != nil {
			return usage(setHint(s), "--set: %w", err)
		}
		o.Set = append(o.Set, field)
	}
	namesModel := func(field record.Field) bool { return field.Key == "model" }
	if o.Model == "" && !slices.ContainsFunc(o.Set, namesModel) && (f.BaseURL == "" || provider.IsSim(f.BaseURL)) {
		o.Model = defaultModel(f.Endpoint)
	}
	if _, err := record.NewDecoder(o); err != nil {
		if strings.HasPrefix(err.Error(), "--prompt: template") {
			err = ui.WithHint("name fields of the record in double braces: -p 'Translate: {{.text}}'", err)
		}
		return ui.Usage(err)
	}
	cfg.Decode = o
	return nil
}

// defaultModel returns the smallest model that OpenAI or Anthropic has for the endpoint.
func defaultModel(e record.Endpoint) string {
	switch e {
	case record.Embeddings:
		return "text-embedding-3-small"
	case record.Completions:
		return "gpt-3.5-turbo-instruct"
	case record.Messages:
		return "claude-haiku-4-5"
	}
	return "gpt-4o-mini"
}

// setHint returns how to write the value given to --set.
func setHint(s string) string {
	key, value, ok := strings.Cut(s, "=")
	if !ok || key == "" {
		return "write it as --set temperature=0.2"
	}
	if value == "" {
		return "write --set " + naming.Short(key) + `=1, or '` + naming.Short(key) + `="text"'`
	}
	meant := quotedJSON(value)
	if !json.Valid([]byte(meant)) {
		meant = `{"name":"value"}`
	}
	return "put JSON strings in double quotes, and all of it in single quotes for the shell: --set " +
		naming.Quoted(naming.Short(key)+"="+naming.Short(meant))
}

var (
	bareWord = regexp.MustCompile(`[\pL_][\pL\pN_.-]*`)
	literals = strings.NewReplacer(`"true"`, "true", `"false"`, "false", `"null"`, "null")
	pythons  = strings.NewReplacer("'", `"`, "True", "true", "False", "false", "None", "null")
)

// quotedJSON returns the JSON that value was probably meant to be: a string without its quotes, or
// an object or a list whose names and strings have no quotes or single ones.
func quotedJSON(value string) string {
	if strings.ContainsAny(value[:1], "{[") {
		if python := pythons.Replace(value); json.Valid([]byte(python)) {
			return python
		}
		return literals.Replace(bareWord.ReplaceAllString(value, `"$0"`))
	}
	quoted, err := json.Marshal(strings.Trim(value, `'"`))
	if err != nil {
		return value
	}
	return string(quoted)
}

// textOrFile returns s itself, or the content of the file that s names after an @.
func textOrFile(s string) (string, error) {
	name, ok := strings.CutPrefix(s, "@")
	if !ok {
		return s, nil
	}
	text, err := os.ReadFile(name)
	return string(text), err
}
