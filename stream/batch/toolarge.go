package batch

import (
	"errors"
	"sync"

	"llmpipe/stream/provider/batchapi"
	"llmpipe/stream/record"
	"llmpipe/stream/ui"
)

// A provider may accept smaller files than its dialect says, and a gateway in front of it even
// smaller ones. A file refused as too large is split into two of half the size, and later files are
// made no larger than those.

// found is the most that a file may hold, as far as refusals have shown.
type found struct {
	mu              sync.Mutex
	requests, bytes int64 // 0 before the first refusal
	told            bool
}

// of returns the bounds of a driver's batches.
func (f *found) of(d batchapi.Driver) batchapi.Bounds {
	f.mu.Lock()
	defer f.mu.Unlock()
	most := d.Bounds()
	if f.requests > 0 {
		most.Requests, most.Bytes = min(most.Requests, f.requests), min(most.Bytes, f.bytes)
	}
	return most
}

// halve lowers the bounds to half of a file that was refused. It reports whether that is the first
// refusal.
func (f *found) halve(file *shardFile) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	half := batchapi.Bounds{Requests: (file.requests + 1) / 2, Bytes: (file.bytes + 1) / 2}
	if f.requests == 0 || half.Requests < f.requests {
		f.requests = half.Requests
	}
	if f.bytes == 0 || half.Bytes < f.bytes {
		f.bytes = half.Bytes
	}
	first := !f.told
	f.told = true
	return first
}

// errTooLarge says that a shard was refused because of its size, and that nothing was made of it.
var errTooLarge = errors.New("the batch is too large for the provider")

// tooLargeError is errTooLarge with what the provider said.
type tooLargeError struct{ said *record.Error }

func (e *tooLargeError) Error() string { return errTooLarge.Error() + ": " + e.said.Error() }

func (e *tooLargeError) Is(target error) bool { return target == errTooLarge }

// tooLarge notes, when the provider refuses the shard's file, that its records go into smaller
// files, unless there is only one. It returns a *tooLargeError.
func (s *shard) tooLarge(said *record.Error) error {
	err := &tooLargeError{said}
	if s.file.requests <= 1 {
		return err
	}
	s.rest.most = (s.file.requests + 1) / 2
	if s.batches.most.halve(&s.file) {
		s.flow.Voice.Note("the provider refuses a batch of %s in %s bytes (%v): batches are half as large from now on",
			ui.Number(s.file.requests, "request"), ui.Grouped(s.file.bytes), said)
	}
	return err
}

// refusedAlone returns the answers of a shard that was too large: none, or an error if the shard
// cannot be smaller.
func (s *shard) refusedAlone(err error) *answers {
	found := newAnswers()
	var large *tooLargeError
	if s.rest.most == 0 && errors.As(err, &large) {
		found.all = large.said
	}
	return found
}
