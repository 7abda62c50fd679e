package sim

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

// A batch that cannot get to all its requests keeps what it has: the rest are
// error lines.
func TestSimBatchExpires(t *testing.T) {
	for name, o := range map[string]Options{
		"by share":  {BatchExpire: 0.5, BatchExpireFirst: 1},
		"by window": {BatchLatency: 10 * time.Hour, BatchWindow: 5*time.Hour + time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := New(o)
				defer s.Close()
				end := endOf(t, s, makeBatch(t, s, batchLines(40)).ID)
				if end.Status != stateExpired || end.RequestCounts != (batchCounts{40, 20, 0}) || end.ExpiredAt == nil || end.CompletedAt != nil {
					t.Errorf("ended as %+v", end)
				}
				if end.ExpiresAt > *end.ExpiredAt && o.BatchWindow > 0 {
					t.Errorf("expired before its window ended: %+v", end)
				}
				seen := map[string]int{}
				for _, line := range linesOf(t, s, end.OutputFileID) {
					seen[line.CustomID]++
				}
				missed := linesOf(t, s, end.ErrorFileID)
				for _, line := range missed {
					seen[line.CustomID]++
					if line.Response != nil || line.Error == nil || line.Error.Code != "batch_expired" || line.Error.Message == "" {
						t.Errorf("missed: %+v", line)
					}
				}
				if len(seen) != 40 || len(missed) != 20 {
					t.Errorf("%d ids, %d of them missed", len(seen), len(missed))
				}
				if b := s.Stats().Batch; b.Answered != 20 || b.Missed != 20 || b.Failed != 0 || b.Ended[stateExpired] != 1 {
					t.Errorf("counted %+v", b)
				}
				if o.BatchExpireFirst > 0 {
					if next := endOf(t, s, makeBatch(t, s, batchLines(4)).ID); next.Status != stateCompleted {
						t.Errorf("the next ended as %+v", next)
					}
				}
			})
		})
	}
}

// A window that ends before anything is answered leaves an error line each.
func TestSimBatchExpiresEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{BatchLatency: time.Hour, BatchWindow: time.Minute})
		defer s.Close()
		end := endOf(t, s, makeBatch(t, s, batchLines(3)).ID)
		if end.Status != stateExpired || end.OutputFileID != nil || len(linesOf(t, s, end.ErrorFileID)) != 3 {
			t.Errorf("ended as %+v", end)
		}
	})
}

// With nothing but errors there is no output file; what is asked again meets
// another fate.
func TestSimBatchFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{BatchFail: 1})
		defer s.Close()
		end := endOf(t, s, makeBatch(t, s, batchLines(5)).ID)
		lines := linesOf(t, s, end.ErrorFileID)
		if end.Status != stateCompleted || end.OutputFileID != nil || end.RequestCounts != (batchCounts{5, 0, 5}) || len(lines) != 5 {
			t.Fatalf("ended as %+v with %d error lines", end, len(lines))
		}
		if r := lines[0].Response; r.Status != 500 || !strings.Contains(string(r.Body), "server_error") {
			t.Errorf("error line: %+v", lines[0])
		}
		if b := s.Stats().Batch; b.Answered != 0 || b.Failed != 5 {
			t.Errorf("counted %+v", b)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{BatchFail: 0.5, Quota: 20, Truncate: 1})
		defer s.Close()
		first := endOf(t, s, makeBatch(t, s, batchLines(20)).ID)
		second := endOf(t, s, makeBatch(t, s, batchLines(20)).ID)
		if n := first.RequestCounts.Completed; n < 3 || n > 17 || first.RequestCounts.Failed != 20-n {
			t.Errorf("first %+v", first.RequestCounts)
		}
		failed := map[string]bool{}
		for _, line := range linesOf(t, s, first.ErrorFileID) {
			failed[line.CustomID] = true
		}
		won := 0
		for _, line := range linesOf(t, s, second.OutputFileID) {
			if failed[line.CustomID] {
				won++
			}
			if !strings.Contains(string(line.Response.Body), `"finish_reason":"length"`) {
				t.Errorf("not truncated: %s", line.Response.Body)
			}
		}
		if won == 0 {
			t.Error("what failed fails again")
		}
		third := endOf(t, s, makeBatch(t, s, batchLines(20)).ID)
		quota := 0
		for _, line := range linesOf(t, s, third.ErrorFileID) {
			if line.Response.Status == 429 && strings.Contains(string(line.Response.Body), "insufficient_quota") {
				quota++
			}
		}
		if quota == 0 || s.Stats().Batch.Answered != 20 {
			t.Errorf("%d over the quota, %d answered", quota, s.Stats().Batch.Answered)
		}
	})
}

func TestSimBatchCancel(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for _, test := range []struct {
		after       time.Duration
		done, total int
		want        string
	}{
		{time.Minute, 0, 0, stateCancelled},
		{5*time.Hour + time.Minute, 20, 40, stateCancelled},
		{9*time.Hour + time.Minute, 40, 40, stateCompleted},
		{11 * time.Hour, 40, 40, stateCompleted},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := New(Options{BatchLatency: 10 * time.Hour})
			defer s.Close()
			made := makeBatch(t, s, batchLines(40))
			time.Sleep(test.after)
			w := post(s, "/v1/batches/"+made.ID+"/cancel", "")
			if test.want == stateCancelled {
				if got := decode[batchObject](t, w); w.Code != 200 || got.Status != stateCancelling || got.CancellingAt == nil {
					t.Errorf("cancelling after %v: %d %s", test.after, w.Code, w.Body)
				}
				if again := post(s, "/v1/batches/"+made.ID+"/cancel", ""); again.Code != 200 {
					t.Errorf("cancelling again: %d %s", again.Code, again.Body)
				}
				time.Sleep(time.Minute)
				if got := showBatch(t, s, made.ID); got.Status != stateCancelling || got.OutputFileID != nil {
					t.Errorf("a minute later it is %+v", got)
				}
			} else if w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "Cannot cancel a batch with status") {
				t.Errorf("cancelling after %v: %d %s", test.after, w.Code, w.Body)
			}
			end := endOf(t, s, made.ID)
			if end.Status != test.want || end.RequestCounts != (batchCounts{test.total, test.done, 0}) {
				t.Errorf("cancelled after %v, ended as %+v", test.after, end)
			}
			if got := len(linesOf(t, s, end.OutputFileID)); got != test.done {
				t.Errorf("cancelled after %v: %d lines, want %d", test.after, got, test.done)
			}
			if end.Status == stateCancelled && (end.ErrorFileID != nil || end.CancelledAt == nil || end.FinalizingAt != nil) {
				t.Errorf("cancelled: %+v", end)
			}
		})
	}
}

// A batch that is being cancelled does not fail any more.
func TestSimBatchCancelInvalid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{BatchLatency: time.Hour})
		defer s.Close()
		made := makeBatch(t, s, "{")
		post(s, "/v1/batches/"+made.ID+"/cancel", "")
		if end := endOf(t, s, made.ID); end.Status != stateCancelled || end.Errors != nil || end.OutputFileID != nil {
			t.Errorf("ended as %+v", end)
		}
	})
}

// Beyond the bound on queued tokens a batch is taken, and fails; there is room
// again when another has ended.
func TestSimBatchTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{BatchLatency: 10 * time.Hour, BatchTokens: 100})
		defer s.Close()
		first := makeBatch(t, s, batchLines(8)) // of 9 tokens each
		time.Sleep(2 * time.Hour)
		second := endOf(t, s, makeBatch(t, s, batchLines(8)).ID)
		if second.Status != stateFailed || second.FailedAt == nil || len(second.Errors.Data) != 1 {
			t.Fatalf("second ended as %+v", second)
		}
		if e := second.Errors.Data[0]; e.Code != "token_limit_exceeded" || e.Line != nil ||
			!strings.Contains(e.Message, "Limit: 100 enqueued tokens") {
			t.Errorf("second failed with %+v", e)
		}
		other := strings.ReplaceAll(batchLines(8), "gpt-4o-mini", "gpt-4o")
		if got := endOf(t, s, makeBatch(t, s, other).ID); got.Status != stateCompleted {
			t.Errorf("another model ended as %+v", got)
		}
		if got := endOf(t, s, first.ID); got.Status != stateCompleted {
			t.Errorf("first ended as %+v", got)
		}
		if got := endOf(t, s, makeBatch(t, s, batchLines(8)).ID); got.Status != stateCompleted {
			t.Errorf("third ended as %+v", got)
		}
		if b := s.Stats().Batch; b.Ended[stateFailed] != 1 || b.Ended[stateCompleted] != 3 {
			t.Errorf("counted %+v", b)
		}
	})
}

// The batch is made, but its maker does not hear of it.
func TestSimBatchLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{BatchLost: 1})
		defer s.Close()
		aborts(t, func() { makeBatch(t, s, batchLines(1)) })
		all := ids(t, s, "/v1/batches")
		if len(all) != 1 || endOf(t, s, all[0]).Status != stateCompleted {
			t.Errorf("listed %v", all)
		}
		makeBatch(t, s, batchLines(1))
	})
}

// Close ends a batch wherever it is.
func TestSimBatchClose(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for i := range 11 {
		synctest.Test(t, func(t *testing.T) {
			s := New(Options{BatchLatency: 10 * time.Hour})
			file := upload(t, s, batchLines(40)).ID
			made := makeBatchOf(t, s, file, "/v1/chat/completions")
			time.Sleep(time.Duration(i)*time.Hour + time.Minute)
			begun := time.Now()
			s.Close()
			if time.Since(begun) > 0 {
				t.Errorf("after %d hours Close took %v", i, time.Since(begun))
			}
			if got := s.batches.object(s.batches.find(made.ID)); over(got.Status) != (i == 10) {
				t.Errorf("after %d hours it was left as %+v", i, got)
			}
			if _, err := os.Stat(s.files.dir); !os.IsNotExist(err) {
				t.Errorf("%s is still there", s.files.dir)
			}
			aborts(t, func() {
				post(s, "/v1/batches", fmt.Sprintf(`{"input_file_id":%q,"endpoint":"/v1/responses","completion_window":"24h"}`, file))
			})
		})
	}
}

// A disk that fails fails the batch, with the cause.
func TestSimBatchStorage(t *testing.T) {
	for _, harm := range []func(s *Server) error{
		func(s *Server) error { return os.RemoveAll(s.files.dir) },              // nowhere to write
		func(s *Server) error { return os.Truncate(s.files.all[0].path, 4000) }, // nothing to read
	} {
		synctest.Test(t, func(t *testing.T) {
			s := New(Options{BatchLatency: 10 * time.Hour})
			defer s.Close()
			made := makeBatch(t, s, batchLines(40))
			time.Sleep(2 * time.Hour)
			if err := harm(s); err != nil {
				t.Fatal(err)
			}
			end := endOf(t, s, made.ID)
			if end.Status != stateFailed || end.Errors == nil || end.Errors.Data[0].Code != "server_error" {
				t.Errorf("ended as %+v", end)
			}
		})
	}
}
