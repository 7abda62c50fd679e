package batchapi

import (
	"bufio"
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"llmpipe/stream/provider"
	"llmpipe/stream/provider/sim"
	"llmpipe/stream/record"
)

// simClient returns a client of a simulator in process, for use in a bubble.
func simClient(t *testing.T, options string) Driver {
	t.Helper()
	client, err := provider.New(provider.Config{BaseURL: "sim:?" + options})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return (&Provider{client: client, dialect: DialectOf(client)}).Driver(record.Chat)
}

// appendRequest appends the line of a shard's file that asks for body at an endpoint.
func appendRequest(dst []byte, d Driver, customID string, endpoint record.Endpoint, body []byte) []byte {
	return append(append(d.AppendHead(dst, customID, endpoint), body...), d.Tail()...)
}

// submit uploads n requests with the ids r0, r1 … and makes a batch of them.
func submit(t *testing.T, client Driver, n int, lines ...string) Batch {
	t.Helper()
	var input []byte
	for i := range n {
		body := fmt.Sprintf(`{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Question %d"}]}`, i)
		input = appendRequest(input, client, fmt.Sprint("r", i), record.Chat, []byte(body))
	}
	input = append(input, strings.Join(lines, "\n")...)
	f, err := client.Files().Upload(t.Context(), "in.jsonl", bytes.NewReader(input), int64(len(input)))
	if err != nil || f.Name != "in.jsonl" || f.Bytes != int64(len(input)) {
		t.Fatalf("uploaded %+v, %v", f, err)
	}
	b, err := client.Create(t.Context(), &NewBatch{InputFile: f.ID, Endpoint: record.Chat, Metadata: map[string]string{"shard": "7"}})
	if err != nil || b.InputFile != f.ID || b.Metadata["shard"] != "7" || b.OutputFile != "" || b.ErrorFile != "" || b.Created.IsZero() {
		t.Fatalf("made %+v, %v", b, err)
	}
	return b
}

// ended waits for the end of a batch.
func ended(t *testing.T, client Driver, id string) Batch {
	t.Helper()
	for pause := time.Millisecond; ; pause = min(2*pause, time.Minute) {
		b, err := client.Batch(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if b.Ended() {
			return b
		}
		time.Sleep(pause)
	}
}

// replies reads the lines of a file, and returns by custom_id what they mean.
func replies(t *testing.T, client Driver, file string) map[string]provider.Reply {
	t.Helper()
	var content bytes.Buffer
	if err := client.Download(t.Context(), file, &content); err != nil {
		t.Fatal(err)
	}
	all := map[string]provider.Reply{}
	for lines := bufio.NewScanner(&content); lines.Scan(); {
		var out record.BatchOutput
		if err := record.ParseBatchOutput(lines.Bytes(), &out); err != nil {
			t.Fatal(err)
		}
		var r provider.Reply
		r.JudgeBatch(endpointOf(client), &out)
		all[string(out.CustomID)] = r
	}
	return all
}

// A batch from its input to its answers, over loopback, as the simulator serves it.
func TestBatchOverLoopback(t *testing.T) {
	const n = 100
	sim := sim.New(sim.Options{Key: "sk-1"})
	t.Cleanup(sim.Close)
	client := driverOf(t, provider.Config{BaseURL: "/v1", Key: "sk-1"}, sim)
	b := ended(t, client, submit(t, client, n, `{"custom_id":"bad","method":"POST","url":"/v1/chat/completions","body":{"messages":[]}}`).ID)
	if b.Status != "completed" || b.Total != n+1 || b.Completed != n || b.Failed != 1 || b.EndedAt.IsZero() || len(b.Errors) != 0 {
		t.Fatalf("ended as %+v", b)
	}
	answers := replies(t, client, b.OutputFile)
	for id, r := range answers {
		if r.Class != provider.OK || r.Answer.Content == nil || !r.Answer.HasUsage {
			t.Errorf("%s: %v, %v", id, r.Class, r.Err)
		}
	}
	refused := replies(t, client, b.ErrorFile)
	if len(answers) != n || len(refused) != 1 {
		t.Errorf("%d answers, and %+v", len(answers), refused)
	}
	if r := refused["bad"]; r.Class != provider.Refused || r.Err.Status != 400 || r.Err.Message == "" {
		t.Errorf("%+v", r)
	}
	var files []string
	for f, err := range client.Files().List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f.ID)
	}
	if !slices.Contains(files, b.InputFile) {
		t.Errorf("%s is not in %v", b.InputFile, files)
	}
	for _, id := range []string{b.InputFile, b.OutputFile, b.ErrorFile} {
		if err := client.Files().Delete(t.Context(), id); err != nil {
			t.Error(err)
		}
		_, err := client.Files().File(t.Context(), id)
		if e := callErrorOf(t, err); e.Class != provider.Refused || e.Err.Status != 404 {
			t.Errorf("what was deleted: %v", err)
		}
	}
	_, err := client.Cancel(t.Context(), b.ID)
	if e := callErrorOf(t, err); e.Err.Status != 409 {
		t.Errorf("cancelling what has ended: %v", err)
	}
}

// A batch whose making was not heard of is found by its metadata, and it is the only one.
func TestBatchLost(t *testing.T) {
	sim := sim.New(sim.Options{BatchLost: 1})
	t.Cleanup(sim.Close)
	client := driverOf(t, provider.Config{}, sim)
	const line = `{"custom_id":"r0","method":"POST","url":"/v1/chat/completions",` +
		`"body":{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Question 0"}]}}` + "\n"
	f, err := client.Files().Upload(t.Context(), "in.jsonl", strings.NewReader(line), int64(len(line)))
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Create(t.Context(), &NewBatch{InputFile: f.ID, Metadata: map[string]string{"shard": "7"}})
	if e := callErrorOf(t, err); !e.Sent || e.Class != provider.Transient {
		t.Errorf("%v, sent %t: %v", e.Class, e.Sent, err)
	}
	var found []string
	for b, err := range client.Batches(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, b.Metadata["shard"])
	}
	if !slices.Equal(found, []string{"7"}) {
		t.Errorf("there are %v", found)
	}
}

// How batches end that do not complete.
func TestBatchEnds(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for _, c := range []struct {
		name, options string
		lines         []string
		check         func(t *testing.T, client Driver, b Batch)
	}{
		{"expired", "batch-expire=0.4", nil, func(t *testing.T, client Driver, b Batch) {
			missed := replies(t, client, b.ErrorFile)
			if b.Status != "expired" || len(replies(t, client, b.OutputFile)) != 6 || len(missed) != 4 {
				t.Errorf("%+v, %d missed", b, len(missed))
			}
			for id, r := range missed {
				if r.Class != provider.Transient || r.Err.Code != "batch_expired" || r.Status != 0 {
					t.Errorf("%s: %v, %v", id, r.Class, r.Err)
				}
			}
		}},
		{"all failed", "batch-fail=1", nil, func(t *testing.T, client Driver, b Batch) {
			failed := replies(t, client, b.ErrorFile)
			if b.Status != "completed" || b.OutputFile != "" || b.Failed != 10 || len(failed) != 10 || failed["r3"].Class != provider.Transient {
				t.Errorf("%+v: %+v", b, failed["r3"].Err)
			}
		}},
		{"failed", "", []string{"{}", "nothing"}, func(t *testing.T, _ Driver, b Batch) {
			if b.Status != "failed" || b.OutputFile != "" || b.ErrorFile != "" || len(b.Errors) != 2 || b.EndedAt.IsZero() {
				t.Fatalf("%+v", b)
			}
			if e := b.Errors[1]; e.Line != 12 || e.Code == "" || e.Message == "" {
				t.Errorf("%+v", e)
			}
		}},
		{"no room", "batch-tokens=1", nil, func(t *testing.T, _ Driver, b Batch) {
			if b.Status != "failed" || len(b.Errors) != 1 || b.Errors[0].Code != "token_limit_exceeded" || b.Errors[0].Line != 0 {
				t.Errorf("%+v", b)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := simClient(t, c.options)
				c.check(t, client, ended(t, client, submit(t, client, 10, c.lines...).ID))
			})
		})
	}
}

// A batch that is cancelled goes through cancelling, and keeps what it has.
func TestBatchIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := simClient(t, "batch-latency=1h")
		b := submit(t, client, 10)
		time.Sleep(30 * time.Minute)
		if b, err := client.Cancel(t.Context(), b.ID); err != nil || b.Status != "cancelling" || b.Ended() {
			t.Errorf("%+v, %v", b, err)
		}
		if b := ended(t, client, b.ID); b.Status != "cancelled" || b.Completed == 0 || b.Completed == 10 || b.EndedAt.IsZero() {
			t.Errorf("%+v", b)
		}
	})
}

// A file is not there at once, and then not yet processed.
func TestFileIsNotThereYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := simClient(t, "file-delay=10s")
		f, err := client.Files().Upload(t.Context(), "in.jsonl", strings.NewReader("{}\n"), 3)
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Files().File(t.Context(), f.ID)
		if e := callErrorOf(t, err); e.Class != provider.Refused || e.Err.Status != 404 || e.Sent {
			t.Errorf("%v: %v", e.Class, err)
		}
		for _, want := range []string{"uploaded", "processed"} {
			time.Sleep(5 * time.Second)
			if f, err := client.Files().File(t.Context(), f.ID); err != nil || f.Status != want {
				t.Errorf("%+v, %v, want %s", f, err, want)
			}
		}
	})
}

// endpointOf is what the answers of a driver's batches are read as.
func endpointOf(d Driver) record.Endpoint {
	if d.Files() == nil {
		return record.Messages
	}
	return record.Chat
}
