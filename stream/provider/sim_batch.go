package provider

import (
	"context"
	"errors"
	"sync"
	"time"
)

// What a batch may hold (platform.openai.com/docs/guides/batch).
const (
	simBatchRequests = 50_000
	simBatchBytes    = 200_000_000
	simBatchWindow   = 24 * time.Hour
)

// simBatch is one batch. What is not fixed by its making is guarded by
// simBatches.mu.
type simBatch struct {
	number   int // 1 for the first of the simulator
	endpoint *simEndpoint
	input    *simFile  // nil if there was none when the batch was made
	expires  time.Time // the end of its window
	model    string    // of all its requests, once they have been read
	tokens   int       // of the prompts, once they count as enqueued
	state    simBatchObject

	// ctx ends with the batch's window, by a request to cancel it, or with the
	// simulator; its cause tells which.
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// Why a batch stops before its last request.
var (
	errSimWindow    = errors.New("the completion window has ended")
	errSimCancelled = errors.New("the batch was cancelled")
)

// simBatchObject is a batch as the API shows it.
type simBatchObject struct {
	ID               string            `json:"id"`
	Object           string            `json:"object"`
	Endpoint         string            `json:"endpoint"`
	Errors           *simBatchErrors   `json:"errors"`
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
	RequestCounts    simBatchCounts    `json:"request_counts"`
	Usage            *simBatchUsage    `json:"usage"`
	Metadata         map[string]string `json:"metadata"`
}

// simBatchCounts counts the requests that were answered and those that failed;
// one that nobody got to before the end is neither.
type simBatchCounts struct {
	Total     int `json:"total"`
	Completed int `json:"completed"`
	Failed    int `json:"failed"`
}

// simBatchUsage is what the answers of a batch are billed for, in tokens.
type simBatchUsage struct {
	Input   int `json:"input_tokens"`
	Output  int `json:"output_tokens"` // reasoning included
	Details struct {
		Reasoning int `json:"reasoning_tokens"`
	} `json:"output_tokens_details"`
	Total int `json:"total_tokens"`
}

func (u *simBatchUsage) add(a simUsage) {
	u.Input += a.prompt
	u.Output += a.completion
	u.Details.Reasoning += a.reasoning
	u.Total += a.prompt + a.completion
}

// simBatchErrors say why a batch failed as a whole.
type simBatchErrors struct {
	Object string         `json:"object"`
	Data   []simBatchFlaw `json:"data"`
}

type simBatchFlaw struct {
	Code    string  `json:"code"`
	Message string  `json:"message"`
	Param   *string `json:"param"`
	Line    *int    `json:"line"`
}

// A batch's states. It moves down this list and ends in one of the last four;
// cancelling leads to cancelled.
const (
	simValidating = "validating"
	simInProgress = "in_progress"
	simFinalizing = "finalizing"
	simCancelling = "cancelling"
	simCompleted  = "completed"
	simExpired    = "expired"
	simFailed     = "failed"
	simCancelled  = "cancelled"
)

// enter moves the batch to a state and notes when.
func (b *simBatch) enter(status string) {
	now := time.Now().Unix()
	o := &b.state
	o.Status = status
	switch status {
	case simValidating:
		o.CreatedAt = now
	case simInProgress:
		o.InProgressAt = &now
	case simFinalizing:
		o.FinalizingAt = &now
	case simCancelling:
		o.CancellingAt = &now
	case simCompleted:
		o.CompletedAt = &now
	case simExpired:
		o.ExpiredAt = &now
	case simFailed:
		o.FailedAt = &now
	case simCancelled:
		o.CancelledAt = &now
	}
}

// simBatches are the batches of one simulator. Each has a goroutine until it
// ends; close waits for them.
type simBatches struct {
	life context.Context // ends with the simulator
	end  context.CancelFunc

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
	all     []*simBatch    // in the order of their making
	queued  map[string]int // tokens of unfinished batches, by model
}

// add lists b and counts a goroutine for it; false after close.
func (t *simBatches) add(b *simBatch) bool {
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

// find returns the batch with that id, or nil.
func (t *simBatches) find(id string) *simBatch {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, b := range t.all {
		if b.state.ID == id {
			return b
		}
	}
	return nil
}

// list returns all batches, oldest first.
func (t *simBatches) list() []*simBatch {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.all[:len(t.all):len(t.all)]
}

// object returns b as it is at this moment.
func (t *simBatches) object(b *simBatch) simBatchObject {
	t.mu.Lock()
	defer t.mu.Unlock()
	return b.state
}

// update changes what is said of b.
func (t *simBatches) update(b *simBatch, edit func(o *simBatchObject)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	edit(&b.state)
}

// change moves b to a state, with what edit does, and tells whether it did: a
// batch that is being cancelled goes nowhere but to cancelled.
func (t *simBatches) change(b *simBatch, status string, edit func(o *simBatchObject)) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if b.state.Status == simCancelling && status != simCancelled {
		return false
	}
	edit(&b.state)
	b.enter(status)
	if simOver(status) {
		// A poll that sees the end finds room for the next one.
		t.queued[b.model] -= b.tokens
	}
	return true
}

// stop asks for the end of a batch that has one before it; false when it is too late for that.
func (t *simBatches) stop(b *simBatch) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch b.state.Status {
	case simValidating, simInProgress:
		b.enter(simCancelling)
		b.cancel(errSimCancelled)
		return true
	}
	return b.state.Status == simCancelling
}

// enqueue counts the tokens of a batch against the limit of its model, unless
// there is no room for them.
func (t *simBatches) enqueue(b *simBatch, model string, tokens, limit int) bool {
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

// close ends all batches where they are.
func (t *simBatches) close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.end()
	t.running.Wait()
}

// simOver tells whether a batch in that state has ended.
func simOver(status string) bool {
	switch status {
	case simCompleted, simExpired, simFailed, simCancelled:
		return true
	}
	return false
}
