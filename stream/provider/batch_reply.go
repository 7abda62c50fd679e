package provider

import (
	"net/http"

	"llmpipe/stream/record"
)

// JudgeFault tells by the table what a reason why a batch failed as a whole means.
func JudgeFault(fault *BatchFault) Class {
	e := evidence{status: http.StatusOK, unasked: true, said: record.Error{Code: fault.Code, Message: fault.Message}}
	return e.rule().Class
}

// JudgeBatch fills r, whose buffer it reuses, from a line of a batch's output or error file, as Ask does from an HTTP answer: Class, Err,
// Answer, Status and Body. Where the line has no answer but an error of its own, such as batch_expired, nobody asked the model: the class
// is Transient, unless the error is one that the table knows better. out may be used again afterwards.
func (r *Reply) JudgeBatch(endpoint record.Endpoint, out *record.BatchOutput) {
	r.reset()
	r.Status = out.Status
	r.Body = append(r.Body, out.Body...)
	if out.Err == nil || len(out.Body) > 0 {
		r.judge(endpoint, nil)
		return
	}
	e := evidence{status: out.Status, said: *out.Err}
	if e.status == 0 {
		e.status, e.unasked = http.StatusOK, true
	}
	e.embedded = e.success()
	r.apply(e)
}
