package flags

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"llmpipe/stream/naming"
	"llmpipe/stream/provider"
	"llmpipe/stream/provider/key"
	"llmpipe/stream/record"
	"llmpipe/stream/ui"
)

// environment has the variables for the base URL and the key of each dialect's provider, unless
// flags name others. The provider's own clients use the same variables. A key is never sent to an
// address that only the other dialect's variable names.
var environment = map[record.Dialect]struct{ baseURL, key string }{
	record.OpenAI:    {"OPENAI_BASE_URL", "OPENAI_API_KEY"},
	record.Anthropic: {"ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"},
}

// settle takes from the environment what the flags leave out.
func (f *ProviderFlags) settle(getenv func(string) string) {
	usual := environment[f.Endpoint.Dialect()]
	f.BaseURL, f.KeyEnv = cmp.Or(f.BaseURL, getenv(usual.baseURL)), cmp.Or(f.KeyEnv, usual.key)
}

// key sets the key to be sent: what a command prints, or what a variable holds. named reports
// whether the command line names the variable.
func (f *ProviderFlags) key(p *provider.Config, named bool, getenv func(string) string) (err error) {
	var text string
	switch {
	case f.KeyCmd != "":
		p.KeyCommand = f.KeyCmd
	case named && f.KeyEnv != noKey:
		text, err = keyIn(f.KeyEnv, getenv)
		switch {
		case err != nil && ui.IsVariableName(f.KeyEnv):
			err = ui.Usage(fmt.Errorf("--key-env %s: %w", f.KeyEnv, err))
		case err != nil:
			err = ui.Usage(fmt.Errorf("--key-env: %w", err))
		}
	case !named:
		if text, err = key.Clean(getenv(f.KeyEnv)); err != nil {
			err = fmt.Errorf("the key in %s %w", f.KeyEnv, err)
		}
	}
	p.Key = text
	if provider.IsSim(p.BaseURL) { // there is nobody to send it to
		p.Key, p.KeyCommand = "", ""
	}
	return err
}

// Config returns the provider's configuration. It reads secrets, and whatever the flags leave out,
// from the environment. version is the program's version.
func (f *ProviderFlags) Config(getenv func(string) string, version string) (provider.Config, error) {
	if f.KeyCmd != "" && f.KeyEnv != "" {
		return provider.Config{}, usage("leave out one of the two", "--key-cmd and --key-env both name the key")
	}
	named, keyNamed := f.BaseURL != "", f.KeyEnv != ""
	f.settle(getenv)
	if err := checkBaseURL(f.BaseURL); err != nil {
		if named {
			err = ui.Usage(err)
		}
		return provider.Config{}, err
	}
	p := provider.Config{
		BaseURL: cmp.Or(f.BaseURL, provider.DefaultBaseURL(f.Endpoint.Dialect())), Dialect: f.Endpoint.Dialect(),
		Header: http.Header{}, Timeout: f.Timeout, UserAgent: "llmpipe/" + version,
	}
	if err := f.key(&p, keyNamed, getenv); err != nil {
		return p, err
	}
	for _, h := range f.Header {
		name, value, ok := strings.Cut(h, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok || !isHeaderName(name) {
			return p, usage("such as --header 'X-Team: search'", "--header is not of the form 'Name: value'")
		}
		if !isHeaderValue(value) {
			return p, usage("take it out", "--header %s: the value holds a line break or another control character", naming.Short(name))
		}
		p.Header.Add(name, value)
	}
	for _, h := range f.HeaderEnv {
		if err := addSecretHeader(&p, h, getenv); err != nil {
			// The text in place of a variable's name may be the secret itself.
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
	p.Secrets = append(p.Secrets, secretsOf(p.Header)...)
	return p, nil
}

// checkBaseURL refuses an address that no request can be sent to.
func checkBaseURL(baseURL string) error {
	err := provider.CheckBaseURL(baseURL)
	if baseURL == "" || err == nil {
		return nil
	}
	host, _, _ := strings.Cut(baseURL, "/")
	name, _, _ := strings.Cut(host, ":")
	switch {
	case provider.IsSim(baseURL):
		return ui.WithHint("llmpipe sim --help lists the options", err)
	case baseURL == "sim":
		return ui.WithHint("write it with a colon: sim:", err)
	case strings.Contains(host, "http"):
		return ui.WithHint("such as https://api.openai.com/v1", err)
	case name == "localhost" || strings.HasPrefix(name, "127."):
		return ui.WithHint("write http:// before it: http://"+provider.Shown(baseURL), err)
	}
	return ui.WithHint("write https:// before it: https://"+provider.Shown(baseURL), err)
}
