package batch

import (
	"errors"
	"fmt"
	"time"

	"llmpipe/limiter"
	"llmpipe/stream/flow"
	"llmpipe/stream/folder"
	"llmpipe/stream/lane"
	"llmpipe/stream/provider/batchapi"
	"llmpipe/stream/record"
	"llmpipe/stream/spend"
)

// maxShardIDs bounds the ids of a shard, in bytes. It keeps an intent well below the 256 MiB that a
// line of the ledger may have.
const maxShardIDs = 100 << 20

// assembler puts records into shards and launches the full ones. It has one open shard for each
// endpoint, model and turn.
type assembler struct {
	flow    *flow.Flow
	batches *Batches
	account *spend.Account
	round   int
	open    map[shardKind]*shard
	// from is the shard that the records were in before. Its reservation pays for them as far as it
	// goes. It is nil for new records.
	from    *shard
	rounds  rounds
	most    int64 // the most requests in a shard, if that is fewer than the provider takes; else 0
	asked   asked
	plan    plan // for records with files
	request lane.Request
	line    request
}

// shardKind is what all requests of a file have in common.
type shardKind struct {
	endpoint record.Endpoint
	model    string
	turn     int // which further turn of their conversations they are; 0 for the first request
}

func newAssembler(b *Batches, round int, from *shard) *assembler {
	return &assembler{flow: b.flow, batches: b, account: b.account, round: round, open: make(map[shardKind]*shard), from: from,
		rounds: rounds{batches: b, account: b.account}}
}

// add writes t into a shard. A record that no shard can take goes to the commit.
func (f *assembler) add(t *flow.Task) {
	if f.follow(t) {
		return
	}
	if err := f.look(t); err != nil {
		t.Fail(err)
		f.flow.Finish(t)
		return
	}
	turn := f.prepare(t)
	if most := f.batches.drivers[t.Endpoint].Bounds().Bytes; f.line.size > most {
		t.Fail(overLimit(f.line.size, most))
		f.flow.Finish(t)
		return
	}
	kind := shardKind{t.Endpoint, f.request.Model, t.Turns()}
	if s := f.open[kind]; s != nil && f.noRoom(&s.file, s.driver, t) {
		f.close(kind)
	}
	var held int64
	if !t.Duplicate {
		var ok bool
		if held, ok = f.hold(&f.request); !ok {
			f.flow.Finish(t)
			return
		}
	}
	s, err := f.put(kind, t)
	if s != nil {
		s.bill.reserved += held
	} else {
		limiter.Release(f.account.Budgets(), held, 0)
	}
	if err == nil {
		if turn && !t.Duplicate && f.from == nil { // else it was counted before
			f.flow.Counts.Reasked.Add(1)
		}
		f.batches.letGo(t)
		return
	}
	if errors.Is(err, errSame) {
		f.add(t)
		return
	}
	if own, ok := err.(*record.Error); ok { // but not a wrapped one
		t.Fail(own)
	} else if !f.flow.Stop.Ending() {
		f.flow.Stop.Fail(err)
	}
	f.flow.Finish(t)
}

// look identifies t's files, unless t is a duplicate.
func (f *assembler) look(t *flow.Task) *record.Error {
	if len(t.Files) == 0 || t.Duplicate {
		return nil
	}
	return f.batches.cfg.Folder.Look(&t.Record)
}

// prepare makes the request of t, in f.request and f.line, and reports whether it is a further turn
// of a conversation.
func (f *assembler) prepare(t *flow.Task) (turn bool) {
	q, l := &f.request, &f.line
	turn = q.Renew(t)
	f.batches.lane.Prepare(q, true)
	driver := f.batches.drivers[t.Endpoint]
	l.head, l.tail = driver.AppendHead(l.head[:0], customID(t.ID, &t.Request, t.Turns()), t.Endpoint), driver.Tail()
	l.body, l.inputs = q.Body, 0
	l.size = int64(len(l.head)+len(l.tail)) + folder.Size(&t.Record, q.Body)
	if t.Endpoint == record.Embeddings {
		l.inputs = int64(record.EmbeddingInputs(q.Body))
	}
	return turn
}

// put writes t into the open shard of a kind, or into a new one, and returns the shard. Unless t is
// a duplicate, put also writes its request, which is in f.line, into the shard's file.
func (f *assembler) put(kind shardKind, t *flow.Task) (*shard, error) {
	s := f.open[kind] // holding money may have closed it
	if s == nil {
		if !f.batches.awaitRoom() {
			return nil, f.flow.Stop.Asking.Err()
		}
		var err error
		if s, err = newShard(f.batches, kind, f.round); err != nil {
			return nil, err
		}
		f.open[kind] = s
		f.batches.fill(s)
	}
	if !t.Duplicate {
		if !f.keep(t, s) {
			return nil, errSame
		}
		if s.file.requests == 0 && s.marked() {
			f.line.head = s.driver.AppendHead(f.line.head[:0], s.mark(), t.Endpoint)
		}
		most := f.batches.most.of(s.driver).Bytes
		err := s.file.put(&f.line, &t.Record, f.batches.cfg.Folder, most)
		if err != nil {
			f.flow.Inflight.LetGo(t)
		}
		switch {
		case errors.Is(err, errNoRoom) && s.file.requests > 0: // a text file took more than was estimated
			f.close(kind)
			return f.put(kind, t)
		case errors.Is(err, errNoRoom):
			return nil, overLimit(f.line.size, most)
		case err != nil:
			return nil, err
		}
	}
	s.claims.mu.Lock()
	defer s.claims.mu.Unlock()
	return s, s.remember(&s.claims.spool, t)
}

// overLimit is the error of a request that is too large for any batch.
func overLimit(size, most int64) *record.Error {
	return &record.Error{Type: "too_large", Code: "over_limit",
		Message: fmt.Sprintf("the request has %d bytes, and a batch takes at most %d", size, most)}
}

// noRoom reports whether a shard's file has no room for t, whose request is in f.line.
func (f *assembler) noRoom(file *shardFile, driver batchapi.Driver, t *flow.Task) bool {
	most := f.batches.most.of(driver)
	if f.most > 0 {
		most.Requests = min(most.Requests, f.most)
	}
	return file.requests >= most.Requests || file.bytes+f.line.size > most.Bytes ||
		most.Inputs > 0 && file.inputs+f.line.inputs > most.Inputs || file.ids+int64(len(t.ID)) > maxShardIDs
}

// letGo ends a task whose record is on disk.
func (b *Batches) letGo(t *flow.Task) {
	b.Spooled.Add(1)
	b.flow.GateOf(t).LetGo(t)
}

// hold reserves the most that q can cost. If the budgets have no room, it waits for room or makes
// some. It returns false if there will be none.
func (f *assembler) hold(q *lane.Request) (int64, bool) {
	cost, err := f.account.WorstInBatch(q.Charge())
	switch {
	case err != nil && !f.account.Budgeted():
		return 0, true // a later run with a budget warns that this worst case is not known
	case err != nil:
		f.flow.Stop.Fail(err)
		return 0, false
	case f.from != nil && f.from.bill.reserved >= cost:
		f.from.bill.reserved -= cost
		return cost, true
	case f.from != nil:
		f.from.release() // nobody else can give that money back while this waits
	}
	if f.account.Budgeted() {
		f.rounds.add(q.Charge(), cost)
	}
	for {
		fits, err := limiter.Hold(f.account.Budgets(), cost, time.Now())
		switch {
		case fits:
			return cost, true
		case err != nil:
			f.account.StopFor(err)
			return 0, false
		}
		if f.account.LendsSoon() { // then the open shards need not be submitted for it
			if !f.flow.Stop.Sleep(lane.LookAgain) {
				return 0, false
			}
			continue
		}
		if f.from == nil {
			f.rounds.tell()
		}
		f.batches.takeUp()
		if !f.makeRoom() {
			return 0, false
		}
		if f.from != nil {
			f.account.NeedMoney() // that the intake's open shards hold
		}
		if !f.flow.Stop.Sleep(lane.LookAgain) {
			return 0, false
		}
	}
}

// seal launches all open shards.
func (f *assembler) seal() {
	for kind := range f.open {
		f.close(kind)
	}
}

func (f *assembler) close(kind shardKind) {
	s := f.open[kind]
	delete(f.open, kind)
	f.batches.launch(s)
}

// discard gives up the open shards, which were not sent, and the records that still wait.
func (f *assembler) discard() {
	for _, t := range f.takeAsked() {
		f.flow.Finish(t)
	}
	f.plan.records.discard()
	for _, s := range f.open {
		s.discard()
		f.batches.drop(s)
	}
}
