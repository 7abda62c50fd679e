package sim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

// form writes an upload: fields in pairs, then the file, unless its name is "".
func form(t *testing.T, name, content string, fields ...string) (body *bytes.Buffer, kind string) {
	t.Helper()
	body = new(bytes.Buffer)
	w := multipart.NewWriter(body)
	for i := 0; i < len(fields); i += 2 {
		if err := w.WriteField(fields[i], fields[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if name != "" {
		part, err := w.CreateFormFile("file", name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(part, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return body, w.FormDataContentType()
}

// do asks s directly.
func do(s *Server, method, path, kind string, body io.Reader) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(method, path, body)
	r.Header.Set("Content-Type", kind)
	s.ServeHTTP(w, r)
	return w
}

// upload uploads a batch's input and returns the file's object.
func upload(t *testing.T, s *Server, content string) fileObject {
	t.Helper()
	body, kind := form(t, "in.jsonl", content, "purpose", "batch")
	w := do(s, http.MethodPost, "/v1/files", kind, body)
	if w.Code != http.StatusOK {
		t.Fatalf("uploading: %d %s", w.Code, w.Body)
	}
	return decode[fileObject](t, w)
}

func TestSimFiles(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	first := upload(t, s, "one\n")
	if first.Object != "file" || first.Bytes != 4 || first.Filename != "in.jsonl" || first.Purpose != "batch" || first.Status != "processed" {
		t.Errorf("uploaded %+v", first)
	}
	second := upload(t, s, "second\n")
	body, kind := form(t, "notes.txt", "x", "purpose", "user_data")
	other := decode[fileObject](t, do(s, http.MethodPost, "/files", kind, body))

	if got := decode[fileObject](t, get(s, "/v1/files/"+first.ID)); got != first {
		t.Errorf("shown as %+v, uploaded as %+v", got, first)
	}
	w := get(s, "/v1/files/"+second.ID+"/content")
	if w.Body.String() != "second\n" || w.Header().Get("Content-Length") != "7" {
		t.Errorf("content %q, %v", w.Body, w.Header())
	}
	for query, want := range map[string][]string{
		"":                                     {other.ID, second.ID, first.ID},
		"?order=asc":                           {first.ID, second.ID, other.ID},
		"?purpose=batch":                       {second.ID, first.ID},
		"?purpose=batch&limit=1":               {second.ID},
		"?after=" + second.ID:                  {first.ID},
		"?purpose=assistants":                  {},
		"?order=asc&limit=1&after=" + first.ID: {second.ID},
	} {
		if got := ids(t, s, "/v1/files"+query); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s lists %v, want %v", query, got, want)
		}
	}
	w = do(s, http.MethodDelete, "/v1/files/"+first.ID, "", http.NoBody)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"deleted":true`) {
		t.Errorf("deleting: %d %s", w.Code, w.Body)
	}
	for _, path := range []string{"/v1/files/" + first.ID, "/v1/files/" + first.ID + "/content", "/v1/files/file-none"} {
		if w := get(s, path); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "No such File object") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if w := do(s, http.MethodDelete, "/v1/files/"+first.ID, "", http.NoBody); w.Code != http.StatusNotFound {
		t.Errorf("deleting again: %d", w.Code)
	}
	if w := do(s, http.MethodPut, "/v1/files", "", http.NoBody); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("PUT: %d", w.Code)
	}
}

// ids returns what a list holds, and checks what it says of its ends.
func ids(t *testing.T, s *Server, path string) []string {
	t.Helper()
	page := decode[struct {
		Object  string
		Data    []struct{ ID string }
		FirstID *string `json:"first_id"`
		LastID  *string `json:"last_id"`
	}](t, get(s, path))
	out := []string{}
	for _, d := range page.Data {
		out = append(out, d.ID)
	}
	if page.Object != "list" || (page.FirstID != nil) != (len(out) > 0) {
		t.Errorf("%s: %+v", path, page)
	}
	if len(out) > 0 && (*page.FirstID != out[0] || *page.LastID != out[len(out)-1]) {
		t.Errorf("%s: from %s to %s, but holds %v", path, *page.FirstID, *page.LastID, out)
	}
	return out
}

func TestSimUploadRefused(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	tests := []struct {
		name, file string
		fields     []string
		want       string
	}{
		{"no file", "", []string{"purpose", "batch"}, "'file'"},
		{"no purpose", "a.jsonl", nil, "'purpose'"},
		{"odd purpose", "a.jsonl", []string{"purpose", "fun"}, "Invalid value for 'purpose'"},
		{"odd name", "a.json", []string{"purpose", "batch"}, "Invalid file format for Batch API. Must be .jsonl"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			body, kind := form(t, test.file, "x\n", test.fields...)
			w := do(s, http.MethodPost, "/v1/files", kind, body)
			if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), test.want) {
				t.Errorf("answered %d %s", w.Code, w.Body)
			}
		})
	}
	if w := do(s, http.MethodPost, "/v1/files", "application/json", strings.NewReader("{}")); w.Code != http.StatusBadRequest {
		t.Errorf("no form: %d %s", w.Code, w.Body)
	}
	whole, kind := form(t, "a.jsonl", strings.Repeat("x", 1000), "purpose", "batch")
	cut := bytes.NewReader(whole.Bytes()[:500])
	if w := do(s, http.MethodPost, "/v1/files", kind, cut); w.Code != http.StatusBadRequest {
		t.Errorf("half a form: %d %s", w.Code, w.Body)
	}
	if w := do(s, http.MethodPost, "/v1/files", kind, io.MultiReader(cut, brokenReader{})); w.Code != http.StatusBadRequest {
		t.Errorf("broken form: %d %s", w.Code, w.Body)
	}
	if got := ids(t, s, "/v1/files"); len(got) != 0 {
		t.Errorf("kept %v", got)
	}
	if left, err := os.ReadDir(s.files.dir); err != nil || len(left) != 0 {
		t.Errorf("left %v on disk, %v", left, err)
	}
	if w := get(s, "/v1/files?limit=x"); w.Code != http.StatusBadRequest {
		t.Errorf("limit=x: %d", w.Code)
	}
	if w := get(s, "/v1/files?after=x"); w.Code != http.StatusBadRequest {
		t.Errorf("after=x: %d", w.Code)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("broken") }

// For a while an uploaded file is not there, and then not ready.
func TestSimFileDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{FileDelay: 10 * time.Second})
		defer s.Close()
		file := upload(t, s, "x\n")
		if file.Status != "uploaded" {
			t.Errorf("uploaded as %+v", file)
		}
		if w := get(s, "/v1/files/"+file.ID); w.Code != http.StatusNotFound || len(ids(t, s, "/v1/files")) != 0 {
			t.Errorf("at once: %d %s", w.Code, w.Body)
		}
		time.Sleep(5 * time.Second)
		if got := decode[fileObject](t, get(s, "/v1/files/"+file.ID)); got.Status != "uploaded" || len(ids(t, s, "/v1/files")) != 1 {
			t.Errorf("after a while: %+v", got)
		}
		time.Sleep(5 * time.Second)
		if got := decode[fileObject](t, get(s, "/v1/files/"+file.ID)); got.Status != "processed" {
			t.Errorf("in the end: %+v", got)
		}
	})
}

// aborts runs a call that must end in a broken connection.
func aborts(t *testing.T, call func()) {
	t.Helper()
	defer func() {
		if got := recover(); got != http.ErrAbortHandler {
			t.Errorf("the connection was not broken: %v", got)
		}
	}()
	call()
}

func TestSimFileLost(t *testing.T) {
	s := New(Options{FileLost: 1})
	defer s.Close()
	aborts(t, func() { upload(t, s, "x\n") })
	if got := ids(t, s, "/v1/files"); len(got) != 1 {
		t.Errorf("listed %v", got)
	}
	upload(t, s, "x\n")
	if got := s.Stats().Batch.Files; got != 2 {
		t.Errorf("counted %d files", got)
	}
}

// What stops a request for an answer stops these calls, and nothing is done.
func TestSimFileFaults(t *testing.T) {
	outage := Options{Outage: []Window{{0, time.Hour}}}
	for want, o := range map[int]Options{500: {Fail: 1}, 429: {Pressure: 1}, 503: outage, 200: {Garbage: 1}} {
		s := New(o)
		body, kind := form(t, "in.jsonl", "x\n", "purpose", "batch")
		w := do(s, http.MethodPost, "/v1/files", kind, body)
		if kept := len(s.files.list("")); w.Code != want || (kept > 0) != (want == 200) {
			t.Errorf("%d files after %d %s", kept, w.Code, w.Body)
		}
		s.Close()
	}
	s := New(Options{Reset: 1})
	aborts(t, func() { get(s, "/v1/batches") })
	s.Close()
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Hang: 1})
		time.AfterFunc(time.Minute, s.Close)
		aborts(t, func() { get(s, "/v1/files") })
	})
}

func TestSimFilesEndWithClose(t *testing.T) {
	s := New(Options{})
	upload(t, s, "x\n")
	dir := s.files.dir
	if _, err := os.Stat(dir); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", dir, err)
	}
	body, kind := form(t, "in.jsonl", "x\n", "purpose", "batch")
	if w := do(s, http.MethodPost, "/v1/files", kind, body); w.Code != http.StatusInternalServerError {
		t.Errorf("after Close: %d %s", w.Code, w.Body)
	}
}

// A large upload goes to disk as it comes, over a connection.
func TestSimUploadMemory(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	const size = 64 << 20
	s := New(Options{})
	client := &http.Client{Transport: &http.Transport{DialContext: s.DialContext}}
	defer s.Close()
	defer client.CloseIdleConnections()
	whole, kind := form(t, "in.jsonl", "|", "purpose", "batch")
	head, tail, _ := strings.Cut(whole.String(), "|")
	line := strings.Repeat("x", 1<<10-1) + "\n"
	body := io.MultiReader(strings.NewReader(head), io.LimitReader(&repeatReader{text: line}, size), strings.NewReader(tail))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	resp, err := client.Post("http://sim/v1/files", kind, body)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(answer), fmt.Sprintf(`"bytes":%d`, size)) {
		t.Fatalf("answered %s, %v", answer, err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > size/8 {
		t.Errorf("%d bytes were allocated for an upload of %d", used, size)
	}
}

// repeatReader says its text again and again.
type repeatReader struct {
	text string
	at   int
}

func (r *repeatReader) Read(p []byte) (n int, err error) {
	for n < len(p) {
		k := copy(p[n:], r.text[r.at:])
		n += k
		r.at = (r.at + k) % len(r.text)
	}
	return n, nil
}
