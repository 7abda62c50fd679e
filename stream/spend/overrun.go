package spend

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"llmpipe/ledger/price"
	"llmpipe/limiter"
	"llmpipe/stream/flow"
	"llmpipe/stream/provider"
	"llmpipe/stream/record/usage"
	"llmpipe/stream/ui"
)

// overruns are what is known of the models that are billed beyond what was asked of them, by host
// and name.
type overruns struct {
	last atomic.Pointer[overrun] // most runs have one model
	mu   sync.Mutex
	all  map[modelAt]*overrun
}

type modelAt struct {
	host  int
	model string
}

// of returns what is known of a model. Where h is nil nobody is asked.
func (s *overruns) of(h *flow.Host, model string) *overrun {
	if h == nil {
		return new(overrun)
	}
	key := modelAt{h.Index, model}
	if o := s.last.Load(); o != nil && o.key == key {
		return o
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.all[key]
	if o == nil {
		key.model = strings.Clone(model) // it may be a part of a record
		o = &overrun{key: key}
		o.flight.next, o.flight.prev = &o.flight, &o.flight
		if s.all == nil {
			s.all = make(map[modelAt]*overrun)
		}
		s.all[key] = o
	}
	s.last.Store(o)
	return o
}

// overrun is how far the answers of one model exceeded the bounds that their requests were admitted
// with: where max_tokens is ignored, or does not bound what is thought, or none was given, where
// there is more in the prompt than in the request, and where the bill has more than tokens. The
// worst that was seen is the bound from then on, also for what is in flight.
type overrun struct {
	key     modelAt
	output  atomic.Int64 // the most tokens of a completion
	prompt  atomic.Int64 // the most tokens of a prompt beyond what its request can hold
	dearer  atomic.Int64 // what that costs at most beyond its price, in thousandths of it
	changes atomic.Int64 // of these
	told    sync.Once

	mu     sync.Mutex
	flight Stake // the ring of what is in flight
}

// widen makes most the bound of a request for n completions.
func (o *overrun) widen(most *price.Tokens, n int) {
	most.Prompt += o.prompt.Load()
	most.Completion = max(most.Completion, o.output.Load()*int64(n))
}

// cost is what costs at most so much by its tokens.
func (o *overrun) cost(worst int64) int64 {
	return worst + int64(float64(worst)*float64(o.dearer.Load())/1000)
}

// Stake is what a request in flight may cost at most. It lies in the request, and is good for one
// attempt after another.
type Stake struct {
	charge     Charge
	worst      int64
	permit     *limiter.Permit
	model      *overrun // nil while the request is not in flight, or where there is no budget
	prev, next *Stake
}

// Stale reports whether the bound of q's model was raised since a number of changes, which it
// returns anew: what was reserved by the old one is too little.
func (a *Account) Stale(q Charge, changes int64) (now int64, stale bool) {
	if !a.Budgeted() {
		return 0, false
	}
	now = a.overruns.of(q.Host, q.Model).changes.Load()
	return now, now != changes
}

// Send notes that q is in flight with a permit and counts as worst. It ends with [Account.Land].
func (a *Account) Send(s *Stake, q Charge, worst int64, permit *limiter.Permit) {
	*s = Stake{charge: q, worst: worst, permit: permit}
	if !a.Budgeted() {
		return
	}
	o := a.overruns.of(q.Host, q.Model)
	o.mu.Lock()
	defer o.mu.Unlock()
	s.model, s.prev, s.next = o, &o.flight, o.flight.next
	s.prev.next, s.next.prev = s, s
}

// Land notes that the attempt is over, for which reply came and which cost so much as far as that
// is known, and returns what it counted as. It comes before the permit is settled. What the answer
// tells of its model's bound holds at once, for all that is in flight.
func (a *Account) Land(s *Stake, reply *provider.Reply, cost int64) (worst int64) {
	o := s.model
	if o == nil {
		return s.worst
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	s.prev.next, s.next.prev = s.next, s.prev
	s.model = nil
	if reply.Answer.HasUsage && a.learn(o, &s.charge, &reply.Answer.Usage, cost, s.worst, a.worst) {
		a.raiseAll(o)
	}
	return s.worst
}

// LearnInBatch takes from an answer out of a batch what it tells of its model's bound. It cost so
// much, and could cost worst.
func (a *Account) LearnInBatch(q Charge, u *usage.Counts, cost, worst int64) {
	o := a.overruns.of(q.Host, q.Model)
	o.mu.Lock()
	defer o.mu.Unlock()
	if a.learn(o, &q, u, cost, worst, a.WorstInBatch) {
		a.raiseAll(o)
	}
}

// raiseAll counts what is in flight at its model's bound. o.mu is held.
func (a *Account) raiseAll(o *overrun) {
	for t := o.flight.next; t != &o.flight; t = t.next {
		if worst, err := a.worst(t.charge); err == nil && worst > t.worst {
			t.worst = worst
			t.permit.Raise(worst)
		}
	}
}

// learn raises a model's bound to what an answer was billed as, and says so once where that is more
// than was asked. It reports whether it did. again reckons the bound anew; o.mu is held.
func (a *Account) learn(o *overrun, q *Charge, u *usage.Counts, cost, worst int64, again func(Charge) (int64, error)) (raised bool) {
	n, asked := int64(q.Record.N), int64(q.Record.MaxTokens)
	beyond := asked > 0 && u.Completion > asked*n
	if !beyond && cost <= worst {
		return false
	}
	up := func(bound *atomic.Int64, seen int64) {
		if seen > bound.Load() {
			bound.Store(seen)
			raised = true
		}
	}
	if beyond || asked == 0 {
		up(&o.output, (u.Completion+n-1)/n)
	}
	if p := a.price(q.Host, q.Model); cost > worst {
		most := a.most(*q, &p)
		up(&o.prompt, o.prompt.Load()+u.Prompt-most.Prompt)
		if now, err := again(*q); err == nil && cost > now && now > 0 {
			tokens := float64(now) / (1000 + float64(o.dearer.Load()))
			up(&o.dearer, int64(float64(cost)/tokens)-1000+1)
		}
	}
	if !raised {
		return false
	}
	o.changes.Add(1)
	if asked > 0 || cost > worst && u.Completion <= asked*n {
		o.told.Do(func() {
			a.flow.Voice.Warn("%s; the budget allows for that from here on", overrunText(q, u, cost, worst)+a.mark())
		})
	}
	return true
}

// overrunText says how an answer exceeds what was asked.
func overrunText(q *Charge, u *usage.Counts, cost, worst int64) string {
	if asked := int64(q.Record.MaxTokens) * int64(q.Record.N); asked > 0 && u.Completion > asked {
		return fmt.Sprintf("%s: %s bills beyond what was asked: %s of output, where %s are the most", q.What, q.Model,
			ui.Number(u.Completion, "token"), ui.Grouped(asked))
	}
	return fmt.Sprintf("%s: %s bills beyond what was asked: %s for a prompt of %s, where %s are the most by its size and price", q.What,
		q.Model, ui.USD(cost), ui.Number(u.Prompt, "token"), ui.USD(worst))
}
