package provider

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// clientOf returns a client of a server on loopback that answers as h does. c.BaseURL is the path
// at the server.
func clientOf(t *testing.T, c Config, h http.Handler) *Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c.BaseURL = server.URL + c.BaseURL
	client, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// answering answers every request with a status and a body.
func answering(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// callErrorOf returns the CallError in err.
func callErrorOf(t *testing.T, err error) *CallError {
	t.Helper()
	var e *CallError
	if !errors.As(err, &e) {
		t.Fatalf("%v is no CallError", err)
	}
	if e.Err == nil || !errors.Is(err, e.Err) || !strings.Contains(err.Error(), e.Err.Message) {
		t.Fatalf("%v does not say %v", err, e.Err)
	}
	return e
}

// What an error answer means is in the table; whether the provider may have acted is not.
func TestCallErrors(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		body   string
		class  Class
		says   string
		sent   bool
	}{
		{"not there", 404, `{"error":{"message":"No such File object: f","type":"invalid_request_error","param":"id","code":null}}`,
			Refused, "No such File", false},
		{"wrong key", 401, `{"error":{"message":"Incorrect API key provided: sk-secret"}}`, Fatal, "provided: [redacted]", false},
		{"too many", 429, `{"error":{"message":"slow down","code":"rate_limit_exceeded"}}`, Pressure, "slow down", false},
		{"no money", 429, `{"error":{"message":"m","code":"billing_hard_limit_reached"}}`, Exhausted, "m", false},
		{"a gateway's page", 502, "<html><title>502 Bad Gateway</title></html>", Transient, "502 Bad Gateway", true},
		{"a gateway's time-out", 504, "", Transient, "empty", true},
		{"a time-out", 408, "{}", Transient, "", true},
		{"a redirect", 307, "", Fatal, "empty", false},
		{"nothing", 200, "", Transient, "the answer is empty", true},
		{"a page", 200, "<html>busy</html>", Transient, "the answer is not a batch: <html>busy</html>", true},
		{"something else", 200, `{"object":"list","data":[]}`, Transient, "the answer is not a batch", true},
		{"an error within 200", 200, `{"error":{"code":429,"message":"slow"}}`, Pressure, "slow", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := clientOf(t, Config{Key: "sk-secret"}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Retry-After", "7")
				answering(c.status, c.body)(w, r)
			}))
			_, err := client.CreateBatch(t.Context(), NewBatch{InputFile: "f"})
			e := callErrorOf(t, err)
			if e.Class != c.class || e.Err.Status != c.status || e.Sent != c.sent || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, sent %t: %v", e.Class, e.Sent, err)
			}
			if waits := e.Class == Pressure || e.Class == Transient; waits != (e.Hint == 7*time.Second) {
				t.Errorf("a hint of %s", e.Hint)
			}
			if _, err := client.Batch(t.Context(), "b"); callErrorOf(t, err).Sent {
				t.Error("asking is taken for acting")
			}
		})
	}
}

// Where there is no connection nothing was sent.
func TestCallWithoutServer(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	client, err := New(Config{BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	_, err = client.CreateBatch(t.Context(), NewBatch{InputFile: "f"})
	if e := callErrorOf(t, err); e.Class != Transient || e.Sent || !strings.Contains(e.Err.Message, "refused") {
		t.Errorf("%v, sent %t: %v", e.Class, e.Sent, e)
	}
}

// A small call ends after a minute, or sooner where an attempt may not take as long.
func TestCallTimeout(t *testing.T) {
	for timeout, want := range map[time.Duration]time.Duration{time.Hour: time.Minute, time.Second: time.Second} {
		synctest.Test(t, func(t *testing.T) {
			client, err := New(Config{BaseURL: "sim:?hang=1", Timeout: timeout})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			start := time.Now()
			_, err = client.CancelBatch(t.Context(), "b")
			e := callErrorOf(t, err)
			if took := time.Since(start); took != want || e.Class != Transient || e.Err.Type != "timeout" || !e.Sent {
				t.Errorf("%v after %s", err, took)
			}
		})
	}
}

// Azure's files and batches belong to the account: the deployment is not in their path, the version
// and the key come with each.
func TestCallAzure(t *testing.T) {
	var asked atomic.Value
	client := clientOf(t, Config{
		BaseURL: "/openai/deployments/mine?api-version=2024-10-21", Header: http.Header{"Api-Key": {"secret"}},
	}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.Method + " " + r.URL.String() + " " + r.Header.Get("Api-Key"))
		answering(200, `{"id":"x","status":"validating","data":[]}`)(w, r)
	}))
	ctx := t.Context()
	for want, call := range map[string]func() error{
		"POST /openai/batches?api-version=2024-10-21 secret": func() error {
			_, err := client.CreateBatch(ctx, NewBatch{InputFile: "f"})
			return err
		},
		"POST /openai/batches/b-1/cancel?api-version=2024-10-21 secret": func() error {
			_, err := client.CancelBatch(ctx, "b-1")
			return err
		},
		"GET /openai/files/f-1/content?api-version=2024-10-21 secret": func() error {
			_, err := client.DownloadFile(ctx, "f-1", io.Discard)
			return err
		},
		"POST /openai/files?api-version=2024-10-21 secret": func() error {
			_, err := client.UploadFile(ctx, "n.jsonl", strings.NewReader("x"), 1)
			return err
		},
		"GET /openai/batches?limit=100&api-version=2024-10-21 secret":   func() error { return drain(client.Batches(ctx)) },
		"GET /openai/files?api-version=2024-10-21&purpose=batch secret": func() error { return drain(client.Files(ctx)) },
		"DELETE /openai/files/a%2Fb%20c?api-version=2024-10-21 secret":  func() error { return client.DeleteFile(ctx, "a/b c") },
	} {
		if err := call(); err != nil || asked.Load() != want {
			t.Errorf("%v: asked %v, want %s", err, asked.Load(), want)
		}
	}
}
