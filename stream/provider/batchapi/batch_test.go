package batchapi

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"llmpipe/stream/provider"
	"llmpipe/stream/record"
)

// driverOf returns OpenAI's driver for a server on loopback that answers as h does. c.BaseURL is
// the path at the server.
func driverOf(t *testing.T, c provider.Config, h http.Handler) Driver {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c.BaseURL = server.URL + c.BaseURL
	client, err := provider.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return (&Provider{client: client, dialect: DialectOf(client)}).Driver(record.Chat)
}

// answering answers every request with a status and a body.
func answering(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// callErrorOf returns the CallError in err.
func callErrorOf(t *testing.T, err error) *provider.CallError {
	t.Helper()
	e := provider.AsCallError(err)
	if e == nil {
		t.Fatalf("%v is no CallError", err)
	}
	return e
}

// drain walks a list to its end.
func drain[T any](list iter.Seq2[T, error]) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestBatchShapes reads batches as providers show them.
func TestBatchShapes(t *testing.T) {
	at := func(s int64) time.Time { return time.Unix(s, 0) }
	for _, c := range []struct {
		name, body string
		want       Batch
		ended      bool
	}{
		{"OpenAI: just made", `{"id":"batch_1","object":"batch","endpoint":"/v1/chat/completions","errors":null,"input_file_id":"file-1",` +
			`"completion_window":"24h","status":"validating","output_file_id":null,"error_file_id":null,"created_at":1700000000,` +
			`"in_progress_at":null,"expires_at":1700086400,"finalizing_at":null,"completed_at":null,"failed_at":null,"expired_at":null,` +
			`"cancelling_at":null,"cancelled_at":null,"request_counts":{"total":0,"completed":0,"failed":0},"metadata":{"llmpipe_shard":"7"}}`,
			Batch{ID: "batch_1", Status: "validating", Endpoint: "/v1/chat/completions", InputFile: "file-1", Created: at(1700000000),
				Expires: at(1700086400), Metadata: map[string]string{"llmpipe_shard": "7"}}, false},
		{"OpenAI: failed as a whole", `{"id":"b","status":"failed","failed_at":1700000009,"output_file_id":"","error_file_id":"",` +
			`"errors":{"object":"list","data":[{"code":"invalid_json_line","message":"This line is not parseable as valid JSON.",` +
			`"param":null,"line":3},{"code":"token_limit_exceeded","message":"sk-secret has no room","param":"model","line":null}]},` +
			`"metadata":null}`,
			Batch{ID: "b", Status: "failed", EndedAt: at(1700000009), Errors: []Fault{
				{Code: "invalid_json_line", Message: "This line is not parseable as valid JSON.", Line: 3},
				{Code: "token_limit_exceeded", Message: "[redacted] has no room", Param: "model"},
			}}, true},
		{"expired with partial output", `{"id":"b","status":"expired","expired_at":5,"output_file_id":"o","error_file_id":"e",` +
			`"request_counts":{"total":9,"completed":4,"failed":2}}`,
			Batch{ID: "b", Status: "expired", OutputFile: "o", ErrorFile: "e", Lines: 6, Total: 9, Completed: 4, Failed: 2, EndedAt: at(5)}, true},
		{"completed, and all failed", `{"id":"b","status":"completed","completed_at":6,"output_file_id":null,"error_file_id":"e",` +
			`"request_counts":{"total":2,"completed":0,"failed":2}}`,
			Batch{ID: "b", Status: "completed", ErrorFile: "e", Lines: 2, Total: 2, Failed: 2, EndedAt: at(6)}, true},
		{"Azure: cancelled", `{"id":"b","status":"cancelled","cancelled_at":7,"cancelling_at":1,` +
			`"error_blob":"","output_blob":null,"errors":null}`,
			Batch{ID: "b", Status: "cancelled", EndedAt: at(7)}, true},
		{"Together: wrapped, in capitals", `{"job":{"id":"b","status":"IN_PROGRESS","input_file_id":"f"},"warning":""}`,
			Batch{ID: "b", Status: "in_progress", InputFile: "f"}, false},
		{"DigitalOcean: an id of another name", `{"batch_id":"b","status":"Completed","output_file_id":"o"}`,
			Batch{ID: "b", Status: "completed", OutputFile: "o"}, true},
		{"Mistral: a state of another name", `{"id":"b","status":"TIMEOUT_EXCEEDED"}`, Batch{ID: "b", Status: "expired"}, true},
		{"Gemini: a state with its prefix", `{"id":"b","status":"JOB_STATE_SUCCEEDED"}`, Batch{ID: "b", Status: "completed"}, true},
		{"American", `{"id":"b","status":"canceled"}`, Batch{ID: "b", Status: "cancelled"}, true},
		{"a state that nobody knows", `{"id":"b","status":"Resting"}`, Batch{ID: "b", Status: "resting"}, false},
		{"members of odd types", `{"id":"b","status":"in_progress","created_at":"2024-01-01T00:00:00Z","metadata":{"n":1,"k":"v"},` +
			`"errors":[],"request_counts":null,"output_file_id":"o"}`,
			Batch{ID: "b", Status: "in_progress", OutputFile: "o", Metadata: map[string]string{"k": "v"}, Created: at(1704067200)}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := driverOf(t, provider.Config{Key: "sk-secret"}, answering(200, c.body))
			got, err := client.Batch(t.Context(), "b")
			if n, ok := got.Metadata["n"]; ok && n == "" {
				delete(got.Metadata, "n") // whether what is no text leaves an empty one is not promised
			}
			if err != nil || !reflect.DeepEqual(got, c.want) || got.Ended() != c.ended {
				t.Errorf("%v, ended %t\ngot  %+v\nwant %+v", err, got.Ended(), got, c.want)
			}
		})
	}
}

// What is asked for arrives, at the endpoint's path.
func TestCreateBatchSends(t *testing.T) {
	for _, endpoint := range []record.Endpoint{record.Chat, record.Embeddings, record.Responses, record.Completions} {
		var got string
		client := driverOf(t, provider.Config{BaseURL: "/v1"}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil || r.URL.Path != "/v1/batches" {
				t.Errorf("%s: %v", r.URL, err)
			}
			got = string(body)
			answering(200, `{"id":"b","status":"validating"}`)(w, r)
		}))
		b, err := client.Create(t.Context(), &NewBatch{InputFile: "f", Endpoint: endpoint, Metadata: map[string]string{"k": "v"}})
		want := fmt.Sprintf(`{"input_file_id":"f","endpoint":%q,"completion_window":"24h","metadata":{"k":"v"}}`, endpoint.Path())
		if err != nil || b.ID != "b" || got != want {
			t.Errorf("%v: sent %s, want %s", err, got, want)
		}
	}
}

// A connection that breaks when the request was read leaves it open whether there is a batch. The
// request is sent once, also where the one before left an idle connection, which is when a
// transport likes to send again, and where the user names an idempotency key, which is when it may.
func TestCreateBatchIsSentOnce(t *testing.T) {
	var made atomic.Int64
	var usual, creating atomic.Value // the client's addresses, by which its connections are told apart
	own := http.Header{"Idempotency-Key": {"k"}}
	client := driverOf(t, provider.Config{Header: own}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			usual.Store(r.RemoteAddr)
			answering(200, `{"id":"b","status":"validating"}`)(w, r)
			return
		}
		if _, err := io.ReadAll(r.Body); err != nil {
			t.Error(err)
		}
		made.Add(1)
		creating.Store(r.RemoteAddr)
		panic(http.ErrAbortHandler)
	}))
	for range 3 {
		if _, err := client.Batch(t.Context(), "b"); err != nil {
			t.Fatal(err)
		}
	}
	_, err := client.Create(t.Context(), &NewBatch{InputFile: "f"})
	if e := callErrorOf(t, err); !e.Sent || e.Class != provider.Transient || e.Err.Status != 0 {
		t.Errorf("%v, sent %t: %v", e.Class, e.Sent, e)
	}
	if n := made.Load(); n != 1 || creating.Load() == usual.Load() {
		t.Errorf("it was sent %d times, at last from %v, others from %v", n, creating.Load(), usual.Load())
	}
}

// paged serves a list by pages of n, each item with its id alone, and counts the requests.
func paged(ids []string, n int, requests *atomic.Int64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		begin := slices.Index(ids, r.URL.Query().Get("after")) + 1
		end := min(begin+n, len(ids))
		items := []map[string]string{}
		for _, id := range ids[begin:end] {
			items = append(items, map[string]string{"id": id, "status": "s"})
		}
		body, _ := json.Marshal(map[string]any{"object": "list", "data": items, "has_more": end < len(ids)})
		_, _ = w.Write(body)
	}
}

// A list is walked to its end, in its order, and no further than it is wanted.
func TestPages(t *testing.T) {
	for _, n := range []int{0, 1, 3, 4, 6, 7} {
		var ids, batches, files []string
		for i := range n {
			ids = append(ids, fmt.Sprint("id-", i))
		}
		var requests atomic.Int64
		client := driverOf(t, provider.Config{}, paged(ids, 3, &requests))
		for b, err := range client.Batches(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			batches = append(batches, b.ID)
		}
		if want := int64(max(1, (n+2)/3)); requests.Load() != want {
			t.Errorf("%d requests for %d batches", requests.Load(), n)
		}
		for f, err := range client.Files().List(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, f.ID)
		}
		if !slices.Equal(batches, ids) || !slices.Equal(files, ids) {
			t.Errorf("batches %v, files %v, want %v", batches, files, ids)
		}
		requests.Store(0)
		for range client.Batches(t.Context()) {
			break
		}
		if requests.Load() != 1 {
			t.Errorf("%d requests for the first of %d", requests.Load(), n)
		}
	}
}

// A list that cannot be walked to its end says so: what is on the pages that are missing must not
// be taken for missing.
// A bare array is a list too.
func TestListInABareArray(t *testing.T) {
	client := driverOf(t, provider.Config{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, ` [{"id":"a","status":"COMPLETED"},{"batch_id":"b","status":"x","created_at":"yesterday"}]`)
	}))
	var ids []string
	for b, err := range client.Batches(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, b.ID)
	}
	if !slices.Equal(ids, []string{"a", "b"}) {
		t.Errorf("%q", ids)
	}
}

func TestPagesThatDoNotGoOn(t *testing.T) {
	for name, c := range map[string]struct {
		bodies []string
		want   string
		items  int
	}{
		"the same page again":    {[]string{`{"data":[{"id":"a"}],"has_more":true}`, `{"data":[{"id":"a"}],"has_more":true}`}, "no next page", 1},
		"an empty page and more": {[]string{`{"data":[],"has_more":true}`}, "no next page", 0},
		"an empty second page":   {[]string{`{"data":[{"id":"a"}],"has_more":true}`, `{"data":[],"has_more":true}`}, "no next page", 1},
		"no ids":                 {[]string{`{"data":[{}],"has_more":true}`}, "no next page", 0},
		"a broken second page":   {[]string{`{"data":[{"id":"a"}],"has_more":true}`, `{"data":[{"id"`}, "not a list of batches", 1},
		"no list":                {[]string{`{"id":"a","status":"s"}`}, "not a list of batches", 0},
	} {
		t.Run(name, func(t *testing.T) {
			var request atomic.Int64
			client := driverOf(t, provider.Config{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				answering(200, c.bodies[min(int(request.Add(1)), len(c.bodies))-1])(w, r)
			}))
			items, last := 0, error(nil)
			for b, err := range client.Batches(t.Context()) {
				if last != nil {
					t.Fatalf("%v after %v", b, last)
				}
				if last = err; err == nil {
					items++
				}
			}
			if last == nil || !strings.Contains(last.Error(), c.want) || items != c.items {
				t.Errorf("%d batches, then %v", items, last)
			}
		})
	}
}

// Azure's files and batches belong to the account: the deployment is not in their path, the version
// and the key come with each.
func TestCallAzure(t *testing.T) {
	var asked atomic.Value
	client := driverOf(t, provider.Config{
		BaseURL: "/openai/deployments/mine?api-version=2024-10-21", Header: http.Header{"Api-Key": {"secret"}},
	}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.Method + " " + r.URL.String() + " " + r.Header.Get("Api-Key"))
		answering(200, `{"id":"x","status":"validating","data":[]}`)(w, r)
	}))
	ctx := t.Context()
	for want, call := range map[string]func() error{
		"POST /openai/batches?api-version=2024-10-21 secret": func() error {
			_, err := client.Create(ctx, &NewBatch{InputFile: "f"})
			return err
		},
		"POST /openai/batches/b-1/cancel?api-version=2024-10-21 secret": func() error {
			_, err := client.Cancel(ctx, "b-1")
			return err
		},
		"GET /openai/files/f-1/content?api-version=2024-10-21 secret": func() error {
			return client.Download(ctx, "f-1", io.Discard)
		},
		"POST /openai/files?api-version=2024-10-21 secret": func() error {
			_, err := client.Files().Upload(ctx, "n.jsonl", strings.NewReader("x"), 1)
			return err
		},
		"GET /openai/batches?limit=100&api-version=2024-10-21 secret":   func() error { return drain(client.Batches(ctx)) },
		"GET /openai/files?purpose=batch&api-version=2024-10-21 secret": func() error { return drain(client.Files().List(ctx)) },
		"DELETE /openai/files/a%2Fb%20c?api-version=2024-10-21 secret":  func() error { return client.Files().Delete(ctx, "a/b c") },
	} {
		if err := call(); err != nil || asked.Load() != want {
			t.Errorf("%v: asked %v, want %s", err, asked.Load(), want)
		}
	}
}
