package journal

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"llmpipe/ledger"
	"llmpipe/ledger/disk"
	"llmpipe/ledger/price"
	"llmpipe/stream/flow"
	"llmpipe/stream/record"
	"llmpipe/stream/ui"
)

// Journal is a run's ledger: what it recalls for the reader, and what it records for the commit.
type Journal struct {
	flow   *flow.Flow
	cfg    Config
	first  *flow.Host // who is asked first
	Ledger *ledger.Ledger
	ID     string // the run's
	Syncs  bool   // a commit waits for the disk

	out       outFile
	others    []string // the ledgers of --seen
	rehearsal bool     // the ledger knows that the answers are a simulator's

	Bounds ledger.Bounds // what everything in the ledger may cost
	claims claims

	prepared atomic.Bool
	Leave    func() // leaves the job that shares the ledger's money, when all is recorded; nil: there is no job

	batch ledger.Group
	lost  int // answers that could not be recorded

	toldShort bool // that the disk is nearly full
}

// About is what a ledger remembers of the run itself.
type About struct {
	Start           time.Time
	Endpoint, Model string     // of most records
	First           *flow.Host // who is asked first
	Mode            flow.Mode
	Budget, PerDay  price.Dollars // 0 for none
}

// Open opens the ledger that c names, nil for none. stdout is where results go.
func Open(f *flow.Flow, c Config, r About, stdout io.Writer) (*Journal, error) {
	if c.Path == "" {
		return nil, nil
	}
	others, err := c.seen()
	if err != nil {
		return nil, err
	}
	j := &Journal{flow: f, cfg: c, first: r.First, Syncs: c.Fsync == ledger.FsyncAlways, others: others}
	j.ID = strconv.FormatInt(r.Start.UnixNano(), 36) + "-" + strconv.Itoa(os.Getpid())
	o := ledger.Options{
		Fsync:     c.Fsync,
		Requests:  c.Dedupe,
		FS:        c.FS,
		Others:    others,
		Job:       c.Job,
		Simulated: r.First.Client.Simulated(),
		Run: ledger.RunInfo{
			ID: j.ID, Time: r.Start, Version: c.Version, Endpoint: r.Endpoint, Model: r.Model, Provider: r.First.Name,
			Mode: r.Mode.String(), BudgetNanos: int64(r.Budget), DailyNanos: int64(r.PerDay),
		},
		Since: r.Start.UTC().Truncate(24 * time.Hour),
		Warn:  func(s string) { f.Voice.Warn("%s", s) },
	}
	if file, ok := stdout.(*os.File); ok {
		j.out.File = file
		if id, ok := disk.IDOf(file); ok {
			o.Emitted, o.EmittedSize = &id, flow.FileSize(file)
		}
		if o.EmittedSize > 0 && j.out.open() {
			o.EmittedFile = j.out.read
		}
	}
	if j.Ledger, err = j.open(o, r.Mode != flow.ModeRealtime); err != nil {
		return nil, j.HintAtWrite(err, "see to it that the file can be read and written, or name another with --ledger")
	}
	j.sayLocalLocks()
	if n := j.Ledger.Summary().Others; len(others) > 0 {
		f.Voice.Note("--seen: %s in %s", ui.Number(n, "recorded answer"), ui.Number(int64(len(others)), "other ledger"))
	}
	if s := j.Ledger.Summary(); s.Results > 0 {
		spent := ""
		if s.SpentNanos > 0 {
			spent = ", " + ui.Sum(s.SpentNanos, s.Simulated) + " spent"
		}
		f.Voice.Note("ledger %s: %d recorded%s", c.Path, s.Results, spent)
	}
	return j, nil
}

// open opens the ledger, and opens it again where the provider turns out to be a simulator: that
// decides whose results count.
func (j *Journal) open(o ledger.Options, batches bool) (*ledger.Ledger, error) {
	l, err := ledger.Open(j.cfg.Path, o)
	// A served simulator's batches are collected by other processes too, whose results are to be
	// seen from the start.
	client := j.first.Client
	batches = batches && client.Local() && !client.Simulated()
	if err != nil || !batches && !l.LeftOut() {
		return l, err
	}
	client.Probe(j.flow.Stop.Asking)
	if o.Rehearsal = client.Rehearses(); !o.Rehearsal {
		return l, nil
	}
	if err := l.Close(); err != nil {
		return nil, err
	}
	return ledger.Open(j.cfg.Path, o)
}

// Abandon closes the ledger of a run that does not begin.
func (j *Journal) Abandon() error {
	if j == nil {
		return nil
	}
	return disk.Both(j.Ledger.Close(), j.out.close())
}

// Commit records what the group's records cost and said, and which lines were written to stdout
// since the last time. An answer that could not be recorded becomes unsent: what is not safe is not
// shown. spent is what the ledger says then, and no less than it said before.
func (j *Journal) Commit(group []*flow.Task, marks []ledger.Mark) (spent Spent, err error) {
	if !j.rehearsal && j.first.Client.Rehearses() {
		j.rehearsal = true
		err = j.Ledger.Rehearse()
	}
	j.batch.Reset()
	var shown ledger.Ref // the last of the recalled ones
	for _, t := range group {
		switch {
		case t.Outcome == flow.Answered:
			j.batch.Results = append(j.batch.Results, j.result(t))
			if t.Misfit() && !t.Shaped.Again && !t.LedgerOnly {
				j.batch.Failures = append(j.batch.Failures, misfit(t))
			}
		case t.Outcome == flow.Recalled && t.Same:
			j.batch.Results = append(j.batch.Results, same(t))
		case t.Outcome == flow.Failed && t.Attempts > 0 && !t.Duplicate,
			t.Outcome == flow.Unsent && t.MayCost > 0: // which may be billed all the same
			j.batch.Failures = append(j.batch.Failures, j.failure(t))
		default:
			j.lift(t)
		}
		if t.Outcome == flow.Recalled && !t.Ref.Other() {
			shown = max(shown, t.Ref)
		}
	}
	j.batch.Marks = j.out.marks(append(j.batch.Marks, marks...))
	if j.flow.Unrecorded.Load() {
		j.lost += dropAnswers(group, 0)
		return spent, nil
	}
	_ = j.WriteRests() // before what ends the risk; where that fails, the commit does too
	if err == nil {
		err = j.Ledger.Commit(&j.batch)
	}
	if err == nil && shown > 0 {
		if err = j.Ledger.SyncTo(shown); err != nil {
			dropRecalled(group)
		}
	}
	j.Change()
	if err == nil {
		if len(j.batch.Results) > 0 && !j.flow.Stop.Ending() {
			if err := j.keepRoom(); err != nil {
				j.endForRoom(err)
			}
		}
		return j.Spent(), nil
	}
	safe := 0
	var we *ledger.WriteError
	if errors.As(err, &we) {
		safe = we.Results
	}
	j.flow.Unrecorded.Store(!errors.Is(err, ledger.ErrNoRoom))
	j.lost += dropAnswers(group, safe)
	return j.Spent(), j.HintAtWrite(err, MakeRoom)
}

// MakeRoom is what to do about a ledger that could be written before.
const MakeRoom = "make room or repair the disk, then run the same command again: what is recorded is safe"

// HintAtWrite adds to an error of the ledger's file what to do about it: hint, where nothing better
// is known.
func (j *Journal) HintAtWrite(err error, hint string) error {
	return ui.WithHint(cmp.Or(ui.HintOf(Hint(err)), hint), err)
}

// Spent is what the ledger says was spent at a moment, in billionths of a dollar.
type Spent struct {
	All       int64 // by everybody, what was set aside for attempts of unknown cost included
	Own       int64 // of that, by what this run has committed
	Elsewhere ledger.Elsewhere
}

// CatchUp reads what other processes have written by now, and says what is spent by then.
func (j *Journal) CatchUp() (Spent, error) {
	err := j.Ledger.Refresh()
	j.Change()
	return j.Spent(), Hint(err)
}

// Spent is what the ledger says as far as it is known.
func (j *Journal) Spent() Spent {
	s := j.Ledger.Summary()
	return Spent{All: s.SpentNanos + s.KeptNanos, Own: s.OwnNanos, Elsewhere: j.Ledger.Elsewhere()}
}

// dropAnswers makes all answers but the first safe ones unsent, and returns how many those are.
func dropAnswers(group []*flow.Task, safe int) int {
	dropped := 0
	for _, t := range group {
		same := t.Outcome == flow.Recalled && t.Same // which costs nothing if it is not recorded
		if t.Outcome != flow.Answered && !same {
			continue
		}
		if safe > 0 {
			safe--
			continue
		}
		if !same {
			t.Outcome = flow.Unsent
			dropped++
		}
	}
	return dropped
}

// dropRecalled makes recorded answers unsent that may be gone after a power failure.
func dropRecalled(group []*flow.Task) {
	for _, t := range group {
		if t.Outcome == flow.Recalled {
			t.Outcome = flow.Unsent
		}
	}
}

// result is the ledger's entry for an answer. Its slices alias t.
func (j *Journal) result(t *flow.Task) ledger.Result {
	usage := &t.Reply.Answer.Usage
	r := ledger.Result{
		Record: recorded(t), DowngradedFrom: t.DowngradedFrom,
		CachedTokens: usage.Cached, ReasoningTokens: usage.Reasoning, Attachments: Attachments(t),
		Response: t.Reply.Body,
	}
	r.PromptTokens, r.CompletionTokens, r.CostKnown = usage.Prompt, usage.Completion, t.CostKnown
	if h := t.Shaped; h != nil && t.SameAs == nil {
		r.Earlier = h.Earlier
	}
	if t.Misfit() {
		r.Misfit = t.Shaped.Fit.Wrong.Place()
	} else {
		r.Fits = t.Shaped != nil && t.Shaped.Fit.Parsed != nil
	}
	r.CostStated = t.CostStated && t.CostKnown
	if r.SameAs = t.SameAs; r.SameAs != nil { // who was asked has the tokens
		r.PromptTokens, r.CompletionTokens, r.CachedTokens, r.ReasoningTokens = 0, 0, 0, 0
	}
	return r
}

// same is the ledger's entry for a record whose request is equal to one that is answered there. Its
// slices alias t.
func same(t *flow.Task) ledger.Result {
	from := &t.Recorded
	return ledger.Result{
		Record: ledger.Record{
			ID: t.ID, Request: t.Request, Endpoint: from.Endpoint, Model: from.Model, Provider: from.Provider,
			CostKnown: true, LatencyMS: from.LatencyMS, Time: time.Now(), Simulated: from.Simulated,
		},
		DowngradedFrom: from.DowngradedFrom, SameAs: t.Leader(), Attachments: from.Attachments, Response: from.Response,
		Fits: t.Shaped != nil && t.Shaped.Fit.Parsed != nil,
	}
}

// misfit is the ledger's entry for a record that failed as its last answer, which has an entry of
// its own, does not fit the schema.
func misfit(t *flow.Task) ledger.Failure {
	f := ledger.Failure{Record: recorded(t), Misfit: t.Shaped.Fit.Wrong.Place()}
	err := t.Shaped.Fit.Err()
	f.Type, f.Code, f.Message = err.Type, err.Code, err.Message
	f.CostNanos, f.CostKnown, f.CostPartial, f.MayCostNanos, f.Attempts, f.LatencyMS = 0, true, false, 0, 0, 0
	return f
}

func (j *Journal) failure(t *flow.Task) ledger.Failure {
	err := cmp.Or(t.Err, t.Reply.Err, &record.Error{Type: "cancelled"})
	return ledger.Failure{
		Record: recorded(t), Billed: t.Cost > 0,
		Type: err.Type, Code: err.Code, Status: err.Status, Message: err.Message,
	}
}

// recorded is what the ledger's entries for answers and failures have in common. A cost is known
// where there is one.
func recorded(t *flow.Task) ledger.Record {
	return ledger.Record{
		ID: t.ID, Request: t.Request, Endpoint: t.Endpoint.String(), Model: t.SentModel, Provider: t.Host.Name, Shard: t.ShardID(),
		CostNanos: t.Cost, CostKnown: t.Cost > 0, CostPartial: t.CostPartial, MayCostNanos: t.MayCost,
		Attempts: t.Attempts, LatencyMS: t.Reply.Latency.Milliseconds(), Time: time.Now(),
		Simulated: t.Host.Client.Rehearses(),
	}
}

// Close records the last marks and how the run ends, closes the ledger, and says what it could not
// take. ending is called when nothing else is to be recorded.
func (j *Journal) Close(marks []ledger.Mark, ending func() ledger.RunEnd) error {
	if j.out.lines != nil && j.flow.AllRead.Load() && !j.flow.Stop.Ending() {
		marks = append(marks, j.out.lines.end())
	}
	_, err := j.Commit(nil, marks) // marks cost nothing, and what rests is written
	if j.Leave != nil {
		j.Leave()
	}
	if err == nil {
		_ = j.Ledger.End(ending()) // which a report lacks, and nobody else
	}
	if closeErr := disk.Both(j.Ledger.Close(), j.out.close()); err == nil && closeErr != nil && !j.flow.Unrecorded.Load() {
		err = j.HintAtWrite(closeErr, MakeRoom)
	}
	if j.lost > 0 {
		j.flow.Voice.Error(fmt.Errorf("%d answers that were on their way could not be recorded, and are lost", j.lost))
	}
	return err
}
