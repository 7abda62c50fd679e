package stream

import (
	"context"
	"os"

	"llmpipe/stream/flow"
)

// watchReader ends the run when the reader of stdout goes away before ctx ends.
func (r *run) watchReader(ctx context.Context) {
	if f, ok := r.cfg.Stdout.(*os.File); ok && readerGone(ctx, f) {
		r.flow.Stop.ClosedPipe(r.recording())
	}
}

// watchSignals does what signals ask for, until ctx ends.
func (r *run) watchSignals(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case sig := <-r.signals:
			r.hear(sig)
		}
	}
}

// Ends reports whether a signal asks the process to end. The signal that asks for the status does
// not. Neither does SIGPIPE: it comes from sockets too, and the write that caused it returns an
// error.
func Ends(sig os.Signal) bool { return !wantsStatus(sig) && sig != sigpipe }

// hear does what a signal asks for.
func (r *run) hear(sig os.Signal) {
	switch {
	case wantsStatus(sig):
		r.flow.Voice.Say(r.status().String())
	case Ends(sig) && r.flow.Stop.Signal(sig):
		r.flow.Voice.Note("%s: waiting for requests in flight, at most %s; a second signal ends the run at once", sig, flow.DrainTime)
	}
}

// recording reports whether answers are recorded. If so, those in flight are worth waiting for.
func (r *run) recording() bool { return r.cfg.Ledger.Path != "" }
