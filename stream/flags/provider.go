package flags

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"llmpipe/stream/provider"
	"llmpipe/stream/record"
	"llmpipe/stream/ui"
)

// environment are the variables that say where a dialect's provider is, and hold its key, unless
// flags name others. They are those of its own clients. A key never goes where only the other
// dialect's variable leads.
var environment = map[record.Dialect]struct{ baseURL, key string }{
	record.OpenAI:    {"OPENAI_BASE_URL", "OPENAI_API_KEY"},
	record.Anthropic: {"ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"},
}

// settle takes from the environment what the flags do not say.
func (f *ProviderFlags) settle(getenv func(string) string) {
	usual := environment[f.Endpoint.Dialect()]
	f.BaseURL, f.KeyEnv = cmp.Or(f.BaseURL, getenv(usual.baseURL)), cmp.Or(f.KeyEnv, usual.key)
}

// key says what shows who asks: what a command prints, or a variable holds.
func (f *ProviderFlags) key(p *provider.Config, getenv func(string) string) error {
	switch {
	case provider.IsSim(p.BaseURL): // nobody to show it to
	case f.KeyCmd != "":
		p.KeyCommand = f.KeyCmd
	default:
		p.Key = getenv(f.KeyEnv)
	}
	if !isHeaderValue(p.Key) {
		return fmt.Errorf("the key in %s holds a line break or another control character", f.KeyEnv)
	}
	return nil
}

// Config says who is asked, and takes from the environment what the flags do not say, and the
// secrets. version is the program's.
func (f *ProviderFlags) Config(getenv func(string) string, version string) (provider.Config, error) {
	if f.KeyCmd != "" && f.KeyEnv != "" {
		return provider.Config{}, ui.Usage(errors.New("--key-cmd and --key-env are not for one provider: both say the key"))
	}
	f.settle(getenv)
	p := provider.Config{
		BaseURL: cmp.Or(f.BaseURL, provider.DefaultBaseURL(f.Endpoint.Dialect())), Dialect: f.Endpoint.Dialect(),
		Header: http.Header{}, Timeout: f.Timeout, UserAgent: "llmpipe/" + version,
	}
	if err := f.key(&p, getenv); err != nil {
		return p, err
	}
	for _, h := range f.Header {
		name, value, ok := strings.Cut(h, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok || !isHeaderName(name) {
			return p, ui.Usage(errors.New("--header is not of the form 'Name: value'"))
		}
		if !isHeaderValue(value) {
			return p, ui.Usage(fmt.Errorf("--header %s: the value holds a line break or another control character", name))
		}
		p.Header.Add(name, value)
	}
	for _, h := range f.HeaderEnv {
		if err := addSecretHeader(&p, h, getenv); err != nil {
			// What stands where a variable's name should may be the secret itself.
			name, variable, _ := strings.Cut(h, "=")
			switch {
			case !isHeaderName(name):
				return p, fmt.Errorf("--header-env: %w", err)
			case !ui.IsVariableName(variable):
				return p, fmt.Errorf("--header-env %s: %w", name, err)
			}
			return p, fmt.Errorf("--header-env %s: %w", h, err)
		}
	}
	return p, nil
}
