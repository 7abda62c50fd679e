package batch

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"llmpipe/ledger"
	"llmpipe/limiter"
	"llmpipe/stream/flow"
	"llmpipe/stream/journal"
	"llmpipe/stream/lane"
	"llmpipe/stream/provider"
	"llmpipe/stream/provider/batchapi"
	"llmpipe/stream/record"
	"llmpipe/stream/spend"
	"llmpipe/stream/ui"
)

// shard holds the records of one batch: one file at the provider, and one batch made of it.
type shard struct {
	flow     *flow.Flow
	cfg      *Config
	batches  *Batches
	client   *provider.Client
	driver   batchapi.Driver
	journal  *journal.Journal
	account  *spend.Account
	id       string
	kind     shardKind
	round    int       // how many times its records have been in a batch, including this one
	started  time.Time // when it was intended
	earlier  bool      // an earlier run's, or another process's
	intended bool      // the ledger knows it
	lock     *ledger.ShardLock

	file     shardFile
	bill     shardBill
	at       standing
	rest     leftover
	claims   claims
	answered flow.Batched // its records on their way through the commit

	giving  atomic.Bool   // it holds money that it gives back when its batch has ended
	goesOn  atomic.Bool   // its batch goes on, and this run does not wait for it
	done    chan struct{} // closed when the shard is collected, or its life in this run has ended
	endOnce sync.Once
}

// shardBill holds what a shard costs, in billionths of a dollar.
type shardBill struct {
	reserved  int64 // the most that it can cost; what is left of that once it is collected
	cost      int64 // what its records cost, as far as that was reported
	kept      int64 // the most that they can have cost, if that was not
	costKnown bool
}

// standing is how far a shard is at the provider.
type standing struct {
	step     ledger.ShardStep // the last step, once the shard is intended
	stepped  time.Time        // when that was
	doubtful time.Time        // until then a batch may show up that another process asked for
	unproven bool             // a batch may be the shard's, and its end will show whether it is
	told     bool             // the run said so
	foreign  map[string]bool  // batches that looked like the shard's, and are not
	fileID   string
	batchID  string
}

// newShard makes an empty shard.
func newShard(b *Batches, kind shardKind, round int) (*shard, error) {
	if err := b.drivers[kind.endpoint].Check(kind.endpoint, kind.model); err != nil {
		return nil, ui.WithHint(b.hint(err, "use --mode realtime, which works with every provider"), err)
	}
	upload, err := flow.NewTemporary("llmpipe-batch-")
	if err != nil {
		return nil, err
	}
	s := blankShard(b, b.name(), kind, round)
	s.file.upload, s.file.w = upload, bufio.NewWriterSize(upload, 64<<10)
	return s, nil
}

// newEarlierShard takes up a shard that the ledger knows.
func newEarlierShard(b *Batches, known ledger.Shard) *shard {
	// The endpoint is chat if only a later version knows it; the provider keeps its own.
	endpoint, _ := record.ParseEndpoint(known.Endpoint)
	s := blankShard(b, known.ID, shardKind{endpoint, known.Model, known.Reask}, known.Round)
	s.file.requests, s.file.bytes, s.bill.reserved, s.started = int64(known.Records), known.Bytes, known.ReservedNanos, known.Started
	s.earlier, s.intended, s.at.step, s.at.fileID, s.at.batchID = true, true, known.Step, known.FileID, known.BatchID
	return s
}

func blankShard(b *Batches, id string, kind shardKind, round int) *shard {
	s := &shard{
		flow: b.flow, cfg: b.cfg, batches: b, client: b.client, driver: b.drivers[kind.endpoint],
		journal: b.journal, account: b.account,
		id: id, kind: kind, round: round, bill: shardBill{costKnown: true}, answered: flow.Batched{ID: id},
		done: make(chan struct{}),
	}
	s.answered.Reask = s.reask
	return s
}

// live takes the shard on from its last step until it is collected, or this run stops waiting for
// it.
func (s *shard) live() {
	defer s.discard()
	err := s.own()
	switch {
	case err == nil && s.file.requests > 0:
		err = s.batch(s.flow.Stop.Asking)
	case err == nil:
		err = s.conclude("", newAnswers()) // it holds only duplicates of records in other shards
	case errors.Is(err, errCollected):
		err = s.conclude("", newAnswers())
	}
	if errors.Is(err, errVoid) {
		s.flow.Voice.Warn("batch shard %s was never submitted, or is gone: its records are sent again", s.id)
		err = s.conclude(stateVoid, newAnswers())
	}
	if errors.Is(err, errTooLarge) {
		err = s.conclude(stateVoid, s.refusedAlone(err))
	}
	if ledger.Refused(err) {
		err = s.yield(err)
	}
	switch {
	case errors.Is(err, errNotWaited):
		s.leave()
		return
	case errors.Is(err, errGivenUp):
		s.release()
		return
	}
	if err == nil {
		s.dropFile()
		err = s.resubmit()
	}
	s.end(err)
}

// yield takes a shard apart that could not be intended, because of what other processes have done
// since its records were put into it. They may have intended some of the records, be asking about
// them, or have recorded their answers. Such records wait for their answers or get them; the others
// go into another shard. Or the other processes have set the money for the shard aside. Then its
// records wait for money, like those that the run's own budget has no room for.
func (s *shard) yield(why error) error {
	s.flow.Voice.Detail("batch shard %s: %v: it is made again from the remaining records", s.id, why)
	s.batches.drop(s)
	s.account.Committed(s.journal.Spent())
	if err := s.conclude("", newAnswers()); err != nil {
		return err
	}
	var full *ledger.OverBoundsError
	if !errors.As(why, &full) {
		return nil
	}
	mean := s.bill.reserved / max(1, s.file.requests)
	s.release()
	if err := s.account.NoRoom(full.Room, mean); err != nil {
		s.account.StopFor(err)
	}
	s.flow.Stop.Sleep(lane.LookAgain) // or it would be refused again for what is under way
	return nil
}

// errNotWaited says that a batch goes on, and that this run does not wait for it.
var errNotWaited = errors.New("not waited for")

// errCollected says that another process has collected the batch meanwhile.
var errCollected = errors.New("collected")

// end acts on err, which ended the shard's life in this run.
func (s *shard) end(err error) {
	if provider.AsCallError(err) != nil && !s.flow.Stop.Ending() {
		err = s.concern(err)
	}
	s.stopFor(err)
	if s.at.step == ledger.ShardCreated && !s.claims.state.Ended() {
		s.leave()
	}
}

// stopFor ends the run because of err.
func (s *shard) stopFor(err error) {
	var call *provider.CallError
	switch {
	case err == nil:
	case s.flow.Stop.Ending():
	case errors.As(err, &call) && call.Class == provider.Exhausted:
		s.flow.Stop.Pause(ui.WithHint("run the same command again when the account has money or quota again", err))
	case errors.As(err, &call) && (call.Class == provider.Transient || call.Class == provider.Pressure):
		s.flow.Stop.Pause(ui.WithHint(s.batches.hint(err, "run the same command again: it continues where it stopped"), err))
	case ui.HintOf(err) == "" && s.batches.hint(err, "") != "":
		s.flow.Stop.Fail(ui.WithHint(s.batches.hint(err, ""), err))
	default:
		s.flow.Stop.Fail(err)
	}
}

// hint says what to do about err: first what err shows about the provider's address or key, then
// what usually helps.
func (b *Batches) hint(err error, usual string) string {
	says := ""
	if call := provider.AsCallError(err); call != nil {
		says = b.lane.CallHint(call)
	}
	if says != "" && usual != "" {
		return says + "; " + usual
	}
	return says + usual
}

// own locks the shard for this process. It waits while another process holds the lock and records
// the shard's answers.
func (s *shard) own() error {
	wait := newPolling(s.client.Local())
	for told := false; ; {
		lock, err := ledger.LockShard(s.cfg.Ledger, s.id, nil)
		if err != nil {
			return err
		}
		if lock != nil {
			s.lock = lock
			break
		}
		if !told && s.wanted() && s.waitedFor() {
			told = true
			s.flow.Voice.Note("batch shard %s belongs to another process: waiting for it", s.id)
		}
		if !s.lookLater(wait.next()) {
			return errNotWaited
		}
	}
	if !s.earlier {
		return nil
	}
	spent, err := s.journal.CatchUp()
	if err != nil {
		return err
	}
	s.account.Committed(spent)
	known, _ := s.journal.Ledger.Shard(s.id)
	if !known.Pending() {
		return errCollected
	}
	s.at.step, s.at.stepped, s.at.fileID, s.at.batchID = known.Step, known.Stepped, known.FileID, known.BatchID
	s.at.doubtful = known.Stepped.Add(s.settling())
	return nil
}

// record writes a step into the ledger before the next is taken. If what other processes have
// written meanwhile rules out an intent, the error is one that [ledger.Refused] recognizes.
func (s *shard) record(e ledger.ShardEntry) error {
	e.Shard, e.Time = s.id, time.Now()
	err := s.journal.Ledger.Commit(&ledger.Group{Shards: []ledger.ShardEntry{e}, Bounds: s.journal.Bounds})
	if ledger.Refused(err) {
		return err
	}
	if err != nil {
		return s.journal.HintAtWrite(err, journal.MakeRoom)
	}
	s.intended, s.at.step, s.at.stepped = true, e.Step, e.Time
	return nil
}

// discard frees what the shard holds on this machine. Money that it still holds stays set aside
// (see [limiter.Leave]).
func (s *shard) discard() {
	s.giving.Store(false)
	s.flow.Inflight.LetGoAll(s.id)
	if !s.flow.Stop.Ending() { // else nothing may go on because of it
		limiter.Leave(s.account.Budgets(), s.bill.reserved)
	}
	if s.lock != nil {
		if err := s.lock.Release(s.at.step == ledger.ShardCollected); err != nil {
			s.flow.Voice.Warn("%v", err)
		}
		s.lock = nil
	}
	s.dropFile()
	s.claims.mu.Lock()
	defer s.claims.mu.Unlock()
	s.claims.spool.discard()
	s.claims.same.discard()
	s.claims.spool, s.claims.same = nil, nil
	s.rest.discard()
	s.claims.over = true
	s.close()
}

// close wakes the goroutines that wait for the shard. The shard is collected, or ends for this run.
func (s *shard) close() { s.endOnce.Do(func() { close(s.done) }) }

// batch submits the shard, waits for its batch and collects it.
func (s *shard) batch(ctx context.Context) error {
	wait := newPolling(s.client.Local())
	for start, again := time.Now(), false; ; again = true {
		alone := s.batches.alone(s)
		if err := s.submit(ctx); err != nil {
			return err
		}
		state, err := s.await(ctx)
		if err != nil {
			return err
		}
		if !queueFull(&state) {
			return s.collect(ctx, &state)
		}
		s.at.step = ledger.ShardUploaded
		// A batch of ours that ended meanwhile may have freed the room.
		alone = alone && s.batches.alone(s) && (again || s.cfg.Detach)
		most := s.cfg.GiveUp
		switch {
		case alone && s.file.requests > 1:
			return s.split(&state)
		case alone && most > 0 && time.Since(start) > most:
			s.flow.Stop.Pause(ui.WithHint(
				"raise the account's limit of enqueued tokens or wait for its other batches, then run the same command again",
				fmt.Errorf("batch %s: the provider has no room for a single request", s.at.batchID)))
			return s.flow.Stop.Asking.Err()
		case s.cfg.Detach && again, !s.cfg.Detach && !s.waitedFor():
			return errNotWaited
		}
		s.flow.Voice.Note("batch %s: the account has too many tokens enqueued: it is submitted again when another batch has ended", s.at.batchID)
		if s.cfg.Detach {
			continue
		}
		select {
		case <-s.batches.anotherEnd():
		case <-time.After(wait.next()):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
