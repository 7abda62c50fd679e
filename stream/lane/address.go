package lane

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"llmpipe/stream/record"
)

// localServers maps default ports to the servers that people run themselves.
var localServers = map[string]string{
	"11434": "is Ollama running? ollama serve starts it",
	"8000":  "is vLLM running? vllm serve MODEL starts it",
	"8080":  "is llama.cpp running? llama-server -m MODEL starts it",
	"1234":  "is LM Studio running? lms server start starts its server",
	"8089":  "is the simulator running? llmpipe sim starts it",
}

// AddressHint says what is probably wrong with the scheme, port or path of a base URL whose
// requests failed with err. It is empty if err does not point to the URL. option is the setting
// that the URL came from, such as --base-url.
func AddressHint(option, baseURL string, err *record.Error) string {
	u, parseErr := url.Parse(baseURL)
	if parseErr != nil || u.Host == "" {
		return ""
	}
	a := address{u, option}
	switch message := err.Message; {
	case strings.Contains(message, "connection refused"):
		return a.unanswered()
	case strings.HasPrefix(message, "looking up "), strings.Contains(message, "no such host"):
		return "check the name in " + a.name() + " and the network"
	case strings.Contains(message, `malformed HTTP response "\x15\x03`), spokeHTTP(err):
		return "the server speaks TLS: try " + a.with("https", u.Path)
	case strings.Contains(message, "first record does not look like a TLS handshake"):
		return "the server speaks plain HTTP: try " + a.with("http", u.Path)
	case err.Type == "tls" && strings.Contains(message, "certificate"):
		return "the server's certificate is not trusted: export SSL_CERT_FILE=ca.pem to trust a certificate authority of your own"
	case namesObject(err):
		return ""
	case err.Status == http.StatusNotFound, err.Status == http.StatusMethodNotAllowed, err.Type == "bad_response":
		return a.path(err)
	}
	return ""
}

// spokeHTTP reports whether a TLS server complains about a plain HTTP request. It knows the
// messages of Go's server, nginx and Apache.
func spokeHTTP(err *record.Error) bool {
	said := strings.ToLower(err.Message)
	return err.Status == http.StatusBadRequest && (strings.Contains(said, "http request to an https server") ||
		strings.Contains(said, "plain http request was sent to https port") || strings.Contains(said, "speaking plain http to an ssl-enabled"))
}

// objects are what an API keeps under an id, as its messages call them.
var objects = []string{"file", "batch", "upload", "response", "conversation", "container", "vector store"}

// namesObject reports whether err says that an object, such as a file, does not exist. An API says
// that, so the address is right. The message must hold an id, because a server without an API may
// say "File Not Found" about any path, and llama.cpp's does.
func namesObject(err *record.Error) bool {
	said := strings.ToLower(err.Message)
	return err.Status == http.StatusNotFound && !strings.Contains(said, "invalid url") &&
		slices.ContainsFunc(objects, func(name string) bool { return strings.Contains(said, name) }) &&
		slices.ContainsFunc(strings.Fields(said), isID)
}

// isID reports whether a word of a message is an id: file-abc, 'batch_1', files/x7k2. A path, a URL
// and a file's name are not.
func isID(word string) bool {
	word = strings.Trim(word, "'\"`.,:;()[]")
	joined := strings.IndexAny(word, "-_/")
	return joined > 0 && joined < len(word)-1 && !strings.Contains(word, ".") && !strings.Contains(word, "://") &&
		(word[joined] != '/' || strings.ContainsAny(word, "0123456789"))
}

// address is a base URL and the setting that it came from.
type address struct {
	*url.URL
	option string
}

// with is the option with the address changed. It leaves out what follows the path, which may be
// secret.
func (a address) with(scheme, path string) string {
	changed := url.URL{Scheme: scheme, Host: a.Host, Path: path}
	separator := " "
	if strings.HasSuffix(a.option, "=") {
		separator = ""
	}
	return a.option + separator + changed.String()
}

// name is the option, for a sentence.
func (a address) name() string { return strings.TrimSuffix(a.option, "=") }

// unanswered is the hint for an address where no server listens.
func (a address) unanswered() string {
	if host := a.Hostname(); host != "localhost" && !net.ParseIP(host).IsLoopback() {
		return "nothing listens at this address: check " + a.name()
	}
	if hint, ok := localServers[a.Port()]; ok {
		return hint
	}
	return "nothing listens at this address: is the server running, and is the port in " + a.name() + " right?"
}

// ends are the path suffixes of endpoints. People often copy an endpoint's whole URL as the base
// URL.
var ends = []string{"/chat/completions", "/completions", "/embeddings", "/responses", "/messages", "/models", "/batches", "/files"}

// path is the hint for an address that has no API. A base URL that ends in /v1 is probably right,
// and a 404 there can have any cause.
func (a address) path(err *record.Error) string {
	path := strings.TrimRight(a.Path, "/")
	for _, end := range ends {
		if base, ok := strings.CutSuffix(path, end); ok {
			return "llmpipe adds " + end + " itself: try " + a.with(a.Scheme, base)
		}
	}
	before, _, inside := strings.Cut(path, "/v1/")
	switch {
	case inside:
		return "the base URL of an API usually ends in /v1: try " + a.with(a.Scheme, before+"/v1")
	case path == "":
		return "the base URL has no path: try " + a.with(a.Scheme, "/v1")
	case !strings.HasSuffix(path, "/v1"):
		return "the base URL of an API usually ends in /v1: try " + a.with(a.Scheme, path+"/v1")
	case err.Type != "bad_response":
		return ""
	}
	return "there seems to be no API at this address: check the host and the port"
}
