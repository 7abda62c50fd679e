package batch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"llmpipe/ledger"
	"llmpipe/stream/flow"
	"llmpipe/stream/provider"
	"llmpipe/stream/provider/batchapi"
	"llmpipe/stream/record"
	"llmpipe/stream/ui"
)

// maxRounds is how many batches a record may go through: what expired batches leave over is
// submitted again.
const maxRounds = 3

// collect downloads the answers of the ended batch, in whatever state it ended, and delivers them.
func (s *shard) collect(ctx context.Context, state *batchapi.Batch) error {
	found := newAnswers()
	defer found.discard()
	if err := s.download(ctx, state, found); err != nil {
		if notThere(err) {
			err = ui.WithHint(s.forgetHint(), fmt.Errorf("batch %s: the provider no longer has its answers: %w", s.at.batchID, err))
		}
		return err
	}
	if state.Status == batchFailed {
		if err := s.blame(state, found); err != nil {
			return err
		}
	}
	return s.conclude(state.Status, found)
}

// lateTries is how often missing or incomplete answers are downloaded again, and lateWait the least
// wait between two tries. Files may come some seconds after the batch has ended.
const (
	lateTries = 5
	lateWait  = time.Second
)

// download fetches the files of answers. It tries again if a file is not there yet, or if the files
// hold fewer answers than the batch reports: a proxy may have replaced them, and the answers are
// paid for. After lateTries it settles for the answers that are there, and the other records are
// submitted again. If there is no answer at all, it keeps trying as long as retry does.
func (s *shard) download(ctx context.Context, state *batchapi.Batch, found *answers) error {
	late, short, some := 0, "", false
	err := s.retry(ctx, "downloading the answers of batch "+s.at.batchID, func() error {
		found.discard()
		short, some = "", false
		for _, id := range []string{state.OutputFile, state.ErrorFile} {
			if id == "" {
				continue
			}
			err := s.fetch(ctx, id, found)
			if notThere(err) && late < lateTries {
				late++
				return notYet(err.Error())
			}
			if err != nil {
				return err
			}
			if id == state.OutputFile {
				n, err := found.count()
				if err != nil {
					return err
				}
				some = n > 0
			}
		}
		n, err := found.count()
		want := state.Lines
		if err != nil || n >= want {
			return err
		}
		short = fmt.Sprintf("the files of batch %s hold %s of %s answers", s.at.batchID, ui.Grouped(n), ui.Grouped(want))
		if late++; late > lateTries && some {
			return nil
		}
		if again, lookErr := s.driver.Batch(ctx, s.at.batchID); lookErr == nil && again.Ended() {
			*state = again // it may name its files now
		}
		return notYet(short)
	})
	if short != "" && some && ctx.Err() == nil {
		s.flow.Voice.Warn("%s: the missing ones are submitted again", short)
		return nil
	}
	return err
}

// notYet returns the error for something that may be there, or be complete, in a moment. It says
// nothing about the provider's address.
func notYet(message string) error {
	return &provider.CallError{Class: provider.Transient, Hint: lateWait, Err: &record.Error{Type: "not_ready", Message: message}}
}

// fetch downloads a file of answers.
func (s *shard) fetch(ctx context.Context, id string, found *answers) error {
	file, err := flow.NewTemporary("llmpipe-answers-")
	if err != nil {
		return err
	}
	found.files = append(found.files, file)
	return s.batches.transfer(ctx, func() error {
		return s.driver.Download(ctx, id, file)
	})
}

// blame finds out why the provider refused to run a batch. An error in a line fails that record,
// and the other records are submitted again. An error of the whole batch fails every record. But
// before the run has any answer, the configuration is the more likely cause, so the error ends the
// run.
func (s *shard) blame(state *batchapi.Batch, found *answers) error {
	lines := make(map[int64]*record.Error)
	var model *record.Error
	for _, fault := range state.Errors {
		err := &record.Error{Type: "batch_rejected", Code: fault.Code, Message: fault.Message}
		switch {
		case provider.JudgeFault(err) == provider.Exhausted:
			if s.wanted() {
				s.exhausted(err)
			}
			found.all, found.stopped = nil, true
			return nil
		case fault.Line == 0 && provider.FileTooLarge(err):
			if tooLarge := s.tooLarge(err); s.rest.most == 0 {
				found.all = s.refusedAlone(tooLarge).all
			}
			return nil
		case provider.AboutModel(err) || isModel(fault.Param) && fault.Code != "model_mismatch":
			model = err
		case fault.Line > 0:
			lines[fault.Line] = err
		case !isFileNotFound(fault): // else the file will be there next time
			found.all = err
		}
	}
	switch {
	case model != nil: // all the batch's requests are to it
		found.all, lines = model, nil
	case len(lines) > 0:
		found.all = nil // the errors of lines say more
	}
	if found.all != nil && !s.wanted() {
		s.flow.Voice.Warn("the provider refused batch %s: %v", s.at.batchID, found.all)
	} else if found.all != nil && s.flow.Counts.OK.Load() == s.flow.Counts.Skipped.Load() {
		e := ledger.ShardEntry{Step: ledger.ShardCollected, State: state.Status, Missing: s.file.requests, CostKnown: true}
		if err := s.record(e); err != nil {
			return err
		}
		s.deleteFile()
		return fmt.Errorf("the provider refused batch %s: %w", s.at.batchID, found.all)
	}
	if len(lines) == 0 {
		return nil
	}
	number := int64(0)
	return s.journal.Ledger.ReadShard(s.id, func(r ledger.ShardRecord) error {
		number++
		if err := lines[number]; err != nil {
			found.refused[s.customID(r.ID, &r.Request)] = err
		}
		return nil
	})
}

// isModel reports whether a fault's parameter is the model.
func isModel(param string) bool { return param == "model" || param == "body.model" }

// deleteFile deletes the batch's input file, which is no longer needed. If that fails, the file
// only takes up space.
func (s *shard) deleteFile() {
	if s.cfg.KeepFiles || s.at.fileID == "" || s.driver.Files() == nil {
		return
	}
	if err := s.driver.Files().Delete(s.flow.Stop.Waiting, s.at.fileID); err != nil && !notThere(err) {
		s.flow.Voice.Detail("%v", err)
	}
}

// exhausted pauses the run because the account has nothing left.
func (s *shard) exhausted(err *record.Error) { s.flow.Stop.Pause(s.batches.lane.Exhausted(err, 0)) }

// isFileNotFound reports whether a batch failed because its file was not visible yet, which passes.
func isFileNotFound(fault batchapi.Fault) bool {
	return strings.Contains(strings.ToLower(fault.Message), "find file")
}

// errUnrecorded says that answers of the batch could not be recorded. The batch stays pending, and
// the next run collects it again. The cause has ended this run.
var errUnrecorded = errors.New("answers could not be recorded")

// conclude delivers the answers, and records that the shard is collected. Records without an answer
// are left over. A batch that never ran costs them no round.
func (s *shard) conclude(status string, found *answers) error {
	s.batches.replaying.Lock()
	defer s.batches.replaying.Unlock()
	if err := s.unmark(found); err != nil {
		return err
	}
	// The index of answers is in memory for one shard at a time.
	strange, err := found.read()
	if err != nil {
		return err
	}
	if strange > 0 {
		s.flow.Voice.Warn("batch %s: its files have %s that cannot be read as answers", s.at.batchID, ui.Number(strange, "line"))
	}
	s.rest.round = s.round + 1
	if status == stateVoid || status == "" || s.rest.most > 0 {
		s.rest.round = s.round
	}
	h := &delivery{flow: s.flow, shard: s, account: s.account, journal: s.journal, found: found, status: status,
		asked:   make(map[ledger.Key]bool),
		refused: make(map[ledger.Key]bool)}
	if err := h.hand(); err != nil {
		return err
	}
	if n := found.untaken(); n > 0 {
		s.flow.Voice.Warn("batch %s: its files have %s to requests that it does not contain", s.at.batchID, ui.Number(n, "answer"))
	}
	s.answered.Committing.Wait()
	if s.flow.Unrecorded.Load() {
		return errUnrecorded
	}
	if err := h.handSame(); err != nil {
		return err
	}
	if status != "" { // else another process has recorded that, or the ledger does not know the shard
		e := ledger.ShardEntry{
			Step: ledger.ShardCollected, State: status, Answered: h.answered, Failed: h.failed,
			Missing: s.file.requests - h.answered - h.failed, CostNanos: s.bill.cost + h.before, CostKnown: s.bill.costKnown,
		}
		if err := s.record(e); err != nil {
			return err
		}
		h.tell(&e)
	} else {
		s.at.step = ledger.ShardCollected
	}
	s.settle()
	s.close()
	if status != "" {
		s.deleteFile()
	}
	if status == batchCancelled && h.unsent > 0 {
		s.flow.Stop.Pause(ui.WithHint("run the same command again to submit them again",
			fmt.Errorf("batch %s was cancelled: %s of its records have no answer",
				s.at.batchID, ui.Grouped(h.unsent))))
	}
	return nil
}
