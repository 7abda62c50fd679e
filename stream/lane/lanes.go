package lane

import (
	"context"
	"slices"
	"time"

	"llmpipe/limiter"
	"llmpipe/stream/flow"
	"llmpipe/stream/folder"
	"llmpipe/stream/journal"
	"llmpipe/stream/provider"
	"llmpipe/stream/provider/share"
	"llmpipe/stream/spend"
	"llmpipe/stream/ui"
)

// Lanes send each request to the first tier that takes it. A tier is one lane, or several side by
// side: then the first lane that has room gets the request. While the first tier is well, all
// requests go there and wait for their permits. When its breakers are open, or its providers'
// quotas are used up, requests go to the next tier, and single ones try the tiers before. A request
// does not return to a tier where its attempts are used up.
//
// The workers place new records one after the other. Each retry has its own goroutine, which places
// and sends it, so no retry waits behind a new record or behind a retry that waits for another
// lane.
type Lanes struct {
	flow     *flow.Flow
	cfg      Config
	account  *spend.Account
	journal  *journal.Journal // nil without a ledger
	all      []*Lane
	tiers    [][]*Lane       // the same, those beside one another together
	fresh    chan *flow.Task // new records
	sleepers *sleepers
	packer   *packer // nil: records are asked one by one
	refusals refusals

	neighbours *neighbours
}

// Config says who is asked, and how.
type Config struct {
	// Lanes are the providers in their order, the primary first.
	Lanes []Target
	// Retries is how many times a record is retried after failures that may pass.
	Retries int
	// GiveUp is how long the run waits for a provider that answers nothing; 0 for as long as it takes.
	GiveUp time.Duration
	// Pack is how many records one request to the embeddings endpoint holds; 0 counts as 1.
	Pack int
	// Shape is what answers must fit.
	Shape flow.Shape
	// KeyEnv is the name of the variable that should hold the primary's key, for messages, and Model
	// the one for records without one.
	KeyEnv, Model string
	// Mode says which records are sent as requests. In batch mode few are.
	Mode flow.Mode
	// Proven says that the ledger holds answers, so the provider and the key have worked before.
	Proven bool
	// Folder holds the files that records name; nil if none do.
	Folder *folder.Folder
	// Waits reports whether the run is waiting for input.
	Waits func() bool
	// Quota is the quota shared with other machines; nil for none.
	Quota *share.Quota
}

// FreshRecords is how many records may wait for a worker: more than the gate lets in, so that the
// reader waits at the gate, never for a worker.
const FreshRecords = 4096

// keyCommandHint says what to do about a command that prints no key.
const keyCommandHint = "run it in a shell: it must exit with 0 within 30 s, and print the key on one line and nothing else"

// FirstKeys gets the keys of those hosts whose keys are printed by commands.
func FirstKeys(ctx context.Context, hosts []*flow.Host) error {
	for _, h := range hosts {
		if err := h.Client.FirstKey(ctx); err != nil {
			return ui.WithHint(keyCommandHint, err)
		}
	}
	return nil
}

// OpenHosts makes the clients of all lanes, in their order.
func OpenHosts(voice *ui.Voice, configs []Target) ([]*flow.Host, error) {
	var hosts []*flow.Host
	for i, c := range configs {
		if (c.Provider.Key != "" || c.Provider.KeyCommand != "") && provider.Exposed(c.Provider.BaseURL) {
			voice.Warn("the key goes to another machine over plain http: use https, unless that network is your own")
		}
		client, err := provider.New(c.Provider)
		if err != nil {
			return nil, err
		}
		hosts = append(hosts, &flow.Host{Index: i, Client: client})
	}
	return hosts, nameHosts(hosts, configs)
}

// New makes a lane for each host. Each lane has its own limiter, and all share one account. j is
// nil without a ledger.
func New(f *flow.Flow, c Config, hosts []*flow.Host, a *spend.Account, j *journal.Journal) *Lanes {
	l := &Lanes{flow: f, cfg: c, account: a, fresh: make(chan *flow.Task, FreshRecords), sleepers: newSleepers(f.Gate)}
	l.cfg.Lanes = slices.Clone(c.Lanes)
	l.refusals.known = c.Proven
	l.neighbours = newNeighbours(l, j)
	l.fitDescriptors(hosts)
	for i, h := range hosts {
		h.Client.Bound(f.Bodies)
		own := l.cfg.Lanes[i]
		pace := own.Pace
		pace.Clock, pace.Budgets, pace.Short = limiter.System, a.Budgets(), a.NeedMoney
		pace.Backlog = f.BacklogOf(h, c.Pack)
		if !own.Beside {
			l.tiers = append(l.tiers, nil)
		}
		if c.Quota != nil {
			pace.Share = c.Quota.Lane(own.Provider.Account())
		}
		tier := len(l.tiers) - 1
		l.all = append(l.all, &Lane{
			lanes: l, Host: h, tier: tier, model: own.Model, base: own.Provider.BaseURL, key: own.Provider.Key, Pace: limiter.New(pace),
		})
		if c.Quota != nil {
			c.Quota.Serve(pace.Share, l.all[i].Pace)
		}
		l.tiers[tier] = append(l.tiers[tier], l.all[i])
	}
	f.OnRecorded(func() {
		for _, own := range l.all {
			own.Pace.PutAway()
		}
	})
	if c.Pack > 1 {
		l.packer = newPacker(l)
	}
	return l
}

// Put sends t to the workers.
func (l *Lanes) Put(t *flow.Task) { l.flow.Hand(t, l.fresh) }

// PutAgain places t at once, past the records that wait.
func (l *Lanes) PutAgain(t *flow.Task) {
	l.flow.Gate.Ask(t)
	q := l.take(t)
	l.look(q)
	l.anew(q)
}

// take makes a record's request, and counts it if it is a further turn of a conversation.
func (l *Lanes) take(t *flow.Task) *Request {
	q := requests.Get().(*Request)
	if q.Renew(t) {
		l.flow.Counts.Reasked.Add(1)
	}
	return q
}

// Reask retries t, whose recorded answer does not fit the schema, at once and ahead of the records
// that wait. It returns false if the run sends nothing any more. It never blocks.
func (l *Lanes) Reask(t *flow.Task) bool {
	if l.flow.Stop.Ending() {
		return false
	}
	if l.journal != nil {
		t.Ref = l.journal.Ledger.Look(t.Key).Result // which does not serve
	}
	q := l.take(t)
	l.look(q)
	q.floor, q.lowered = t.Shaped.Floor, t.Shaped.Lowered
	l.flow.Gate.AskAgain(t)
	if !l.sleepers.add(q, 0) {
		l.flow.Counts.Reasked.Add(-1)
		l.flow.Gate.Spare(t)
		return false
	}
	return true
}

// fit checks q's answer against the schema. An answer that does not fit goes to the commit like any
// other, and the commit retries q once the answer is recorded.
func (l *Lanes) fit(q *Request) {
	if l.cfg.Shape.Schema == nil {
		return
	}
	t := q.tasks[0]
	l.cfg.Shape.Fit(t)
	t.Shaped.Floor, t.Shaped.Lowered = q.floor, q.lowered
	if t.Misfit() {
		l.flow.Voice.Detail("%s: %s", q, t.Shaped.Fit.Err().Message)
	}
}

// Unserved finishes the records that wait for a worker, until done is closed. Once asking has ended
// no worker takes them, and anything that waits for their commit would wait for ever.
func (l *Lanes) Unserved(done <-chan struct{}) {
	for {
		select {
		case t := <-l.fresh:
			l.flow.Finish(t)
		case <-done:
			return
		}
	}
}

// Serve places requests and sends them until ctx ends, and returns when all its goroutines have.
func (l *Lanes) Serve(ctx context.Context) {
	w := newWorkers(l)
	w.recruit(ctx)
	if l.packer != nil {
		w.all.Go(func() { l.packer.pack(ctx) })
	}
	w.all.Go(func() { l.placeRetries(ctx, w) })
	w.all.Go(func() {
		for _, q := range l.sleepers.run(ctx) {
			l.finish(q)
		}
	})
	if l.journal != nil {
		w.all.Go(func() { l.neighbours.tend(ctx) })
	}
	w.all.Wait()
	for q := w.ahead.next(); q != nil; q = w.ahead.next() {
		l.finish(q)
	}
}

// Current returns the lanes that records go to now: the first tier with a lane that takes them.
func (r *Lanes) Current() []*Lane {
	for _, tier := range r.tiers {
		for _, l := range tier {
			if l.whyClosed() == nil && !l.Pace.Stats().Open {
				return tier
			}
		}
	}
	return r.tiers[0]
}

// Close closes the limiters.
func (r *Lanes) Close() {
	for _, l := range r.all {
		l.Pace.Close()
		l.patience.pressed.end()
		l.patience.down.end()
	}
}

// Primary returns the first lane.
func (r *Lanes) Primary() *Lane { return r.all[0] }

// of is the lane that q was placed in.
func (r *Lanes) of(q *Request) *Lane { return r.all[q.host.Index] }

// Sleeping returns how many requests wait for their retry.
func (l *Lanes) Sleeping() int { return l.sleepers.len() }
