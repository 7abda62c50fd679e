package batchapi

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"llmpipe/stream/provider"
	"llmpipe/stream/provider/sim"
)

// TestFileShapes reads files as providers show them.
func TestFileShapes(t *testing.T) {
	for _, c := range []struct {
		name, body string
		want       File
	}{
		{"OpenAI", `{"object":"file","id":"file-1","purpose":"batch","filename":"in.jsonl","bytes":140,"created_at":1700000000,` +
			`"expires_at":null,"status":"processed","status_details":null}`,
			File{ID: "file-1", Name: "in.jsonl", Status: "processed", Bytes: 140, Created: time.Unix(1700000000, 0)}},
		{"Azure: one that is bad", `{"id":"file-2","filename":"in.jsonl","bytes":null,"status":"error","status_details":"sk-secret is no line"}`,
			File{ID: "file-2", Name: "in.jsonl", Status: "error", StatusDetails: "[redacted] is no line"}},
	} {
		client := driverOf(t, provider.Config{Key: "sk-secret"}, answering(200, c.body))
		if got, err := client.Files().File(t.Context(), "f"); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v\ngot  %+v\nwant %+v", c.name, err, got, c.want)
		}
	}
}

// An upload arrives whole under its name, announced by its length.
func TestUploadFile(t *testing.T) {
	for _, content := range []string{"", "{\"a\":1}\n", strings.Repeat("\r\n--line\r\n", 100_000)} {
		client := driverOf(t, provider.Config{BaseURL: "/v1"}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/v1/files" || r.ContentLength < int64(len(content)) {
				t.Errorf("%s of %d bytes", r.URL, r.ContentLength)
			}
			f, header, err := r.FormFile("file")
			if err != nil {
				t.Error(err)
				return
			}
			got, err := io.ReadAll(f)
			if err != nil || string(got) != content || header.Filename != "shard 7.jsonl" || r.FormValue("purpose") != "batch" {
				t.Errorf("%d bytes as %s for %s, %v", len(got), header.Filename, r.FormValue("purpose"), err)
			}
			answering(200, `{"id":"file-1","filename":"shard 7.jsonl"}`)(w, r)
		}))
		// What lies beyond the size is none of the file.
		f, err := client.Files().Upload(t.Context(), "shard 7.jsonl", strings.NewReader(content+"more"), int64(len(content)))
		if err != nil || f.ID != "file-1" || f.Name != "shard 7.jsonl" {
			t.Errorf("%+v, %v", f, err)
		}
	}
}

// An upload is not held in memory, on either side of a connection to the simulator.
func TestUploadFileMemory(t *testing.T) {
	const size, most = 64 << 20, 4 << 20
	sim := sim.New(sim.Options{})
	t.Cleanup(sim.Close)
	client := driverOf(t, provider.Config{}, sim)
	content := readerAt(func(p []byte, at int64) (int, error) {
		for i := range p {
			p[i] = "0123456789abcde\n"[(at+int64(i))%16]
		}
		return len(p), nil
	})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f, err := client.Files().Upload(t.Context(), "in.jsonl", content, size)
	if err != nil || f.Bytes != size {
		t.Fatalf("%+v, %v", f, err)
	}
	var n counter
	if err := client.Download(t.Context(), f.ID, &n); err != nil || n != size {
		t.Fatalf("%d bytes, %v", n, err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > most {
		t.Errorf("%d bytes were allocated to move %d twice", used, size)
	}
}

// readerAt is a function as an io.ReaderAt.
type readerAt func(p []byte, at int64) (int, error)

func (f readerAt) ReadAt(p []byte, at int64) (int, error) { return f(p, at) }

// What this side cannot read is told from what the other side does not take.
func TestUploadFileThatCannotBeRead(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		content io.ReaderAt
		want    error
	}{
		"broken":  {readerAt(func([]byte, int64) (int, error) { return 0, broken }), broken},
		"shorter": {strings.NewReader("short"), io.ErrUnexpectedEOF},
	} {
		client := driverOf(t, provider.Config{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := io.Copy(io.Discard, r.Body); err == nil {
				t.Errorf("%s: the upload arrived", name)
			}
		}))
		_, err := client.Files().Upload(t.Context(), "in.jsonl", c.content, 1<<20)
		if !errors.Is(err, c.want) || provider.AsCallError(err) != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A refusal is heard, also where the server did not wait for the end of the file.
func TestUploadFileRefused(t *testing.T) {
	client := driverOf(t, provider.Config{}, answering(http.StatusRequestEntityTooLarge, `{"error":{"message":"too large"}}`))
	_, err := client.Files().Upload(t.Context(), "in.jsonl", strings.NewReader(strings.Repeat("x", 1<<10)), 1<<10)
	if e := callErrorOf(t, err); e.Class != provider.Refused || e.Err.Status != http.StatusRequestEntityTooLarge || e.Sent {
		t.Errorf("%v, sent %t: %v", e.Class, e.Sent, err)
	}
}

// A download that breaks off is no file.
func TestDownloadFileCutShort(t *testing.T) {
	for name, announce := range map[string]bool{"with a length": true, "in chunks": false} {
		client := driverOf(t, provider.Config{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if announce {
				w.Header().Set("Content-Length", "9")
			}
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}))
		var got bytes.Buffer
		err := client.Download(t.Context(), "f", &got)
		if e := callErrorOf(t, err); got.String() != "half" || e.Class != provider.Transient || e.Sent {
			t.Errorf("%s: %q, %v", name, &got, err)
		}
	}
}

// An error answer is not taken for the file, and one of w is not the provider's.
func TestDownloadFileFails(t *testing.T) {
	client := driverOf(t, provider.Config{}, answering(404, `{"error":{"message":"No such File object: f"}}`))
	var got bytes.Buffer
	err := client.Download(t.Context(), "f", &got)
	if e := callErrorOf(t, err); got.Len() != 0 || e.Class != provider.Refused || e.Err.Status != 404 {
		t.Errorf("%d bytes, %v", got.Len(), err)
	}
	client = driverOf(t, provider.Config{}, answering(200, "content"))
	full := errors.New("disk full")
	err = client.Download(t.Context(), "f", failingWriter{full})
	if !errors.Is(err, full) || provider.AsCallError(err) != nil {
		t.Error(err)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

// counter counts what is written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
