package stream

import (
	"cmp"
	"context"
	"llmpipe/limiter"
	"llmpipe/stream/provider"
	"llmpipe/stream/ui"
	"slices"
	"time"
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

// sleeping returns how many requests wait to be asked again.
func (l *lanes) sleeping() int { return l.sleepers.len() }
