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

// Journal is a run's view of its ledger: what it recalls for the reader, and what it records for
// the commit.
type Journal struct {
	flow   *flow.Flow
	cfg    Config
	first  *flow.Host // the host that is asked first
	Ledger *ledger.Ledger
	ID     string // the run's
	Syncs  bool   // commits wait for the disk

	out       outFile
	others    []string // the ledgers of --seen
	rehearsal bool     // the ledger knows that a simulator answers

	Bounds ledger.Bounds // the budgets that everything in the ledger counts against
	claims claims

	prepared atomic.Bool
	Leave    func() // leaves the job that shares the ledger's money, once all is recorded; nil: no job

	batch ledger.Group
	lost  int // answers that could not be recorded

	toldShort bool // the warning that the disk is nearly full was given
}

// About is what a ledger remembers of the run itself.
type About struct {
	Start           time.Time
	Midnight        time.Time  // when the day of PerDay began; the next begins 24 hours later
	Endpoint, Model string     // of most records
	First           *flow.Host // the host that is asked first
	Mode            flow.Mode
	Budget, PerDay  price.Dollars // 0 for none
}

// Open opens the ledger that c names, and returns nil if it names none. stdout is where results go.
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
		Since: r.Midnight,
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
		return nil, j.HintAtWrite(err, "make the file readable and writable, or name another with --ledger")
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

// open opens the ledger. It opens it again if the provider turns out to be a simulator, because
// that decides which results count.
func (j *Journal) open(o ledger.Options, batches bool) (*ledger.Ledger, error) {
	l, err := ledger.Open(j.cfg.Path, o)
	// Other processes, too, collect the batches of a simulator that is a server. Their results must be
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

// Abandon closes the ledger of a run that does not start.
func (j *Journal) Abandon() error {
	if j == nil {
		return nil
	}
	return disk.Both(j.Ledger.Close(), j.out.close())
}

// Commit records the answers and the costs of the group's records, and which lines were written to
// stdout since the last commit. An answer that cannot be recorded becomes unsent, because an answer
// is shown only once it is safe. spent is what the ledger says afterwards.
func (j *Journal) Commit(group []*flow.Task, marks []ledger.Mark) (spent Spent, err error) {
	if !j.rehearsal && j.first.Client.Rehearses() {
		j.rehearsal = true
		err = j.Ledger.Rehearse()
	}
	j.batch.Reset()
	var shown ledger.Ref // the newest of the recalled results
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
			t.Outcome == flow.Unsent && t.MayCost > 0: // such an attempt may be billed
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
		return j.Spent(), nil
	}
	_ = j.WriteRests() // before the entries that end the risk; if this fails, so does the commit
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

// MakeRoom is the advice for a ledger that could be written before.
const MakeRoom = "make room or repair the disk, then run the same command again: what is recorded is safe"

// HintAtWrite adds advice to an error of the ledger's file. It adds hint if there is no better one.
func (j *Journal) HintAtWrite(err error, hint string) error {
	return ui.WithHint(cmp.Or(ui.HintOf(Hint(err)), hint), err)
}

// Spent is what the ledger says was spent so far, in billionths of a dollar.
type Spent struct {
	All       int64 // by everybody, including what is set aside for attempts of unknown cost
	Own       int64 // the part of All that this run has committed
	Elsewhere ledger.Elsewhere
}

// CatchUp reads what other processes have written by now, and returns what is spent then.
func (j *Journal) CatchUp() (Spent, error) {
	err := j.Ledger.Refresh()
	j.Change()
	return j.Spent(), Hint(err)
}

// Spent returns what was spent, as far as the ledger has been read.
func (j *Journal) Spent() Spent {
	s := j.Ledger.Summary()
	return Spent{All: s.SpentNanos + s.KeptNanos, Own: s.OwnNanos, Elsewhere: j.Ledger.Elsewhere()}
}

// dropAnswers makes all answers unsent except the first safe ones. It returns how many answers were
// lost.
func dropAnswers(group []*flow.Task, safe int) int {
	dropped := 0
	for _, t := range group {
		same := t.Outcome == flow.Recalled && t.Same // no cost is lost if it is not recorded
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

// dropRecalled makes recalled records unsent, because a power failure may remove their results.
func dropRecalled(group []*flow.Task) {
	for _, t := range group {
		if t.Outcome == flow.Recalled {
			t.Outcome = flow.Unsent
		}
	}
}

// result returns the ledger's entry for an answer. Its slices alias t.
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
	if r.SameAs = t.SameAs; r.SameAs != nil { // the entry of the record that was asked has the tokens
		r.PromptTokens, r.CompletionTokens, r.CachedTokens, r.ReasoningTokens = 0, 0, 0, 0
	}
	return r
}

// same returns the ledger's entry for a record whose answer is a recorded one to an equal request.
// Its slices alias t.
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

// misfit returns the ledger's entry for a record that failed because its last answer does not fit
// the schema. That answer has an entry of its own.
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

// recorded returns what the ledger's entries for answers and failures have in common. A cost counts
// as known if there is one.
func recorded(t *flow.Task) ledger.Record {
	return ledger.Record{
		ID: t.ID, Request: t.Request, Endpoint: t.Endpoint.String(), Model: t.SentModel, Provider: t.Host.Name, Shard: t.ShardID(),
		CostNanos: t.Cost, CostKnown: t.Cost > 0, CostPartial: t.CostPartial, MayCostNanos: t.MayCost,
		Attempts: t.Attempts, LatencyMS: t.Reply.Latency.Milliseconds(), Time: time.Now(),
		Simulated: t.Host.Client.Rehearses(),
	}
}

// Close records the last marks and how the run ended, closes the ledger, and reports how many
// answers it could not record. It calls ending after everything else is recorded.
func (j *Journal) Close(marks []ledger.Mark, ending func() ledger.RunEnd) error {
	if j.out.lines != nil && j.flow.AllRead.Load() && !j.flow.Stop.Ending() {
		marks = append(marks, j.out.lines.end())
	}
	_, err := j.Commit(nil, marks) // marks cost nothing; this also calls WriteRests
	if j.Leave != nil {
		j.Leave()
	}
	if err == nil {
		_ = j.Ledger.End(ending()) // only a report misses it
	}
	if closeErr := disk.Both(j.Ledger.Close(), j.out.close()); err == nil && closeErr != nil && !j.flow.Unrecorded.Load() {
		err = j.HintAtWrite(closeErr, MakeRoom)
	}
	if j.lost > 0 {
		j.flow.Voice.Error(fmt.Errorf("%d answers in flight could not be recorded, and are lost", j.lost))
	}
	return err
}
