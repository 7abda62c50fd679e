package provider

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// simSaltBatch keeps the choice of what fails in a batch apart from that of
// what fails outside of one.
const simSaltBatch = 0x6261746368

// simBatchWork answers the requests of a batch, in an order of its own.
type simBatchWork struct {
	sim   *Sim
	batch *simBatch
	in    *simBatchInput // nil for a batch whose input was refused

	order  []int // of the lines
	done   int   // how many of order have been got to
	counts simBatchCounts
	usage  simBatchUsage
	err    error // the first that reading met

	output, errors simOutputFile
	line           simBatchLine
	request        simRequest
	answer, text   []byte
}

func (s *Sim) newBatchWork(b *simBatch, in *simBatchInput) *simBatchWork {
	return &simBatchWork{sim: s, batch: b, in: in, order: simOrder(s.options.Seed, b.number, in.requests()),
		output: simOutputFile{files: &s.files}, errors: simOutputFile{files: &s.files}}
}

// simOrder is the order in which a batch answers its n requests: any but that
// of the file, on which clients must not rely.
func simOrder(seed uint64, batch, n int) []int {
	order := rand.New(rand.NewPCG(seed, uint64(batch))).Perm(n)
	if slices.IsSorted(order) {
		slices.Reverse(order)
	}
	return order
}

// run answers what the options let it get to, in about the time d, until ctx
// ends.
func (w *simBatchWork) run(ctx context.Context, d time.Duration) {
	o := &w.sim.options
	n := len(w.order)
	if o.BatchExpireFirst == 0 || w.batch.number <= o.BatchExpireFirst {
		n -= int(math.Round(o.BatchExpire * float64(n)))
	}
	w.counts.Total = len(w.order)
	for step := 1; step <= simBatchSteps && w.err == nil; step++ {
		pause(ctx, d/simBatchSteps)
		for w.done < n*step/simBatchSteps && w.err == nil && ctx.Err() == nil {
			w.next()
		}
		usage := w.usage
		w.sim.batches.update(w.batch, func(o *simBatchObject) { o.RequestCounts, o.Usage = w.counts, &usage })
		if ctx.Err() != nil {
			return
		}
	}
}

// missed is the number of requests that nobody got to.
func (w *simBatchWork) missed() int { return len(w.order) - w.done }

// read reads the next request in order into w.line.
func (w *simBatchWork) read() bool {
	text, err := w.in.line(w.order[w.done])
	if err != nil {
		w.err = err
		return false
	}
	w.done++
	// It was read before, and had no flaw.
	_ = w.line.parse(text)
	return true
}

// next answers the next request.
func (w *simBatchWork) next() {
	if !w.read() {
		return
	}
	s, q := w.sim, &w.request
	arrival := s.arrivals.Add(1)
	refusal := q.parse(w.batch.endpoint, s.options.Seed, w.line.body)
	switch {
	case refusal != nil:
	case simUnit(simMix(s.options.Seed^simSaltBatch, arrival)) < s.options.BatchFail:
		refusal = simErrServer
	case s.options.Quota > 0 && s.sold.Add(1) > int64(s.options.Quota):
		refusal = simErrQuota
	}
	if refusal != nil {
		w.counts.Failed++
		s.stats.batchFailed()
		w.answer = refusal.append(w.answer[:0])
		w.write(&w.errors, refusal.status)
		return
	}
	fault := s.options.fault(arrival)
	if fault == simTruncate {
		s.stats.faulted(fault)
	}
	a := q.answer(s.options.Output, fault == simTruncate)
	w.answer = w.batch.endpoint.append(w.answer[:0], q, &a)
	w.counts.Completed++
	w.usage.add(a.usage)
	s.stats.batchAnswered(q.model, a.usage)
	w.write(&w.output, http.StatusOK)
}

// write adds the line of the request in w.line, whose answer is in w.answer.
func (w *simBatchWork) write(file *simOutputFile, status int) {
	w.head()
	w.text = append(w.text, `,"response":{"status_code":`...)
	w.text = strconv.AppendInt(w.text, int64(status), 10)
	w.text = append(w.text, `,"request_id":"req_`...)
	w.text = append(w.text, simHex(simMix(w.request.hash, uint64(w.batch.number)))...)
	w.text = append(w.text, `","body":`...)
	w.text = append(w.text, bytes.TrimSuffix(w.answer, []byte("\n"))...)
	w.text = append(w.text, "},\"error\":null}\n"...)
	file.line(w.text)
}

// head begins the line of the request in w.line: {"id":…,"custom_id":…
func (w *simBatchWork) head() {
	w.text = append(w.text[:0], `{"id":"batch_req_`...)
	w.text = append(w.text, simHex(simMix(uint64(w.batch.number), uint64(w.order[w.done-1])))...)
	w.text = append(w.text, `","custom_id":`...)
	w.text = appendQuoted(w.text, w.line.customID)
}

// expire writes an error for each request that nobody got to, and leaves
// missed as it is.
func (w *simBatchWork) expire() {
	done := w.done
	for w.done < len(w.order) && w.read() {
		w.head()
		w.text = append(w.text, `,"response":null,"error":{"code":"batch_expired",`...)
		w.text = append(w.text, "\"message\":\"This request could not be executed before the completion window expired.\"}}\n"...)
		w.errors.line(w.text)
	}
	w.done = done
}

// discard removes what was written to no end.
func (w *simBatchWork) discard() {
	w.output.discard()
	w.errors.discard()
}
