package lane

import (
	"net/http"
	"testing"

	"llmpipe/stream/record"
)

// TestAddressHint has what servers and the network answer to base URLs that people get wrong.
func TestAddressHint(t *testing.T) {
	refused := &record.Error{Type: "network", Message: "connection refused by 127.0.0.1:1"}
	noPage := &record.Error{Type: "refused", Status: http.StatusNotFound, Message: "404 page not found"}
	page := &record.Error{Type: "bad_response", Status: http.StatusOK, Message: "the answer is a web page, not JSON"}
	missing := func(message string) *record.Error {
		return &record.Error{Type: "invalid_request_error", Status: http.StatusNotFound, Message: message}
	}
	network := func(message string) *record.Error { return &record.Error{Type: "network", Message: message} }
	for _, test := range []struct {
		base string
		err  *record.Error
		want string
	}{
		{"http://localhost:11434/v1", refused, "is Ollama running? ollama serve starts it"},
		{"http://127.0.0.1:8000/v1", refused, "is vLLM running? vllm serve MODEL starts it"},
		{"http://[::1]:8080/v1", refused, "is llama.cpp running? llama-server -m MODEL starts it"},
		{"http://localhost:5555/v1", refused, "nothing listens at this address: is the server running, and is the port in --base-url right?"},
		{"http://10.0.0.7:11434/v1", refused, "nothing listens at this address: check --base-url"},
		{"https://api.example.com/v1", network("looking up api.example.com: no such host"), "check the name in --base-url and the network"},
		{"https://api.example.com/v1", network("connection reset"), ""},
		{"http://localhost:1/v1", network(`net/http: HTTP/1.x transport connection broken: malformed HTTP response "\x15\x03\x01\x00\x02\x02"`),
			"the server speaks TLS: try --base-url https://localhost:1/v1"},
		{"http://localhost:1/v1", &record.Error{Type: "refused", Status: 400, Message: "Client sent an HTTP request to an HTTPS server."},
			"the server speaks TLS: try --base-url https://localhost:1/v1"},
		{"https://localhost:1/v1", &record.Error{Type: "tls", Message: "tls: first record does not look like a TLS handshake"},
			"the server speaks plain HTTP: try --base-url http://localhost:1/v1"},
		{"https://api.example.com/", noPage, "the base URL has no path: try --base-url https://api.example.com/v1"},
		{"https://api.example.com/api?key=secret", page,
			"the base URL of an API usually ends in /v1: try --base-url https://api.example.com/api/v1"},
		{"https://api.example.com/v1/nowhere", noPage, "the base URL of an API usually ends in /v1: try --base-url https://api.example.com/v1"},
		{"https://api.example.com/v1/chat/completions", noPage,
			"llmpipe adds /chat/completions itself: try --base-url https://api.example.com/v1"},
		{"https://api.example.com/v1/messages/", page, "llmpipe adds /messages itself: try --base-url https://api.example.com/v1"},
		{"https://api.example.com/v1", noPage, ""},
		{"https://api.example.com/v1beta/openai", missing("No such File object: file-abc"), ""},
		{"https://api.example.com/v1beta/openai", missing("No batch found with id 'batch_67'."), ""},
		{"https://api.example.com/v1beta/openai", missing("Batch msgbatch_01 was not found"), ""},
		{"https://api.example.com/v1beta/openai", missing("The file files/x7k2 does not exist."), ""},
		{"https://api.example.com", missing("Upload upload_9 not found"), ""},
		{"https://api.example.com", missing("File Not Found"), "the base URL has no path: try --base-url https://api.example.com/v1"},
		{"https://api.example.com", missing("Invalid URL (GET /batches/batch_1)"),
			"the base URL has no path: try --base-url https://api.example.com/v1"},
		{"https://api.example.com", missing("The requested file /batches/batch_1 was not found on this server."),
			"the base URL has no path: try --base-url https://api.example.com/v1"},
		{"https://api.example.com/v1", page, "there seems to be no API at this address: check the host and the port"},
		{"sim:?fail=1", &record.Error{Type: "server_error", Status: 500, Message: "the server had an error"}, ""},
	} {
		if got := AddressHint("--base-url", test.base, test.err); got != test.want {
			t.Errorf("%s, %v: %q, want %q", test.base, test.err, got, test.want)
		}
	}
	const want = "llmpipe adds /models itself: try --fallback url=http://localhost/v1"
	if got := AddressHint("--fallback url=", "http://localhost/v1/models", noPage); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
