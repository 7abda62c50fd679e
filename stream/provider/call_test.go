package provider

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
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

// thing is what the calls below ask for.
type thing struct {
	ID     string `json:"id"`
	Status string `json:"status"`
}

func (o *thing) Known() bool { return o.ID != "" && o.Status != "" }

// creating makes a call that acts.
func creating(ctx context.Context, c *Client) error {
	body := &Content{Type: "application/json", Head: []byte("{}")}
	return c.Call(ctx, &Request{Method: http.MethodPost, Path: "/batches", Body: body, Once: true, Into: &thing{}, Called: "a batch"})
}

// looking makes a call that only wants to be told.
func looking(ctx context.Context, c *Client) error {
	return c.Call(ctx, &Request{Method: http.MethodGet, Path: "/batches/b", Into: &thing{}, Called: "a batch"})
}

// uploading sends what content holds.
func uploading(ctx context.Context, c *Client, content io.ReaderAt, size int64) error {
	body := &Content{Type: "text/plain", Head: []byte("<"), File: content, Size: size, Tail: []byte(">")}
	return c.Call(ctx, &Request{Method: http.MethodPost, Path: "/files", Body: body})
}

// downloading writes what comes to w.
func downloading(ctx context.Context, c *Client, w io.Writer) error {
	return c.Call(ctx, &Request{Method: http.MethodGet, Path: "/files/f/content", To: w})
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
			err := creating(t.Context(), client)
			e := callErrorOf(t, err)
			if e.Class != c.class || e.Err.Status != c.status || e.Sent != c.sent || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, sent %t: %v", e.Class, e.Sent, err)
			}
			if waits := e.Class == Pressure || e.Class == Transient; waits != (e.Hint == 7*time.Second) {
				t.Errorf("a hint of %s", e.Hint)
			}
			if callErrorOf(t, looking(t.Context(), client)).Sent {
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
	err = creating(t.Context(), client)
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
			err = creating(t.Context(), client)
			e := callErrorOf(t, err)
			if took := time.Since(start); took != want || e.Class != Transient || e.Err.Type != "timeout" || !e.Sent {
				t.Errorf("%v after %s", err, took)
			}
		})
	}
}
