package stream

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"llmpipe/ledger"
	"llmpipe/stream/ui"
)

// Exit codes. After a signal the code is 128 plus its number.
const (
	ExitOK         = 0
	ExitFailed     = 1  // the run failed
	ExitUsage      = 2  // the command line is wrong
	ExitIncomplete = 3  // done, but some records failed
	ExitBudget     = 4  // the budget stopped it
	ExitPaused     = 75 // not finished, and the same command continues it (EX_TEMPFAIL of sysexits.h)
)

// ExitCodes says what the exit codes mean, for --help.
const ExitCodes = `  0     every record was answered
  1     the run failed: input or output, configuration, a wrong key, an unknown model, a damaged ledger
  2     the command line is wrong
  3     done, but some records failed
  4     the budget stopped it
  75    not finished, and the same command continues it
  128+n ended by signal n
  When several apply: 1, signal, 75, 4, 3.
`

// Outcome is how a run ended.
type Outcome struct {
	Summary ui.Summary
	Err     error     // why the run failed, nil if it did not
	Signal  os.Signal // what ended it; SIGPIPE when the reader of stdout went away
	Budget  error     // why the money was not enough
	Paused  error     // why it is not finished, although the same command continues it
}

// ExitCode is the process's exit code. If several reasons apply, the first of these counts: a
// failure, a signal, a pause, the end of the money, failed records.
func (o *Outcome) ExitCode() int {
	switch {
	case o.Err != nil:
		return ExitFailed
	case o.Signal != nil:
		if n, ok := o.Signal.(syscall.Signal); ok {
			return 128 + int(n)
		}
		return ExitFailed
	case o.Paused != nil:
		return ExitPaused
	case o.Budget != nil:
		return ExitBudget
	case o.Summary.Failed > 0:
		return ExitIncomplete
	}
	return ExitOK
}

// DieOf is the signal that the process should die of. It is nil if there was none, or if an error
// outranks it.
func (o *Outcome) DieOf() os.Signal {
	if o.Err != nil {
		return nil
	}
	return o.Signal
}

// Ended is a run that did not end well, as an error.
type Ended struct{ *Outcome }

// ReaderLeft turns an error of writing to stdout into an [Ended] by SIGPIPE if the reader of stdout
// went away. Other errors stay as they are.
func ReaderLeft(err error) error {
	if ui.IsClosedPipe(err) {
		return &Ended{&Outcome{Signal: sigpipe}}
	}
	return err
}

// Error implements [error].
func (e *Ended) Error() string { return "the run did not end well" }

// outcome says how the run ended. complete says that every stage has ended; otherwise the run must
// not wait for them.
func (r *run) outcome(complete bool) *Outcome {
	unsent := r.flow.Counts.Unsent.Load()
	why := r.flow.Stop.Reasons()
	o := &Outcome{Summary: r.summary(), Err: why.Err, Signal: why.Signal, Paused: why.Unfinished, Budget: why.Budget}
	if complete && o.Err == nil {
		o.Err = r.in.InputError
	}
	if o.Signal == nil && why.Pipe {
		o.Signal = sigpipe
	}
	if complete && unsent > 0 && o.Err == nil && o.Signal == nil && o.Budget == nil && o.Paused == nil {
		o.Err = fmt.Errorf("%w: %d were left out without a reason", errMiscount, unsent)
	}
	if complete && unsent != o.Summary.Unsent && o.Err == nil {
		o.Err = fmt.Errorf("%w: in %d, ok %d, failed %d, unsent %d", errMiscount, o.Summary.In, o.Summary.OK, o.Summary.Failed, unsent)
	}
	return o
}

// ending is how the run ends, for the ledger.
func (r *run) ending() ledger.RunEnd {
	o := r.outcome(true)
	s := &o.Summary
	return ledger.RunEnd{
		Time: time.Now(), Exit: o.ExitCode(), In: s.In, OK: s.OK, Failed: s.Failed, Skipped: s.Skipped, Unsent: s.Unsent,
		Retries: s.Retries, Status429: s.Status429,
	}
}

var errMiscount = errors.New("records were miscounted: this is a bug in llmpipe")
