package batch

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"strings"
	"time"

	"llmpipe/ledger"
	"llmpipe/stream/flow"
	"llmpipe/stream/provider"
	"llmpipe/stream/record"
	"llmpipe/stream/ui"
)

// stateVoid is the state, in the ledger, of a shard that was intended and of which the provider has
// no batch.
const stateVoid = "void"

// errVoid says that nothing of a shard is at the provider, and that its file is gone.
var errVoid = errors.New("never submitted")

// errGivenUp says that a shard is done with, and that nobody in this run misses it.
var errGivenUp = errors.New("given up")

// submit takes the shard from where the ledger knows it to a batch at the provider. What an earlier
// process did and could not write down is found by listing.
func (s *shard) submit(ctx context.Context) error {
	if !s.intended {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := s.intend(); err != nil {
			return err
		}
	} else if s.step != ledger.ShardCreated {
		if err := s.adopt(ctx); err != nil {
			return err
		}
	}
	if s.step == ledger.ShardIntent {
		if err := s.send(ctx); err != nil {
			return err
		}
	}
	if s.step != ledger.ShardUploaded {
		return nil
	}
	if err := s.awaitFile(ctx); err != nil {
		return err
	}
	return s.create(ctx)
}

// intend writes down what is about to be submitted.
func (s *shard) intend() error {
	e := ledger.ShardEntry{
		Step: ledger.ShardIntent, Provider: s.batcher.lane.Host.Name, Endpoint: s.kind.endpoint.String(), Model: s.kind.model, Round: s.round,
		Bytes: s.bytes, ReservedNanos: s.reserved, Window: s.cfg.Window,
	}
	s.batcher.intending.Lock() // the records of one shard at a time are in memory
	defer s.batcher.intending.Unlock()
	decode, err := record.NewDecoder(s.batcher.options())
	if err != nil {
		return err
	}
	e.Records = make([]ledger.ShardRecord, 0, s.requests)
	err = s.spool.each(decode, func(t *flow.Task) error {
		if !t.Duplicate {
			r := ledger.ShardRecord{ID: append([]byte(nil), t.ID...), Request: t.Request}
			if ownID(t.ID) == "" {
				r.CustomID = customID(t.ID, &t.Request)
			}
			if t.Model != s.kind.model {
				r.DowngradedFrom = t.Model
			}
			e.Records = append(e.Records, r)
		}
		t.Recycle()
		return nil
	})
	if err != nil {
		return err
	}
	s.started = time.Now()
	return s.record(e)
}

// fileName is what the provider knows the shard's file by.
func (s *shard) fileName() string { return ownPrefix + s.id + ".jsonl" }

// send uploads the file.
func (s *shard) send(ctx context.Context) error {
	if err := s.w.Flush(); err != nil {
		return flow.TemporaryError(err)
	}
	var file provider.File
	err := s.batcher.transfer(ctx, func() error {
		return s.retry(ctx, "uploading", func() error {
			var err error
			file, err = s.batcher.lane.Host.Client.UploadFile(ctx, s.fileName(), s.upload, s.bytes)
			if unclear(err) { // it may be there: a second one would be nobody's
				if found, ok, lookErr := s.findFile(ctx); lookErr == nil && ok {
					file, err = found, nil
				}
			}
			return err
		})
	})
	if err != nil {
		return s.refused(err)
	}
	s.upload.Discard()
	s.upload = nil
	s.fileID = file.ID
	return s.record(ledger.ShardEntry{Step: ledger.ShardUploaded, FileID: file.ID})
}

// A file may not be usable just after its upload. It is looked at so often, at growing intervals,
// before a batch of it is tried all the same.
const fileLooks = 10

// awaitFile waits until the file can be used.
func (s *shard) awaitFile(ctx context.Context) error {
	wait := newPolling(true)
	for range fileLooks {
		var file provider.File
		err := s.retry(ctx, "looking at the file", func() (err error) {
			file, err = s.batcher.lane.Host.Client.File(ctx, s.fileID)
			return err
		})
		switch {
		case err == nil && file.Status == "error":
			return s.void(fmt.Errorf("file %s: the provider could not take it: %s", s.fileID, file.StatusDetails))
		case err == nil && (file.Status == "processed" || file.Status == ""):
			return nil
		case err != nil && !notThere(err):
			return err
		}
		if !s.flow.Stop.Sleep(wait.next()) {
			return ctx.Err()
		}
	}
	return nil
}

// batchLooks is how often the listing is consulted about a batch of which no answer said whether it
// was made. It may lag behind, so this takes as long as that many looks at a batch do.
const batchLooks = 5

// create makes the batch, once: the API has no way to say that a second request is the same as the
// first. Only when the provider has said that it did nothing, or when no batch of this shard is in
// its listing, is the request sent again.
func (s *shard) create(ctx context.Context) error {
	metadata := map[string]string{ShardLabel: s.id}
	maps.Copy(metadata, s.cfg.Metadata)
	request := provider.NewBatch{InputFile: s.fileID, Endpoint: s.kind.endpoint, Window: s.cfg.Window, Metadata: metadata}
	var made provider.Batch
	err := s.retry(ctx, "creating the batch", func() error {
		var err error
		if time.Since(s.stepped) > s.settling()/2 { // a process that takes over reckons by it how long this one may have asked
			if err := s.record(ledger.ShardEntry{Step: ledger.ShardUploaded, FileID: s.fileID}); err != nil {
				return err
			}
		}
		// A signal does not cut this off: whether the batch was made is worth waiting for.
		made, err = s.batcher.lane.Host.Client.CreateBatch(s.flow.Stop.Waiting, request)
		if unclear(err) {
			s.flow.Voice.Detail("creating a batch: %v; looking whether it was made", err)
			var found bool
			var lookErr error
			if made, found, lookErr = s.lookForBatch(); found || lookErr != nil {
				return lookErr
			}
			return err
		}
		return err
	})
	if err != nil {
		return s.refused(err)
	}
	return s.created(&made)
}

// refused gives the shard up where the provider has said that it will have none of it: nothing was
// made, and nothing will be of the same request.
func (s *shard) refused(err error) error {
	if call := provider.AsCallError(err); call == nil || call.Class != provider.Refused {
		return err
	}
	switch call := provider.AsCallError(err); {
	case notThere(err) && strings.Contains(strings.ToLower(call.Err.Message), "file"):
		err = ui.WithHint("the same command uploads its records again", err)
	case notThere(err):
		err = ui.WithHint("--mode realtime works with every provider; this one may have no Batch API", err)
	}
	return s.void(err)
}

// void writes down that the shard will have no batch, because of err. Its records are submitted
// anew by the next run.
func (s *shard) void(err error) error {
	e := ledger.ShardEntry{Step: ledger.ShardCollected, State: stateVoid, Missing: s.requests, CostKnown: true}
	if err := s.record(e); err != nil {
		return err
	}
	if err = s.concern(err); err == nil {
		err = errGivenUp
	}
	return err
}

// created writes down that the provider has the batch.
func (s *shard) created(made *provider.Batch) error {
	s.batchID = made.ID
	s.setState(made)
	if err := s.record(ledger.ShardEntry{Step: ledger.ShardCreated, FileID: s.fileID, BatchID: made.ID}); err != nil {
		return err
	}
	what := fmt.Sprintf("batch %s: %s", made.ID, ui.Number(s.requests, "request"))
	if s.kind.model != "" {
		what += " to " + s.kind.model
	}
	if s.round > 1 {
		what += fmt.Sprintf(", round %d of %d", s.round, maxRounds)
	}
	s.flow.Voice.Note("%s", what)
	return nil
}

// How long a batch that was asked for may take to be made and to show in the listing, generously;
// and at a server on this machine.
const (
	settling      = 5 * time.Minute
	settlingLocal = 5 * time.Second
)

func (s *shard) settling() time.Duration {
	if s.batcher.lane.Host.Client.Local() {
		return settlingLocal
	}
	return settling
}

// adopt finds what an earlier process left at the provider without having written it down.
func (s *shard) adopt(ctx context.Context) error {
	made, found, err := s.adoptBatch(ctx)
	if err != nil {
		return err
	}
	if found {
		s.fileID = made.InputFile
		return s.created(&made)
	}
	if s.step == ledger.ShardUploaded {
		return nil
	}
	var file provider.File
	err = s.retry(ctx, "listing files", func() (err error) {
		file, found, err = s.findFile(ctx)
		return err
	})
	switch {
	case err != nil:
		return err
	case !found:
		return errVoid
	}
	s.fileID = file.ID
	return s.record(ledger.ShardEntry{Step: ledger.ShardUploaded, FileID: file.ID})
}

// adoptBatch looks for the shard's batch. An earlier process may have died while the provider was
// still making it, so not to find it says nothing before it has had time to show.
func (s *shard) adoptBatch(ctx context.Context) (made provider.Batch, found bool, err error) {
	wait := newPolling(s.batcher.lane.Host.Client.Local())
	for {
		err := s.retry(ctx, "listing batches", func() (err error) {
			made, found, err = s.findBatch(ctx)
			return err
		})
		if err != nil || found || s.step != ledger.ShardUploaded || !time.Now().Before(s.doubtful) {
			return made, found, err
		}
		if s.cfg.Detach {
			return made, false, errNotWaited
		}
		s.flow.Voice.Detail("batch shard %s: no batch of it is listed yet", s.id)
		if !s.flow.Stop.Sleep(min(wait.next(), time.Until(s.doubtful))) {
			return made, false, ctx.Err()
		}
	}
}

// lookForBatch looks several times whether the provider has made the shard's batch.
func (s *shard) lookForBatch() (provider.Batch, bool, error) {
	wait := newPolling(s.batcher.lane.Host.Client.Local())
	for range batchLooks {
		timer := time.NewTimer(wait.next())
		select {
		case <-timer.C:
		case <-s.flow.Stop.Waiting.Done():
			timer.Stop()
			return provider.Batch{}, false, s.flow.Stop.Waiting.Err()
		}
		made, found, err := s.findBatch(s.flow.Stop.Waiting)
		if found {
			return made, true, nil
		}
		if err != nil && !provider.PassesAway(err) {
			return provider.Batch{}, false, err
		}
	}
	return provider.Batch{}, false, nil
}

// clockSkew is how far the provider's clock may be off from ours, generously.
const clockSkew = time.Hour

// findBatch looks for the shard's batch in the provider's listing, back to when it was intended.
func (s *shard) findBatch(ctx context.Context) (provider.Batch, bool, error) {
	var before time.Time // when the one before was made
	return search(s.batcher.lane.Host.Client.Batches(ctx), func(b *provider.Batch) (found, past bool) {
		found = b.Metadata[ShardLabel] == s.id && b.Status != batchFailed // one that failed did nothing
		// Behind an old one only older ones come, where the list goes back in time.
		past = !b.Created.IsZero() && b.Created.Before(s.started.Add(-clockSkew)) && b.Created.Before(before)
		before = b.Created
		return found, past
	})
}

// findFile looks for the shard's file in the same way. One that is not whole is none.
func (s *shard) findFile(ctx context.Context) (provider.File, bool, error) {
	return search(s.batcher.lane.Host.Client.Files(ctx), func(f *provider.File) (found, past bool) {
		return f.Name == s.fileName() && f.Bytes == s.bytes, false
	})
}

// search goes through a listing until what is looked for is found, or cannot come any more.
func search[T any](all iter.Seq2[T, error], look func(*T) (found, past bool)) (T, bool, error) {
	var none T
	for one, err := range all {
		if err != nil {
			return none, false, err
		}
		found, past := look(&one)
		if found {
			return one, true, nil
		}
		if past {
			break
		}
	}
	return none, false, nil
}

// unclear reports whether the provider may have done what was asked for although it did not say so.
func unclear(err error) bool {
	call := provider.AsCallError(err)
	return call != nil && call.Sent
}

// notThere reports whether the provider does not know what was named.
func notThere(err error) bool {
	call := provider.AsCallError(err)
	return call != nil && call.Err != nil && call.Err.Status == http.StatusNotFound
}
