package sim

import (
	"context"
	"errors"
	"sync"
	"time"
)

// What a batch may hold (platform.openai.com/docs/guides/batch).
const (
	batchRequests = 50_000
	batchBytes    = 200_000_000
	batchWindow   = 24 * time.Hour
)

// batch is one batch. Fields that change after its creation are guarded by batches.mu.
type batch struct {
	number   int // 1 for the first of the simulator
	endpoint *endpoint
	input    *storedFile // nil if the file was not there when the batch was created
	messages bool        // it is a Message Batch
	requests int
	expires  time.Time // the end of its window
	model    string    // of all its requests, once they have been read
	tokens   int       // of the prompts, once they count as enqueued
	state    batchObject

	// ctx ends when the batch is cancelled (its cause is then errSimCancelled), when the batch has
	// ended, or with the simulator.
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// Why a batch stops before its last request.
var (
	errSimWindow    = errors.New("the completion window has ended")
	errSimCancelled = errors.New("the batch was cancelled")
)

// batchObject is a batch in the API's form.
type batchObject struct {
	ID               string            `json:"id"`
	Object           string            `json:"object"`
	Endpoint         string            `json:"endpoint"`
	Errors           *batchErrors      `json:"errors"`
	InputFileID      string            `json:"input_file_id"`
	CompletionWindow string            `json:"completion_window"`
	Status           string            `json:"status"`
	OutputFileID     *string           `json:"output_file_id"`
	ErrorFileID      *string           `json:"error_file_id"`
	CreatedAt        int64             `json:"created_at"`
	InProgressAt     *int64            `json:"in_progress_at"`
	ExpiresAt        int64             `json:"expires_at"`
	FinalizingAt     *int64            `json:"finalizing_at"`
	CompletedAt      *int64            `json:"completed_at"`
	FailedAt         *int64            `json:"failed_at"`
	ExpiredAt        *int64            `json:"expired_at"`
	CancellingAt     *int64            `json:"cancelling_at"`
	CancelledAt      *int64            `json:"cancelled_at"`
	RequestCounts    batchCounts       `json:"request_counts"`
	Usage            *batchUsage       `json:"usage"`
	Metadata         map[string]string `json:"metadata"`
}

// batchCounts counts requests. One that was not processed before the batch ended counts only in
// Total.
type batchCounts struct {
	Total     int `json:"total"`
	Completed int `json:"completed"`
	Failed    int `json:"failed"`
}

// batchUsage is what is billed for the answers of a batch, in tokens.
type batchUsage struct {
	Input        int `json:"input_tokens"`
	InputDetails struct {
		Cached     int `json:"cached_tokens"`
		CacheWrite int `json:"cache_write_tokens"`
	} `json:"input_tokens_details"`
	Output  int `json:"output_tokens"` // reasoning included
	Details struct {
		Reasoning int `json:"reasoning_tokens"`
	} `json:"output_tokens_details"`
	Total int `json:"total_tokens"`
}

func (u *batchUsage) add(a usage) {
	u.Input += a.prompt
	u.Output += a.completion
	u.Details.Reasoning += a.reasoning
	u.Total += a.prompt + a.completion
}

// batchErrors says why a batch failed as a whole.
type batchErrors struct {
	Object string      `json:"object"`
	Data   []batchFlaw `json:"data"`
}

type batchFlaw struct {
	Code    string  `json:"code"`
	Message string  `json:"message"`
	Param   *string `json:"param"`
	Line    *int    `json:"line"`
}

// A batch's states. A batch moves down this list and ends in one of the last four. From cancelling
// it moves only to cancelled.
const (
	stateValidating = "validating"
	stateInProgress = "in_progress"
	stateFinalizing = "finalizing"
	stateCancelling = "cancelling"
	stateCompleted  = "completed"
	stateExpired    = "expired"
	stateFailed     = "failed"
	stateCancelled  = "cancelled"
)

// enter moves the batch to a state and records the time.
func (b *batch) enter(status string) {
	now := time.Now().Unix()
	o := &b.state
	o.Status = status
	switch status {
	case stateValidating:
		o.CreatedAt = now
	case stateInProgress:
		o.InProgressAt = &now
	case stateFinalizing:
		o.FinalizingAt = &now
	case stateCancelling:
		o.CancellingAt = &now
	case stateCompleted:
		o.CompletedAt = &now
	case stateExpired:
		o.ExpiredAt = &now
	case stateFailed:
		o.FailedAt = &now
	case stateCancelled:
		o.CancelledAt = &now
	}
}

// batches holds the batches of one simulator. Each batch has a goroutine until it ends; close waits
// for these goroutines.
type batches struct {
	life context.Context // ends with the simulator
	end  context.CancelFunc

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
	all     []*batch       // in order of creation
	queued  map[string]int // tokens of unfinished batches, by model
}

// add lists b and counts a goroutine for it. After close it returns false.
func (t *batches) add(b *batch) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.all = append(t.all, b)
	b.number = len(t.all)
	t.running.Add(1)
	return true
}

// addForeign lists Options.BatchForeign batches after the first batch, as if other clients had
// created them. They have ended.
func (s *Server) addForeign(first *batch) {
	t := &s.batches
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.all) != 1 {
		return
	}
	for range s.options.BatchForeign {
		b := &batch{endpoint: first.endpoint, messages: first.messages, requests: 1, state: first.state}
		b.state.ID, b.state.InputFileID, b.state.Metadata = s.newID("batch_"), s.newFileID(), nil
		b.enter(stateCompleted)
		t.all = append(t.all, b)
	}
}

// find returns the batch with that id, or nil.
func (t *batches) find(id string) *batch {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, b := range t.all {
		if b.state.ID == id {
			return b
		}
	}
	return nil
}

// list returns the Message Batches, or all other batches, oldest first.
func (t *batches) list(messages bool) []*batch {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []*batch
	for _, b := range t.all {
		if b.messages == messages {
			all = append(all, b)
		}
	}
	return all
}

// object returns b as it is at this moment.
func (t *batches) object(b *batch) batchObject {
	t.mu.Lock()
	defer t.mu.Unlock()
	return b.state
}

// update applies edit to what the API shows of b.
func (t *batches) update(b *batch, edit func(o *batchObject)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	edit(&b.state)
}

// change applies edit to b, moves b to a state, and reports whether it did. A batch that is being
// cancelled moves only to cancelled.
func (t *batches) change(b *batch, status string, edit func(o *batchObject)) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if b.state.Status == stateCancelling && status != stateCancelled {
		return false
	}
	edit(&b.state)
	b.enter(status)
	if over(status) {
		// A client that sees the end finds room for its next batch.
		t.queued[b.model] -= b.tokens
	}
	return true
}

// stop starts the cancellation of a batch. It returns false if it is too late for that.
func (t *batches) stop(b *batch) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch b.state.Status {
	case stateValidating, stateInProgress:
		b.enter(stateCancelling)
		b.cancel(errSimCancelled)
		return true
	}
	return b.state.Status == stateCancelling
}

// enqueue counts the tokens of a batch against the limit of its model. If there is no room for
// them, it counts nothing and returns false. A limit of 0 is none.
func (t *batches) enqueue(b *batch, model string, tokens, limit int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	b.model = model
	if limit > 0 && t.queued[model]+tokens > limit {
		return false
	}
	b.tokens = tokens
	t.queued[model] += tokens
	return true
}

// close stops all batches in the state that they are in, and waits for their goroutines.
func (t *batches) close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.end()
	t.running.Wait()
}

// over reports whether a batch in that state has ended.
func over(status string) bool {
	switch status {
	case stateCompleted, stateExpired, stateFailed, stateCancelled:
		return true
	}
	return false
}
