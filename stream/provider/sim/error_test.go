package sim

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
)

func TestSimErrors(t *testing.T) {
	s := New(Options{Models: []string{"m"}})
	defer s.Close()
	const chat, embed, respond = "/v1/chat/completions", "/v1/embeddings", "/v1/responses"
	tests := []struct {
		name, method, path, body string
		status                   int
		param, code, message     string
	}{
		{"no JSON", "POST", chat, `not json`, 400, "", "", "could not parse the JSON body"},
		{"empty body", "POST", chat, ``, 400, "", "", "could not parse the JSON body"},
		{"broken off", "POST", chat, `{"model":"m","messages":[{"role":"user","content":"x`, 400, "", "", "could not parse the JSON body"},
		{"broken in a field unknown", "POST", chat, `{"model":"m","x":{,"messages":[]}`, 400, "", "", "could not parse the JSON body"},
		{"more after it", "POST", chat, `{"model":"m","messages":[{"content":"x"}]} {}`, 400, "", "", "more after the end"},
		{"no object", "POST", chat, `[1]`, 400, "", "", "not an object"},
		{"no model", "POST", chat, `{"messages":[{"role":"user","content":"x"}]}`, 400, "", "", "you must provide a model parameter"},
		{"model a number", "POST", chat, `{"model":4,"messages":[]}`, 400, "model", "invalid_type", "'model'"},
		{"unknown model", "POST", chat, `{"model":"x","messages":[{"content":"x"}]}`, 404, "model", "model_not_found", "`x` does not exist"},
		{"no messages", "POST", chat, `{"model":"m"}`, 400, "messages", "missing_required_parameter", "'messages'"},
		{"null messages", "POST", chat, `{"model":"m","messages":null}`, 400, "messages", "missing_required_parameter", "'messages'"},
		{"no message", "POST", chat, `{"model":"m","messages":[]}`, 400, "messages", "invalid_value", "at least one message"},
		{"messages a text", "POST", chat, `{"model":"m","messages":"x"}`, 400, "messages", "invalid_type", "an array of messages"},
		{"a message a text", "POST", chat, `{"model":"m","messages":["x"]}`, 400, "messages", "invalid_type", "an array of objects"},
		{"stream", "POST", chat, `{"model":"m","messages":[{"content":"x"}],"stream":true}`, 400, "stream", "unsupported_value", "stream"},
		{"max_tokens a text", "POST", chat, `{"model":"m","max_tokens":"9"}`, 400, "max_tokens", "invalid_type", "an integer"},
		{"max_tokens 0", "POST", chat, `{"model":"m","max_tokens":0}`, 400, "max_tokens", "invalid_value", "from 1"},
		{"n too large", "POST", chat, `{"model":"m","n":129}`, 400, "n", "invalid_value", "from 1 to 128"},
		{"no input", "POST", embed, `{"model":"m"}`, 400, "input", "missing_required_parameter", "'input'"},
		{"empty input", "POST", embed, `{"model":"m","input":[]}`, 400, "input", "invalid_value", "at least one input"},
		{"input an object", "POST", embed, `{"model":"m","input":{}}`, 400, "input", "invalid_type", "a string or an array"},
		{"input of objects", "POST", embed, `{"model":"m","input":[{}]}`, 400, "input", "invalid_type", "an array of strings or of tokens"},
		{"too many inputs", "POST", embed, `{"model":"m","input":["a"` + strings.Repeat(`,"a"`, 2048) + `]}`,
			400, "input", "invalid_value", "at most 2048 inputs"},
		{"mixed input", "POST", embed, `{"model":"m","input":["a",1]}`, 400, "input", "invalid_type", "of one kind"},
		{"response to a number", "POST", respond, `{"model":"m","input":1}`, 400, "input", "invalid_type", "an array of messages"},
		{"unknown path", "POST", "/v1/chat", `{}`, 404, "", "", "Invalid URL (POST /v1/chat)"},
		{"unknown path", "GET", "/", ``, 404, "", "", "Invalid URL (GET /)"},
		{"wrong method", "GET", chat, ``, 405, "", "method_not_supported", "Not allowed to GET"},
		{"wrong method", "DELETE", "/models", ``, 405, "", "method_not_supported", "Not allowed to DELETE"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			s.ServeHTTP(w, httptest.NewRequest(test.method, test.path, strings.NewReader(test.body)))
			got := decode[wireError](t, w).Error
			text := func(s *string) string {
				if s == nil {
					return ""
				}
				return *s
			}
			if w.Code != test.status || text(got.Param) != test.param || text(got.Code) != test.code ||
				!strings.Contains(got.Message, test.message) || got.Type == "" {
				t.Errorf("answered %d %s", w.Code, w.Body)
			}
		})
	}
}

func TestSimBodyThatDoesNotArrive(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v1/embeddings", iotest.ErrReader(io.ErrUnexpectedEOF)))
	if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "Could not read the request body: unexpected EOF") {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
	large := httptest.NewRequest(http.MethodPost, "/v1/embeddings", http.NoBody)
	large.ContentLength = maxBody + 1
	w = httptest.NewRecorder()
	s.ServeHTTP(w, large)
	if w.Code != http.StatusRequestEntityTooLarge || *decode[wireError](t, w).Error.Code != "request_too_large" {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
}

func TestSimDeepBody(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	bomb := `{"model":"m","x":` + strings.Repeat("[", 1_000_000)
	if w := post(s, "/v1/chat/completions", bomb); w.Code != http.StatusBadRequest {
		t.Errorf("answered %d", w.Code)
	}
}

func TestSimKey(t *testing.T) {
	s := New(Options{Key: "sk-right"})
	defer s.Close()
	for header, want := range map[string]int{"": 401, "Bearer sk-wrong": 401, "sk-right": 401, "Bearer sk-right": 200} {
		r := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader(hello))
		r.Header.Set("Authorization", header)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%q: answered %d, want %d", header, w.Code, want)
		}
		if want == 401 && (*decode[wireError](t, w).Error.Code != "invalid_api_key" || strings.Contains(w.Body.String(), "sk-right")) {
			t.Errorf("%q: answered %s", header, w.Body)
		}
	}
}

func TestSimWrongMethodNamesTheRight(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	if got := get(s, "/v1/embeddings").Header().Get("Allow"); got != http.MethodPost {
		t.Errorf("Allow is %q", got)
	}
}
