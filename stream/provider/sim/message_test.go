package sim

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

type wireMessage struct {
	Type, Role, Model string
	Content           []struct {
		Type, Text, Name string
		Input            map[string]any
	}
	StopReason string `json:"stop_reason"`
	Usage      struct {
		Input         int `json:"input_tokens"`
		Written       int `json:"cache_creation_input_tokens"`
		Read          int `json:"cache_read_input_tokens"`
		Output        int `json:"output_tokens"`
		CacheCreation struct {
			Minutes int `json:"ephemeral_5m_input_tokens"`
			Hour    int `json:"ephemeral_1h_input_tokens"`
		} `json:"cache_creation"`
	}
	Error struct{ Type, Message string }
}

// postMessage asks for a message.
func postMessage(s *Server, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/v1/messages", strings.NewReader(body))
	r.Header.Set("Anthropic-Version", "2023-06-01")
	s.ServeHTTP(w, r)
	return w
}

// messageOf is a request with a system prompt, which may be none, and a prompt.
func messageOf(system, prompt string) string {
	if system != "" {
		system = `"system":` + system + `,`
	}
	return `{"model":"claude-x","max_tokens":500,` + system + `"messages":[{"role":"user","content":"` + prompt + `"}]}`
}

// shared is a system prompt of so many tokens, marked for the cache with more.
func shared(tokens int, more string) string {
	return `[{"type":"text","text":"` + strings.Repeat("word", tokens) + `","cache_control":{"type":"ephemeral"` + more + `}}]`
}

// A message says what chat and responses say to the same prompt.
func TestSimMessage(t *testing.T) {
	s := New(Options{Output: 40})
	defer s.Close()
	w := postMessage(s, messageOf("", "What is the capital of France?"))
	got := decode[wireMessage](t, w)
	if w.Code != http.StatusOK || got.Type != "message" || got.Role != "assistant" || got.Model != "claude-x" || len(got.Content) != 1 ||
		got.StopReason != "end_turn" {
		t.Fatalf("answered %d %s", w.Code, w.Body)
	}
	chat := decode[wireCompletion](t, post(s, "/v1/chat/completions", hello))
	if said := chat.Choices[0].Message.Content; got.Content[0].Text != said {
		t.Errorf("said %q, and chat %q", got.Content[0].Text, said)
	}
	// 30 bytes of prompt are 8 tokens, 3 the message, 3 the reply.
	if got.Usage.Input != 14 || got.Usage.Output != len(strings.Fields(got.Content[0].Text)) {
		t.Errorf("usage %+v", got.Usage)
	}
	cut := decode[wireMessage](t, postMessage(s, strings.Replace(messageOf("", "Hi"), "500", "3", 1)))
	if cut.StopReason != "max_tokens" || cut.Usage.Output != 3 {
		t.Errorf("cut: %+v", cut)
	}
}

func TestSimMessageCallsTools(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	const tools = `"tools":[{"name":"f","input_schema":{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}}],`
	for choice, call := range map[string]bool{`{"type":"any"}`: true, `{"type":"tool","name":"f"}`: true, `{"type":"auto"}`: false} {
		body := strings.Replace(messageOf("", "Hi"), "{", "{"+tools+`"tool_choice":`+choice+",", 1)
		got := decode[wireMessage](t, postMessage(s, body))
		if (got.StopReason == "tool_use") != call || (got.Content[0].Name == "f") != call || call && got.Content[0].Input["n"] == nil {
			t.Errorf("%s: %+v", choice, got)
		}
	}
}

// What Anthropic refuses, in its words and form.
func TestSimMessageRefusals(t *testing.T) {
	s := New(Options{Key: "sk-ant-1", Models: []string{"claude-x"}})
	defer s.Close()
	good := messageOf("", "Hi")
	for name, c := range map[string]struct {
		body, key  string
		status     int
		kind, says string
	}{
		"no key":            {body: good, status: 401, kind: "authentication_error", says: "API key"},
		"no max_tokens":     {body: strings.Replace(good, `"max_tokens":500,`, "", 1), status: 400, says: "max_tokens: Field required"},
		"no model":          {body: strings.Replace(good, `"model":"claude-x",`, "", 1), status: 400, says: "model: Field required"},
		"no messages":       {body: `{"model":"claude-x","max_tokens":1}`, status: 400, says: "messages: Field required"},
		"a system message":  {body: strings.Replace(good, `"user"`, `"system"`, 1), status: 400, says: "top-level `system` parameter"},
		"an unknown role":   {body: strings.Replace(good, `"user"`, `"human"`, 1), status: 400, says: "messages.0.role"},
		"a hot temperature": {body: strings.Replace(good, "{", `{"temperature":1.5,`, 1), status: 400, says: "temperature: range: 0..1"},
		"another's member":  {body: strings.Replace(good, "{", `{"n":2,`, 1), status: 400, says: "n: Extra inputs are not permitted"},
		"five marks": {body: messageOf("["+strings.Repeat(`{"type":"text","text":"a","cache_control":{"type":"ephemeral"}},`, 4)+
			`{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}]`, "Hi"), status: 400, says: "Found 5"},
		"an unknown model": {body: strings.Replace(good, "claude-x", "claude-y", 1), status: 404, kind: "not_found_error", says: "claude-y"},
		"no JSON":          {body: "{", status: 400, says: "JSON"},
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, "/v1/messages", strings.NewReader(c.body))
		r.Header.Set("Anthropic-Version", "2023-06-01")
		if name != "no key" {
			r.Header.Set("X-Api-Key", "sk-ant-1")
		}
		s.ServeHTTP(w, r)
		if c.kind == "" {
			c.kind = "invalid_request_error"
		}
		got := decode[wireMessage](t, w)
		if w.Code != c.status || got.Type != "error" || got.Error.Type != c.kind || !strings.Contains(got.Error.Message, c.says) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	unversioned := post(s, "/v1/messages", good)
	if unversioned.Code != http.StatusUnauthorized {
		t.Errorf("without a key: %d %s", unversioned.Code, unversioned.Body)
	}
}

// A marked prefix is written once, for five minutes or an hour from its last use, and read by all
// whose prompts begin with it.
func TestSimMessageCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		defer s.Close()
		ask := func(system, prompt string, read, written, hour, rest int) {
			t.Helper()
			u := decode[wireMessage](t, postMessage(s, messageOf(system, prompt))).Usage
			if u.Read != read || u.Written != written || u.CacheCreation.Hour != hour || u.CacheCreation.Minutes != written-hour ||
				u.Input != rest {
				t.Errorf("%.30s… %s: %+v", system, prompt, u)
			}
		}
		ask(shared(2000, ""), "one1", 0, 2000, 0, 7)
		ask(shared(2000, ""), "two2", 2000, 0, 0, 7)

		time.Sleep(4 * time.Minute)
		ask(shared(2000, ""), "two2", 2000, 0, 0, 7)
		time.Sleep(4 * time.Minute)
		ask(shared(2000, ""), "two2", 2000, 0, 0, 7)
		time.Sleep(6 * time.Minute)
		ask(shared(2000, `,"ttl":"1h"`), "two2", 0, 2000, 2000, 7)
		time.Sleep(50 * time.Minute)
		ask(shared(2000, ""), "two2", 2000, 0, 0, 7)
		ask(shared(1000, ""), "two2", 0, 0, 0, 1007)
		ask(shared(1000, ""), "two2", 0, 0, 0, 1007)
		// The cached part of a longer prefix is read, and the rest of it written.
		longer := shared(2000, "")
		longer = longer[:len(longer)-1] + "," + shared(3000, "")[1:]
		ask(longer, "two2", 2000, 3000, 0, 7)
		ask(longer, "two2", 5000, 0, 0, 7)
	})
}

// Who is asked at the same time as the first cannot read what that one is still writing.
func TestSimMessageCacheBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Latency: time.Second})
		defer s.Close()
		written := make(chan int, 3)
		for i := range 3 {
			go func() {
				time.Sleep(time.Duration(i) * 600 * time.Millisecond)
				written <- decode[wireMessage](t, postMessage(s, messageOf(shared(2000, ""), "Hi"))).Usage.Written
			}()
		}
		if sum := <-written + <-written + <-written; sum != 4000 {
			t.Errorf("%d tokens were written", sum)
		}
	})
}

// Input and output are limited apart, cached input is not counted, and the headers say so.
func TestSimMessageLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{RPM: 60, ITPM: 10_000, OTPM: 1000, Headers: true, Output: 50})
		defer s.Close()
		header := func(w *httptest.ResponseRecorder, name string) int {
			n, err := strconv.Atoi(w.Header().Get("Anthropic-Ratelimit-" + name))
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			return n
		}
		w := postMessage(s, messageOf(shared(9000, ""), "Hi"))
		if w.Code != http.StatusOK || header(w, "Input-Tokens-Limit") != 10_000 || header(w, "Input-Tokens-Remaining") != 1000 ||
			header(w, "Requests-Remaining") != 59 || header(w, "Output-Tokens-Limit") != 1000 {
			t.Fatalf("%d %v", w.Code, w.Header())
		}
		reset, err := time.Parse(time.RFC3339, w.Header().Get("Anthropic-Ratelimit-Input-Tokens-Reset"))
		if wait := time.Until(reset); err != nil || wait < 52*time.Second || wait > 55*time.Second {
			t.Errorf("the input resets in %s, %v", wait, err)
		}
		for range 5 { // what is read costs nothing
			if w := postMessage(s, messageOf(shared(9000, ""), "Hi")); w.Code != http.StatusOK || header(w, "Input-Tokens-Remaining") != 1000 {
				t.Errorf("%d %v", w.Code, w.Header())
			}
		}
		w = postMessage(s, messageOf(shared(2000, ""), "Hi"))
		if got := decode[wireMessage](t, w); w.Code != http.StatusTooManyRequests || got.Error.Type != "rate_limit_error" ||
			!strings.Contains(got.Error.Message, "10000 input tokens per minute") || w.Header().Get("Retry-After") == "" ||
			w.Header().Get("Retry-After-Ms") != "" {
			t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
		}
		time.Sleep(time.Minute)
		asked := 0
		for ; asked < 60; asked++ {
			if w = postMessage(s, messageOf("", fmt.Sprint("Question ", asked))); w.Code != http.StatusOK {
				break
			}
		}
		if asked < 10 || !strings.Contains(w.Body.String(), "1000 output tokens per minute") {
			t.Errorf("after %d: %d %s", asked, w.Code, w.Body)
		}
	})
}

// A fault is told in Anthropic's form.
func TestSimMessageFaults(t *testing.T) {
	for query, want := range map[string]struct {
		status int
		kind   string
	}{
		"fail=1": {500, "api_error"}, "pressure=1": {429, "rate_limit_error"}, "pressure=1&pressure-status=529": {529, "overloaded_error"},
		"outage=0s-1h&outage-status=529": {529, "overloaded_error"}, "quota=1": {400, "invalid_request_error"},
	} {
		o, err := ParseOptions("latency=0&" + query)
		if err != nil {
			t.Fatal(err)
		}
		s := New(o)
		w := postMessage(s, messageOf("", "Hi"))
		if o.Quota > 0 {
			w = postMessage(s, messageOf("", "Hi"))
		}
		if got := decode[wireMessage](t, w); w.Code != want.status || got.Error.Type != want.kind {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
		s.Close()
	}
}
