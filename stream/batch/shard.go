package batch

import (
	"bufio"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"llmpipe/ledger"
	"llmpipe/limiter"
	"llmpipe/stream/flow"
	"llmpipe/stream/provider"
	"llmpipe/stream/record"
	"llmpipe/stream/spend"
	"llmpipe/stream/ui"
)

// shard is a batch's worth of records: one file at the provider, one batch of it.
type shard struct {
	flow     *flow.Flow
	cfg      *Config
	batcher  *Batches
	account  *spend.Account
	id       string
	kind     shardKind
	round    int              // how many times its records have been in a batch, this one counted
	requests int64            // lines of the file
	bytes    int64            // of the file
	ids      int64            // bytes of the records' ids, which are in the intent
	reserved int64            // the most that it can cost, billionths of a dollar; what is left of that when it is collected
	started  time.Time        // when it was intended
	earlier  bool             // an earlier run's, or another process's
	intended bool             // the ledger knows it
	step     ledger.ShardStep // the last, once it is intended
	stepped  time.Time        // when that was
	doubtful time.Time        // until then a batch may come to light that another process asked for
	fileID   string
	batchID  string
	lock     *ledger.ShardLock
	upload   *flow.Temporary // the file to send; nil when another process made it, or when it is sent
	w        *bufio.Writer

	left *spool // records without an answer, for further shards
	next int    // the round of those

	answered  flow.Batched // its records on their way through the commit
	cost      int64        // of those that were answered
	costKnown bool
	most      int64 // requests that go into one of the shards that its records are split into; 0 for any number

	mu      sync.Mutex
	spool   *spool // the records of this run's input that are in it; nil for none
	claimed bool   // there are such records
	over    bool   // they are being read back, or are not waited for: nothing can be attached any more
	unheard error  // what went wrong, while nobody wanted the shard
	state   provider.Batch

	goesOn  atomic.Bool   // its batch does, and this run does not wait for it
	done    chan struct{} // closed when the shard is collected, or its life in this run has ended
	endOnce sync.Once
}

// newShard makes an empty shard.
func newShard(b *Batches, kind shardKind, round int) (*shard, error) {
	upload, err := flow.NewTemporary("llmpipe-batch-")
	if err != nil {
		return nil, err
	}
	s := blankShard(b, b.name(), kind, round)
	s.upload, s.w = upload, bufio.NewWriter(upload)
	return s, nil
}

// newEarlierShard takes up one that the ledger knows.
func newEarlierShard(b *Batches, known ledger.Shard) *shard {
	endpoint, _ := record.ParseEndpoint(known.Endpoint) // chat, where a later version knows more; the provider keeps its own
	s := blankShard(b, known.ID, shardKind{endpoint, known.Model}, known.Round)
	s.requests, s.bytes, s.reserved, s.started = int64(known.Records), known.Bytes, known.ReservedNanos, known.Started
	s.earlier, s.intended, s.step, s.fileID, s.batchID = true, true, known.Step, known.FileID, known.BatchID
	return s
}

func blankShard(b *Batches, id string, kind shardKind, round int) *shard {
	return &shard{
		flow: b.flow, cfg: b.cfg, batcher: b, account: b.account, id: id, answered: flow.Batched{ID: id}, kind: kind, round: round,
		costKnown: true, done: make(chan struct{}),
	}
}

// ownPrefix begins the custom_ids that are made here.
const ownPrefix = "llmpipe-"

// customID is what the provider knows a record by within a batch: its id where that will do, else
// its key.
func customID(id []byte, request *[32]byte) string {
	if own := ownID(id); own != "" {
		return own
	}
	key := ledger.KeyOf(id, request)
	return fmt.Sprintf("%s%016x%016x", ownPrefix, key.ID, key.Request)
}

// ownID is a record's id where it can be a custom_id; empty where it cannot, such as a number,
// which would be the same as a string of its digits.
func ownID(id []byte) string {
	if len(id) < 2 || id[0] != '"' {
		return ""
	}
	text := string(id[1 : len(id)-1])
	if !record.ValidCustomID(text) || len(text) > len(ownPrefix) && text[:len(ownPrefix)] == ownPrefix {
		return ""
	}
	return text
}

// write adds t: line to the file, unless another record's answer is t's too, and the record to the
// spool.
func (s *shard) write(t *flow.Task, line []byte) error {
	if !t.Duplicate {
		if _, err := s.w.Write(line); err != nil {
			return flow.TemporaryError(err)
		}
		s.requests++
		s.bytes += int64(len(line))
		s.ids += int64(len(t.ID))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.remember(t)
}

// attach takes care of a record that was submitted before: it is added, and let go. It reports
// false when the shard's answers have been handed out and recorded.
func (s *shard) attach(t *flow.Task) bool {
	s.mu.Lock()
	if !s.over {
		defer s.mu.Unlock()
		if err := s.remember(t); err != nil {
			s.flow.Stop.Fail(err)
			s.flow.Finish(t)
			return true
		}
		s.batcher.letGo(t)
		return true
	}
	s.claimed = true
	s.mu.Unlock()
	<-s.done
	if s.step == ledger.ShardCollected {
		return false
	}
	s.stopFor(s.unheard)
	s.flow.Finish(t) // its batch goes on, and is not waited for
	return true
}

// remember puts t into the spool. s.mu is held.
func (s *shard) remember(t *flow.Task) error {
	s.claimed = true
	if s.spool == nil {
		var err error
		if s.spool, err = newSpool(); err != nil {
			return err
		}
	}
	return s.spool.add(t)
}

// wanted reports whether the input of this run holds records of the shard.
func (s *shard) wanted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.claimed
}

// leave notes that the batch goes on and is not waited for.
func (s *shard) leave() {
	s.goesOn.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
}

// live takes the shard from where it is to where its answers are collected, as far as this run
// goes.
func (s *shard) live() {
	defer s.discard()
	err := s.own()
	switch {
	case err == nil && s.requests > 0:
		err = s.batch(s.flow.Stop.Asking)
	case err == nil:
		err = s.conclude("", newAnswers()) // it holds but twins of records in other shards
	case errors.Is(err, errCollected):
		err = s.conclude("", newAnswers())
	}
	if errors.Is(err, errVoid) {
		s.flow.Voice.Warn("batch shard %s was never submitted, or is gone: its records are asked about anew", s.id)
		err = s.conclude(stateVoid, newAnswers())
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
		err = s.resubmit()
	}
	s.end(err)
}

// errNotWaited says that a batch goes on, and that this run does not wait for it.
var errNotWaited = errors.New("not waited for")

// errCollected says that another process has collected the batch meanwhile.
var errCollected = errors.New("collected")

// end draws from err, which ended the shard's life in this run, what it means for the run.
func (s *shard) end(err error) {
	if provider.AsCallError(err) != nil && !s.flow.Stop.Ending() {
		err = s.concern(err)
	}
	s.stopFor(err)
	if s.step == ledger.ShardCreated && !s.state.Ended() {
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
		s.flow.Stop.Pause(ui.WithHint("the same command goes on when the account has money or quota again", err))
	case errors.As(err, &call) && (call.Class == provider.Transient || call.Class == provider.Pressure):
		s.flow.Stop.Pause(ui.WithHint("the same command goes on where it stopped", err))
	default:
		s.flow.Stop.Fail(err)
	}
}

// concern returns what went wrong with the shard at the provider where this run has records in it.
// Else it says it, and the run goes on for as long as none come.
func (s *shard) concern(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.claimed {
		return err
	}
	s.over, s.unheard = true, err
	s.flow.Voice.Warn("%v", err)
	if h := ui.HintOf(err); h != "" {
		s.flow.Voice.Hint("%s", h)
	}
	return nil
}

// own makes the shard this process's, and waits while it is another's: its answers are in the
// ledger then.
func (s *shard) own() error {
	wait := newPolling(s.batcher.lane.Host.Client.Local())
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
			s.flow.Voice.Note("batch shard %s is another process's: waiting for it", s.id)
		}
		if !s.lookLater(wait.next()) {
			return errNotWaited
		}
	}
	if !s.earlier {
		return nil
	}
	spent, err := s.batcher.journal.CatchUp()
	if err != nil {
		return err
	}
	s.account.Committed(spent)
	known, _ := s.batcher.journal.Ledger.Shard(s.id)
	if !known.Pending() {
		return errCollected
	}
	s.step, s.stepped, s.fileID, s.batchID = known.Step, known.Stepped, known.FileID, known.BatchID
	s.doubtful = known.Stepped.Add(s.settling())
	return nil
}

// record writes a step into the ledger, before the next is taken.
func (s *shard) record(e ledger.ShardEntry) error {
	e.Shard, e.Time = s.id, time.Now()
	err := s.batcher.journal.Ledger.Commit(&ledger.Group{Shards: []ledger.ShardEntry{e}})
	if err != nil {
		return ui.WithHint("make room or repair the disk, then run the same command again: what is recorded is safe", err)
	}
	s.intended, s.step, s.stepped = true, e.Step, e.Time
	return nil
}

// standing is how many requests the shard has, how many of them the provider has answered, and
// whether it is collected.
func (s *shard) standing() (requests, done int64, over bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return s.requests, s.requests, true
	}
	return s.requests, s.state.Completed + s.state.Failed, false
}

// discard gives back what the shard holds on this machine. What it holds of the budgets, because it
// is not collected, it leaves.
func (s *shard) discard() {
	if !s.flow.Stop.Ending() { // else nobody is to go on because of it
		limiter.Leave(s.account.Budgets(), s.reserved)
	}
	if s.lock != nil {
		if err := s.lock.Release(s.step == ledger.ShardCollected); err != nil {
			s.flow.Voice.Warn("%v", err)
		}
		s.lock = nil
	}
	if s.upload != nil {
		s.upload.Discard()
		s.upload = nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, spool := range []*spool{s.spool, s.left} {
		if spool != nil {
			spool.file.Discard()
		}
	}
	s.spool, s.left = nil, nil
	s.over = true
	s.close()
}

// close tells those who wait for the shard that it is collected, or that nothing more comes of it
// in this run.
func (s *shard) close() { s.endOnce.Do(func() { close(s.done) }) }
