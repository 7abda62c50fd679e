package line

import "fmt"

// Result is a request that was answered.
//
// A Result that is read into again and again keeps its buffers. So ID, Response and Attachments are
// valid only until the next read, also in copies of the Result.
type Result struct {
	Record

	// DowngradedFrom is the model that was asked for, if the budget changed it.
	DowngradedFrom string

	// CostStated says that the provider itself stated CostNanos, so that it was not computed from
	// tokens and a price.
	CostStated bool

	// SameAs is the id of the record that this answer is from: that record was asked, and this one,
	// with an equal request, was not. It is nil otherwise.
	SameAs []byte

	// Fits says that the response was checked against a schema and fits. Misfit is the place of the
	// first fault if it does not fit, as a URI fragment; it is empty if the response fits or was not
	// checked.
	Fits   bool
	Misfit string
	// Earlier is what the answers before this one used, in earlier turns; they did not fit. Each has a
	// line of its own.
	Earlier Earlier

	CachedTokens    int64 // the part of PromptTokens that was billed as cached
	ReasoningTokens int64 // the part of CompletionTokens that is not in the answer

	Attachments []Attachment // files that the request held, in its order

	Response []byte // the response body: one JSON value on one line

	fields fields
	kept   []byte // the memory of ID and Response after Keep
}

// AppendResult appends the line of a result.
func AppendResult(dst []byte, r *Result, run string, simulated bool) ([]byte, error) {
	if err := r.check(); err != nil {
		return dst, err
	}
	if !oneLineOfJSON(r.Response) {
		return dst, fmt.Errorf("%w: the response of id %s is not JSON on one line", ErrUnwritable, r.ID)
	}
	from := len(dst)
	dst = r.appendHead(dst, resultStart, run, simulated)
	dst = appendText(dst, "downgraded_from", r.DowngradedFrom)
	dst = appendFlag(dst, "cost_stated", r.CostStated)
	if r.SameAs != nil {
		dst = append(append(dst, `,"same_as":`...), r.SameAs...)
	}
	dst = appendFlag(dst, "fits", r.Fits)
	dst = appendText(dst, "misfit", r.Misfit)
	dst = r.Earlier.append(dst)
	dst = r.appendTokens(dst)
	dst = appendNumber(dst, "cached_tokens", r.CachedTokens)
	dst = appendNumber(dst, "reasoning_tokens", r.ReasoningTokens)
	dst = r.appendAttempts(dst)
	dst = appendAttachments(dst, r.Attachments)
	dst = append(dst, `,"`+responseName+`":`...)
	dst = append(dst, r.Response...)
	return r.finish(dst, from)
}

// Decode fills a result from its line; ID and Response are parts of that line. An error is
// [ErrMalformed].
func (r *Result) Decode(line []byte) error {
	before, downgradedFrom, misfit := r.names(), r.DowngradedFrom, r.Misfit
	*r = Result{kept: r.kept, fields: r.fields, Attachments: r.Attachments[:0]}
	f := &r.fields
	f.start(line)
	for {
		more, err := f.next()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		ok := true
		switch string(f.name) {
		case "downgraded_from":
			ok = f.string(&r.DowngradedFrom, downgradedFrom)
		case "cost_stated":
			ok = f.bool(&r.CostStated)
		case "fits":
			ok = f.bool(&r.Fits)
		case "misfit":
			ok = f.string(&r.Misfit, misfit)
		case "same_as":
			r.SameAs = f.value
		case "cached_tokens":
			ok = f.integer(&r.CachedTokens)
		case "reasoning_tokens":
			ok = f.integer(&r.ReasoningTokens)
		case attachmentsName:
			ok = f.attachments(&r.Attachments)
		case responseName:
			r.Response = f.value
		default:
			if r.Earlier.set(&f.field, &ok) {
				break
			}
			ok = r.set(&f.field, &before)
		}
		if !ok {
			return ErrMalformed
		}
	}
	if len(r.ID) == 0 || len(r.Response) == 0 {
		return ErrMalformed
	}
	return nil
}

// Keep makes a decoded result independent of its line's memory.
func (r *Result) Keep() {
	kept := append(append(append(r.kept[:0], r.ID...), r.SameAs...), r.Response...)
	id, same := len(r.ID), len(r.ID)+len(r.SameAs)
	r.ID, r.Response = kept[:id:id], kept[same:]
	if r.SameAs != nil {
		r.SameAs = kept[id:same:same]
	}
	r.kept, r.fields = kept, fields{field: field{text: r.fields.text}}
}
