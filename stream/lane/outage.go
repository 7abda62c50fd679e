package lane

import (
	"strings"
	"sync/atomic"

	"llmpipe/limiter"
	"llmpipe/stream/provider"
	"llmpipe/stream/record"
	"llmpipe/stream/ui"
)

// told is what the run has told the user about a lane so far.
type told struct {
	answered atomic.Bool // it did at least once
	found    atomic.Bool // a call has shown that there is an API at the lane's address
	hinted   atomic.Bool // the probable cause was said
	down     atomic.Bool // the user was told that it is down, not yet that it is back
}

// report says what q's reply shows for the first time: the lane cannot be reached, is down while
// records wait, or is back. streak is the one that the reply belongs to.
func (l *Lane) report(q *Request, streak *limiter.Streak) {
	switch q.reply.Class {
	case provider.OK:
		l.told.answered.Store(true)
		if l.told.down.Load() && !l.Pace.Stats().Open && l.told.down.CompareAndSwap(true, false) {
			l.patience.down.end()
			l.lanes.flow.Voice.Note("%s answers again", l.Host.Name)
		}
	case provider.Transient:
		if q.reply.Foreign {
			l.warnOnce(q.reply.Err, q.Record.Model, tryingAgain)
		}
		l.reportFailure(q.reply.Err, streak)
	case provider.Pressure:
		if streak != nil || q.reply.Status == 0 { // another lane takes over, or this machine lacks something
			l.reportFailure(q.reply.Err, streak)
		}
	}
}

func (l *Lane) reportFailure(err *record.Error, streak *limiter.Streak) {
	hint := l.Host.Client.ProxyHint(err)
	if hint == "" && err.Status == 0 {
		hint = l.addressHint(err)
	}
	here := true // the cause is this machine, not the provider
	switch {
	case strings.Contains(err.Message, tooManyFiles):
		hint = ui.MoreFiles
	case err.Type == provider.TypeKey:
		hint = keyCommandHint
	default:
		here = false
	}
	if hint != "" && (here || !l.told.answered.Load()) && l.told.hinted.CompareAndSwap(false, true) {
		l.lanes.flow.Voice.Warn("%s: %s%s", l.Host.Name, err.Message, tryingAgain)
		l.lanes.flow.Voice.Hint("%s", hint)
	}
	// A failure that was sent before an outage may come when that is over: it opens nothing.
	if streak.Opened() && !l.told.down.Load() && l.Pace.Stats().Open && l.told.down.CompareAndSwap(false, true) {
		l.patience.down.begin(l.lanes.cfg.GiveUp, l.silent)
		then := "records wait at most " + ui.Duration(l.lanes.cfg.GiveUp) + " for it, which costs them no attempt"
		if len(l.lanes.all) > 1 {
			then = "records go to another provider until it is back"
		}
		l.lanes.flow.Voice.Warn("%s fails every request, most recently with %s; %s", l.Host.Name, err, then)
		l.lanes.sleepers.hasten(l.Host)
	}
}

// tryingAgain ends the warning of a failure that is retried.
const tryingAgain = "; trying again"

// tooManyFiles is the system's message when a process may open no more files.
const tooManyFiles = "too many open files"
