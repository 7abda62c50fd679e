package batchapi

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"llmpipe/stream/provider"
	"llmpipe/stream/provider/sim"
	"llmpipe/stream/record"
)

// messagesDriver is the driver for Anthropic's batches of a server that answers as h does.
func messagesDriver(t *testing.T, h http.Handler) messages {
	t.Helper()
	return messages{driverOf(t, provider.Config{BaseURL: "/v1", Key: "sk-secret"}, h).(openai).client}
}

// TestMessageBatchShapes reads batches as Anthropic shows them
// (platform.claude.com/docs/en/api/messages/batches/retrieve).
func TestMessageBatchShapes(t *testing.T) {
	made := time.Date(2024, 8, 20, 18, 37, 24, 100435000, time.UTC)
	const head = `{"id":"msgbatch_1","type":"message_batch","archived_at":null,"cancel_initiated_at":null,` +
		`"created_at":"2024-08-20T18:37:24.100435Z","expires_at":"2024-08-21T18:37:24.100435Z",`
	const ended = `"ended_at":"2024-08-20T19:37:24.100435Z","processing_status":"ended","results_url":"https://elsewhere.example/r",`
	base := Batch{ID: "msgbatch_1", Created: made, Expires: made.Add(24 * time.Hour)}
	for _, c := range []struct {
		name, body string
		want       func(b *Batch)
	}{
		{"just made", `"ended_at":null,"processing_status":"in_progress","results_url":null,` +
			`"request_counts":{"canceled":0,"errored":0,"expired":0,"processing":100,"succeeded":0}}`,
			func(b *Batch) { b.Status, b.Total = "in_progress", 100 }},
		{"being canceled", `"ended_at":null,"processing_status":"canceling","results_url":null,` +
			`"request_counts":{"canceled":0,"errored":0,"expired":0,"processing":100,"succeeded":0}}`,
			func(b *Batch) { b.Status, b.Total = "cancelling", 100 }},
		{"ended", ended + `"request_counts":{"canceled":0,"errored":30,"expired":0,"processing":0,"succeeded":50}}`,
			func(b *Batch) { b.Status, b.Total, b.Completed, b.Failed = "completed", 80, 50, 30 }},
		{"ended, some expired", ended + `"request_counts":{"canceled":0,"errored":30,"expired":10,"processing":0,"succeeded":50}}`,
			func(b *Batch) { b.Status, b.Total, b.Completed, b.Failed = "expired", 90, 50, 30 }},
		{"ended, some canceled", ended + `"request_counts":{"canceled":10,"errored":30,"expired":10,"processing":0,"succeeded":50}}`,
			func(b *Batch) { b.Status, b.Total, b.Completed, b.Failed = "cancelled", 100, 50, 30 }},
	} {
		want := base
		c.want(&want)
		if want.Ended() {
			want.OutputFile, want.Lines, want.EndedAt = "msgbatch_1", want.Total, made.Add(time.Hour)
		}
		d := messagesDriver(t, answering(200, head+c.body))
		got, err := d.Batch(t.Context(), "msgbatch_1")
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v\ngot  %+v\nwant %+v", c.name, err, got, want)
		}
	}
}

// What is sent is one document, with every body byte for byte, and is not held in memory.
func TestMessageBatchSends(t *testing.T) {
	var got string
	d := messagesDriver(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method+" "+r.URL.Path != "POST /v1/messages/batches" || r.Header.Get("Content-Type") != "application/json" ||
			r.ContentLength != int64(len(body)) {
			t.Errorf("%s %s of %d bytes: %v", r.Method, r.URL, r.ContentLength, err)
		}
		got = string(body)
		answering(200, `{"id":"b","processing_status":"in_progress"}`)(w, r)
	}))
	var file []byte
	file = appendRequest(file, d, "a", record.Messages, []byte(`{"max_tokens" : 1e1}`))
	file = appendRequest(file, d, "b", record.Messages, []byte(`{"max_tokens":2}`))
	b, err := d.Create(t.Context(), &NewBatch{Content: bytes.NewReader(append(file, "more"...)), Size: int64(len(file))})
	want := `{"requests":[{"custom_id":"a","params":{"max_tokens" : 1e1}},` + "\n" + `{"custom_id":"b","params":{"max_tokens":2}}]}`
	if err != nil || b.ID != "b" || got != want {
		t.Errorf("%+v, %v: sent\n%s\nwant\n%s", b, err, got, want)
	}
}

// A list of Anthropic's goes on behind the last of a page.
func TestMessageBatchPages(t *testing.T) {
	d := messagesDriver(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, more := 0, true
		switch r.URL.RawQuery {
		case "limit=1000":
		case "after_id=b1&limit=1000":
			from, more = 2, false
		default:
			t.Errorf("asked for %s", r.URL)
		}
		answering(200, fmt.Sprintf(`{"data":[{"id":"b%d","processing_status":"ended"},{"id":"b%d","processing_status":"ended"}],`+
			`"first_id":"b0","last_id":"b1","has_more":%t}`, from, from+1, more))(w, r)
	}))
	var ids []string
	for b, err := range d.Batches(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, b.ID)
	}
	if strings.Join(ids, " ") != "b0 b1 b2 b3" {
		t.Errorf("%q", ids)
	}
}

// A Message Batch from its requests to its results, as the simulator serves it, however it ends.
func TestMessageBatchOfTheSimulator(t *testing.T) {
	for _, c := range []struct {
		name, options string
		cancel        bool
		want          Batch
		classes       map[provider.Class]int
	}{
		{"completed", "", false, Batch{Status: "completed", Total: 10, Completed: 9, Failed: 1},
			map[provider.Class]int{provider.OK: 9, provider.Refused: 1}},
		{"expired", "batch-expire=0.5", false, Batch{Status: "expired", Total: 10}, nil},
		{"canceled", "batch-latency=1h", true, Batch{Status: "cancelled", Total: 10}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := messages{simClient(t, c.options).(openai).client}
				var file []byte
				for i := range 9 {
					body := fmt.Sprintf(`{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Question %d"}]}`, i)
					file = appendRequest(file, d, fmt.Sprint("r", i), record.Messages, []byte(body))
				}
				file = appendRequest(file, d, "bad", record.Messages, []byte(`{"model":"m","max_tokens":9,"messages":[]}`))
				b, err := d.Create(t.Context(), &NewBatch{Content: bytes.NewReader(file), Size: int64(len(file))})
				if err != nil || b.Status != "in_progress" || b.Total != 10 {
					t.Fatalf("%+v, %v", b, err)
				}
				if c.cancel {
					time.Sleep(30 * time.Minute)
					if b, err := d.Cancel(t.Context(), b.ID); err != nil || b.Status != "cancelling" {
						t.Errorf("%+v, %v", b, err)
					}
				}
				b = ended(t, d, b.ID)
				answers := replies(t, d, b.OutputFile)
				classes := map[provider.Class]int{}
				for _, r := range answers {
					classes[r.Class]++
				}
				if b.Status != c.want.Status || b.Total != c.want.Total || b.Lines != 10 || len(answers) != 10 {
					t.Errorf("%+v, with %d results", b, len(answers))
				}
				if c.classes != nil && !reflect.DeepEqual(classes, c.classes) {
					t.Errorf("%v", classes)
				}
				if n := int64(classes[provider.Transient]); n != b.Total-b.Completed-b.Failed || c.classes == nil && n == 0 {
					t.Errorf("%d of %+v had no answer", n, b)
				}
			})
		})
	}
}

// The simulator refuses what Anthropic refuses.
func TestMessageBatchRefused(t *testing.T) {
	sim := sim.New(sim.Options{})
	t.Cleanup(sim.Close)
	d := messagesDriver(t, sim)
	good := `{"custom_id":"a","params":{"model":"m"}},` + "\n"
	for name, file := range map[string]string{
		"two of an id": good + good,
		"an odd id":    strings.Replace(good, `"a"`, `"a b"`, 1),
		"no params":    `{"custom_id":"a"},` + "\n",
		"nothing":      ",\n",
		"no JSON":      "{\n,\n",
	} {
		_, err := d.Create(t.Context(), &NewBatch{Content: strings.NewReader(file), Size: int64(len(file))})
		if e := callErrorOf(t, err); e.Class != provider.Refused || e.Err.Status != 400 || e.Sent {
			t.Errorf("%s: %v", name, err)
		}
	}
	for range d.Batches(t.Context()) {
		t.Error("a batch was made")
	}
}
