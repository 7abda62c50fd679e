package sim

import (
	"bytes"
	"net/http"
	"slices"
	"time"
)

// endpoint is an endpoint of the API that answers prompts.
type endpoint struct {
	prompt     string                     // the member that holds the prompt
	readPrompt func(q *request) *apiError // reads that member's value
	bareText   bool                       // the prompt may be a text instead of messages
	talks      bool                       // the prompt is a conversation
	anthropic  bool                       // it belongs to Anthropic's API
	generates  bool                       // it has output, which is billed
	append     func(dst []byte, q *request, a *answer) []byte
}

var (
	chat = &endpoint{prompt: "messages", readPrompt: (*request).readMessages, talks: true,
		generates: true, append: appendChat}
	responses = &endpoint{prompt: "input", readPrompt: (*request).readMessages, bareText: true, talks: true,
		generates: true, append: appendResponse}
	completions = &endpoint{prompt: "prompt", readPrompt: (*request).readInputs,
		generates: true, append: appendCompletion}
	embeddings = &endpoint{prompt: "input", readPrompt: (*request).readInputs,
		append: appendEmbeddings}
)

// ask returns the handler of e. The handler takes a request from its body to its answer.
func (s *Server) ask(e *endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		inFlight := int(s.inFlight.Add(1))
		defer s.inFlight.Add(-1)
		s.stats.peak(inFlight)

		b := pool.Get().(*buffers)
		defer b.release()
		most := int64(maxBody)
		if e.anthropic {
			most = anthropicBody
		}
		if r.ContentLength > most {
			s.fail(w, e.errBody(&http.MaxBytesError{Limit: most}))
			return
		}
		if r.ContentLength > 0 {
			// A length that is only announced gets no more room than a pooled buffer has.
			b.body.Grow(int(min(r.ContentLength+bytes.MinRead, keep)))
		}
		// The body is read to its end before anything is answered: only then does the server notice that
		// a client goes away.
		if _, err := b.body.ReadFrom(http.MaxBytesReader(w, r.Body, most)); err != nil {
			s.fail(w, e.errBody(err))
			return
		}
		if !s.places.take() {
			s.fail(w, s.crowded())
			return
		}
		defer s.places.leave()
		if s.out() {
			s.fail(w, s.outage())
			return
		}
		s.answer(w, r, e, b, inFlight)
	}
}

// answer serves a request that was admitted. inFlight includes this request.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, e *endpoint, b *buffers, inFlight int) {
	q := &b.request
	invalid := q.parse(e, &s.options, b.body.Bytes())
	if e.anthropic && r.Header.Get("Anthropic-Version") == "" {
		invalid = errVersion
	}
	if invalid == nil && len(s.options.Models) > 0 && !slices.Contains(s.options.Models, q.model) {
		invalid = errModel(q.model)
	}
	var blocks []block
	if invalid == nil {
		blocks, invalid = q.blocks()
	}
	var due toll // a bad request is charged as a request, but no tokens
	if invalid == nil {
		q.cached = s.cache.look(blocks, time.Now())
		due = q.toll(s.options.Output)
	}
	if refusal := s.limits.admit(w.Header(), q, due); refusal != nil {
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
	case pressure:
		s.fail(w, s.pressure(q.model))
		return
	case odd:
		s.fail(w, s.oddity(w.Header(), q.model))
		return
	case hang:
		s.hang(r)
		s.reset(w)
		return
	case noFault, truncate, lost:
		if bound := s.options.Quota; bound > 0 && s.sold.Add(1) > int64(bound) {
			s.fail(w, e.outOfMoney())
			return
		}
	}
	latency, left := s.latency(arrival, inFlight), s.linkLeft()
	if !s.wait(r, min(latency, left)) {
		s.stats.abandoned()
		s.reset(w)
		return
	}
	if left <= latency {
		s.cut(w)
		return
	}
	switch fault {
	case fail:
		s.fail(w, errServer)
		return
	case reset:
		s.reset(w)
		return
	case empty:
		s.reply(w, http.StatusOK, nil)
		return
	}
	a := q.answer(&s.options, fault == truncate)
	s.countMisfits(&a)
	s.cache.keep(blocks, time.Now())
	if s.options.RefundOutput {
		s.limits.refund(due.tokens - a.usage.prompt - a.usage.completion)
	}
	if e.anthropic {
		s.limits.spendOutput(w.Header(), a.usage.completion)
	}
	b.answer = s.layout(e.append(b.answer[:0], q, &a))
	if fault == garbage {
		s.reply(w, http.StatusOK, b.answer[:len(b.answer)/2])
		return
	}
	s.stats.answered(q.model, a.usage, q.cost(a.usage))
	if fault == lost {
		s.fail(w, errLost(s.options.LostStatus))
		return
	}
	s.reply(w, http.StatusOK, b.answer)
}

// countMisfits counts the spoilt objects in an answer.
func (s *Server) countMisfits(a *answer) {
	for i := range a.choices {
		s.stats.faulted(a.choices[i].misfit)
	}
}

// outOfMoney returns the refusal for an account without money.
func (e *endpoint) outOfMoney() *apiError {
	if e.anthropic {
		return errCredit
	}
	return errQuota
}

// out reports whether there is an outage now.
func (s *Server) out() bool {
	if len(s.options.Outage) == 0 {
		return false
	}
	since := time.Since(s.start)
	return slices.ContainsFunc(s.options.Outage, func(w Window) bool { return w.From <= since && since < w.To })
}
