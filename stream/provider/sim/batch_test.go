package sim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

// inputLine is one line of a batch's input.
func inputLine(id, url, body string) string {
	return fmt.Sprintf(`{"custom_id":%q,"method":"POST","url":%q,"body":%s}`+"\n", id, url, body)
}

// batchLines are n chat requests with the ids r0, r1 …
func batchLines(n int) string {
	var out strings.Builder
	for i := range n {
		out.WriteString(inputLine(fmt.Sprint("r", i), "/v1/chat/completions",
			fmt.Sprintf(`{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Question %d"}]}`, i)))
	}
	return out.String()
}

// makeBatch makes a batch of chat requests.
func makeBatch(t *testing.T, s *Server, input string) batchObject {
	t.Helper()
	return makeBatchOf(t, s, upload(t, s, input).ID, "/v1/chat/completions")
}

func makeBatchOf(t *testing.T, s *Server, file, endpoint string) batchObject {
	t.Helper()
	w := post(s, "/v1/batches", fmt.Sprintf(`{"input_file_id":%q,"endpoint":%q,"completion_window":"24h"}`, file, endpoint))
	if w.Code != http.StatusOK {
		t.Fatalf("making a batch: %d %s", w.Code, w.Body)
	}
	return decode[batchObject](t, w)
}

func showBatch(t *testing.T, s *Server, id string) batchObject {
	t.Helper()
	return decode[batchObject](t, get(s, "/v1/batches/"+id))
}

// endOf waits for the end of a batch. It must be called in a bubble.
func endOf(t *testing.T, s *Server, id string) batchObject {
	t.Helper()
	for {
		b := showBatch(t, s, id)
		if over(b.Status) {
			return b
		}
		time.Sleep(time.Minute)
	}
}

// outputLine is a line of a batch's output or error file.
type outputLine struct {
	ID       string
	CustomID string `json:"custom_id"`
	Response *struct {
		Status  int    `json:"status_code"`
		Request string `json:"request_id"`
		Body    json.RawMessage
	}
	Error *struct{ Code, Message string }
}

// linesOf reads an output or error file; id may be nil or "".
func linesOf(t *testing.T, s *Server, id *string) []outputLine {
	t.Helper()
	if id == nil || *id == "" {
		return nil
	}
	w := get(s, "/v1/files/"+*id+"/content")
	if w.Code != http.StatusOK {
		t.Fatalf("reading %s: %d %s", *id, w.Code, w.Body)
	}
	var out []outputLine
	for line := range strings.Lines(w.Body.String()) {
		var o outputLine
		if err := json.Unmarshal([]byte(line), &o); err != nil || !strings.HasSuffix(line, "\n") {
			t.Fatalf("line %q: %v", line, err)
		}
		out = append(out, o)
	}
	return out
}

// A batch goes through its states in its time, and gives what the endpoint
// gives, in another order.
func TestSimBatch(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{BatchLatency: 10 * time.Hour, Pretty: true, Seed: 3})
		defer s.Close()
		made := makeBatch(t, s, batchLines(40))
		begin := made.CreatedAt
		if made.Status != stateValidating || made.ExpiresAt != begin+24*3600 || made.OutputFileID != nil || made.ErrorFileID != nil ||
			made.Metadata != nil || made.Errors != nil || made.RequestCounts.Total != 0 {
			t.Errorf("made as %+v", made)
		}
		time.Sleep(5*time.Hour + time.Minute)
		half := showBatch(t, s, made.ID)
		if half.Status != stateInProgress || half.RequestCounts != (batchCounts{40, 20, 0}) || *half.InProgressAt != begin+3600 ||
			half.Usage.Input == 0 {
			t.Errorf("half-way it is %+v", half)
		}
		time.Sleep(4 * time.Hour)
		if got := showBatch(t, s, made.ID); got.Status != stateFinalizing || *got.FinalizingAt != begin+9*3600 || got.OutputFileID != nil {
			t.Errorf("near its end it is %+v", got)
		}
		time.Sleep(time.Hour)
		end := showBatch(t, s, made.ID)
		if end.Status != stateCompleted || *end.CompletedAt != begin+10*3600 || end.RequestCounts != (batchCounts{40, 40, 0}) {
			t.Errorf("ended as %+v", end)
		}
		if end.ErrorFileID == nil || *end.ErrorFileID != "" {
			t.Errorf("without an error the error file is %v", end.ErrorFileID)
		}

		var inOrder, want batchUsage
		lines := linesOf(t, s, end.OutputFileID)
		seen := map[string]bool{}
		sorted := true
		for i, line := range lines {
			seen[line.CustomID] = true
			sorted = sorted && line.CustomID == fmt.Sprint("r", i)
			var answer wireCompletion
			if err := json.Unmarshal(line.Response.Body, &answer); err != nil {
				t.Fatal(err)
			}
			inOrder.add(usage{prompt: answer.Usage.Prompt, completion: answer.Usage.Completion})
		}
		if len(lines) != 40 || len(seen) != 40 || sorted {
			t.Errorf("%d lines, %d ids, in the order of the input: %v", len(lines), len(seen), sorted)
		}
		if want = *end.Usage; inOrder != want {
			t.Errorf("answers add up to %+v, the batch says %+v", inOrder, want)
		}
		file := decode[fileObject](t, get(s, "/v1/files/"+*end.OutputFileID))
		if file.Purpose != "batch_output" || file.Bytes == 0 {
			t.Errorf("output is %+v", file)
		}
		b := s.Stats().Batch
		if m := b.Models["gpt-4o-mini"]; b.Files != 1 || b.Batches != 1 || b.Answered != 40 || b.Ended[stateCompleted] != 1 ||
			m.Answered != 40 || m.PromptTokens != int64(want.Input) || m.CompletionTokens != int64(want.Output) {
			t.Errorf("counted %+v", b)
		}
		if got := s.Stats(); got.Answered != 0 || len(got.Models) != 0 {
			t.Errorf("counted outside of batches: %+v", got)
		}
	})
}

// Whatever the endpoint: the body of an answer is that of the same request made
// alone, byte for byte.
func TestSimBatchAnswers(t *testing.T) {
	bodies := map[string][]string{
		"/v1/chat/completions": {hello, `{"messages":[{"role":"user","content":"\u00e9 <&>"}],"model":"gpt-4o-mini","n":2,"max_tokens":3}`,
			`{"model":"gpt-4o-mini"}`, `{"model":"gpt-4o-mini","messages":[{"content":"x"}],"stream":true}`, `{ }`},
		"/v1/responses":   {`{"model":"o3","input":"Hello"}`, `{"model":"o3","input":[],"max_output_tokens":0}`},
		"/v1/completions": {`{"model":"m","prompt":["one","two"]}`},
		"/v1/embeddings":  {`{"model":"m","input":["a","b"],"dimensions":3}`, `{"model":"m","input":[]}`},
	}
	for url, bodies := range bodies {
		synctest.Test(t, func(t *testing.T) {
			s := New(Options{Seed: 7})
			defer s.Close()
			var input strings.Builder
			for i, body := range bodies {
				input.WriteString(inputLine(fmt.Sprint(i), url, body))
			}
			end := endOf(t, s, makeBatchOf(t, s, upload(t, s, input.String()).ID, url).ID)
			output, failed := linesOf(t, s, end.OutputFileID), linesOf(t, s, end.ErrorFileID)
			if end.Status != stateCompleted || end.RequestCounts != (batchCounts{len(bodies), len(output), len(failed)}) {
				t.Errorf("ended as %+v", end)
			}
			for _, line := range slices.Concat(output, failed) {
				var i int
				fmt.Sscan(line.CustomID, &i)
				w := post(s, url, bodies[i])
				if line.Response.Status != w.Code || string(line.Response.Body) != strings.TrimSpace(w.Body.String()) || line.Error != nil {
					t.Errorf("%s: batch says %d\n%s\nthe endpoint %d\n%s", bodies[i], line.Response.Status, line.Response.Body, w.Code, w.Body)
				}
			}
			if len(output)+len(failed) != len(bodies) {
				t.Errorf("%d and %d lines for %d requests", len(output), len(failed), len(bodies))
			}
		})
	}
}

// A custom_id arrives as it was meant, not as it was written.
func TestSimBatchCustomID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		defer s.Close()
		input := `{"body":` + hello + `,"url":"/v1/chat/completions" , "method":"POST","more":[1],"custom_id":"\u0041\n\"<é"}`
		end := endOf(t, s, makeBatch(t, s, input).ID)
		if got := linesOf(t, s, end.OutputFileID); len(got) != 1 || got[0].CustomID != "A\n\"<é" || !strings.HasPrefix(got[0].ID, "batch_req_") {
			t.Errorf("answered %+v", got)
		}
	})
}

func TestSimOrder(t *testing.T) {
	for n := range 20 {
		for seed := range uint64(20) {
			order := order(seed, 1, n)
			if slices.IsSorted(order) && n > 1 {
				t.Errorf("%d requests stay in order", n)
			}
			slices.Sort(order)
			for i := range order {
				if order[i] != i {
					t.Fatalf("%d requests: not a permutation", n)
				}
			}
		}
	}
}

// Two simulators give no id twice, or a client would take one's batch for the
// other's.
func TestSimIDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := map[string]bool{}
		for range 3 {
			s := New(Options{})
			for range 3 {
				seen[s.newID("batch_")] = true
			}
			s.Close()
			time.Sleep(time.Nanosecond)
		}
		if len(seen) != 9 {
			t.Errorf("%d ids of 9", len(seen))
		}
	})
}
