//go:build unix

package stream

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"llmpipe/stream/provider"
)

func namedPipe(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// A named pipe can be opened once: its writer may be gone at a second time, and what it wrote with
// it.
func TestRunReadsANamedPipe(t *testing.T) {
	name := namedPipe(t)
	written := make(chan error)
	go func() { written <- os.WriteFile(name, []byte(`{"prompt":"x"}`+"\n"), 0o600) }()
	r := try(t, "sim:?latency=1ms", nil, func(c *Config) { c.Files = []string{name} })
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	if r.ExitCode() != ExitOK || r.Summary.OK != 1 {
		t.Errorf("exit %d, %+v", r.ExitCode(), r.Summary)
	}
}

// A signal ends a run that waits for somebody to write to a named pipe.
func TestSignalWhileANamedPipeIsOpened(t *testing.T) {
	name := namedPipe(t)
	signals := make(chan os.Signal, 1)
	signals <- syscall.SIGTERM
	o, err := Run(t.Context(), Config{
		Files: []string{name}, Stdout: io.Discard, Stderr: io.Discard, MaxLine: 1 << 20,
		Listen:   func() <-chan os.Signal { return signals },
		Provider: provider.Config{BaseURL: "sim:"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if o.Signal != syscall.SIGTERM || o.Summary.In != 0 {
		t.Errorf("ended by %v, %v, %+v", o.Signal, o.Err, o.Summary)
	}
	// Lets go of the reader, if it got as far as the pipe.
	if w, err := os.OpenFile(name, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
		_ = w.Close()
	}
}

// A signal while a command prints the key ends that command too.
func TestSignalWhileAKeyIsPrinted(t *testing.T) {
	name := namedPipe(t)
	signals := make(chan os.Signal, 1)
	go func() {
		if w, err := os.OpenFile(name, os.O_WRONLY, 0); err == nil { // as soon as the command reads it
			defer func() { _ = w.Close() }()
		}
		signals <- syscall.SIGTERM
	}()
	o, err := Run(t.Context(), Config{
		Stdin: prompts(1), Stdout: io.Discard, Stderr: io.Discard, MaxLine: 1 << 20,
		Listen:   func() <-chan os.Signal { return signals },
		Provider: provider.Config{BaseURL: "http://127.0.0.1:1/v1", KeyCommand: "exec 3< '" + name + "'; sleep 600; echo key"},
	})
	if err != nil || o.Signal != syscall.SIGTERM {
		t.Fatalf("ended by %v, %v", o, err)
	}
	// Without a reader a pipe cannot be opened to be written.
	if w, err := os.OpenFile(name, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
		_ = w.Close()
		t.Error("the command is still there")
	}
}

// A signal while the provider is asked for its models is the reason why the run ends.
func TestSignalWhileModelsAreListed(t *testing.T) {
	signals := make(chan os.Signal, 1)
	hang := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		signals <- syscall.SIGINT
		<-hang
	}))
	defer server.Close()
	defer close(hang)
	o, err := Run(t.Context(), Config{
		Stdin: prompts(3), Stdout: io.Discard, Stderr: io.Discard, MaxLine: 1 << 20,
		Listen:   func() <-chan os.Signal { return signals },
		Provider: provider.Config{BaseURL: server.URL},
	})
	if err != nil {
		t.Fatal(err)
	}
	if o.Err != nil || o.Signal != syscall.SIGINT || o.Summary.In != 0 {
		t.Errorf("ended by %v, %v, %+v", o.Signal, o.Err, o.Summary)
	}
}
