package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
)

// closedPort is a base URL at which nothing listens.
func closedPort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return fmt.Sprintf("http://%s/v1", l.Addr())
}

// What no retry can change ends the run early: after what is in flight, and after the records that
// it takes to be sure.
func TestHopelessRuns(t *testing.T) {
	t.Parallel()
	const inFlight, key = 8, "sk-wrong-and-secret"
	for _, c := range []struct {
		name    string
		options string
		args    []string
		most    int // requests after the answered ones
		code    int
		answers int
		says    []string
	}{
		{
			name: "wrong key", options: "latency=5ms&key=right", most: inFlight, code: 1,
			says: []string{"401", "hint: ", "--key-env"},
		},
		{
			name: "unknown model", options: "latency=5ms&models=gpt-a,gpt-b", args: []string{"-m", "gpt-c"}, most: inFlight + 20, code: 1,
			says: []string{"404", "gpt-c", "hint: ", "-m"},
		},
		{
			name: "no such path", options: "latency=5ms", args: []string{"--base-url", "$SIM/v2"}, most: inFlight + 20, code: 1,
			says: []string{"404", "hint: ", "base URL"},
		},
		{
			name: "quota used up", options: "latency=5ms&quota=30", most: inFlight, code: 75, answers: 30,
			says: []string{"insufficient_quota", "hint: "},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			sim, dir := startSim(t, c.options), t.TempDir()
			args := []string{"--base-url", sim.URL, "-m", "m", "-c", fmt.Sprint(inFlight), "--summary", "summary.json"}
			for _, a := range c.args {
				args = append(args, strings.ReplaceAll(a, "$SIM", sim.URL))
			}
			p := llmpipe(t, dir, append(args, writePrompts(t, dir, 1000))...)
			p.Env = append(p.Env, "OPENAI_API_KEY="+key)
			if code := p.exit(t); code != c.code {
				t.Errorf("exit %d, want %d", code, c.code)
			}
			said := p.err.String()
			p.says(t, c.says...)
			if strings.Contains(said+p.out.String(), key) {
				t.Errorf("the key was shown:\n%s", said)
			}
			if n := sim.stats(t).Requests; n > c.answers+c.most {
				t.Errorf("%d requests were sent, want at most %d", n, c.answers+c.most)
			}
			s := readSummary(t, dir)
			if s.OK != c.answers || s.Failed > c.most || s.OK+s.Failed != len(p.lines()) || s.In == 1000 {
				t.Errorf("summary %+v with %d lines", s, len(p.lines()))
			}
		})
	}
}

// No redirect is followed: the key is for the host that was named.
func TestRedirectGetsNoKey(t *testing.T) {
	t.Parallel()
	other := newBackend(t, func(_ int64, w http.ResponseWriter, _ *http.Request) { answerChat(w) })
	for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		b := newBackend(t, func(_ int64, w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+"/chat/completions", status)
		})
		dir := t.TempDir()
		p := llmpipe(t, dir, "--base-url", b.URL, "-m", "m", "-c", "4", writePrompts(t, dir, 50))
		p.Env = append(p.Env, "OPENAI_API_KEY=sk-secret")
		if code := p.exit(t); code != 1 {
			t.Errorf("%d: exit %d", status, code)
		}
		said := p.err.String()
		if !strings.Contains(said, other.URL) || !strings.Contains(said, "hint: llmpipe follows no redirect") ||
			strings.Contains(said, "sk-secret") {
			t.Errorf("%d: said\n%s", status, said)
		}
	}
	if n := other.asked.Load(); n != 0 {
		t.Errorf("%d redirects were followed", n)
	}
}

// A disk that is full is told as such, and the run ends.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full here")
	}
	defer full.Close()
	b := newBackend(t, func(_ int64, w http.ResponseWriter, _ *http.Request) { answerChat(w) })
	p := llmpipe(t, t.TempDir(), "--base-url", b.URL, "-m", "m", "-c", "4", "--no-ledger")
	p.Stdout = full
	feed(t, p, -1, true)
	if code := p.exit(t); code != 1 {
		t.Errorf("exit %d", code)
	}
	if said := p.err.String(); !strings.Contains(said, "error: writing to stdout: ") || !strings.Contains(said, "no space left") {
		t.Errorf("said\n%s", said)
	}
	if n := b.asked.Load(); n > 4*4+256+64 {
		t.Errorf("%d requests were sent for nothing", n)
	}
}
