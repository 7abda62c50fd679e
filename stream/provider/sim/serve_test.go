package sim

import (
	"context"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// Serve answers until its context ends, and then cuts off what hangs.
func TestSimServe(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + listener.Addr().String()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := New(Options{Hang: 1})
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, listener) }()

	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	w, err := client.Get(url + "/v1/models")
	if err != nil {
		t.Fatal(err)
	}
	w.Body.Close()
	if w.StatusCode != http.StatusOK {
		t.Errorf("answered %s", w.Status)
	}

	cut := make(chan error, 1)
	go func() {
		w, err := client.Post(url+"/v1/chat/completions", "application/json", strings.NewReader(hello))
		if err == nil {
			w.Body.Close()
		}
		cut <- err
	}()
	for s.Stats().Faults["hang"] == 0 {
		select {
		case err := <-cut:
			t.Fatalf("the request did not hang: %v", err)
		default:
			runtime.Gosched()
		}
	}
	cancel()
	if err := <-cut; err == nil {
		t.Error("what hung was answered")
	}
	if err := <-served; err != nil {
		t.Errorf("serving ended with %v", err)
	}
}
