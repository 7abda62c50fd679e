package sim

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// saltBatch makes the choice of what fails in a batch independent of the choice outside of batches.
const saltBatch = 0x6261746368

// batchWork answers the requests of a batch, in an order of its own.
type batchWork struct {
	sim   *Server
	batch *batch
	in    *batchInput // nil for a batch whose input was refused

	order  []int // the lines' indexes
	done   int   // how many requests of order were processed
	counts batchCounts
	usage  batchUsage
	err    error // the first error of reading

	output, errors outputFile
	line           batchLine
	request        request
	answer, text   []byte
}

func (s *Server) newBatchWork(b *batch, in *batchInput) *batchWork {
	return &batchWork{sim: s, batch: b, in: in, order: order(s.options.Seed, b.number, in.requests()),
		output: outputFile{files: &s.files}, errors: outputFile{files: &s.files}}
}

// order returns the order in which a batch answers its n requests. If n > 1 it is never the file's
// order, because clients must not rely on that.
func order(seed uint64, batch, n int) []int {
	order := rand.New(rand.NewPCG(seed, uint64(batch))).Perm(n)
	if slices.IsSorted(order) {
		slices.Reverse(order)
	}
	return order
}

// run answers the requests that the options let the batch reach, in about the time d. It stops when
// ctx ends.
func (w *batchWork) run(ctx context.Context, d time.Duration) {
	o := &w.sim.options
	n := len(w.order)
	if o.BatchExpireFirst == 0 || w.batch.number <= o.BatchExpireFirst {
		n -= int(math.Round(o.BatchExpire * float64(n)))
	}
	w.counts.Total = len(w.order)
	for step := 1; step <= batchSteps && w.err == nil; step++ {
		pause(ctx, d/batchSteps)
		for w.done < n*step/batchSteps && w.err == nil && ctx.Err() == nil {
			w.next()
		}
		usage := w.usage
		w.sim.batches.update(w.batch, func(o *batchObject) { o.RequestCounts, o.Usage = w.counts, &usage })
		if ctx.Err() != nil {
			return
		}
	}
}

// missed returns the number of requests that were not processed.
func (w *batchWork) missed() int { return len(w.order) - w.done }

// read reads the next request in order into w.line. It returns false if that fails.
func (w *batchWork) read() bool {
	text, err := w.in.line(w.order[w.done])
	if err != nil {
		w.err = err
		return false
	}
	w.done++
	// The line was parsed before and had no flaw.
	_ = w.line.parse(text, w.sim.bare())
	return true
}

// next answers the next request.
func (w *batchWork) next() {
	if !w.read() {
		return
	}
	s, q := w.sim, &w.request
	arrival := s.arrivals.Add(1)
	refusal := q.parse(w.batch.endpoint, &s.options, w.line.body)
	switch {
	case refusal != nil:
	case unit(mix(s.options.Seed^saltBatch, arrival)) < s.options.BatchFail:
		refusal = errServer
	case s.options.Quota > 0 && s.sold.Add(1) > int64(s.options.Quota):
		refusal = w.batch.endpoint.outOfMoney()
	}
	if models := s.options.Models; refusal == nil && w.batch.messages && len(models) > 0 && !slices.Contains(models, q.model) {
		refusal = errModel(q.model)
	}
	if refusal != nil {
		w.counts.Failed++
		s.stats.batchFailed()
		w.answer = w.batch.endpoint.appendError(w.answer[:0], refusal)
		w.write(&w.errors, refusal.status)
		return
	}
	fault := s.options.fault(arrival)
	if fault == truncate {
		s.stats.faulted(fault)
	}
	a := q.answer(&s.options, fault == truncate)
	s.countMisfits(&a)
	w.answer = w.batch.endpoint.append(w.answer[:0], q, &a)
	w.counts.Completed++
	w.usage.add(a.usage)
	s.stats.batchAnswered(q.model, a.usage)
	w.write(&w.output, http.StatusOK)
}

// write writes the answer in w.answer, to the request in w.line, as a line of file. A Message Batch
// has one file for all its results, w.output.
func (w *batchWork) write(file *outputFile, status int) {
	if w.batch.messages {
		kind, member := "succeeded", "message"
		if status != http.StatusOK {
			kind, member = "errored", "error"
		}
		w.writeResult(kind, member)
		return
	}
	w.head()
	w.text = append(w.text, `,"response":{"status_code":`...)
	w.text = strconv.AppendInt(w.text, int64(status), 10)
	w.text = append(w.text, `,"request_id":"req_`...)
	w.text = append(w.text, hex(mix(w.request.hash, uint64(w.batch.number)))...)
	w.text = append(w.text, `","body":`...)
	w.text = append(w.text, bytes.TrimSuffix(w.answer, []byte("\n"))...)
	w.text = append(w.text, "},\"error\":null}\n"...)
	file.line(w.text)
}

// head begins the line that answers the request in w.line: {"id":…,"custom_id":…
func (w *batchWork) head() {
	w.text = append(w.text[:0], `{"id":"batch_req_`...)
	w.text = append(w.text, hex(mix(uint64(w.batch.number), uint64(w.order[w.done-1])))...)
	w.text = append(w.text, `","custom_id":`...)
	w.text = appendQuoted(w.text, w.line.customID)
}

// expire writes an error for each request that was not processed. It does not change what missed
// returns.
func (w *batchWork) expire() {
	done := w.done
	for w.done < len(w.order) && w.read() {
		if w.batch.messages {
			kind := "expired"
			if errors.Is(context.Cause(w.batch.ctx), errSimCancelled) {
				kind = "canceled"
			}
			w.writeResult(kind, "")
			continue
		}
		w.head()
		w.text = append(w.text, `,"response":null,"error":{"code":"batch_expired",`...)
		w.text = append(w.text, "\"message\":\"This request could not be executed before the completion window expired.\"}}\n"...)
		w.errors.line(w.text)
	}
	w.done = done
}

// discard removes output files that were not completed.
func (w *batchWork) discard() {
	w.output.discard()
	w.errors.discard()
}
