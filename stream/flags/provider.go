package flags

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"llmpipe/stream/provider"
	"llmpipe/stream/ui"
)

// Config says who is asked, and takes the secrets from the environment. version is the program's.
func (f *ProviderFlags) Config(getenv func(string) string, version string) (provider.Config, error) {
	p := provider.Config{
		BaseURL: cmp.Or(f.BaseURL, provider.DefaultBaseURL), Key: getenv(f.KeyEnv), Header: http.Header{}, Timeout: f.Timeout,
		UserAgent: "llmpipe/" + version,
	}
	if provider.IsSim(p.BaseURL) {
		p.Key = "" // nobody to show it to
	}
	if !isHeaderValue(p.Key) {
		return p, fmt.Errorf("the key in %s holds a line break or another control character", f.KeyEnv)
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
