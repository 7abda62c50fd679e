package sim

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// post asks s directly, without a connection.
func post(s *Server, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader(body)))
	return w
}

func get(s *Server, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, http.NoBody))
	return w
}

// decode reads a body that must be JSON.
func decode[T any](t *testing.T, w *httptest.ResponseRecorder) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
	return v
}

type wireUsage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Total      int `json:"total_tokens"`
	Details    struct {
		Reasoning int `json:"reasoning_tokens"`
	} `json:"completion_tokens_details"`
}

type wireCompletion struct {
	ID, Object, Model string
	Choices           []struct {
		Index   int
		Text    string
		Message struct{ Role, Content string }
		Finish  string `json:"finish_reason"`
	}
	Usage wireUsage
}

type wireError struct {
	Error struct {
		Message, Type string
		Param, Code   *string
	}
}

const hello = `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"What is the capital of France?"}]}`

func TestSimChat(t *testing.T) {
	s := New(Options{Output: 40})
	defer s.Close()
	w := post(s, "/v1/chat/completions", hello)
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" || w.Header().Get("X-Request-Id") == "" {
		t.Fatalf("answered %d %v", w.Code, w.Header())
	}
	got := decode[wireCompletion](t, w)
	if got.Object != "chat.completion" || got.Model != "gpt-4o-mini" || !strings.HasPrefix(got.ID, "chatcmpl-") || len(got.Choices) != 1 {
		t.Fatalf("answered %s", w.Body)
	}
	choice := got.Choices[0]
	if choice.Message.Role != "assistant" || choice.Finish != "stop" {
		t.Errorf("answered %s", w.Body)
	}
	if want := `Simulated answer to "What is the capital of France?":`; !strings.HasPrefix(choice.Message.Content, want) {
		t.Errorf("content is %q, want it to begin with %q", choice.Message.Content, want)
	}
	// 30 bytes of prompt are 8 tokens, 3 the message, 3 the reply.
	words := len(strings.Fields(choice.Message.Content))
	if got.Usage.Prompt != 14 || got.Usage.Completion != words || got.Usage.Total != 14+words || got.Usage.Details.Reasoning != 0 {
		t.Errorf("usage is %+v for %d words", got.Usage, words)
	}
}

func TestSimPromptTokens(t *testing.T) {
	tests := []struct {
		name, endpoint, prompt string
		want                   int
	}{
		{"text", "chat", `"messages":[{"role":"user","content":"12345"}]`, 3 + 3 + 2},
		{"two messages", "chat", `"messages":[{"role":"system","content":"1234"},{"role":"user","content":"12345678"}]`,
			3 + 3 + 1 + 3 + 2},
		{"escapes count as what they stand for", "chat", `"messages":[{"role":"user","content":"\u0041\n\"\u00e9"}]`, 3 + 3 + 2},
		{"parts", "chat",
			`"messages":[{"content":[{"type":"text","text":"1234"},{"type":"image_url","image_url":{"url":"data:…"}}]}]`, 3 + 3 + 1 + 765},
		{"null content and a tool call", "chat", `"messages":[{"role":"assistant","content":null,"tool_calls":[12345]}]`, 3 + 3 + 2},
		{"tools", "chat", `"tools":[1234567],"messages":[{"role":"user","content":"1234"}]`, 3 + 3 + 1 + 3},
		{"the last of two prompts", "chat", `"messages":[{"content":"12345678"}],"messages":[{"content":"1234"}]`, 3 + 3 + 1},
		{"response to a text", "responses", `"input":"12345678","instructions":"1234"`, 3 + 3 + 2 + 1},
		{"response to items", "responses",
			`"input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"1234"}]}]`, 3 + 3 + 1},
		{"completion", "completions", `"prompt":"12345"`, 2},
		{"completions", "completions", `"prompt":["12345","1"]`, 3},
		{"embedding", "embeddings", `"input":"12345"`, 2},
		{"embedding of tokens", "embeddings", `"input":[5, 6, 7]`, 3},
		{"embeddings of tokens", "embeddings", `"input":[[5,6,7],[8]]`, 4},
	}
	endpoints := map[string]*endpoint{
		"chat": chat, "responses": responses, "completions": completions, "embeddings": embeddings,
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var q request
			if fault := q.parse(endpoints[test.endpoint], &Options{}, []byte(`{"model":"m",`+test.prompt+`}`)); fault != nil {
				t.Fatal(fault)
			}
			if got := q.answer(&Options{Output: output}, false).usage.prompt; got != test.want {
				t.Errorf("counted %d tokens, want %d", got, test.want)
			}
		})
	}
}

func TestSimResponses(t *testing.T) {
	type wire struct {
		Status     string
		Incomplete *struct{ Reason string } `json:"incomplete_details"`
		Output     []struct {
			Type    string
			Content []struct{ Type, Text string }
		}
		Usage struct {
			Input   int `json:"input_tokens"`
			Output  int `json:"output_tokens"`
			Total   int `json:"total_tokens"`
			Details struct {
				Reasoning int `json:"reasoning_tokens"`
			} `json:"output_tokens_details"`
		}
	}
	s := New(Options{})
	defer s.Close()
	got := decode[wire](t, post(s, "/v1/responses", `{"model":"o3-mini","input":"Hello there"}`))
	if len(got.Output) != 2 || got.Output[0].Type != "reasoning" || got.Output[1].Type != "message" {
		t.Fatalf("answered %+v", got)
	}
	words := len(strings.Fields(got.Output[1].Content[0].Text))
	if got.Status != "completed" || got.Incomplete != nil || got.Output[1].Content[0].Type != "output_text" {
		t.Errorf("answered %+v", got)
	}
	if u := got.Usage; u.Details.Reasoning == 0 || u.Output != words+u.Details.Reasoning || u.Total != u.Input+u.Output {
		t.Errorf("usage is %+v for %d words", u, words)
	}
	// A bound below the reasoning leaves nothing to see, and is billed all the same.
	got = decode[wire](t, post(s, "/v1/responses", `{"model":"o3-mini","input":"Hello there","max_output_tokens":16}`))
	if got.Status != "incomplete" || got.Incomplete == nil || got.Incomplete.Reason != "max_output_tokens" ||
		len(got.Output) != 1 || got.Usage.Output != 16 || got.Usage.Details.Reasoning != 16 {
		t.Errorf("cut answer is %+v", got)
	}
}

func TestSimCompletions(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	got := decode[wireCompletion](t, post(s, "/v1/completions", `{"model":"m","prompt":["one","two"],"n":2,"max_tokens":5}`))
	if got.Object != "text_completion" || len(got.Choices) != 4 || got.Usage.Completion != 20 {
		t.Fatalf("answered %+v", got)
	}
	for i, c := range got.Choices {
		echo := []string{`"one":`, `"one":`, `"two":`, `"two":`}[i]
		if c.Index != i || c.Finish != "length" || len(strings.Fields(c.Text)) != 5 || !strings.Contains(c.Text, echo) {
			t.Errorf("choice %d is %+v", i, c)
		}
	}
}

func TestSimEmbeddings(t *testing.T) {
	type wire struct {
		Data []struct {
			Index     int
			Embedding json.RawMessage
		}
		Usage wireUsage
	}
	s := New(Options{})
	defer s.Close()
	got := decode[wire](t, post(s, "/v1/embeddings", `{"model":"m","input":["a","b","a"],"dimensions":5}`))
	if len(got.Data) != 3 || string(got.Data[0].Embedding) != string(got.Data[2].Embedding) ||
		string(got.Data[0].Embedding) == string(got.Data[1].Embedding) {
		t.Fatalf("answered %+v", got)
	}
	var vector []float64
	if err := json.Unmarshal(got.Data[1].Embedding, &vector); err != nil {
		t.Fatal(err)
	}
	var square float64
	for _, x := range vector {
		square += x * x
	}
	if len(vector) != 5 || math.Abs(square-1) > 1e-5 || got.Data[1].Index != 1 || got.Usage.Completion != 0 {
		t.Errorf("vector %v, usage %+v", vector, got.Usage)
	}
	encoded := decode[wire](t, post(s, "/v1/embeddings", `{"model":"m","input":"b","dimensions":5,"encoding_format":"base64"}`))
	var text string
	if err := json.Unmarshal(encoded.Data[0].Embedding, &text); err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) != 20 {
		t.Fatalf("%d bytes, %v", len(raw), err)
	}
	first := math.Float32frombits(uint32(raw[0]) | uint32(raw[1])<<8 | uint32(raw[2])<<16 | uint32(raw[3])<<24)
	if first != float32(vector[0]) {
		t.Errorf("base64 begins with %v, the numbers with %v", first, vector[0])
	}
	small := decode[wire](t, post(s, "/embeddings", `{"model":"m","input":"x"}`)).Data[0].Embedding
	if strings.Count(string(small), ",") != defaultDimensions-1 {
		t.Errorf("default dimensions: %s", small)
	}
}

func TestSimModels(t *testing.T) {
	s := New(Options{Models: []string{"a", "org/b"}})
	defer s.Close()
	type wire struct{ Data []struct{ ID string } }
	for _, path := range []string{"/v1/models", "/models"} {
		if got := decode[wire](t, get(s, path)); len(got.Data) != 2 || got.Data[1].ID != "org/b" {
			t.Errorf("%s: %+v", path, got)
		}
	}
	if w := get(s, "/v1/models/org/b"); w.Code != http.StatusOK {
		t.Errorf("known model: %d %s", w.Code, w.Body)
	}
	if w := get(s, "/v1/models/c"); w.Code != http.StatusNotFound || *decode[wireError](t, w).Error.Code != "model_not_found" {
		t.Errorf("unknown model: %d %s", w.Code, w.Body)
	}
	open := New(Options{})
	defer open.Close()
	if got := decode[wire](t, get(open, "/v1/models")); len(got.Data) != 1 || got.Data[0].ID != "gpt-4o-mini" {
		t.Errorf("without -models: %+v", got)
	}
}

func TestSimPretty(t *testing.T) {
	plain, pretty := New(Options{}), New(Options{Pretty: true})
	defer plain.Close()
	defer pretty.Close()
	for _, body := range []string{hello, `{`} {
		a, b := post(plain, "/v1/chat/completions", body), post(pretty, "/v1/chat/completions", body)
		if strings.Count(b.Body.String(), "\n") < 5 || a.Code != b.Code {
			t.Fatalf("not indented: %s", b.Body)
		}
		var compacted strings.Builder
		for line := range strings.Lines(b.Body.String()) {
			compacted.WriteString(strings.TrimSpace(line))
		}
		got := strings.ReplaceAll(compacted.String(), `": `, `":`)
		if want := strings.TrimSpace(a.Body.String()); strings.ReplaceAll(want, `": `, `":`) != got {
			t.Errorf("pretty says\n%s\nplain says\n%s", got, want)
		}
	}
}
