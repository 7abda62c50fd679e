package stream

import "llmpipe/stream/ui"

// tellLeft says how far a run came that ended before everything was answered. The records that were
// read and not asked about are only a part of what is left. If a signal ended the run, tellLeft
// also says how to go on. For other ends the error says that.
func (r *run) tellLeft(o *Outcome) {
	s := &o.Summary
	total, estimated := r.expected(s.In, s.Skipped)
	why := r.flow.Stop.Reasons()
	switch {
	case r.cfg.DryRun || why.Err != nil || why.Signal == nil && o.Paused == nil && o.Budget == nil:
		return
	case s.Unsent == 0 && s.In == total:
		return
	}
	text := ui.Grouped(s.OK) + " answered; the input was not read to its end"
	switch {
	case total > 0 && estimated:
		text = ui.Grouped(s.OK) + " of about " + ui.Grouped(total) + " answered"
	case total > 0:
		text = ui.Grouped(s.OK) + " of " + ui.Grouped(total) + " answered"
	}
	if n := r.givenUp.Load(); n > 0 {
		text += "; " + ui.Number(n, "request") + " in flight given up, which may be billed"
	}
	switch {
	case why.Signal == nil:
		r.flow.Voice.Note("%s", text)
	case r.recording():
		r.flow.Voice.Note("%s; the same command continues where it stopped", text)
	default:
		r.flow.Voice.Note("%s; without a ledger the same command sends all of them again", text)
		r.flow.Voice.Hint("remove the answered records from the input, or leave --no-ledger out the next time: a ledger remembers them")
	}
}

// expected returns how many records there will be, and whether that is an estimate. total is 0 if
// nothing tells. read is how many records were read so far, and recorded how many of those have a
// recorded result.
func (r *run) expected(read, recorded int64) (total int64, estimated bool) {
	if r.in.Whole() {
		return read, false
	}
	total, exact, ok := r.source.Expected(read, recorded)
	if !ok {
		return 0, false
	}
	return max(total, read), !exact
}
