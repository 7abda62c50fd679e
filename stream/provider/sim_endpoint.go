package provider

import (
	"bytes"
	"net/http"
	"slices"
	"time"
)

// simEndpoint is one way to ask.
type simEndpoint struct {
	prompt     string                        // the member that holds the prompt
	readPrompt func(q *simRequest) *simError // reads that member's value
	bareText   bool                          // a text may stand where messages do
	generates  bool                          // there is output, and it is paid for
	append     func(dst []byte, q *simRequest, a *simAnswer) []byte
}

var (
	simChat = &simEndpoint{prompt: "messages", readPrompt: (*simRequest).readMessages,
		generates: true, append: appendChat}
	simResponses = &simEndpoint{prompt: "input", readPrompt: (*simRequest).readMessages, bareText: true,
		generates: true, append: appendResponse}
	simCompletions = &simEndpoint{prompt: "prompt", readPrompt: (*simRequest).readInputs,
		generates: true, append: appendCompletion}
	simEmbeddings = &simEndpoint{prompt: "input", readPrompt: (*simRequest).readInputs,
		append: appendEmbeddings}
)

// ask serves e: the path of one request, from its body to its answer.
func (s *Sim) ask(e *simEndpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		inFlight := int(s.inFlight.Add(1))
		defer s.inFlight.Add(-1)
		s.stats.peak(inFlight)

		b := simPool.Get().(*simBuffers)
		defer b.release()
		if r.ContentLength > simMaxBody {
			s.fail(w, simErrBody(&http.MaxBytesError{Limit: simMaxBody}))
			return
		}
		if r.ContentLength > 0 {
			// What is only announced gets no more room than a pooled buffer has.
			b.body.Grow(int(min(r.ContentLength+bytes.MinRead, simKeep)))
		}
		// The body is read to its end before anything is said: only then does
		// the server notice that a client goes away.
		if _, err := b.body.ReadFrom(http.MaxBytesReader(w, r.Body, simMaxBody)); err != nil {
			s.fail(w, simErrBody(err))
			return
		}
		if bound := s.options.MaxInFlight; bound > 0 && inFlight > bound {
			s.fail(w, simErrOverloaded)
			return
		}
		if s.out() {
			s.fail(w, simErrOutage(s.options.RetryAfter))
			return
		}
		s.answer(w, r, e, b, inFlight)
	}
}

// answer serves a request that was let in. inFlight counts it too.
func (s *Sim) answer(w http.ResponseWriter, r *http.Request, e *simEndpoint, b *simBuffers, inFlight int) {
	q := &b.request
	invalid := q.parse(e, s.options.Seed, b.body.Bytes())
	if invalid == nil && len(s.options.Models) > 0 && !slices.Contains(s.options.Models, q.model) {
		invalid = simErrModel(q.model)
	}
	charge := 0 // a bad request counts as a request, and buys no tokens
	if invalid == nil {
		charge = q.charge(s.options.Output)
	}
	if refusal := s.limits.admit(w.Header(), q.model, charge); refusal != nil {
		s.fail(w, refusal)
		return
	}
	if invalid != nil {
		s.fail(w, invalid)
		return
	}
	arrival := s.arrivals.Add(1)
	fault := s.options.fault(arrival)
	s.stats.faulted(fault)
	switch fault {
	case simPressure:
		s.fail(w, simErrPressure(q.model, s.pressureDelay()))
		return
	case simHang:
		select {
		case <-r.Context().Done():
		case <-s.done:
		}
		s.reset(w)
		return
	case simNoFault, simTruncate:
		if bound := s.options.Quota; bound > 0 && s.sold.Add(1) > int64(bound) {
			s.fail(w, simErrQuota)
			return
		}
	}
	if !s.wait(r, s.options.latency(arrival, inFlight)) {
		s.stats.abandoned()
		s.reset(w)
		return
	}
	switch fault {
	case simFail:
		s.fail(w, simErrServer)
		return
	case simReset:
		s.reset(w)
		return
	case simEmpty:
		s.reply(w, http.StatusOK, nil)
		return
	}
	a := q.answer(s.options.Output, fault == simTruncate)
	if s.options.RefundOutput {
		s.limits.refund(charge - a.usage.prompt - a.usage.completion)
	}
	b.answer = s.layout(e.append(b.answer[:0], q, &a))
	if fault == simGarbage {
		s.reply(w, http.StatusOK, b.answer[:len(b.answer)/2])
		return
	}
	s.stats.answered(q.model, a.usage)
	s.reply(w, http.StatusOK, b.answer)
}

// out tells whether this moment lies in an outage.
func (s *Sim) out() bool {
	if len(s.options.Outage) == 0 {
		return false
	}
	since := time.Since(s.start)
	return slices.ContainsFunc(s.options.Outage, func(w Window) bool { return w.From <= since && since < w.To })
}

func (s *Sim) pressureDelay() time.Duration {
	if s.options.RetryAfter > 0 {
		return s.options.RetryAfter
	}
	return time.Second
}
