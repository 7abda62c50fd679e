package ledger

import (
	"fmt"
	"time"

	"llmpipe/ledger/index"
	"llmpipe/ledger/line"
)

// Shard is all that a ledger knows of a shard. If its intent was lost with a damaged line, the
// fields of the intent and the records are empty.
type Shard struct {
	ID        string
	Simulated bool
	Step      ShardStep // the furthest one

	Provider      string
	Endpoint      string
	Model         string
	Round         int
	Reask         int
	Records       int
	Bytes         int64
	ReservedNanos int64
	Window        string
	FileID        string
	BatchID       string
	Started       time.Time // of the intent
	Stepped       time.Time // of the last step
	Ended         time.Time // of ShardCollected

	State     string
	Answered  int64
	Failed    int64
	Missing   int64
	CostNanos int64
	CostKnown bool
	MayCost   int64 // of one that was given up, in billionths of a US dollar
}

// Pending reports whether the shard is not yet collected.
func (s *Shard) Pending() bool { return s.Step != ShardCollected }

// shards is what the batch lines of a ledger say: the steps of each shard together.
type shards struct {
	all      []*knownShard // in the order of their first lines
	byID     map[string]*knownShard
	byIntent map[Ref]*knownShard

	// reserved is what is set aside for pending shards, in billionths of a US dollar; foreign is the
	// part for shards that other processes have made since the ledger was opened.
	reserved, foreign int64
}

type knownShard struct {
	Shard
	at   int64 // of the intent's line
	size int   // its length without the newline; 0 if there is no intent

	foreign bool // another process has made it since the ledger was opened
}

// setAside is the amount that is set aside for the shard while it is pending.
func (k *knownShard) setAside() int64 {
	if k == nil || !k.Pending() {
		return 0
	}
	return k.ReservedNanos
}

// merge adds the step of the line at an offset.
func (s *shards) merge(e *ShardEntry, simulated bool, at int64, size int) *knownShard {
	known := s.byID[e.Shard]
	if known == nil {
		if s.byID == nil {
			s.byID, s.byIntent = make(map[string]*knownShard), make(map[Ref]*knownShard)
		}
		known = &knownShard{Shard: Shard{ID: e.Shard}}
		s.byID[e.Shard] = known
		s.all = append(s.all, known)
	}
	known.Simulated = simulated
	known.Step, known.Stepped = max(known.Step, e.Step), e.Time
	if e.FileID != "" {
		known.FileID = e.FileID
	}
	if e.BatchID != "" {
		known.BatchID = e.BatchID
	}
	switch e.Step {
	case ShardIntent:
		known.Provider, known.Endpoint, known.Model = e.Provider, e.Endpoint, e.Model
		known.Round, known.Reask, known.Bytes, known.ReservedNanos, known.Window = e.Round, e.Reask, e.Bytes, e.ReservedNanos, e.Window
		known.Started = e.Time
		known.at, known.size = at, size
		s.byIntent[index.RefAt(at)] = known
	case ShardCollected:
		known.State, known.Ended = e.State, e.Time
		known.Answered, known.Failed, known.Missing = e.Answered, e.Failed, e.Missing
		known.CostNanos, known.CostKnown, known.MayCost = e.CostNanos, e.CostKnown, e.MayCostNanos
	}
	return known
}

// list returns copies of the shards.
func (s *shards) list() []Shard {
	list := make([]Shard, len(s.all))
	for i, known := range s.all {
		list[i] = known.Shard
	}
	return list
}

// pendingAt returns the id of the shard whose intent is at that offset, "" if it is collected.
func (s *shards) pendingAt(intent Ref) string {
	if known := s.byIntent[intent]; known != nil && known.Pending() {
		return known.ID
	}
	return ""
}

// enterShard puts a step into the index. The possible cost of a batch that was given up counts
// once. The caller holds mu.
func (l *Ledger) enterShard(v *verified) error {
	h, text, at := &v.head, v.text, v.at
	var e ShardEntry
	if err := e.Decode(text, h); err != nil {
		return &DamageError{Path: l.path, Offset: at, Err: err}
	}
	if index.RefAt(at) > index.MaxRef {
		return tooLarge(l.path, at)
	}
	before := l.shards.byID[e.Shard].setAside()
	var kept int64
	if known := l.shards.byID[e.Shard]; known != nil {
		kept = known.MayCost
	}
	known := l.shards.merge(&e, h.Simulated, at, len(text))
	l.summary.KeptNanos += known.MayCost - kept
	if v.recent {
		l.summary.KeptSince += known.MayCost - kept
	}
	ours := h.Simulated == l.options.Simulated // a simulated run can't collect from a real provider
	if e.Step == ShardIntent {
		known.foreign = l.loaded && !v.own
	}
	if more := known.setAside() - before; ours {
		l.shards.reserved += more
		if known.foreign {
			l.shards.foreign += more
		}
	}
	if e.Step != ShardIntent {
		return nil
	}
	known.Records = 0
	if ours {
		l.index.Reserve(h.Keys())
	}
	whole := h.EachKey(func(k Key) {
		known.Records++
		if ours {
			l.index.Submit(k, index.RefAt(at))
			if l.answers != nil {
				l.answers.Submit(requestKey(k), index.RefAt(at))
			}
		}
	})
	if !whole {
		return &DamageError{Path: l.path, Offset: at, Err: line.ErrMalformed}
	}
	return nil
}

// admitIntents says why the intents of a group may not be written: another process has one of their
// records by now, or what they reserve does not fit. The caller has indexed what others appended.
func (l *Ledger) admitIntents(g *Group) error {
	reserved := int64(0)
	for i := range g.Shards {
		e := &g.Shards[i]
		if e.Step != ShardIntent {
			continue
		}
		if l.taken(e) {
			return ErrTaken
		}
		reserved += e.ReservedNanos
	}
	if reserved == 0 || g.Bounds == (Bounds{}) {
		return nil
	}
	b := l.within(g.Bounds)
	l.mu.Lock()
	defer l.mu.Unlock()
	if room := l.room(b); reserved > room.free() {
		return &OverBoundsError{room}
	}
	return nil
}

// taken reports whether a record of an intent has a result that the run does not know of, is in
// another pending shard, or is at risk by another process. With Options.Requests, results and
// shards of equal requests count too.
func (l *Ledger) taken(intent *ShardEntry) bool {
	for i := range intent.Records {
		r := &intent.Records[i]
		k := KeyOf(r.ID, &r.Request)
		l.mu.Lock()
		found := l.foundEqual(k)
		l.mu.Unlock()
		if found.Result.Newer(Ref(r.Not)) || found.Shard != "" || l.Asked(k) {
			return true
		}
	}
	return false
}

// Adopt makes this run look after a shard of another process, and count for itself what is set
// aside for it.
func (l *Ledger) Adopt(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if known := l.shards.byID[id]; known != nil && known.foreign {
		l.shards.foreign -= known.setAside()
		known.foreign = false
	}
}

// Shards returns every shard in the order of the intents, collected ones included, as far as is
// known now: see [Ledger.Refresh]. A run that is not simulated gets no simulated shards.
func (l *Ledger) Shards() []Shard {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.shards.list()
}

// Shard returns a shard by its id.
func (l *Ledger) Shard(id string) (Shard, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if known := l.shards.byID[id]; known != nil {
		return known.Shard, true
	}
	return Shard{}, false
}

// ReadShard calls each with the records of a shard, in the order of its intent. It first reads and
// verifies the intent, which stays in memory until ReadShard returns: about 130 bytes a record. A
// record is valid until each returns. An error of each ends the reading and is returned unchanged.
// An intent that was changed on disk is a *[DamageError].
func (l *Ledger) ReadShard(id string, each func(ShardRecord) error) error {
	l.mu.Lock()
	file, at, size := l.file, int64(0), 0
	if known := l.shards.byID[id]; known != nil {
		at, size = known.at, known.size
	}
	l.mu.Unlock()
	if size == 0 {
		return fmt.Errorf("reading ledger %s: shard %q has no intent", l.path, id)
	}
	text := make([]byte, size)
	if _, err := file.ReadAt(text, at); err != nil {
		return fmt.Errorf("reading ledger %s at byte %d: %w", l.path, at, err)
	}
	h, err := check(l.path, text, at)
	if err != nil {
		return err
	}
	damaged := func(err error) error { return &DamageError{Path: l.path, Offset: at, Err: err} }
	if h.Kind != line.KindBatch || h.Step != ShardIntent || string(h.Shard) != id {
		return damaged(line.ErrMalformed)
	}
	if err = line.EachRecord(text, each); err == line.ErrMalformed {
		return damaged(err)
	}
	return err
}

// ScanShards returns every shard of a ledger, simulated ones included, in the order of the intents.
// It takes no lock. It reads the file as [Scan] does, but only verifies results.
func ScanShards(path string, warn func(string)) ([]Shard, error) {
	var found shards
	err := scanLines(path, warn, func(h *line.Head, text []byte, at int64) error {
		if h.Kind != line.KindBatch {
			return nil
		}
		var e ShardEntry
		if err := e.Decode(text, h); err != nil {
			return &DamageError{Path: path, Offset: at, Err: err}
		}
		known := found.merge(&e, h.Simulated, at, len(text))
		if e.Step != ShardIntent {
			return nil
		}
		known.Records = 0
		if !h.EachKey(func(Key) { known.Records++ }) {
			return &DamageError{Path: path, Offset: at, Err: line.ErrMalformed}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return found.list(), nil
}
