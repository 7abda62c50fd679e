package batch

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
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

// Batches is the stage for records that go by batch. It writes them into shards on disk and frees
// their memory. When a shard's batch has ended, it reads the records back, gives each its answer,
// and passes them to the commit.
//
//	take     batch.go       puts a record into the shard that has it already, or else
//	         assemble.go    into the open shard of its endpoint and model
//	         plan.go        keeps records with files until it is known what the files take
//	         asked.go       keeps records that another process is asking about
//	         same.go        with --dedupe, keeps records with equal requests for the one answer
//	submit   submit.go      intends, uploads and creates; each step is in the ledger before the next
//	         mark.go        recognizes a batch without a label by the custom_id of its first request
//	adopt    adopt.go       finds what an earlier process left at the provider and did not record
//	await    await.go       polls until the batch has ended
//	collect  collect.go     downloads the files of answers (answers.go)
//	         resubmit.go    puts the records without an answer into further shards
//	deliver  deliver.go     gives each record its answer, and sends it to the commit
//	         toolarge.go    splits a file that the provider refuses as too large
//	         turns.go       keeps a record for the next turn if its answer does not fit the schema
//	again    tokenlimit.go  makes a batch again, or splits it, if the provider's queue was full
//
// Each shard has a goroutine from when it is full until it is collected.
//
// A shard holds its worst case in the budgets from its first record until it is collected. So a
// record that waits for room, in a batch or in realtime, makes the run take up the shards of
// earlier runs. It also makes the run submit the open shards, if together they are worth a batch or
// if nothing else will give money back (rounds.go). A shard gives its money back when it is
// collected. If the run stops waiting for the shard, the money stays set aside (see
// [limiter.Leave]). A shard needs no more money to get there, so nothing waits for ever. If only
// such money is in the way, the run pauses.
type Batches struct {
	flow    *flow.Flow
	cfg     *Config
	lane    *lane.Lane
	client  *provider.Client
	drivers [record.Endpoints]batchapi.Driver
	journal *journal.Journal
	account *spend.Account
	in      chan *flow.Task
	options func() record.Options // how lines are decoded, for decoding them again

	over   chan struct{} // closed when no more records come
	taken  chan struct{} // closed when the intake has ended
	living sync.WaitGroup
	calls  chan struct{} // holds a token for each upload or download under way

	most found // what a file may hold, as the provider has shown

	intending sync.Mutex   // held by the shard whose records are being written into the ledger
	replaying sync.Mutex   // held by the shard whose records are on their way to the commit
	Spooled   atomic.Int64 // records on disk, in no stage's hands
	settled   settled      // what collected shards cost
	toldAsked sync.Once    // says that the run waits for records that another process asks about
	// askedElsewhere counts the records that were left to another process, which asks about them.
	askedElsewhere atomic.Int64

	mu      sync.Mutex
	shards  map[string]*shard // by id; of earlier runs, only those that this one found pending
	filling map[string]*shard // by id; those that are not full yet
	named   int               // how many shards this run has named
	waiting int64             // bytes of the full files that are not sent yet
	sent    chan struct{}     // closed and replaced whenever such a file leaves the disk
	ended   chan struct{}     // closed and replaced whenever a shard's goroutine ends
	started bool              // the shards of earlier runs are live
	odd     map[string]bool   // other providers of earlier shards, once they were reported
}

// idleSubmit is how long the input may be idle before the records that have come are submitted.
const idleSubmit = 10 * time.Minute

// transfers is how many files are uploaded or downloaded at a time.
const transfers = 2

// New makes the stage, and resumes the batches of earlier runs that the ledger knows.
func New(f *flow.Flow, c *Config, l *lane.Lane, j *journal.Journal, a *spend.Account, options func() record.Options) *Batches {
	b := &Batches{
		flow: f, cfg: c, lane: l, client: l.Host.Client, journal: j, account: a, options: options,
		in: make(chan *flow.Task, lane.FreshRecords), over: make(chan struct{}), taken: make(chan struct{}),
		calls:  make(chan struct{}, transfers),
		shards: make(map[string]*shard), filling: make(map[string]*shard),
		ended: make(chan struct{}), sent: make(chan struct{}), odd: make(map[string]bool),
	}
	at := batchapi.Meet(f.Stop.Asking, b.client)
	for e := range b.drivers {
		b.drivers[e] = at.Driver(record.Endpoint(e))
	}
	pending := 0
	for _, known := range j.Ledger.Shards() {
		switch {
		case !known.Pending():
		case b.ours(&known):
			b.shards[known.ID] = newEarlierShard(b, known)
			pending++
		case known.Simulated == b.client.Simulated():
			limiter.Leave(a.Budgets(), known.ReservedNanos) // it is not collected here
		}
	}
	if pending > 0 {
		f.Voice.Note("ledger %s: %s not collected yet", c.Ledger, counted(pending))
	}
	return b
}

// counted returns a number of batches with its noun, such as 1 batch.
func counted(n int) string {
	if n == 1 {
		return "1 batch"
	}
	return ui.Grouped(int64(n)) + " batches"
}

// ours reports whether a shard of the ledger is at this run's provider. For shards at other
// providers it prints once that they are left alone.
func (b *Batches) ours(known *ledger.Shard) bool {
	if known.Simulated != b.client.Simulated() {
		return false
	}
	if known.Provider == b.lane.Host.Name {
		return true
	}
	if known.Provider == "" { // its intent was lost with a damaged line
		b.flow.Voice.Warn("ledger %s: it no longer says which records are in batch %s: this run leaves that batch alone", b.cfg.Ledger,
			ShardTitle(known))
		b.flow.Voice.Hint("give the batch up with llmpipe batches forget %s", ShardTitle(known))
		return false
	}
	if !b.odd[known.Provider] {
		b.odd[known.Provider] = true
		b.flow.Voice.Note("ledger %s: this run leaves a batch at %s alone, because it asks %s", b.cfg.Ledger, known.Provider, b.lane.Host.Name)
	}
	return false
}

// Put sends t to the shards.
func (b *Batches) Put(t *flow.Task) { b.flow.Hand(t, b.in) }

// Takes reports whether t goes by batch. In hybrid mode an urgent record does not, unless it is in
// a batch already: it is not paid for twice.
func (b *Batches) Takes(t *flow.Task) bool {
	return b.cfg.Mode == flow.ModeBatch || !urgent(t.Priority) || b.journal.Ledger.Look(t.Key).Shard != "" || b.sameShard(t) != ""
}

// Take puts records into shards until no more come, or until asking ends.
func (b *Batches) Take() {
	defer close(b.taken)
	fill := newAssembler(b, 1, nil)
	defer fill.discard()
	idle := time.NewTimer(idleSubmit)
	defer idle.Stop()
	for {
		select {
		case t := <-b.in:
			b.place(fill, t)
			idle.Reset(idleSubmit)
		case <-fill.asked.look():
			fill.lookAtAsked()
		case <-b.account.Short: // the open shards may hold the money
			fill.giveUp()
			b.takeUp()
		case <-idle.C:
			fill.carryOut()
			fill.seal()
			b.takeUp()
		case <-b.over:
			for len(b.in) > 0 {
				b.place(fill, <-b.in)
			}
			fill.carryOut()
			fill.seal()
			b.takeUp()
			fill.awaitAsked()
			return
		case <-b.flow.Stop.Asking.Done():
			return
		}
	}
}

// place puts t into the shard that has it already, or else into one of fill's. A record with a
// recorded answer is finished instead, and one that another process is asking about waits.
func (b *Batches) place(fill *assembler, t *flow.Task) {
	found := b.journal.Ledger.Look(t.Key)
	for ; found.Shard != ""; found = b.journal.Ledger.Look(t.Key) {
		s, elsewhere := b.find(found.Shard)
		switch {
		case elsewhere:
			b.flow.Counts.Elsewhere.Add(1)
			b.flow.Finish(t)
			return
		case s != nil && s.attach(t):
			return
		}
		// The shard is not pending any more.
	}
	switch {
	case t.Duplicate && b.flow.Inflight.Join(t): // of an urgent record
	case b.journal.Recall(t, found):
		b.flow.Finish(t)
	case b.journal.Ledger.Asked(t.Key):
		fill.leave(t)
	default:
		fill.take(t)
	}
}

// find returns the shard with that id, which holds a record of this run. It returns nil if the
// shard is no longer pending, and elsewhere if it is at another provider. It also finds a shard
// that another process has made since this run began.
func (b *Batches) find(id string) (s *shard, elsewhere bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := cmp.Or(b.shards[id], b.filling[id]); s != nil {
		return s, false
	}
	known, ok := b.journal.Ledger.Shard(id)
	if !ok || !known.Pending() {
		return nil, false
	}
	if !b.ours(&known) {
		return nil, true
	}
	limiter.HoldAnyway(b.account.Budgets(), known.ReservedNanos) // the account opened without it
	b.journal.Ledger.Adopt(id)
	s = newEarlierShard(b, known)
	s.claims.any = true // else the run might stop waiting for it before the record is attached
	b.shards[id] = s
	if b.started {
		b.live(s)
	}
	return s, false
}

// takeUp starts the shards of earlier runs, once. Normally that is after the input has been read,
// when it is known which records their answers belong to. It is earlier if the input is idle, or if
// a record needs the money that they hold.
func (b *Batches) takeUp() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.started || b.flow.Stop.Ending() {
		return
	}
	b.started = true
	for _, s := range slices.SortedFunc(maps.Values(b.shards), func(x, y *shard) int { return cmp.Compare(x.id, y.id) }) {
		if s.earlier {
			b.live(s)
		}
	}
}

// live starts the goroutine of s. b.mu is held.
func (b *Batches) live(s *shard) {
	s.giving.Store(true)
	b.living.Go(func() {
		s.live()
		b.mu.Lock()
		defer b.mu.Unlock()
		close(b.ended)
		b.ended = make(chan struct{})
	})
}

// fill notes a shard of this run that is not full yet.
func (b *Batches) fill(s *shard) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.filling[s.id] = s
}

// launch starts a shard of this run.
func (b *Batches) launch(s *shard) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.filling, s.id)
	b.shards[s.id] = s
	s.file.waits = true
	b.waiting += s.file.bytes
	b.live(s)
}

// drop forgets a shard of this run that will not be at the provider.
func (b *Batches) drop(s *shard) {
	b.flow.Inflight.LetGoAll(s.id)
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.shards, s.id)
	delete(b.filling, s.id)
}

// name returns a name for a new shard, unique in the ledger and usable as a file name.
func (b *Batches) name() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.named++
	return fmt.Sprintf("%s-%d", b.journal.ID, b.named)
}

// End waits until every batch is collected or the run stops waiting for it. The reader must have
// ended or been abandoned.
func (b *Batches) End() {
	close(b.over)
	<-b.taken
	b.living.Wait()
	for len(b.in) > 0 {
		b.flow.Finish(<-b.in)
	}
}

// TellLeft prints which batches go on after the run, when everything else is done.
func (b *Batches) TellLeft() {
	wanted, others := b.goingOn()
	if others > 0 {
		b.flow.Voice.Note("%s not finished yet, with records that are not in this input", counted(others))
	}
	if n := b.askedElsewhere.Load(); n > 0 && wanted == 0 && !b.flow.Stop.Ending() {
		b.flow.Stop.Pause(ui.WithHint("run the same command again when that process has ended",
			fmt.Errorf("%s sent by another process that uses the ledger", ui.Number(n, "record"))))
	}
	switch why := b.flow.Stop.Reasons(); {
	case wanted == 0:
	// A budget without room for the next record does not keep the same command from collecting these.
	case !b.flow.Stop.Ending() || why.Budget != nil:
		b.flow.Stop.Pause(ui.WithHint("run the same command again at any time: it collects what is ready by then",
			fmt.Errorf("%s not finished yet", counted(wanted))))
	case wanted == 1:
		b.flow.Voice.Note("1 batch continues at the provider: the same command collects it later")
	default:
		b.flow.Voice.Note("%s continue at the provider: the same command collects them later", counted(wanted))
	}
}

// goingOn counts the batches that outlast this run: those with records of this run, and others.
func (b *Batches) goingOn() (wanted, others int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.shards {
		switch {
		case !s.goesOn.Load():
		case s.wanted():
			wanted++
		default:
			others++
		}
	}
	return wanted, others
}

// anotherEnd returns a channel that is closed when the next shard's goroutine ends.
func (b *Batches) anotherEnd() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ended
}

// transfer calls f once fewer than [transfers] others are under way.
func (b *Batches) transfer(ctx context.Context, f func() error) error {
	select {
	case b.calls <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-b.calls }()
	return f()
}

// Progress returns how far the batches are, in words. It is empty if there are none.
func (b *Batches) Progress() string {
	if b == nil {
		return ""
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	var all, over int
	var asked, answered int64
	for _, s := range b.shards {
		n, done, ended := s.standing()
		all, asked, answered = all+1, asked+n, answered+done
		if ended {
			over++
		}
	}
	if all == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%s, %s/%s answered there", over, counted(all), ui.Grouped(answered), ui.Grouped(asked))
}

// ShardTitle is the name of a shard in messages.
func ShardTitle(s *ledger.Shard) string {
	if s.BatchID != "" {
		return s.BatchID
	}
	return s.ID
}
