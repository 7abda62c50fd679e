package batchapi

import (
	"cmp"
	"strings"
	"time"
)

// Batch is what a provider reports about a batch. What it does not report is zero: a file that it
// reports as null or "" is "".
type Batch struct {
	ID string
	// Status is validating, in_progress, finalizing or cancelling, and at the end completed, failed,
	// expired or cancelled, whatever the provider calls these states. Any other state keeps the
	// provider's name, in lower case.
	Status   string
	Endpoint string // the path, as the provider writes it
	// InputFile is an id. OutputFile and ErrorFile are names for Download. A batch may have either of
	// these two, both or neither, in any state that it ends in.
	InputFile, OutputFile, ErrorFile string
	// Lines is the least number of lines that the batch's files must hold once it has ended.
	Lines int64
	// Total, Completed and Failed count requests. A request that was not processed before the batch
	// ended counts only in Total.
	Total, Completed, Failed int64
	// Created is when the batch was created, Expires the end of its window, and EndedAt when it ended.
	Created, Expires, EndedAt time.Time
	Metadata                  map[string]string
	// Errors says why the batch failed as a whole. The errors of single requests are in the error
	// file.
	Errors []Fault
}

// Fault is one reason why a batch failed.
type Fault struct {
	Code, Message, Param string
	Line                 int64 // of the input file, from 1; 0 if the reason is not about one line
}

// Ended reports whether the batch has ended. An ended batch no longer changes.
func (b *Batch) Ended() bool {
	switch b.Status {
	case "completed", "failed", "expired", "cancelled":
		return true
	}
	return false
}

// Known reports whether Status is a state that this program knows.
func (b *Batch) Known() bool {
	switch b.Status {
	case "validating", "in_progress", "finalizing", "cancelling":
		return true
	}
	return b.Ended()
}

// states maps other providers' names for the states of a batch, in lower case, to OpenAI's.
var states = map[string]string{
	// Mistral: docs.mistral.ai/capabilities/batch
	"queued": "validating", "running": "in_progress", "success": "completed", "timeout_exceeded": "expired",
	"cancellation_requested": "cancelling",
	// Gemini: ai.google.dev/gemini-api/docs/batch-api, after the prefix job_state_ or batch_state_
	"pending": "validating", "succeeded": "completed", "canceled": "cancelled",
	// Together, Novita, DigitalOcean and others: OpenAI's in capitals, and these
	"processing": "in_progress", "progress": "in_progress", "canceling": "cancelling", "done": "completed", "error": "failed",
}

// stateOf returns OpenAI's name for a state. A state that OpenAI does not have keeps its name, in
// lower case.
func stateOf(said string) string {
	name := strings.ReplaceAll(strings.ToLower(said), "-", "_")
	name = strings.TrimPrefix(strings.TrimPrefix(name, "job_state_"), "batch_state_")
	return cmp.Or(states[name], name)
}
