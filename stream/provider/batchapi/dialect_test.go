package batchapi

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"llmpipe/stream/provider"
	"llmpipe/stream/record"
)

// dialectNamed returns the row of a name.
func dialectNamed(t *testing.T, name string) *Dialect {
	t.Helper()
	i := slices.IndexFunc(dialects, func(d Dialect) bool { return d.Name == name })
	if i < 0 {
		t.Fatalf("no dialect %s", name)
	}
	return &dialects[i]
}

// A dialect is known by the host, and OpenAI's is what every other speaks.
func TestDialectOf(t *testing.T) {
	for address, want := range map[string]string{
		"https://api.openai.com/v1":                                "openai",
		"https://llm.example.com/v1":                               "openai",
		"https://me.openai.azure.com/openai/v1":                    "azure",
		"https://me.services.ai.azure.com/openai/deployments/mine": "azure",
		"https://api.groq.com/openai/v1":                           "groq",
		"https://api.together.xyz/v1":                              "together",
		"https://api.mistral.ai/v1":                                "mistral",
		"https://generativelanguage.googleapis.com/v1beta/openai":  "gemini",
		"https://api.novita.ai/openai/v1":                          "novita",
		"https://notapi.groq.com.example/v1":                       "openai",
		"https://my-api.groq.com/v1":                               "openai",
		"sim:?dialect=mistral":                                     "mistral",
		"sim:":                                                     "openai",
	} {
		client, err := provider.New(provider.Config{BaseURL: address})
		if err != nil {
			t.Fatal(err)
		}
		if got := DialectOf(client); got.Name != want || got.Source == "" {
			t.Errorf("%s speaks %s (%s), want %s", address, got.Name, got.Source, want)
		}
		client.Close()
	}
}

// sentCall is a request as it arrived.
type sentCall struct{ line, body string }

// recording returns a driver in a dialect for a server that answers each call as answers say, in
// their order, and what arrived at it.
func recording(t *testing.T, dialect, path string, answers ...string) (openai, *[]sentCall) {
	t.Helper()
	var calls []sentCall
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		line := r.Method + " " + r.URL.RequestURI()
		if kind := r.Header.Get("Content-Type"); strings.HasPrefix(kind, "multipart/") {
			r.Body = io.NopCloser(strings.NewReader(string(body)))
			file, header, err := r.FormFile("file")
			if err != nil {
				t.Error(err)
				return
			}
			content, _ := io.ReadAll(file)
			r.MultipartForm.Value["file"] = []string{header.Filename, string(content)}
			body = []byte(url.Values(r.MultipartForm.Value).Encode())
		}
		calls = append(calls, sentCall{line, string(body)})
		answer := answers[min(len(calls), len(answers))-1]
		if to, ok := strings.CutPrefix(answer, "upload to "); ok {
			w.Header().Set("X-Goog-Upload-Url", "http://"+r.Host+to)
			return
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	client, err := provider.New(provider.Config{BaseURL: server.URL + path, Key: "sk-1234"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return openai{client, dialectNamed(t, dialect), nil}, &calls
}

// What each provider is asked, and what it answers, in the shapes that their documents and clients
// show.
func TestDialectShapes(t *testing.T) {
	at := func(s string) time.Time {
		when, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return when.Local()
	}
	unix := func(s int64) time.Time { return time.Unix(s, 0) }
	const standardLine = `{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":"m"}}`
	const bareLine = `{"custom_id":"a","body":{"model":"m"}}`
	const standardBatch = `{"input_file_id":"f","endpoint":"/v1/chat/completions","completion_window":"24h","metadata":{"k":"v"}}`
	for _, c := range []struct {
		dialect, path string
		line          string // of a file
		upload        []sentCall
		uploaded      []string // what answers that
		create        sentCall
		made          string // what answers that
		want          Batch
		list          []string // pages
		asked         []string // for them
		listed        string   // ids
		content       string   // where a file's is
	}{
		{dialect: "azure", path: "/openai/v1", line: standardLine,
			upload:   []sentCall{{"POST /openai/v1/files", "file=n.jsonl&file=x&purpose=batch"}},
			uploaded: []string{`{"id":"f","status":"pending","bytes":1,"filename":"n.jsonl"}`},
			create:   sentCall{"POST /openai/v1/batches", standardBatch},
			made:     `{"id":"b","status":"validating","input_file_id":"f","created_at":1730000000,"metadata":null,"errors":null}`,
			want:     Batch{ID: "b", Status: "validating", InputFile: "f", Created: unix(1730000000)},
			list:     []string{`{"object":"list","data":[{"id":"b","status":"completed"}],"has_more":true}`, `{"data":[],"has_more":false}`},
			asked:    []string{"GET /openai/v1/batches?limit=100", "GET /openai/v1/batches?after=b&limit=100"}, listed: "b",
			content: "GET /openai/v1/files/o/content"},
		{dialect: "azure", path: "/openai/deployments/m", line: strings.Replace(standardLine, "/v1/chat", "/chat", 1),
			upload:   []sentCall{{"POST /openai/files", "file=n.jsonl&file=x&purpose=batch"}},
			uploaded: []string{`{"id":"f","status":"pending"}`},
			create:   sentCall{"POST /openai/batches", strings.Replace(standardBatch, "/v1/chat", "/chat", 1)},
			made:     `{"id":"b","status":"validating"}`, want: Batch{ID: "b", Status: "validating"},
			list: []string{`{"data":[]}`}, asked: []string{"GET /openai/batches?limit=100"},
			content: "GET /openai/files/o/content"},
		{dialect: "groq", path: "/openai/v1", line: standardLine,
			upload:   []sentCall{{"POST /openai/v1/files", "file=n.jsonl&file=x&purpose=batch"}},
			uploaded: []string{`{"id":"f","bytes":1,"filename":"n.jsonl","purpose":"batch"}`},
			create:   sentCall{"POST /openai/v1/batches", standardBatch},
			made: `{"id":"b","object":"batch","status":"in_progress","input_file_id":"f","created_at":1736472600,` +
				`"request_counts":{"total":3,"completed":1,"failed":1},"metadata":null}`,
			want:  Batch{ID: "b", Status: "in_progress", InputFile: "f", Created: unix(1736472600), Total: 3, Completed: 1, Failed: 1, Lines: 1},
			list:  []string{`{"object":"list","data":[{"id":"b","status":"completed"},{"id":"c","status":"failed"}]}`},
			asked: []string{"GET /openai/v1/batches?limit=100"}, listed: "b c",
			content: "GET /openai/v1/files/o/content"},
		{dialect: "together", path: "/v1", line: bareLine,
			upload:   []sentCall{{"POST /v1/files/upload", "file=n.jsonl&file=x&file_name=n.jsonl&purpose=batch-api"}},
			uploaded: []string{`{"id":"f","object":"file","bytes":1,"filename":"n.jsonl","purpose":"batch-api","Processed":true,"LineCount":1}`},
			create:   sentCall{"POST /v1/batches", `{"input_file_id":"f","endpoint":"/v1/chat/completions","completion_window":"24h"}`},
			made: `{"job":{"id":"b","status":"IN_PROGRESS","input_file_id":"f","created_at":"2024-01-15T14:30:00Z","progress":75,` +
				`"error":"no luck","completed_at":"2024-01-15T15:45:30Z","output_file_id":"o"},"warning":""}`,
			want: Batch{ID: "b", Status: "in_progress", InputFile: "f", OutputFile: "o", Created: at("2024-01-15T14:30:00Z"),
				EndedAt: at("2024-01-15T15:45:30Z"), Errors: []Fault{{Message: "no luck"}}},
			list: []string{`[{"id":"b","status":"COMPLETED"},{"id":"c","status":"CANCELLED"}]`}, asked: []string{"GET /v1/batches?limit=100"},
			listed: "b c", content: "GET /v1/files/o/content"},
		{dialect: "mistral", path: "/v1", line: bareLine,
			upload:   []sentCall{{"POST /v1/files", "file=n.jsonl&file=x&purpose=batch"}},
			uploaded: []string{`{"id":"f","object":"file","bytes":1,"filename":"n.jsonl","num_lines":1}`},
			create: sentCall{"POST /v1/batch/jobs", `{"input_files":["f"],"endpoint":"/v1/chat/completions","model":"m",` +
				`"metadata":{"k":"v"},"timeout_hours":24}`},
			made: `{"id":"b","object":"batch","input_files":["f"],"status":"RUNNING","created_at":1736472600,"total_requests":3,` +
				`"completed_requests":2,"succeeded_requests":1,"failed_requests":1,"output_file":"o","error_file":"e",` +
				`"errors":[{"message":"bad","count":1}],"metadata":{"k":"v"}}`,
			want: Batch{ID: "b", Status: "in_progress", InputFile: "f", OutputFile: "o", ErrorFile: "e", Created: unix(1736472600), Total: 3,
				Completed: 1, Failed: 1, Lines: 2, Errors: []Fault{{Message: "bad"}}, Metadata: map[string]string{"k": "v"}},
			list: []string{`{"data":[{"id":"b","status":"SUCCESS"}],"object":"list","total":2}`,
				`{"data":[{"id":"c","status":"TIMEOUT_EXCEEDED"}],"object":"list","total":2}`},
			asked:  []string{"GET /v1/batch/jobs?page=0&page_size=100", "GET /v1/batch/jobs?page=1&page_size=100"},
			listed: "b c", content: "GET /v1/files/o/content"},
		{dialect: "gemini", path: "/v1beta/openai", line: standardLine,
			upload: []sentCall{{"POST /upload/v1beta/files", `{"file":{"display_name":"n.jsonl"}}`},
				{"POST /upload/v1beta/files?upload_id=7", "x"}},
			uploaded: []string{"upload to /upload/v1beta/files?upload_id=7",
				`{"file":{"name":"f","displayName":"n.jsonl","sizeBytes":"1","createTime":"2025-09-08T10:00:00.5Z","state":"ACTIVE"}}`},
			create: sentCall{"POST /v1beta/openai/batches", standardBatch},
			made:   `{"id":"batches/b","status":"in_progress","input_file_id":"f","created_at":1757000000}`,
			want:   Batch{ID: "batches/b", Status: "in_progress", InputFile: "f", Created: unix(1757000000)},
			list:   []string{`{"object":"list","data":[{"id":"batches/b","status":"JOB_STATE_SUCCEEDED"}]}`},
			asked:  []string{"GET /v1beta/openai/batches?limit=100"}, listed: "batches/b",
			content: "GET /download/v1beta/o:download?alt=media"},
		{dialect: "novita", path: "/openai/v1", line: bareLine,
			upload:   []sentCall{{"POST /openai/v1/files", "file=n.jsonl&file=x&purpose=batch"}},
			uploaded: []string{`{"id":"f","object":"file","bytes":1,"filename":"n.jsonl","purpose":"batch","metadata":{"total_requests":1}}`},
			create:   sentCall{"POST /openai/v1/batches", strings.Replace(standardBatch, "24h", "48h", 1)},
			made: `{"id":"b","object":"batch","status":"PROGRESS","input_file_id":"f","created_at":"2025-05-01T10:00:00Z","in_progress_at":{},` +
				`"errors":"","total":3,"request_counts":{"total":3,"completed":1,"failed":0},"metadata":{}}`,
			want: Batch{ID: "b", Status: "in_progress", InputFile: "f", Created: at("2025-05-01T10:00:00Z"), Total: 3, Completed: 1, Lines: 1,
				Metadata: map[string]string{}},
			list:  []string{`{"object":"list","data":[{"id":"b","status":"COMPLETED"}],"has_more":false}`},
			asked: []string{"GET /openai/v1/batches?limit=100"}, listed: "b", content: "GET /openai/v1/files/o/content"},
	} {
		t.Run(c.dialect+c.path, func(t *testing.T) {
			answers := append(append(slices.Clone(c.uploaded), c.made), c.list...)
			d, calls := recording(t, c.dialect, c.path, append(answers, "content")...)
			if line := appendRequest(nil, d, "a", record.Chat, []byte(`{"model":"m"}`)); string(line) != c.line+"\n" {
				t.Errorf("a line is %s, want %s", line, c.line)
			}
			f, err := d.Files().Upload(t.Context(), "n.jsonl", strings.NewReader("x"), 1)
			if err != nil || f.ID != "f" {
				t.Fatalf("uploaded %+v, %v", f, err)
			}
			if !slices.Equal(*calls, c.upload) {
				t.Errorf("to upload: %q, want %q", *calls, c.upload)
			}
			*calls = (*calls)[:len(c.uploaded)]
			n := &NewBatch{InputFile: "f", Endpoint: record.Chat, Model: "m", Metadata: map[string]string{"k": "v"}}
			b, err := d.Create(t.Context(), n)
			if err != nil || !reflect.DeepEqual(b, c.want) {
				t.Errorf("%v: made\n%+v, want\n%+v", err, b, c.want)
			}
			if got := (*calls)[len(c.uploaded)]; got != c.create {
				t.Errorf("to create: %q, want %q", got, c.create)
			}
			var ids, asked []string
			for b, err := range d.Batches(t.Context()) {
				if err != nil || !b.Ended() {
					t.Fatalf("%+v, %v", b, err)
				}
				ids = append(ids, b.ID)
			}
			for _, call := range (*calls)[len(c.uploaded)+1:] {
				asked = append(asked, call.line)
			}
			if strings.Join(ids, " ") != c.listed || !slices.Equal(asked, c.asked) {
				t.Errorf("listed %q by %q, want %q", ids, asked, c.asked)
			}
			var content strings.Builder
			if err := d.Download(t.Context(), "o", &content); err != nil || content.String() != "content" {
				t.Errorf("%q, %v", content.String(), err)
			}
			if got := (*calls)[len(*calls)-1].line; got != c.content {
				t.Errorf("to download: %s, want %s", got, c.content)
			}
		})
	}
}

// An endpoint or a model that has no batches is refused, with the documentation that says so.
func TestDialectCheck(t *testing.T) {
	base := func(address string) *url.URL {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	for _, c := range []struct {
		dialect, base string
		endpoint      record.Endpoint
		model         string
		says          string
	}{
		{"openai", "https://api.openai.com/v1", record.Responses, "m", ""},
		{"groq", "https://api.groq.com/openai/v1", record.Chat, "m", ""},
		{"groq", "https://api.groq.com/openai/v1", record.Embeddings, "m", "has no batches for embeddings (see console.groq.com"},
		{"mistral", "https://api.mistral.ai/v1", record.Embeddings, "m", ""},
		{"mistral", "https://api.mistral.ai/v1", record.Responses, "m", "has no batches for responses"},
		{"azure", "https://me.openai.azure.com/openai/v1", record.Responses, "any", ""},
		{"azure", "https://me.openai.azure.com/openai/deployments/mine", record.Chat, "mine", ""},
		{"azure", "https://me.openai.azure.com/openai/deployments/mine", record.Chat, "gpt-4o",
			`the base URL names "mine", but the records name "gpt-4o"`},
	} {
		err := dialectNamed(t, c.dialect).check(base(c.base), c.endpoint, c.model)
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s, %s of %s: %v, want %q", c.dialect, c.endpoint, c.model, err, c.says)
		}
	}
}

// A list by numbers of pages that ends too soon says so.
func TestNumberedPagesThatEndTooSoon(t *testing.T) {
	d, _ := recording(t, "mistral", "/v1", `{"data":[{"id":"b","status":"SUCCESS"}],"total":3}`, `{"data":[],"total":3}`)
	n, last := 0, error(nil)
	for _, err := range d.Batches(t.Context()) {
		if n++; err != nil {
			last = err
		}
	}
	if n != 2 || last == nil || !strings.Contains(last.Error(), "no next page") {
		t.Errorf("%d yields, then %v", n, last)
	}
}

// A file of Google's goes nowhere but to the host that the user named.
func TestGoogleUploadStaysAtItsHost(t *testing.T) {
	d, calls := recording(t, "gemini", "/v1beta/openai", "upload to @elsewhere.example/upload")
	if _, err := d.Files().Upload(t.Context(), "n.jsonl", strings.NewReader("x"), 1); err == nil || len(*calls) != 1 {
		t.Errorf("%v after %d calls", err, len(*calls))
	}
}

// A window is told in hours where it has to be.
func TestHours(t *testing.T) {
	for window, want := range map[string]int{"24h": 24, "7d": 168, "": 24, "x": 24, "0h": 24} {
		if got := hours(window); got != want {
			t.Errorf("%s is %d hours", window, got)
		}
	}
}
