package batchapi

import (
	"cmp"
	"strings"
	"time"
)

// Batch is what a provider says of a batch. What it does not say is zero: a file that is null or ""
// there is "".
type Batch struct {
	ID string
	// Status is validating, in_progress, finalizing or cancelling, and in the end completed,
	// failed, expired or cancelled, by whatever names the provider has for them; a state that is
	// none of these is as the provider writes it, in lower case.
	Status   string
	Endpoint string // the path, as the provider writes it
	// InputFile is an id; OutputFile and ErrorFile are what Download takes. A batch may have either of
	// the last two, both, or none, in any state that it ends in.
	InputFile, OutputFile, ErrorFile string
	// Lines is how many lines its files have to hold at least, once it has ended.
	Lines int64
	// Total, Completed and Failed count requests. One that nobody got to before the end is only in
	// the Total.
	Total, Completed, Failed int64
	// Created is when it was made, Expires the end of its window, and EndedAt when it came to its end.
	Created, Expires, EndedAt time.Time
	Metadata                  map[string]string
	// Errors are why the batch failed as a whole; those of single requests are in the error file.
	Errors []Fault
}

// Fault is one reason why a batch failed.
type Fault struct {
	Code, Message, Param string
	Line                 int64 // of the input file, from 1; 0 when it is about the whole
}

// Ended tells whether the batch has come to its end: nothing of it will change.
func (b *Batch) Ended() bool {
	switch b.Status {
	case "completed", "failed", "expired", "cancelled":
		return true
	}
	return false
}

// Known tells whether the state is one that this program knows.
func (b *Batch) Known() bool {
	switch b.Status {
	case "validating", "in_progress", "finalizing", "cancelling":
		return true
	}
	return b.Ended()
}

// states are the names of a batch's states, in lower case, that are not OpenAI's, by provider.
var states = map[string]string{
	// Mistral: docs.mistral.ai/capabilities/batch
	"queued": "validating", "running": "in_progress", "success": "completed", "timeout_exceeded": "expired",
	"cancellation_requested": "cancelling",
	// Gemini: ai.google.dev/gemini-api/docs/batch-api, behind job_state_ or batch_state_
	"pending": "validating", "succeeded": "completed", "canceled": "cancelled",
	// Together, Novita, DigitalOcean and others: OpenAI's in capitals, and these
	"processing": "in_progress", "progress": "in_progress", "canceling": "cancelling", "done": "completed", "error": "failed",
}

// stateOf is a state as OpenAI calls it.
func stateOf(said string) string {
	name := strings.ReplaceAll(strings.ToLower(said), "-", "_")
	name = strings.TrimPrefix(strings.TrimPrefix(name, "job_state_"), "batch_state_")
	return cmp.Or(states[name], name)
}
