package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode"
)

// TestSecretsStaySecret has a provider that repeats in every refusal what it was sent. Neither the
// key nor a header from the environment reaches stdout, stderr, the ledger or the summary.
func TestSecretsStaySecret(t *testing.T) {
	t.Parallel()
	const key, word, inURL = "sk-very/secret+key", "another secret", "AIzaSecret"
	for _, status := range []int{302, 400, 401, 402, 403, 404, 500} {
		for _, format := range []string{"result", "batch", "raw", "text"} {
			t.Run(fmt.Sprintf("%d %s", status, format), func(t *testing.T) {
				t.Parallel()
				sent := make(chan string, 1)
				provider := newBackend(t, func(n int64, w http.ResponseWriter, r *http.Request) {
					if n == 1 {
						sent <- r.Header.Get("Authorization") + "|" + r.Header.Get("X-Word")
					}
					said := []string{"you sent", r.Header.Get("Authorization"), "and", r.Header.Get("X-Word"), "to", r.URL.RawQuery}
					echo, _ := json.Marshal(strings.Join(said, " "))
					w.Header().Set("Location", "https://elsewhere.example/?key="+key+"&other=hidden")
					w.Header().Set("X-Request-Id", key)
					w.WriteHeader(status)
					fmt.Fprintf(w, `{"error":{"type":%s,"code":%[1]s,"message":%[1]s}}`, echo)
				})
				dir := t.TempDir()
				p := llmpipe(t, dir, "--base-url", provider.URL+"?api_key="+inURL, "-m", "m", "-f", format, "-v",
					"--retries", "1", "--summary", "summary.json",
					"--key-env", "MY_KEY", "--header-env", "X-Word=MY_WORD", "--keep-input")
				p.Env = append(p.Env, "MY_KEY="+key, "MY_WORD="+word)
				p.Stdin = strings.NewReader(numbered(1, 1))
				if code := p.exit(t); code == 0 {
					t.Fatalf("exit 0\n%s", p.out.String())
				}
				if got := <-sent; got != "Bearer "+key+"|"+word {
					t.Fatalf("the provider got %q", got)
				}
				told := map[string]string{"stdout": p.out.String(), "stderr": p.err.String()}
				for _, name := range []string{"llmpipe.ledger.jsonl", "summary.json"} {
					told[name] = readFile(t, dir, name)
				}
				for where, text := range told {
					for _, secret := range []string{key, word, inURL, "hidden"} {
						if strings.Contains(text, secret) {
							t.Errorf("%s holds the secret %s:\n%s", where, secret, text)
						}
					}
				}
			})
		}
	}
}

// TestUnaskedAnswersAreNotLogged has a server go on after its answer, and say the key there. What
// net/http makes of that reaches nobody.
func TestUnaskedAnswersAreNotLogged(t *testing.T) {
	t.Parallel()
	const key = "sk-very/secret+key"
	for _, flag := range []string{"-v", "-q"} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			provider := newBackend(t, func(_ int64, w http.ResponseWriter, r *http.Request) {
				conn, buffered, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				const answer = `{"choices":[{"message":{"content":"yes"},"finish_reason":"stop"}]}`
				fmt.Fprintf(buffered, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(answer), answer)
				fmt.Fprintf(buffered, "the rest, and what you sent: %s\n", r.Header.Get("Authorization"))
				_ = buffered.Flush()
				_, _ = conn.Read(make([]byte, 1)) // the client closes the connection
			})
			p := llmpipe(t, t.TempDir(), "--base-url", provider.URL, "-m", "m", "-c", "1", flag)
			p.Env = append(p.Env, "OPENAI_API_KEY="+key, "GODEBUG=http2debug=2")
			p.Stdin = strings.NewReader(numbered(1, 5))
			p.exits(t, 0)
			for _, line := range splitLines(p.err.String()) {
				if strings.Contains(line, key) || flag == "-q" || !strings.HasPrefix(line, "llmpipe: ") && !strings.HasPrefix(line, "  ") {
					t.Errorf("said %q", line)
				}
			}
		})
	}
}

// TestTerminalsAreSafe has a provider whose every word holds control sequences. None reaches what
// people read: data is given as it is.
func TestTerminalsAreSafe(t *testing.T) {
	t.Parallel()
	const evil = "\x1b]0;owned\a\x1b[2J\r\u009b31m\u202e"
	quoted, _ := json.Marshal(evil)
	provider := newBackend(t, func(_ int64, w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/models") {
			fmt.Fprintf(w, `{"data":[{"id":%s}]}`, quoted)
			return
		}
		w.Header().Set("X-Request-Id", "\u009b31m")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error":{"type":%s,"code":%[1]s,"message":%[1]s}}`, quoted)
	})
	dir := t.TempDir()
	safe := func(code int, args ...string) {
		t.Helper()
		p := llmpipe(t, dir, append(args, "-l", "a.ledger.jsonl")...)
		p.Env = append(p.Env, "OPENAI_BASE_URL="+provider.URL)
		p.Stdin = strings.NewReader(`{"id":` + string(quoted) + `,"prompt":"a"}` + "\n" + `{"prompt":7,"model":` + string(quoted) + "}\n")
		p.exits(t, code)
		read := p.err.String()
		if args[0] == "report" || args[0] == "estimate" || args[0] == "batches" {
			read += p.out.String()
		}
		if at := strings.IndexFunc(read, func(r rune) bool {
			return unicode.IsControl(r) && r != '\n' && r != '\t' || r == '\u202e'
		}); at >= 0 {
			t.Errorf("%s wrote a control character: %q", args, read)
		}
	}
	safe(3, "-v", "-f", "text")
	safe(3, "-v")
	safe(0, "report")
	safe(0, "report", "--html", "-")
	safe(0, "export", "a.ledger.jsonl")
	safe(3, "estimate")
	safe(0, "batches")
}

// TestPlainHTTPIsWarnedOf: a key that would cross a network in clear text is worth a warning, also
// under a name of one's own, and on this machine it is not.
func TestPlainHTTPIsWarnedOf(t *testing.T) {
	t.Parallel()
	provider := newRecorder(t)
	for _, c := range []struct {
		name, url, key string
		warned         bool
	}{
		{"another machine", "http://192.0.2.1/v1", "k", true},
		{"another machine by name", "http://llm.example/v1", "k", true},
		{"https", "https://llm.example/v1", "k", false},
		{"no key", "http://llm.example/v1", "", false},
		{"this machine", provider.URL, "k", false},
		{"localhost", "http://localhost/v1", "k", false},
		{"loopback in IPv6", "http://[::1]/v1", "k", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := llmpipe(t, t.TempDir(), "--base-url", c.url, "-m", "m") // and no record, so that nothing is sent
			p.Env = append(p.Env, "OPENAI_API_KEY="+c.key)
			if code := p.exit(t); code != 0 {
				t.Errorf("exit %d", code)
			}
			if strings.Contains(p.err.String(), "warning: the key goes to another machine over plain http") != c.warned {
				t.Errorf("said %q", p.err.String())
			}
		})
	}
}
