package flags

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"llmpipe/stream"
	"llmpipe/stream/provider"
	"llmpipe/stream/record"
	"llmpipe/stream/ui"
)

// decode says what a line becomes.
func (f *Flags) decode(cfg *stream.Config) error {
	system, err := textOrFile(f.System)
	if err != nil {
		return fmt.Errorf("--system: %w", err)
	}
	o := record.Options{
		Template: f.Prompt, System: system, Raw: f.RawInput, IDField: f.IDField, Endpoint: f.Endpoint, Model: f.Model,
		Attach: f.Attach, AttachHTTP: f.AttachHTTP,
	}
	for _, s := range f.Set {
		if key, value, ok := strings.Cut(s, "="); ok && strings.HasPrefix(value, "@") {
			text, err := textOrFile(value)
			if err != nil {
				return fmt.Errorf("--set %s: %w", key, err)
			}
			s = key + "=" + text
		}
		field, err := record.ParseField(s)
		if err != nil {
			return ui.Usage(fmt.Errorf("--set: %w", err))
		}
		o.Set = append(o.Set, field)
	}
	namesModel := func(field record.Field) bool { return field.Key == "model" }
	if o.Model == "" && !slices.ContainsFunc(o.Set, namesModel) && (f.BaseURL == "" || provider.IsSim(f.BaseURL)) {
		o.Model = defaultModel(f.Endpoint)
	}
	if _, err := record.NewDecoder(o); err != nil {
		return ui.Usage(err)
	}
	cfg.Decode = o
	return nil
}

// defaultModel is OpenAI's, or Anthropic's, smallest for the endpoint.
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

// textOrFile is s itself, or what the file holds that s names after an @.
func textOrFile(s string) (string, error) {
	name, ok := strings.CutPrefix(s, "@")
	if !ok {
		return s, nil
	}
	text, err := os.ReadFile(name)
	return string(text), err
}
