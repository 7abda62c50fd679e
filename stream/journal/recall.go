package journal

import (
	"errors"
	"fmt"

	"llmpipe/ledger"
	"llmpipe/stream/flow"
	"llmpipe/stream/record"
)

// Recall gives t the result that is recorded for it, and reports whether there is one that serves.
// A result serves if it fits the schema and t's files have not changed since. Otherwise t is to be
// asked; an answer of its own that does not fit the schema counts as the previous turn.
//
// If the record's own result does not serve, a newer result of an equal request may. If neither
// does, t.Ref is the newer one.
func (j *Journal) Recall(t *flow.Task, found ledger.Found) bool {
	if j.recall(t, found) {
		return true
	}
	own, same := t.Ref, ledger.Ref(0)
	if own != 0 && found.Shard == "" {
		same = j.Ledger.Same(t.Key)
	}
	return same != 0 && same.Newer(own) && j.recall(t, ledger.Found{})
}

func (j *Journal) recall(t *flow.Task, found ledger.Found) bool {
	return j.Finds(t, found) && j.readResult(t, j.Ledger.NewReader()) == nil && t.Outcome == flow.Recalled && j.Stands(t, &t.Recorded)
}

// Finds makes t a recalled record if a result is recorded for it, and reports whether there is one.
// The result itself is read later.
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

// readResult reads t's result with r, and parses it. If reading fails, the run ends and t is
// unsent. After an error, t has no result that serves: ledger.ErrMismatch if the result is another
// record's, errMisfit if it does not fit the schema.
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
		endpoint, err = record.ParseEndpoint(t.Recorded.Endpoint) // with MatchID it may differ from t's
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

// unfind undoes Finds: t counts as a record without a result.
func unfind(t *flow.Task) {
	t.Outcome, t.Emitted, t.Claimed, t.Recent, t.Same = flow.Unsent, false, false, false, false
}

// errMisfit says that a recorded answer does not fit the schema.
var errMisfit = errors.New("the recorded answer does not fit the schema")

// fit checks t's recorded answer against the schema. If the answer does not fit, t has no result
// and is to be asked again, and the answer counts as the previous turn. There are two exceptions:
// the answer is another record's, or t's files have changed since. Then t is asked as if it had no
// answer yet.
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

// putBehind adds what t's recorded answer took to what the earlier answers took.
func (j *Journal) putBehind(t *flow.Task) {
	r := &t.Recorded
	t.Shaped.PutBehind(r.Attempts, r.CostNanos, r.CostKnown, r.CostPartial, &t.Reply.Answer.Usage)
}

// Before adds what t's recorded answer took to what the earlier answers took, if t's next answer
// goes on with the same conversation. It does so if the recorded answer does not fit the schema, or
// if turn is true, because an earlier run may have had another schema.
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
