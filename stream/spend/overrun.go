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

// overruns holds, by host and name, how far each model was billed beyond what was asked of it.
type overruns struct {
	last atomic.Pointer[overrun] // most runs have one model
	mu   sync.Mutex
	all  map[modelAt]*overrun
}

type modelAt struct {
	host  int
	model string
}

// of returns what is known of a model. h is nil if no host is asked.
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
		key.model = strings.Clone(model) // model may lie in a record's memory
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
// with. They do so if max_tokens is missing, is ignored or does not bound the reasoning, if the
// prompt holds more than the request, or if the bill has more than tokens. The worst that was seen
// is the bound from then on, also for what is in flight.
type overrun struct {
	key     modelAt
	output  atomic.Int64 // the most tokens of a completion
	prompt  atomic.Int64 // the most tokens of a prompt beyond what its request can hold
	dearer  atomic.Int64 // the most that a bill adds to the cost by tokens, in thousandths of it
	changes atomic.Int64 // how often one of these rose
	told    sync.Once

	mu     sync.Mutex
	flight Stake // the ring of what is in flight
}

// widen raises most to the model's bound for a request for n completions.
func (o *overrun) widen(most *price.Tokens, n int) {
	most.Prompt += o.prompt.Load()
	most.Completion = max(most.Completion, o.output.Load()*int64(n))
}

// cost is the most that a request can cost if its tokens cost at most worst.
func (o *overrun) cost(worst int64) int64 {
	return worst + int64(float64(worst)*float64(o.dearer.Load())/1000)
}

// Stake is the most that a request in flight may cost. The request holds it, and uses it again for
// each further attempt.
type Stake struct {
	charge     Charge
	worst      int64
	permit     *limiter.Permit
	model      *overrun // nil while the request is not in flight, or if there is no budget
	prev, next *Stake
}

// Stale reports whether the bound of q's model was raised since its number of changes was changes.
// It also returns the present number. A reservation by an old bound is too small.
func (a *Account) Stale(q Charge, changes int64) (now int64, stale bool) {
	if !a.Budgeted() {
		return 0, false
	}
	now = a.overruns.of(q.Host, q.Model).changes.Load()
	return now, now != changes
}

// Send notes that q is in flight with a permit and counts as worst. [Account.Land] ends that.
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

// Land notes that the attempt is over. reply is what came, and cost what it cost as far as that is
// known. Land returns what the attempt counted as, and is called before the permit is settled. What
// the answer shows about its model's bound applies at once to everything in flight.
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

// LearnInBatch raises a model's bound to what an answer from a batch shows. The answer cost so
// much, and could have cost worst.
func (a *Account) LearnInBatch(q Charge, u *usage.Counts, cost, worst int64) {
	o := a.overruns.of(q.Host, q.Model)
	o.mu.Lock()
	defer o.mu.Unlock()
	if a.learn(o, &q, u, cost, worst, a.WorstInBatch) {
		a.raiseAll(o)
	}
}

// raiseAll raises everything in flight to its model's present bound. o.mu is held.
func (a *Account) raiseAll(o *overrun) {
	for t := o.flight.next; t != &o.flight; t = t.next {
		if worst, err := a.worst(t.charge); err == nil && worst > t.worst {
			t.worst = worst
			t.permit.Raise(worst)
		}
	}
}

// learn raises a model's bound to what an answer was billed as, and reports whether it did. It
// warns once if that is more than was asked. again works out the bound from the raised numbers.
// o.mu is held.
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
		return fmt.Sprintf("%s: %s bills more than was asked for: %s of output, and %s is the most allowed", q.What, q.Model,
			ui.Number(u.Completion, "token"), ui.Grouped(asked))
	}
	return fmt.Sprintf("%s: %s bills more than was asked for: %s for a prompt of %s, and %s is the most by its size and price", q.What,
		q.Model, ui.USD(cost), ui.Number(u.Prompt, "token"), ui.USD(worst))
}
