package stream

import (
	"errors"

	"llmpipe/stream/provider/share"
	"llmpipe/stream/ui"
)

// notYet is why a run does not begin now, although the same command may later.
type notYet struct{ error }

// Unwrap returns the reason.
func (n notYet) Unwrap() error { return n.error }

// simulatedJob is behind the name of a job whose first provider is simulated here: what that costs
// is no money.
const simulatedJob = "~sim"

// joinJob connects to the server of --share.
func (r *run) joinJob() (err error) {
	if r.cfg.Share.Job == "" || r.cfg.DryRun {
		return nil
	}
	if r.hosts[0].Client.Simulated() {
		r.cfg.Share.Job += simulatedJob
	}
	if r.share, err = share.Open(r.flow.Stop.Asking, r.cfg.Share); err == nil {
		r.quota = share.NewQuota(r.share)
		return nil
	}
	var t *share.Trouble
	if errors.As(err, &t) {
		err = ui.WithHint(t.Hint, err)
		if t.Passes {
			return notYet{err}
		}
	}
	return err
}
