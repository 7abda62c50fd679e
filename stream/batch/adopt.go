package batch

import (
	"context"
	"iter"
	"time"

	"llmpipe/ledger"
	"llmpipe/stream/provider"
	"llmpipe/stream/provider/batchapi"
)

// batchLooks is how often the listing is read after a create whose outcome is unclear. The listing
// may lag behind, so the looks are as far apart as the polls of a batch.
const batchLooks = 5

// settling is a generous bound on how long a batch may take to show in the listing after its
// create; settlingLocal is that bound for a server on this machine.
const (
	settling      = 5 * time.Minute
	settlingLocal = 5 * time.Second
)

func (s *shard) settling() time.Duration {
	if s.client.Local() {
		return settlingLocal
	}
	return settling
}

// adopt finds what an earlier process left at the provider but could not record, because it
// crashed, say.
func (s *shard) adopt(ctx context.Context) error {
	made, found, err := s.adoptBatch(ctx)
	if err != nil {
		return err
	}
	switch {
	case found:
		s.at.fileID = made.InputFile
		return s.created(&made)
	case s.marked():
		return errVoid // its file has gone with the process
	}
	if s.at.step == ledger.ShardUploaded {
		return nil
	}
	var file batchapi.File
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
	s.at.fileID = file.ID
	return s.record(ledger.ShardEntry{Step: ledger.ShardUploaded, FileID: file.ID})
}

// adoptBatch looks for the shard's batch. The provider may still have been creating it when the
// earlier process died, so a miss counts only after the batch has had time to appear.
func (s *shard) adoptBatch(ctx context.Context) (made batchapi.Batch, found bool, err error) {
	wait := newPolling(s.client.Local())
	for {
		err := s.retry(ctx, "listing batches", func() (err error) {
			made, found, err = s.findBatch(ctx)
			return err
		})
		over := s.at.step != ledger.ShardUploaded || !time.Now().Before(s.at.doubtful)
		if err != nil || found || over && !s.at.unproven {
			return made, found, err
		}
		if s.cfg.Detach {
			return made, false, errNotWaited
		}
		if s.at.unproven {
			s.tellUnproven()
			if !s.lookLater(wait.next()) {
				return made, false, errNotWaited
			}
			continue
		}
		s.flow.Voice.Detail("batch shard %s: the provider does not list its batch yet", s.id)
		if !s.flow.Stop.Sleep(min(wait.next(), time.Until(s.at.doubtful))) {
			return made, false, ctx.Err()
		}
	}
}

// lookForBatch reads the listing several times for the shard's batch. It is an error if the last
// look could not read the listing to its end, since the batch may then exist.
//
// If only the end of another batch will show whether that is the shard's, lookForBatch waits for
// it, until ctx ends.
func (s *shard) lookForBatch(ctx context.Context) (batchapi.Batch, bool, error) {
	wait := newPolling(s.client.Local())
	var unread error
	for looks := 0; looks < batchLooks || s.at.unproven && unread == nil; looks++ {
		timer := time.NewTimer(wait.next())
		select {
		case <-timer.C:
		case <-s.flow.Stop.Waiting.Done():
			timer.Stop()
			return batchapi.Batch{}, false, s.flow.Stop.Waiting.Err()
		}
		made, found, err := s.findBatch(s.flow.Stop.Waiting)
		if found {
			return made, true, nil
		}
		if err != nil && !provider.PassesAway(err) {
			return batchapi.Batch{}, false, err
		}
		unread = err
		switch {
		case !s.at.unproven, err != nil:
		case ctx.Err() != nil:
			return batchapi.Batch{}, false, ctx.Err()
		case s.cfg.Detach:
			return batchapi.Batch{}, false, errUnproven
		default:
			s.tellUnproven()
		}
	}
	return batchapi.Batch{}, false, unread
}

// findBatch looks for the shard's batch in the provider's listing, back to when it was intended. It
// recognizes the batch by its label, or by its file if the provider does not return labels.
func (s *shard) findBatch(ctx context.Context) (batchapi.Batch, bool, error) {
	if s.marked() {
		return s.findMarked(ctx)
	}
	return s.searchBatches(ctx, func(b *batchapi.Batch) bool {
		own := b.Metadata[ShardLabel] == s.id || b.InputFile != "" && b.InputFile == s.at.fileID
		return own && b.Status != batchFailed // a failed one did nothing
	})
}

// searchBatches goes through the provider's listing, back to when the shard was intended, until
// look has found something.
func (s *shard) searchBatches(ctx context.Context, look func(*batchapi.Batch) bool) (batchapi.Batch, bool, error) {
	var before time.Time // when the batch before it in the listing was made
	return search(s.driver.Batches(ctx), func(b *batchapi.Batch) (found, past bool) {
		// The listing goes back in time: after an old batch come only older ones.
		past = s.madeBefore(b) && b.Created.Before(before)
		before = b.Created
		return look(b), past
	})
}

// madeBefore reports whether the batch was made before the shard was intended.
func (s *shard) madeBefore(b *batchapi.Batch) bool {
	return !b.Created.IsZero() && b.Created.Before(s.started.Add(-clockSkew))
}

// findFile looks for the shard's file by its name in the provider's listing. A file of another size
// is not whole, and does not count.
func (s *shard) findFile(ctx context.Context) (batchapi.File, bool, error) {
	return search(s.driver.Files().List(ctx), func(f *batchapi.File) (found, past bool) {
		return f.Name == s.fileName() && f.Bytes == s.file.bytes, false
	})
}

// search goes through a listing until look has found something, or says that it is past it.
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
