package flags

import (
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"llmpipe/stream/provider"
	"llmpipe/stream/record"
)

// Remarks returns remarks on settings of providers and keys that have no effect, and on secrets
// that others can see. The settings are those of the environment and the command line. p is the
// configuration that they lead to, and shown are the keys that other lanes send. If a key is sent,
// unused ones are not worth a remark.
func (f *ProviderFlags) Remarks(p *provider.Config, shown []string, getenv func(string) string) (all []string) {
	own := environment[p.Dialect]
	for dialect, other := range environment {
		if dialect != p.Dialect && provider.IsSim(getenv(other.baseURL)) && p.BaseURL == provider.DefaultBaseURL(p.Dialect) {
			all = append(all, other.baseURL+" is sim: but not used: --endpoint "+f.Endpoint.String()+" uses "+own.baseURL+
				", so this run asks "+provider.NameOf(p.BaseURL))
		}
	}
	simulated := provider.IsSim(p.BaseURL)
	var unused []string
	for _, name := range []string{f.KeyEnv, environment[record.OpenAI].key, environment[record.Anthropic].key} {
		value := getenv(name)
		if value != "" && !slices.Contains(unused, name) && !slices.Contains(shown, strings.TrimSpace(value)) {
			unused = append(unused, name)
		}
	}
	if f.KeyCmd != "" {
		unused = append(unused, "--key-cmd")
	}
	keys := strings.Join(unused, " and ")
	switch exported := provider.IsSim(getenv(own.baseURL)); {
	case simulated && (exported || keys != ""):
		text := "answers are simulated"
		if exported {
			text += ", as " + own.baseURL + " is sim:"
		}
		if keys != "" {
			text += "; set but not used: " + keys
		}
		all = append(all, text)
	case !simulated && keys != "" && f.KeyEnv != noKey && !f.showsWho(p) && !provider.IsLocal(p.BaseURL):
		all = append(all, "set but not used: "+keys+"; --endpoint "+f.Endpoint.String()+" sends "+own.key+
			"; --key-env names another variable")
	}
	for _, h := range f.Header {
		if name, value, _ := strings.Cut(h, ":"); isSecretHeader(name) && strings.TrimSpace(value) != "" {
			all = append(all, "--header "+strings.TrimSpace(name)+": other users can see its value in the process list; "+
				"--header-env takes it from a variable")
		}
	}
	return all
}

// showsWho reports whether requests carry credentials.
func (f *ProviderFlags) showsWho(p *provider.Config) bool {
	return p.Key != "" || p.KeyCommand != "" || slices.ContainsFunc(secretHeaders, func(name string) bool { return p.Header.Get(name) != "" })
}

// secretHeaders are the headers that carry credentials.
var secretHeaders = []string{"Authorization", "Proxy-Authorization", "Api-Key", "X-Api-Key", "X-Goog-Api-Key", "Cookie"}

// isSecretHeader reports whether a header carries credentials.
func isSecretHeader(name string) bool {
	return slices.Contains(secretHeaders, textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name)))
}

// secretsOf returns the secrets in such headers: each value, and the part of it after the scheme.
func secretsOf(h http.Header) (all []string) {
	for _, name := range secretHeaders {
		for _, value := range h[name] {
			_, credentials, ok := strings.Cut(value, " ")
			if all = append(all, value); ok {
				all = append(all, strings.TrimSpace(credentials))
			}
		}
	}
	return all
}
