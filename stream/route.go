package stream

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"llmpipe/limiter"
	"llmpipe/stream/provider"
	"llmpipe/stream/record"
	"llmpipe/stream/ui"
)

// lanes send requests to providers: to the first lane that takes them. While the first lane is well, everything goes there, and waits there
// for its permit; when its breaker is open, or its provider has nothing left to give, requests go to the next, and the lanes before are
// tried again by single ones. A request does not return to a lane where its attempts are used up.
//
// New records are placed one after the other, by the workers. Each retry is placed by a goroutine of its own, which then does the asking:
// none stands behind a new record or behind a retry that waits for another lane.
type lanes struct {
	flow     *Flow
	cfg      lanesConfig
	account  *account
	all      []*lane
	fresh    chan *Task // new records
	sleepers *sleepers
	packer   *packer // nil: records are asked one by one
	refusals sameError
}

// lanesConfig says who is asked, and how.
type lanesConfig struct {
	// Lanes are the providers in their order, the primary first.
	Lanes []LaneConfig
	// Retries is how many times a record is asked again after failures that may pass.
	Retries int
	// GiveUp is how long a provider is waited for that answers nothing; 0 for as long as it takes.
	GiveUp time.Duration
	// Pack is how many records on the embeddings endpoint are asked about in one request; 0 counts as 1.
	Pack int
	// KeyEnv is the name of the variable that should hold the primary's key, for messages, and Model the one for records without one.
	KeyEnv, Model string
	// Mode says what is asked about at once: where all goes by batch few requests are sent.
	Mode Mode
	// Proven says that the ledger holds answers: who is asked, and with which key, has worked.
	Proven bool
	// Waits reports whether the input is waited for just now.
	Waits func() bool
}

// lookAgain is how soon a record looks again for a lane when none takes it: breakers send probes every few seconds at most.
const lookAgain = 100 * time.Millisecond

// freshRecords is how many records may wait for a worker: more than the gate lets in, so that it is there that reading waits, and not for
// the next worker to take a record.
const freshRecords = 4096

// openHosts makes the clients of all lanes, in their order.
func openHosts(voice *ui.Voice, configs []LaneConfig) ([]*Host, error) {
	var hosts []*Host
	for i, c := range configs {
		if c.Provider.Key != "" && provider.Exposed(c.Provider.BaseURL) {
			voice.Warn("the key goes over plain http to another machine: use https, unless that network is your own")
		}
		client, err := provider.New(c.Provider)
		if err != nil {
			return nil, err
		}
		hosts = append(hosts, &Host{index: i, name: cmp.Or(c.Name, client.Name()), client: client})
	}
	return hosts, nil
}

// newLanes makes a lane of each host, with a limiter each and one account for all.
func newLanes(f *Flow, c lanesConfig, hosts []*Host, a *account) *lanes {
	l := &lanes{flow: f, cfg: c, account: a, fresh: make(chan *Task, freshRecords), sleepers: newSleepers()}
	l.cfg.Lanes = slices.Clone(c.Lanes)
	l.refusals.known = c.Proven
	l.fitDescriptors(hosts)
	for i, h := range hosts {
		own := l.cfg.Lanes[i]
		pace := own.Pace
		pace.Clock, pace.Budgets, pace.Short = limiter.System, a.budgets(), a.needMoney
		l.all = append(l.all, &lane{
			lanes: l, host: h, model: own.Model, base: own.Provider.BaseURL, key: own.Provider.Key, pace: limiter.New(pace),
		})
	}
	if c.Pack > 1 {
		l.packer = newPacker(l)
	}
	return l
}

// put has t asked about.
func (l *lanes) put(t *Task) { l.flow.hand(t, l.fresh) }

// putAgain has t asked about at once, past those that wait.
func (l *lanes) putAgain(t *Task) { l.again(newRequest(t)) }

// unserved finishes what was put and waits for a worker until done is closed. When asking has ended nobody else takes it, and who waits
// for its commit would wait for ever.
func (l *lanes) unserved(done <-chan struct{}) {
	for {
		select {
		case t := <-l.fresh:
			l.flow.finish(t)
		case <-done:
			return
		}
	}
}

// serve places requests and sends them until ctx ends, and returns when all its goroutines have.
func (l *lanes) serve(ctx context.Context) {
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
	w.all.Wait()
}

// placeRetries has every retry placed and asked about until ctx ends.
func (l *lanes) placeRetries(ctx context.Context, w *workers) {
	for {
		select {
		case <-ctx.Done():
			return
		case q := <-l.sleepers.wake:
			w.all.Go(func() {
				if permit := l.place(ctx, q, true); permit != nil {
					l.of(q).ask(q, permit)
				}
				w.fill(ctx)
			})
		}
	}
}

// place waits for a permit to send q in the first lane that takes it. When there will be none, q is finished.
func (r *lanes) place(ctx context.Context, q *Request, retry bool) *limiter.Permit {
	for {
		permit, closed, err := r.tryLanes(ctx, q, retry)
		switch {
		case err != nil:
			r.unplaced(q, err)
			return nil
		case permit != nil:
			return permit
		case closed && r.nowhere(q):
			return nil
		}
		select {
		case <-time.After(lookAgain):
		case <-ctx.Done():
			r.finish(q)
			return nil
		}
	}
}

// tryLanes goes through the lanes once. It returns the permit of the first that takes q; else whether all are closed, rather than
// waiting for a breaker. An error is one that no other lane changes.
func (r *lanes) tryLanes(ctx context.Context, q *Request, retry bool) (permit *limiter.Permit, closed bool, err error) {
	closed = true
	for _, l := range r.all[q.floor:] {
		ok, trial := l.usable(time.Now())
		if !ok {
			continue
		}
		permit, err := l.permit(ctx, q, retry)
		switch {
		case err == nil && !trial && l.whyClosed() != nil:
			permit.Drop() // it was closed while q waited
		case err == nil:
			return permit, false, nil
		case errors.Is(err, limiter.ErrOpen):
			closed = false
		case errors.Is(err, limiter.ErrGaveUp):
			l.shut(l.gaveUp(err), true)
		default:
			return nil, false, err
		}
	}
	return nil, closed, nil
}

// unplaced finishes a record that gets no permit for a reason that no other lane changes.
func (r *lanes) unplaced(q *Request, err error) {
	var large *limiter.TooLarge
	switch {
	case errors.As(err, &large) && q.pack != nil:
		r.split(q)
		return
	case errors.As(err, &large):
		q.fail(&record.Error{Type: "too_large", Code: "over_limit", Message: large.Error()})
	case errors.Is(err, limiter.ErrOverBudget):
		r.account.stopFor(err)
	case !errors.Is(err, context.Canceled):
		r.flow.stop.fail(err)
	}
	r.finish(q)
}

// nowhere finishes a record when every lane that it may go to is closed. It reports false when one was opened in that moment.
func (r *lanes) nowhere(q *Request) bool {
	if q.floor > 0 && q.reply.Err != nil {
		q.fail(q.reply.Err) // its attempts are used up where something is still sent
	} else if !r.pauseIfClosed() {
		return false
	}
	r.finish(q)
	return true
}

// permit waits for a permit to send q here.
func (l *lane) permit(ctx context.Context, q *Request, retry bool) (*limiter.Permit, error) {
	if !retry {
		q.lowered = l.lanes.account.lower(q.record, q)
	}
	q.address(l.host, l.model)
	var err error
	if q.worst, err = l.lanes.account.worst(q.charge()); err != nil {
		return nil, err
	}
	request := limiter.Request{
		PromptBytes: q.record.TextBytes,
		MaxTokens:   q.record.MaxTokens * q.record.N,
		N:           q.record.N,
		Cost:        q.worst,
		Movable:     len(l.lanes.all) > 1,
		Retry:       retry,
	}
	permit, err := l.pace.Acquire(ctx, request)
	var large *limiter.TooLarge
	if errors.As(err, &large) {
		// Tokens are the provider's to count: what is over its limit only because of how they are guessed is for it to refuse.
		if dense := record.DenseBytes(q.body); dense < request.PromptBytes {
			request.PromptBytes = dense
			permit, err = l.pace.Acquire(ctx, request)
		}
	}
	if err == nil && ctx.Err() != nil {
		// Granted by what ended the asking, such as the last reply's permit.
		permit.Drop()
		return nil, ctx.Err()
	}
	return permit, err
}

// roomy reports whether there is room for another request in flight where a new record would go now.
func (r *lanes) roomy() bool {
	for _, l := range r.all {
		if l.whyClosed() != nil {
			continue
		}
		if room, open := l.pace.Room(); !open {
			return room
		}
	}
	return true // once a lane takes records again
}

// allowed is how many requests may be in flight now, in the lane that allows most.
func (r *lanes) allowed() int {
	most := 1
	for _, l := range r.all {
		most = max(most, l.pace.Allowed())
	}
	return most
}

// pauseIfClosed ends the run when nothing is sent anywhere, and reports whether that is so. Why the first lane is closed is why the run
// ends.
func (r *lanes) pauseIfClosed() bool {
	var first error
	for _, l := range r.all {
		why := l.whyClosed()
		if why == nil {
			return false
		}
		first = cmp.Or(first, why)
	}
	r.flow.stop.pause(first)
	return true
}

// current is the lane that records go to now.
func (r *lanes) current() *lane {
	for _, l := range r.all {
		if l.whyClosed() == nil && !l.pace.Stats().Open {
			return l
		}
	}
	return r.all[0]
}

// close gives back what the lanes hold.
func (r *lanes) close() {
	for _, l := range r.all {
		l.pace.Close()
		l.patience.pressed.end()
		l.patience.down.end()
	}
}

// of is the lane that q was placed in.
func (r *lanes) of(q *Request) *lane { return r.all[q.host.index] }
