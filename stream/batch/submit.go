package batch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"

	"llmpipe/ledger"
	"llmpipe/stream/flow"
	"llmpipe/stream/journal"
	"llmpipe/stream/provider"
	"llmpipe/stream/provider/batchapi"
	"llmpipe/stream/record"
	"llmpipe/stream/ui"
)

// stateVoid is the state, in the ledger, of a shard that was intended but has no batch at the
// provider.
const stateVoid = "void"

// errVoid says that nothing of a shard is at the provider, and that its file is gone.
var errVoid = errors.New("never submitted")

// errGivenUp says that a shard is given up, and that no record of this run was in it.
var errGivenUp = errors.New("given up")

// submit takes the shard from its last recorded step to a batch at the provider. It finds what an
// earlier process could not record by listing.
func (s *shard) submit(ctx context.Context) error {
	if !s.intended {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := s.intend(); err != nil {
			return err
		}
	} else if s.at.step != ledger.ShardCreated {
		if err := s.adopt(ctx); err != nil {
			return err
		}
	}
	if s.marked() && s.at.step != ledger.ShardCreated {
		return s.create(ctx)
	}
	if s.at.step == ledger.ShardIntent {
		if err := s.send(ctx); err != nil {
			return err
		}
	}
	if s.at.step != ledger.ShardUploaded {
		return nil
	}
	if err := s.awaitFile(ctx); err != nil {
		return err
	}
	return s.create(ctx)
}

// intend records what is about to be submitted.
func (s *shard) intend() error {
	e := ledger.ShardEntry{
		Step: ledger.ShardIntent, Provider: s.batches.lane.Host.Name, Endpoint: s.kind.endpoint.String(), Model: s.kind.model,
		Round: s.round, Reask: s.kind.turn, Bytes: s.file.bytes, ReservedNanos: s.bill.reserved, Window: s.cfg.Window,
	}
	s.batches.intending.Lock() // the records of one shard at a time are in memory
	defer s.batches.intending.Unlock()
	decode, err := record.NewDecoder(s.batches.options())
	if err != nil {
		return err
	}
	e.Records = make([]ledger.ShardRecord, 0, s.file.requests)
	err = s.claims.spool.each(decode, func(t *flow.Task) error {
		if !t.Duplicate {
			r := ledger.ShardRecord{ID: append([]byte(nil), t.ID...), Request: t.Request, Not: uint64(t.Ref), Attachments: journal.Attachments(t)}
			switch {
			case len(e.Records) == 0 && s.marked():
				r.CustomID = s.mark()
			case ownID(t.ID) == "" || s.kind.turn > 0:
				r.CustomID = s.customID(t.ID, &t.Request)
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
	if err := s.record(e); err != nil {
		return err
	}
	s.flow.Inflight.LetGoAll(s.id) // from now on the ledger knows them
	return nil
}

// fileName is the name of the shard's file at the provider.
func (s *shard) fileName() string { return ownPrefix + s.id + ".jsonl" }

// send uploads the file.
func (s *shard) send(ctx context.Context) error {
	if err := s.file.w.Flush(); err != nil {
		return flow.TemporaryError(err)
	}
	var file batchapi.File
	err := s.batches.transfer(ctx, func() error {
		return s.retry(ctx, "uploading", func() error {
			var err error
			file, err = s.driver.Files().Upload(ctx, s.fileName(), s.file.upload, s.file.bytes)
			if unclear(err) { // the file may be there: a second one would belong to no batch
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
	s.dropFile()
	s.at.fileID = file.ID
	return s.record(ledger.ShardEntry{Step: ledger.ShardUploaded, FileID: file.ID})
}

// fileLooks is how often a file is looked at, at growing intervals, before a batch of it is tried
// anyway. A file may not be usable right after its upload.
const fileLooks = 10

// awaitFile waits until the file can be used.
func (s *shard) awaitFile(ctx context.Context) error {
	wait := newPolling(true)
	for range fileLooks {
		var file batchapi.File
		err := s.retry(ctx, "checking the file", func() (err error) {
			if file, err = s.driver.Files().File(ctx, s.at.fileID); err == nil && isUnderway(file.Status) {
				err = notYet("the file " + s.at.fileID + " is " + file.Status) // for minutes, at Azure
			}
			return err
		})
		switch {
		case err == nil && file.Status == "error":
			return s.void(fmt.Errorf("the provider could not process file %s: %s", s.at.fileID, file.StatusDetails))
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

// create makes the batch, once: the API has no idempotency key. It sends the request again only
// when the provider says that it did nothing, or when its listing has no batch of this shard.
func (s *shard) create(ctx context.Context) error {
	metadata := map[string]string{ShardLabel: s.id}
	maps.Copy(metadata, s.cfg.Metadata)
	request := &batchapi.NewBatch{
		InputFile: s.at.fileID, Endpoint: s.kind.endpoint, Model: s.kind.model, Window: s.cfg.Window, Metadata: metadata,
	}
	var made batchapi.Batch
	toldFull, doubtful := false, false // doubtful: there may be a batch that no response told of
	look := func() (found bool, err error) {
		doubtful = true
		if made, found, err = s.lookForBatch(ctx); err == nil {
			doubtful = false
		}
		return found, err
	}
	err := s.retry(ctx, "creating the batch", func() error {
		var err error
		if doubtful {
			if found, err := look(); found || err != nil {
				return err
			}
		}
		// A process that takes over tells from the last step's time how long this one may have asked.
		if !s.marked() && time.Since(s.at.stepped) > s.settling()/2 {
			if err := s.record(ledger.ShardEntry{Step: ledger.ShardUploaded, FileID: s.at.fileID}); err != nil {
				return err
			}
		}
		// A signal does not cancel this: it matters whether the batch was made.
		if s.marked() {
			made, err = s.createMarked(request)
		} else {
			made, err = s.driver.Create(s.flow.Stop.Waiting, request)
		}
		if unclear(err) {
			s.flow.Voice.Detail("creating a batch: %v; checking whether it was made", err)
			if found, lookErr := look(); found || lookErr != nil {
				return lookErr
			}
			if call := provider.AsCallError(err); call.Err.Status >= 200 && call.Err.Status < 300 {
				doubtful = true // it was made, under a name that is not known
				return s.inDoubt(err)
			}
			return err
		}
		return s.later(err, &toldFull)
	})
	switch {
	case err != nil && doubtful && ctx.Err() == nil:
		return s.inDoubt(err)
	case err != nil:
		return s.refused(err)
	}
	return s.created(&made)
}

// inDoubt pauses the run if a batch of the shard may exist that cannot be found. A second batch
// would be paid for twice.
func (s *shard) inDoubt(err error) error {
	known := fmt.Sprintf("its file is %s and its label %s is %s", s.at.fileID, ShardLabel, s.id)
	if s.marked() {
		known = fmt.Sprintf("the custom_id of its first request is %s", s.mark())
	}
	s.flow.Stop.Pause(ui.WithHint(
		"look for it at the provider: "+known+"; or run the same command again, which looks again",
		fmt.Errorf("a batch may have been made: %w", err)))
	return s.flow.Stop.Asking.Err()
}

// isUnderway reports whether a file's state is one that the file leaves by itself: one of Azure's,
// or a similar name that others use. OpenAI's "uploaded" may stay for ever.
func isUnderway(status string) bool {
	switch strings.ToLower(status) {
	case "pending", "running", "notrunning", "processing", "in_progress", "queued":
		return true
	}
	return false
}

// refused gives up the shard after the provider has refused it: no batch was made, and the same
// request would be refused again.
func (s *shard) refused(err error) error {
	if call := provider.AsCallError(err); call == nil || call.Class != provider.Refused {
		return err
	}
	switch call := provider.AsCallError(err); {
	case provider.FileTooLarge(call.Err):
		return s.tooLarge(call.Err)
	case notThere(err) && strings.Contains(strings.ToLower(call.Err.Message), "file"):
		err = ui.WithHint("run the same command again: it uploads the records again", err)
	case notThere(err):
		err = ui.WithHint(s.batches.hint(err, "use --mode realtime, which works with every provider; this one may have no Batch API"), err)
	}
	return s.void(err)
}

// void records that the shard will have no batch, because of err. The next run submits its records
// again.
func (s *shard) void(err error) error {
	e := ledger.ShardEntry{Step: ledger.ShardCollected, State: stateVoid, Missing: s.file.requests, CostKnown: true}
	if err := s.record(e); err != nil {
		return err
	}
	if err = s.concern(err); err == nil {
		err = errGivenUp
	}
	return err
}

// created records that the provider has the batch.
func (s *shard) created(made *batchapi.Batch) error {
	s.dropFile()
	s.at.batchID = made.ID
	s.setState(made)
	if err := s.record(ledger.ShardEntry{Step: ledger.ShardCreated, FileID: s.at.fileID, BatchID: made.ID}); err != nil {
		return err
	}
	what := fmt.Sprintf("batch %s: %s", made.ID, ui.Number(s.file.requests, "request"))
	if s.kind.model != "" {
		what += " to " + s.kind.model
	}
	if s.kind.turn > 0 {
		what += ", sent again because the answers did not fit the schema"
	}
	if s.round > 1 {
		what += fmt.Sprintf(", round %d of %d", s.round, maxRounds)
	}
	s.flow.Voice.Note("%s", what)
	return nil
}

// clockSkew is a generous bound on how far the provider's clock may be off from ours.
const clockSkew = time.Hour

// unclear reports whether the provider may have acted although the call failed.
func unclear(err error) bool {
	call := provider.AsCallError(err)
	return call != nil && call.Sent
}

// notThere reports whether the provider does not know the batch or file.
func notThere(err error) bool {
	call := provider.AsCallError(err)
	return call != nil && call.Err != nil && call.Err.Status == http.StatusNotFound
}
