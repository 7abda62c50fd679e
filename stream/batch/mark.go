package batch

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"sync"

	"llmpipe/ledger"
	"llmpipe/stream/flow"
	"llmpipe/stream/provider/batchapi"
)

// A batch that carries no label and is not made from a file is known by the custom_id of its first
// request: the shard's mark stands there instead of the record's own custom_id. A listing does not
// show the mark. If a batch may be the shard's, judging by its time and its number of requests, its
// answers show whether it is, once it has ended.

// marked reports whether the shard's batch is known by its mark.
func (s *shard) marked() bool { return s.driver.Files() == nil }

// mark is the custom_id of the shard's first request.
func (s *shard) mark() string { return ownPrefix + s.id }

// errUnproven says that a batch may be the shard's, and that this run does not wait for its end.
var errUnproven = errors.New("a batch of the same size is running, and may be this one")

// tellUnproven says once what the run waits for.
func (s *shard) tellUnproven() {
	if !s.at.told {
		s.at.told = true
		s.flow.Voice.Note("batch shard %s: %v: waiting for its end, because a second batch might be paid for twice", s.id, errUnproven)
	}
}

// findMarked looks for the shard's batch in the listing. It notes whether there is a batch that may
// be the shard's but has not proven it yet.
func (s *shard) findMarked(ctx context.Context) (batchapi.Batch, bool, error) {
	others := make(map[string]bool)
	for _, known := range s.journal.Ledger.Shards() {
		others[known.BatchID] = true
	}
	var suspects []batchapi.Batch
	_, _, err := s.searchBatches(ctx, func(b *batchapi.Batch) bool {
		counted := b.Total == s.file.requests || b.Total == 0 && !b.Ended() // or not counted yet
		if counted && !s.madeBefore(b) && !others[b.ID] && !s.at.foreign[b.ID] {
			suspects = append(suspects, *b)
		}
		return false
	})
	if err != nil {
		return batchapi.Batch{}, false, err
	}
	s.at.unproven = false
	for _, b := range suspects {
		if !b.Ended() {
			s.at.unproven = true
			continue
		}
		own, err := s.proven(ctx, &b)
		if own || err != nil {
			s.at.unproven = err != nil
			return b, own, err
		}
		if s.at.foreign == nil {
			s.at.foreign = make(map[string]bool)
		}
		s.at.foreign[b.ID] = true
	}
	return batchapi.Batch{}, false, nil
}

// proven reports whether the answers of a batch show that it is the shard's.
func (s *shard) proven(ctx context.Context, b *batchapi.Batch) (bool, error) {
	proof := finder{text: []byte(`"` + s.mark() + `"`)}
	err := s.batches.transfer(ctx, func() error { return s.driver.Download(ctx, b.OutputFile, &proof) })
	return proof.found && err == nil, err
}

// mark is a record's custom_id in a batch, and the one that the record has everywhere else.
type mark struct{ custom, own string }

// of returns a record's own custom_id for the one in the batch.
func (m *mark) of(custom []byte) []byte {
	if m.custom != "" && string(custom) == m.custom {
		return []byte(m.own)
	}
	return custom
}

// unmark tells found whose answer is under the mark.
func (s *shard) unmark(found *answers) error {
	if !s.marked() || len(found.files) == 0 {
		return nil
	}
	enough := errors.New("enough")
	err := s.journal.Ledger.ReadShard(s.id, func(r ledger.ShardRecord) error {
		found.mark = mark{s.mark(), s.customID(r.ID, &r.Request)}
		return enough
	})
	if errors.Is(err, enough) {
		return nil
	}
	return err
}

// finder looks for text in what is written to it.
type finder struct {
	text  []byte
	tail  []byte // the end of what was written so far, where text may begin
	found bool
}

// Write implements [io.Writer].
func (f *finder) Write(p []byte) (int, error) {
	if f.found {
		return len(p), nil
	}
	border := append(f.tail, p[:min(len(p), len(f.text))]...)
	f.found = bytes.Contains(border, f.text) || bytes.Contains(p, f.text)
	end := border
	if len(p) > len(f.text) {
		end = p
	}
	f.tail = append(f.tail[:0], end[max(0, len(end)-len(f.text)):]...)
	return len(p), nil
}

// createMarked makes the shard's batch from the file on this machine.
func (s *shard) createMarked(n *batchapi.NewBatch) (made batchapi.Batch, err error) {
	if err := s.file.w.Flush(); err != nil {
		return made, flow.TemporaryError(err)
	}
	content := &announced{shard: s}
	defer content.close()
	n.Content, n.Size = content, s.file.bytes
	ctx := s.flow.Stop.Waiting
	err = s.batches.transfer(ctx, func() error {
		made, err = s.driver.Create(ctx, n)
		return err
	})
	return made, err
}

// announced is a shard's file on its way into a batch. The provider can make nothing of it before
// its end has been sent. So before the end is read, the ledger notes that there may be a batch from
// now on.
type announced struct {
	shard *shard

	mu     sync.Mutex
	closed bool
}

// close makes further reads fail: what the transport still reads after an answer is of no use.
func (a *announced) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
}

// ReadAt implements [io.ReaderAt].
func (a *announced) ReadAt(p []byte, at int64) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return 0, fs.ErrClosed
	}
	s := a.shard
	if at+int64(len(p)) >= s.file.bytes-lastBytes {
		if err := s.record(ledger.ShardEntry{Step: ledger.ShardUploaded}); err != nil {
			return 0, err
		}
	}
	return s.file.upload.ReadAt(p, at)
}

// lastBytes is how many bytes at the end of a shard's file the driver may leave out.
const lastBytes = 64
