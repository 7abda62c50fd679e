package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// odd is a provider that answers as a test says: with a status, a body and headers, or not at all
// for an ordinary answer.
type odd struct {
	URL   string
	asked atomic.Int64
	mu    sync.Mutex
	seen  map[string]int // how often each prompt was asked about
}

// newOdd serves. answer gets the number of the request and its prompt, and has taken it if it says
// so.
func newOdd(t testing.TB, answer func(n int64, prompt string, w http.ResponseWriter) bool) *odd {
	t.Helper()
	o := &odd{seen: make(map[string]int)}
	o.URL = serve(t, func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		var body struct {
			Messages []struct{ Content string } `json:"messages"`
		}
		prompt := ""
		if json.Unmarshal(raw, &body) == nil && len(body.Messages) > 0 {
			prompt = body.Messages[0].Content
		}
		o.mu.Lock()
		o.seen[prompt]++
		o.mu.Unlock()
		if !answer(o.asked.Add(1), prompt, w) {
			answerChat(w)
		}
	})
	return o
}

// says answers with a status and a body.
func says(w http.ResponseWriter, status int, body string) bool {
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
	return true
}

// writeNamed writes prompts, one a line, and returns the name of the file.
func writeNamed(t testing.TB, dir string, prompts ...string) string {
	t.Helper()
	name := filepath.Join(dir, "prompts.txt")
	if err := os.WriteFile(name, []byte(strings.Join(prompts, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// plainPrompts is n prompts.
func plainPrompts(n int) (prompts []string) {
	for i := range n {
		prompts = append(prompts, fmt.Sprint("prompt ", i))
	}
	return prompts
}

const blockPage = "<!DOCTYPE html><html><head><title>Attention Required!</title></head><body>Sorry, you have been blocked</body></html>"

// What is one record's fault ends no run, whichever record it is, and in whatever words.
func TestOneRecordsFault(t *testing.T) {
	t.Parallel()
	tooLong := strings.Repeat("long ", 300)
	refuse := map[string]func(w http.ResponseWriter) bool{
		"a firewall's page": func(w http.ResponseWriter) bool { return says(w, 403, blockPage) },
		"too long, as vLLM says it": func(w http.ResponseWriter) bool {
			return says(w, 400, `{"object":"error","message":"This model's maximum context length is 4096 tokens.","code":400}`)
		},
		"too long, as Anthropic says it": func(w http.ResponseWriter) bool {
			return says(w, 400, `{"error":{"type":"invalid_request_error","message":"prompt is too long: 9 tokens > 8 maximum"}}`)
		},
		"a filter": func(w http.ResponseWriter) bool {
			return says(w, 400, `{"error":{"code":"invalid_request_error","message":"Content Exists Risk"}}`)
		},
		"a quote of what an empty account is": func(w http.ResponseWriter) bool {
			return says(w, 400, `{"error":{"message":"invalid prompt: long long my credit balance is too low"}}`)
		},
	}
	for name, answer := range refuse {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bad := []string{tooLong + "my credit balance is too low"}
			if !strings.Contains(name, "page") && !strings.Contains(name, "quote") {
				for i := range 30 { // all before any answer
					bad = append(bad, fmt.Sprint(tooLong, i))
				}
			}
			o := newOdd(t, func(_ int64, prompt string, w http.ResponseWriter) bool {
				return strings.HasPrefix(prompt, tooLong) && answer(w)
			})
			dir := t.TempDir()
			p := llmpipe(t, dir, "-R", "--base-url", o.URL, "-m", "m", "-c", "1", "--summary", "summary.json",
				writeNamed(t, dir, append(bad, plainPrompts(20)...)...))
			p.exits(t, 3)
			if s := readSummary(t, dir); s.OK != 20 || s.Failed != len(bad) {
				t.Errorf("summary %+v\n%s", s, p.err.String())
			}
		})
	}
}

// A ledger that holds answers proves that what is set up works: a run that meets only what failed
// before says so of each, and gives the answers again.
func TestRefusalsOfARunAgain(t *testing.T) {
	t.Parallel()
	o := newOdd(t, func(_ int64, prompt string, w http.ResponseWriter) bool {
		switch {
		case strings.HasPrefix(prompt, "blocked"):
			return says(w, 403, blockPage)
		case strings.HasPrefix(prompt, "bad"):
			return says(w, 400, `{"error":{"message":"of a kind that nobody knows","code":"strange"}}`)
		}
		return false
	})
	prompts := plainPrompts(40)
	for i := range 30 {
		prompts = append(prompts, fmt.Sprint("bad ", i))
	}
	dir := t.TempDir()
	in := writeNamed(t, dir, append(prompts, "blocked")...)
	for range 2 {
		p := llmpipe(t, dir, "-R", "--base-url", o.URL, "-m", "m", "-c", "4", "--summary", "summary.json", "--failed", "failed.txt", in)
		p.exits(t, 3)
		if s := readSummary(t, dir); s.OK != 40 || s.Failed != 31 || len(p.lines()) != 71 {
			t.Errorf("summary %+v, %d lines\n%s", s, len(p.lines()), p.err.String())
		}
	}
	p := llmpipe(t, dir, "-R", "--base-url", o.URL, "-m", "m", "-c", "4", "failed.txt")
	if p.exits(t, 3); len(p.lines()) != 31 {
		t.Errorf("what failed, alone: %d lines\n%s", len(p.lines()), p.err.String())
	}
}

// Before any answer a 403 is the run's, which ends with few requests.
func TestForbiddenFromTheStart(t *testing.T) {
	t.Parallel()
	for _, body := range []string{blockPage, `{"error":{"type":"permission_error","message":"Your key has no permission"}}`} {
		o := newOdd(t, func(_ int64, _ string, w http.ResponseWriter) bool { return says(w, 403, body) })
		dir := t.TempDir()
		p := llmpipe(t, dir, "-R", "--base-url", o.URL, "-m", "m", "-c", "4", writeNamed(t, dir, plainPrompts(200)...))
		p.exits(t, 1)
		if n := o.asked.Load(); n > 40 {
			t.Errorf("%d requests", n)
		}
		if !strings.Contains(p.err.String(), "hint: ") || len(p.lines()) > 8 {
			t.Errorf("%d lines\n%s", len(p.lines()), p.err.String())
		}
	}
}

// An account without money, in whatever status and words: the run pauses, and nothing fails; where
// there is another lane it goes on there.
func TestOutOfMoney(t *testing.T) {
	t.Parallel()
	const answered, all = 5, 25
	spare := newOdd(t, func(int64, string, http.ResponseWriter) bool { return false })
	for _, c := range []struct {
		status int
		body   string
	}{
		{400, `{"error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the API."}}`},
		{400, `{"error":{"code":"Arrearage","message":"Access denied"}}`},
		{402, `{"error":{"message":"Insufficient Balance"}}`},
		{403, `{"code":"no permission","error":"Your team T has either used all available credits or reached its monthly spending limit."}`},
		{403, `{"error":{"message":"user quota is not enough","code":"insufficient_user_quota"}}`},
		{412, `{"error":{"message":"Account x is suspended, possibly due to reaching the monthly spending limit"}}`},
		{429, `{"error":{"message":"Budget has been exceeded!","type":"budget_exceeded"}}`},
		{429, `{"error":{"message":"Rate limit exceeded: free-models-per-day. Add 10 credits","code":429}}`},
		{200, `{"choices":null,"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}`},
	} {
		for _, lanes := range []int{1, 2} {
			t.Run(fmt.Sprintf("%d, %d lanes, %.30s", c.status, lanes, c.body[10:]), func(t *testing.T) {
				t.Parallel()
				o := newOdd(t, func(n int64, _ string, w http.ResponseWriter) bool { return n > answered && says(w, c.status, c.body) })
				dir := t.TempDir()
				args := []string{"-R", "--base-url", o.URL, "-m", "m", "-c", "1", "--summary", "summary.json"}
				code, ok := 75, answered
				if lanes > 1 {
					args = append(args, "--fallback", "url="+spare.URL+",name=spare,model=m")
					code, ok = 0, all
				}
				p := llmpipe(t, dir, append(args, writeNamed(t, dir, plainPrompts(all)...))...)
				p.exits(t, code)
				s := readSummary(t, dir)
				if n := o.asked.Load(); s.OK != ok || s.Failed != 0 || n > answered+2 {
					t.Errorf("%d requests, summary %+v\n%s", n, s, p.err.String())
				}
				if lanes == 1 && !strings.Contains(p.err.String(), "hint: ") {
					t.Errorf("said\n%s", p.err.String())
				}
			})
		}
	}
}

// A quota that comes back says when.
func TestQuotaComesBack(t *testing.T) {
	t.Parallel()
	o := newOdd(t, func(_ int64, _ string, w http.ResponseWriter) bool {
		w.Header().Set("X-RateLimit-Reset", "21600")
		return says(w, 429, `{"error":{"message":"You have reached your daily limit"}}`)
	})
	dir := t.TempDir()
	p := llmpipe(t, dir, "-R", "--base-url", o.URL, "-m", "m", writeNamed(t, dir, "hello"))
	p.exits(t, 75)
	p.says(t, "resets in 6h")
}

// A lane that answers nothing but that it is overloaded is left to those behind it.
func TestFallbackWhenOverloaded(t *testing.T) {
	t.Parallel()
	for _, retryAfter := range []string{"", "1"} {
		t.Run("Retry-After: "+retryAfter, func(t *testing.T) {
			t.Parallel()
			o := newOdd(t, func(_ int64, _ string, w http.ResponseWriter) bool {
				if retryAfter != "" {
					w.Header().Set("Retry-After", retryAfter)
				}
				return says(w, 503, `{"error":{"message":"The engine is currently overloaded","type":"overloaded","code":"overloaded"}}`)
			})
			spare := newOdd(t, func(int64, string, http.ResponseWriter) bool { return false })
			dir := t.TempDir()
			p := llmpipe(t, dir, "-R", "--base-url", o.URL, "-m", "m", "--summary", "summary.json",
				"--fallback", "url="+spare.URL+",name=spare,model=m", writeNamed(t, dir, plainPrompts(200)...))
			p.exits(t, 0)
			if n := o.asked.Load(); n > 60 || spare.asked.Load() != 200 {
				t.Errorf("%d requests to the one, %d to the spare\n%s", n, spare.asked.Load(), p.err.String())
			}
		})
	}
}

// So is one that asks to wait for long.
func TestFallbackWhenWaitingForLong(t *testing.T) {
	t.Parallel()
	o := newOdd(t, func(n int64, _ string, w http.ResponseWriter) bool {
		w.Header().Set("Retry-After", "900")
		return n > 5 && says(w, 429, `{"error":{"message":"slow down"}}`)
	})
	spare := newOdd(t, func(int64, string, http.ResponseWriter) bool { return false })
	dir := t.TempDir()
	p := llmpipe(t, dir, "-R", "--base-url", o.URL, "-m", "m", "-c", "4",
		"--fallback", "url="+spare.URL+",name=spare,model=m", writeNamed(t, dir, plainPrompts(50)...))
	p.exits(t, 0)
	if n := o.asked.Load(); n > 9 || spare.asked.Load() != 45 {
		t.Errorf("%d requests to the one, %d to the spare\n%s", n, spare.asked.Load(), p.err.String())
	}
}

// What answers 200 and is no API ends the run after a few answers, with what to try.
func TestNoAPI(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		"<!doctype html><title>Welcome</title>", "It works!", `{"error":"Unexpected endpoint or method. (POST /chat/completions)"}`,
		`{"status":"ok"}`, `{"message":"Hello"}`,
	} {
		t.Run(body, func(t *testing.T) {
			t.Parallel()
			o := newOdd(t, func(_ int64, _ string, w http.ResponseWriter) bool { return says(w, 200, body) })
			dir := t.TempDir()
			p := llmpipe(t, dir, "-R", "--base-url", strings.TrimSuffix(o.URL, "/v1"), "-m", "m", "-c", "4", writeNamed(t, dir,
				plainPrompts(100)...))
			p.exits(t, 1)
			if n := o.asked.Load(); n > 16 || !strings.Contains(p.err.String(), "hint: ") || !strings.Contains(p.err.String(), "/v1") {
				t.Errorf("%d requests\n%s", n, p.err.String())
			}
		})
	}
}

// An answer with nothing in it that is billed is asked for once more, and no more.
func TestBilledForNothing(t *testing.T) {
	t.Parallel()
	o := newOdd(t, func(_ int64, prompt string, w http.ResponseWriter) bool {
		return prompt == "prompt 1" && says(w, 200, `{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":9,"total_tokens":18}}`)
	})
	dir := t.TempDir()
	p := llmpipe(t, dir, "-R", "--base-url", o.URL, "-m", "m", writeNamed(t, dir, plainPrompts(3)...))
	p.exits(t, 3)
	if n := o.seen["prompt 1"]; n != 2 || len(p.lines()) != 3 {
		t.Errorf("%d requests for one answer, %d lines\n%s", n, len(p.lines()), p.err.String())
	}
}

// A server that speaks TLS, asked without, is told of.
func TestPlainHTTPToTLS(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"Client sent an HTTP request to an HTTPS server.\n",
		"<title>400 The plain HTTP request was sent to HTTPS port</title>"} {
		o := newOdd(t, func(_ int64, _ string, w http.ResponseWriter) bool { return says(w, 400, body) })
		dir := t.TempDir()
		p := llmpipe(t, dir, "-R", "--base-url", o.URL, "-m", "m", writeNamed(t, dir, "hello"))
		if p.exits(t, 3); !strings.Contains(p.err.String(), "https://") {
			t.Errorf("said\n%s", p.err.String())
		}
	}
}

// What is over a minute's tokens only by how they are guessed is the provider's to refuse; what is
// over it however they are counted is not sent.
func TestTooLargeByGuessAlone(t *testing.T) {
	t.Parallel()
	o := newOdd(t, func(_ int64, _ string, w http.ResponseWriter) bool {
		w.Header().Set("X-Ratelimit-Limit-Tokens", "30000")
		w.Header().Set("X-Ratelimit-Remaining-Tokens", "29000")
		w.Header().Set("X-Ratelimit-Reset-Tokens", "1s")
		return false
	})
	base64 := strings.Repeat(strings.Repeat("iVBORw0KGgo+/9A=", 4)+`\r\n`, 6000)
	lines := []string{
		`{"id":"short","prompt":"hello"}`,
		`{"id":"escaped","prompt":"` + strings.Repeat(`\u0421\u043b\u043e\u0432\u043e `, 9000) + `"}`,
		`{"id":"blanks","prompt":"a` + strings.Repeat(" ", 400_000) + `b"}`,
		`{"id":"rules","prompt":"a` + strings.Repeat(`-----\n`, 60_000) + `b"}`,
		`{"id":"image","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,` + base64 + `"}}]}]}`,
		`{"id":"large","prompt":"` + strings.Repeat("some words ", 40_000) + `"}`,
	}
	dir := t.TempDir()
	p := llmpipe(t, dir, "--base-url", o.URL, "-m", "m", "-c", "1", writeNamed(t, dir, lines...))
	p.exits(t, 3)
	for _, line := range p.lines() {
		if large := strings.HasPrefix(line, `{"id":"large"`); large != strings.Contains(line, `"too_large"`) {
			t.Errorf("%.200s", line)
		}
	}
	if n := o.asked.Load(); n != 5 || len(p.lines()) != 6 {
		t.Errorf("%d requests, %d lines\n%s", n, len(p.lines()), p.err.String())
	}
}
