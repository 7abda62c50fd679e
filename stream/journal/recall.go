package journal

import (
	"errors"
	"fmt"

	"llmpipe/ledger"
	"llmpipe/stream/flow"
	"llmpipe/stream/record"
)

// Recall gives t the result that is recorded for it, and reports whether there is one that serves:
// one that does not fit the schema leaves t to be asked, with that as what was said before, and so
// does one about files that have changed.
//
// Where the record's own does not serve, a newer one to an equal request may.
func (j *Journal) Recall(t *flow.Task, found ledger.Found) bool {
	if j.recall(t, found) {
		return true
	}
	own, same := t.Ref, ledger.Ref(0)
	if own != 0 && found.Shard == "" {
		same = j.Ledger.Same(t.Key)
	}
	if same <= own {
		return false
	}
	if j.recall(t, ledger.Found{}) {
		return true
	}
	t.Ref = own
	return false
}

func (j *Journal) recall(t *flow.Task, found ledger.Found) bool {
	return j.Finds(t, found) && j.readResult(t, j.Ledger.NewReader()) == nil && t.Outcome == flow.Recalled && j.Stands(t, &t.Recorded)
}

// Finds makes t a recalled record if a result is recorded for it, and reports that. The result is
// read later.
func (j *Journal) Finds(t *flow.Task, found ledger.Found) bool {
	t.Ref = found.Result
	if t.Ref == 0 && j.cfg.MatchID {
		t.Ref = found.Other
	}
	if t.Ref == 0 && found.Shard == "" {
		t.Ref = j.Ledger.Same(t.Key)
		t.Same = t.Ref != 0
	}
	if t.Ref == 0 {
		return false
	}
	t.Outcome, t.Recent = flow.Recalled, j.Ledger.Recent(t.Ref)
	t.Emitted, t.Claimed = found.Emitted, found.Claimed
	return true
}

// readResult reads t's result with r, and parses it. If that fails the run ends, and t is unsent.
// After an error t has no result that serves: ledger.ErrMismatch if there is none of it, errMisfit
// if it does not fit the schema.
func (j *Journal) readResult(t *flow.Task, r *ledger.Reader) error {
	request := &t.Request
	if j.cfg.MatchID {
		request = nil
	}
	var err error
	if t.Same {
		err = r.ReadSame(t.Ref, &t.Request, &t.Recorded)
	} else {
		err = r.ReadMatch(t.Ref, t.ID, request, &t.Recorded)
	}
	if errors.Is(err, ledger.ErrMismatch) {
		unfind(t)
		return err
	}
	if err == nil {
		var endpoint record.Endpoint
		endpoint, err = record.ParseEndpoint(t.Recorded.Endpoint) // with MatchID it may be another than t's
		if err == nil {
			t.Reply.Answer, err = record.RecallAnswer(endpoint, t.Recorded.Response)
		}
		if err != nil {
			err = fmt.Errorf("ledger %s: the result of %s: %w", j.cfg.Path, t, err)
		}
	}
	if err != nil {
		j.flow.Stop.Fail(Hint(err))
		t.Outcome = flow.Unsent
		return nil
	}
	return j.fit(t)
}

// unfind takes back that something is recorded for t.
func unfind(t *flow.Task) {
	t.Outcome, t.Emitted, t.Claimed, t.Recent, t.Same = flow.Unsent, false, false, false, false
}

// errMisfit is that a recorded answer does not fit the schema.
var errMisfit = errors.New("the recorded answer does not fit the schema")

// fit holds t's recorded answer to the schema. Where it does not fit, t has none: it is to be asked
// again, and what is recorded is what came before; but not where that is another record's, or about
// files that have changed: then it is asked as if nothing had been said.
func (j *Journal) fit(t *flow.Task) error {
	r := &t.Recorded
	j.cfg.Shape.Fit(t)
	if t.Shaped == nil && r.Earlier.Turns > 0 {
		t.Shaped = new(flow.Shaped)
	}
	switch {
	case t.Shaped == nil:
		return nil
	case t.Misfit() && t.Same:
		t.Shaped.Foreign = true
		unfind(t)
		return errMisfit
	case t.Misfit() && !j.Stands(t, r):
		t.Shaped = nil
		return errMisfit
	case !t.Same:
		t.Shaped.Earlier = r.Earlier
	}
	misfit := t.Misfit()
	if misfit {
		j.putBehind(t)
	}
	if t.Duplicate {
		t.Shaped.Elsewhere = t.Shaped.Earlier
	}
	if !misfit {
		return nil
	}
	unfind(t)
	return errMisfit
}

// putBehind puts what t's recorded answer took behind the one that is to come.
func (j *Journal) putBehind(t *flow.Task) {
	r := &t.Recorded
	t.Shaped.PutBehind(r.Attempts, r.CostNanos, r.CostKnown, r.CostPartial, &t.Reply.Answer.Usage)
}

// Before puts what t's recorded answer took behind the one that comes now, which was asked for
// because that did not serve. It is a part of the same conversation where it does not fit the
// schema, or where turn says so: that may have been another schema.
func (j *Journal) Before(t *flow.Task, found ledger.Found, turn bool) {
	if !j.Finds(t, found) || j.readResult(t, j.Ledger.NewReader()) != nil || t.Outcome != flow.Recalled {
		return
	}
	if turn {
		if t.Shaped == nil {
			t.Shaped = new(flow.Shaped)
		}
		j.putBehind(t)
		if t.Duplicate {
			t.Shaped.Elsewhere = t.Shaped.Earlier
		}
	} else if t.Shaped != nil {
		t.Shaped.Earlier, t.Shaped.Elsewhere = ledger.Earlier{}, ledger.Earlier{}
	}
	unfind(t)
}
