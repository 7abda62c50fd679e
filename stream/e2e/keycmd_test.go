package e2e

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"llmpipe/stream/provider/sim"
)

// keeper hands out keys that live for a while, in a file, and is a provider that accepts no others.
type keeper struct {
	sim      *sim.Server
	dir      string
	life     time.Duration
	tells    bool // a key says when it ends
	current  atomic.Pointer[string]
	until    atomic.Int64 // Unix milliseconds
	refusals atomic.Int64
}

// keySecret is in every key.
const keySecret = "c2VjcmV0LXNpZ25hdHVyZQ"

// issue makes a new key, and puts it where the command finds it.
func (k *keeper) issue(t *testing.T, number int) {
	now := time.Now()
	ends := now.Add(k.life)
	text := fmt.Sprintf("sk-%d-%s", number, keySecret)
	if k.tells {
		claims := fmt.Sprintf(`{"jti":%d,"iat":%.3f,"exp":%.3f}`, number, float64(now.UnixMilli())/1000, float64(ends.UnixMilli())/1000)
		text = "eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + "." + keySecret
	}
	name := filepath.Join(k.dir, "key")
	if err := os.WriteFile(name+".new", []byte(text+"\n"), 0o600); err != nil {
		t.Error(err)
	}
	k.current.Store(&text)
	k.until.Store(ends.UnixMilli())
	if err := os.Rename(name+".new", name); err != nil {
		t.Error(err)
	}
}

// ServeHTTP lets in who shows a key that holds.
func (k *keeper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	shown := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if other := r.Header.Get("X-Api-Key"); other != "" {
		shown = other
	}
	if !k.holds(shown) {
		k.refusals.Add(1)
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"type":"error","error":{"type":"authentication_error","message":"the key %s does not hold"}}`, shown)
		return
	}
	k.sim.ServeHTTP(w, r)
}

// holds tells whether a key may be used: the last one, or one that says that it has not ended.
func (k *keeper) holds(shown string) bool {
	if !k.tells {
		return shown == *k.current.Load()
	}
	var number int
	var issued, ends float64
	parts := strings.Split(shown, ".")
	if len(parts) != 3 || parts[2] != keySecret {
		return false
	}
	claims, _ := base64.RawURLEncoding.DecodeString(parts[1])
	n, _ := fmt.Sscanf(string(claims), `{"jti":%d,"iat":%f,"exp":%f}`, &number, &issued, &ends)
	return n == 3 && float64(time.Now().UnixMilli())/1000 < ends
}

// serve issues keys until the test ends: one at each expiry, or where they say when they end one at
// every twentieth of that, as a vault does.
func (k *keeper) serve(t *testing.T) string {
	every := k.life
	if k.tells {
		every = k.life / 20
	}
	k.issue(t, 0)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for n := 1; ; n++ {
			select {
			case <-time.After(every):
				k.issue(t, n)
			case <-stop:
				return
			}
		}
	}()
	t.Cleanup(func() { close(stop); <-stopped })
	server := httptest.NewServer(k)
	t.Cleanup(server.Close)
	return server.URL + "/v1"
}

// A key that a command prints is renewed before it expires where it says when, and at a 401 where
// it does not. The command is run about once an expiry, however many are in flight, and the key
// shows nowhere.
func TestKeyCommand(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the command is one of a Unix shell")
	}
	t.Parallel()
	for _, c := range []struct {
		name, endpoint string
		life           time.Duration
		tells          bool
	}{
		{"says when it ends", "chat", 2 * time.Second, true},
		{"says when it ends, to Anthropic", "messages", 2 * time.Second, true},
		{"is refused one day", "chat", 700 * time.Millisecond, false},
		{"is refused one day, by Anthropic", "messages", 700 * time.Millisecond, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := sim.New(sim.Options{Latency: 70 * time.Millisecond})
			defer s.Close()
			k := &keeper{sim: s, dir: dir, life: c.life, tells: c.tells}
			url := k.serve(t)
			const records = 2000
			p := llmpipe(t, dir, "--base-url", url, "-m", "claude-haiku-4-5", "--endpoint", c.endpoint, "-c", "64", "--keep-input", "-v",
				"--summary", "summary.json", "--key-cmd", "echo >> runs; cat key")
			p.Stdin = strings.NewReader(numbered(1, records))
			p.starts(t)
			start := time.Now()
			commands := commandLines()
			if code := p.wait(t); code != 0 || strings.Count(p.out.String(), `"content":"Simulated`) != records {
				t.Fatalf("exit %d, %d answers: %s", code, strings.Count(p.out.String(), `"content":"Simulated`), &p.err)
			}
			expiries := int(time.Since(start)/c.life) + 1
			if runs := strings.Count(readFile(t, dir, "runs"), "\n"); runs < 2 || runs > 2*expiries+1 {
				t.Errorf("the command was run %d times, with %d expiries", runs, expiries)
			}
			if n := k.refusals.Load(); c.tells && n > 0 {
				t.Errorf("%d requests were refused although the keys say when they end", n)
			}
			told := []string{p.out.String(), p.err.String(), readFile(t, dir, "llmpipe.ledger.jsonl"), readFile(t, dir, "summary.json"), commands}
			if i := slices.IndexFunc(told, func(text string) bool { return strings.Contains(text, keySecret) }); i >= 0 {
				t.Errorf("the key is in text %d of stdout, stderr, ledger, summary, command lines", i+1)
			}
		})
	}
}

// commandLines are those of all processes, where the system shows them.
func commandLines() string {
	var all strings.Builder
	names, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, name := range names {
		text, _ := os.ReadFile(name) // the process may have ended
		all.Write(text)
	}
	return all.String()
}

// What is wrong with a command is said before anything is read, and what keeps being refused ends
// the run.
func TestKeyCommandFails(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the command is one of a Unix shell")
	}
	t.Parallel()
	refuses := newBackend(t, func(_ int64, w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"error":{"message":"no such key: %s"}}`, r.Header.Get("Authorization"))
	})
	for name, c := range map[string]struct {
		command string
		says    []string
		runs    int
	}{
		"fails": {"echo >> runs; echo hush; echo log in first >&2; exit 4",
			[]string{"exit status 4: log in first", "hint: run it in a shell"}, 1},
		"prints nothing": {"echo >> runs", []string{"--key-cmd command prints nothing", "hint: run it in a shell"}, 1},
		"prints lines":   {"echo >> runs; echo hush; echo hush", []string{"--key-cmd command prints 2 lines", "hint: run it in a shell"}, 1},
		"is refused":     {"echo >> runs; echo hush-hush", []string{"401", "(two in a row)"}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			p := llmpipe(t, dir, "--base-url", refuses.URL, "-m", "m", "--key-cmd", c.command)
			p.Stdin = strings.NewReader(numbered(1, 100))
			p.exits(t, 1)
			p.says(t, c.says...)
			if runs := strings.Count(readFile(t, dir, "runs"), "\n"); runs != c.runs {
				t.Errorf("the command was run %d times, want %d", runs, c.runs)
			}
			if strings.Contains(p.err.String()+p.out.String(), "hush") {
				t.Errorf("the key shows: %s", &p.err)
			}
		})
	}
	p := llmpipe(t, t.TempDir(), "--base-url", refuses.URL, "-m", "m", "--key-cmd", "true", "--key-env", "OTHER")
	p.exits(t, 2)
	p.says(t, "--key-cmd and --key-env")
}
