package provider

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"llmpipe/stream/record"
)

// ask asks a server that answers as handle does.
func ask(t *testing.T, ctx context.Context, c Config, body string, handle http.HandlerFunc) *Reply {
	t.Helper()
	server := httptest.NewServer(handle)
	defer server.Close()
	c.BaseURL = server.URL + c.BaseURL
	client, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	r := &Reply{}
	client.Ask(ctx, record.Chat, []byte(body), r)
	return r
}

// The record's bytes arrive as they are, under the headers and the query that were asked for.
func TestBytesArriveExactly(t *testing.T) {
	const body = `{"z":1, "messages" : [],"seed":9007199254740993,"a":1.0e0,"t":"<&>\u00e9"}`
	c := Config{BaseURL: "/base/v1?api-version=2024-10-21", Key: "sk-1", UserAgent: "llmpipe/test",
		Header: http.Header{"X-Own": {"yes"}, "Host": {"tenant.example"}}}
	r := ask(t, t.Context(), c, body, func(w http.ResponseWriter, r *http.Request) {
		got, err := io.ReadAll(r.Body)
		if err != nil || string(got) != body || r.ContentLength != int64(len(body)) {
			t.Errorf("arrived: %s (%d), %v", got, r.ContentLength, err)
		}
		if r.URL.Path != "/base/v1/chat/completions" || r.URL.RawQuery != "api-version=2024-10-21" {
			t.Errorf("asked at %s", r.URL)
		}
		if r.Host != "tenant.example" {
			t.Errorf("asked of %s", r.Host)
		}
		for k, want := range map[string]string{
			"Authorization": "Bearer sk-1", "X-Own": "yes", "User-Agent": "llmpipe/test", "Content-Type": "application/json",
		} {
			if v := r.Header.Get(k); v != want {
				t.Errorf("%s: %q, want %q", k, v, want)
			}
		}
		w.Header().Set("X-Theirs", "too")
		_, _ = io.WriteString(w, answeredBody)
	})
	if r.Class != OK || string(r.Body) != answeredBody || r.Header.Get("X-Theirs") != "too" || r.BodyInUse {
		t.Errorf("replied %+v", r)
	}
}

// A provider that repeats the key it rejects does not get it into a message. A refused body's
// memory may still be read.
func TestKeyIsRedacted(t *testing.T) {
	c := Config{Key: "sk-secret", Secrets: []string{"hush"}}
	r := ask(t, t.Context(), c, "{}", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":{"message":"Incorrect key sk-secret for hush"}}`)
	})
	if r.Class != Fatal || strings.Contains(r.Err.Message, "sk-secret") || strings.Contains(r.Err.Message, "hush") || !r.BodyInUse {
		t.Errorf("replied %+v, %v", r, r.Err)
	}
}

// An attempt that takes too long may be made again; one that was called off is no reply at all.
func TestTimeoutAndCancel(t *testing.T) {
	for name, c := range map[string]struct {
		cancelAfter time.Duration
		want        Class
		kind        string
	}{
		"time-out":  {time.Hour, Transient, "timeout"},
		"cancelled": {time.Second, Cancelled, "cancelled"},
	} {
		synctest.Test(t, func(t *testing.T) {
			client, err := New(Config{BaseURL: "sim:?hang=1", Timeout: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			ctx, cancel := context.WithTimeout(t.Context(), c.cancelAfter)
			defer cancel()
			r := &Reply{}
			client.Ask(ctx, record.Chat, []byte(`{"model":"m","messages":[{"role":"user","content":"x"}]}`), r)
			if r.Class != c.want || r.Err.Type != c.kind || !r.BodyInUse || r.Latency != min(c.cancelAfter, time.Minute) {
				t.Errorf("%s: %v, %v after %s", name, r.Class, r.Err, r.Latency)
			}
		})
	}
}
