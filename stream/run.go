package stream

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"llmpipe/stream/batch"
	"llmpipe/stream/flow"
	"llmpipe/stream/folder"
	"llmpipe/stream/input"
	"llmpipe/stream/journal"
	"llmpipe/stream/lane"
	"llmpipe/stream/output"
	"llmpipe/stream/provider/share"
	"llmpipe/stream/record"
	"llmpipe/stream/spend"
	"llmpipe/stream/ui"
)

// run is one run of the filter: its stages, and what they share.
type run struct {
	cfg     Config
	start   time.Time
	flow    *flow.Flow
	hosts   []*flow.Host
	opened  chan []*flow.Host // gets the hosts before the commands that print their keys are run
	signals <-chan os.Signal  // nil: nobody listens
	speed   *ui.Speed
	givenUp atomic.Int64 // requests that were in flight when the run stopped waiting for them

	account *spend.Account
	journal *journal.Journal // nil without a ledger
	lanes   *lane.Lanes
	batches *batch.Batches // nil in realtime
	source  *input.Source
	in      *input.Input
	out     *output.Output
	folder  *folder.Folder // nil: no files are attached
	share   *share.Share   // nil: nothing is shared
	quota   *share.Quota   // nil like share

	recalls     chan flow.Chain // from the reader to the replayer
	summaryFile *os.File        // nil without --summary
	stopMetrics func()
}

// Run runs the filter until its input ends and everything is committed, or until something stops
// it. Canceling ctx stops it without waiting for what is in flight. An error means that the run
// could not start. If a signal comes before it has started, Run returns while files may still be
// being opened: the process should end then.
func Run(ctx context.Context, cfg Config) (*Outcome, error) {
	if cfg.DryRun {
		cfg.Batch.Mode = flow.ModeRealtime // the requests are the same, and no batch is made or collected
	}
	r := &run{cfg: cfg, start: time.Now(), recalls: make(chan flow.Chain, 4), opened: make(chan []*flow.Host, 1)}
	r.flow = flow.New(ctx, ui.NewVoice(cfg.Stderr, cfg.Quiet, cfg.Verbose), func() int { return r.lanes.Allowed() * max(1, cfg.Pack) })
	defer r.flow.Stop.Release()
	r.speed = ui.NewSpeed(r.start)
	if cfg.Listen != nil {
		r.signals = cfg.Listen()
	}
	prepared := make(chan error, 1)
	go func() { prepared <- r.prepare() }()
	for {
		select {
		case err := <-prepared:
			defer r.close()
			if later := (notYet{}); errors.As(err, &later) {
				return &Outcome{Paused: err}, nil
			}
			if err != nil {
				return nil, err
			}
			return r.run(), nil
		case sig := <-r.signals:
			// A large ledger takes long to open, and a FIFO for --failed opens only when it has a reader.
			if Ends(sig) {
				r.abandonKeys()
				return &Outcome{Signal: sig}, nil
			}
			r.flow.Voice.Say("nothing has been sent yet: files are being opened")
		}
	}
}

// prepare opens what the run needs, and makes its stages.
func (r *run) prepare() (err error) {
	cfg := &r.cfg
	for _, text := range cfg.Remarks {
		r.flow.Voice.Note("%s", text)
	}
	if err := cfg.checkKey(); err != nil && !cfg.DryRun {
		return err
	}
	if f, ok := cfg.Stdout.(*os.File); ok {
		if err := ui.CheckStdout(f); err != nil {
			return err
		}
	}
	configs := append([]lane.Target{{Provider: cfg.Provider, Pace: cfg.Pace}}, cfg.Lanes...)
	if r.hosts, err = lane.OpenHosts(r.flow.Voice, configs); err != nil {
		return err
	}
	r.opened <- r.hosts
	if !cfg.DryRun {
		if err := lane.FirstKeys(r.flow.Stop.Asking, r.hosts); err != nil {
			return err
		}
	}
	if cfg.translated() {
		r.flow.Voice.Note("this is Anthropic's API in OpenAI's form, without its prompt cache and batches: --endpoint messages speaks its own")
	}
	if r.source, err = input.NewSource(r.inputs()); err != nil {
		return err
	}
	decode, err := record.NewDecoder(cfg.Decode)
	if err != nil {
		return err
	}
	if s := cfg.Decode.Schema; s != nil && !cfg.Decode.OnlyCheck && cfg.Decode.Endpoint != record.Messages && s.Strict() != nil {
		r.flow.Voice.Detail("--schema: the provider does not enforce it strictly, because %v", s.Strict())
	}
	if r.folder, err = cfg.OpenFolder(); err != nil {
		return err
	}
	if decode.SamePrompt() && r.folder == nil {
		r.flow.Voice.Warn("every record gets the same prompt: --prompt names no field of the record")
		r.flow.Voice.Hint("%s", "put a field into the prompt with {{.NAME}}, or with {{.}} a line that is a string or, with -R, text")
	}
	if err := r.joinJob(); err != nil {
		return err
	}
	// The ledger is opened before files are emptied: if it is damaged, the last run's list of failures
	// must not be lost.
	if err := r.openJournal(); err != nil {
		return err
	}
	failed, err := r.createFiles()
	if err != nil {
		return errors.Join(err, r.journal.Abandon())
	}
	r.openAccount()
	r.lanes = lane.New(r.flow, lane.Config{
		Lanes: configs, Retries: cfg.Retries, GiveUp: cfg.Pace.GiveUp, Pack: cfg.Pack, KeyEnv: cfg.KeyEnv, Model: cfg.Decode.Model,
		Shape: cfg.shape(), Waits: r.source.Waits, Mode: cfg.Batch.Mode, Proven: r.journal != nil && r.journal.Ledger.Summary().Results > 0,
		Folder: r.folder, Quota: r.quota,
	}, r.hosts, r.account, r.journal)
	r.flow.Stop.OnGiveUp = func() { r.givenUp.Store(int64(lane.Sum(r.lanes.Current()).InFlight)) }
	r.openInput(decode)
	if r.out, err = output.New(r.flow, r.outputs(failed), r.account, r.journal); err != nil {
		return errors.Join(err, r.journal.Abandon())
	}
	if r.stopMetrics, err = ui.KeepMetrics(r.flow.Voice, cfg.Metrics, r.status); err != nil {
		return errors.Join(err, r.journal.Abandon())
	}
	r.shareJob()
	return nil
}

// close closes what prepare opened, as far as it came.
func (r *run) close() {
	if r.lanes != nil {
		r.lanes.Close()
	}
	r.share.Close()
	for _, h := range r.hosts {
		h.Client.Close()
	}
	_ = r.folder.Close() // nothing was written there
}

// abandonKeys ends the command that prints a key, if one is running: it would outlive this process.
func (r *run) abandonKeys() {
	select {
	case hosts := <-r.opened:
		for _, h := range hosts {
			h.Client.AbandonKey()
		}
	default:
	}
}

// openJournal opens the ledger, if there is to be one.
func (r *run) openJournal() (err error) {
	if err := r.cfg.checkLedger(); err != nil {
		return err
	}
	c := r.cfg.Ledger
	c.Shape, c.Folder = r.cfg.shape(), r.folder
	r.journal, err = journal.Open(r.flow, c, journal.About{
		Start: r.start, Midnight: r.midnight(), Endpoint: r.cfg.Decode.Endpoint.String(), Model: r.cfg.Decode.Model, First: r.hosts[0],
		Mode: r.cfg.Batch.Mode, Budget: r.cfg.Money.Budget, PerDay: r.cfg.Money.PerDay,
	}, r.cfg.Stdout)
	return err
}

// createFiles creates the files of --failed and --summary, or empties them. It returns an error if
// one of them, or the file of --metrics, is needed for something else.
func (r *run) createFiles() (failed *os.File, err error) {
	if err := r.cfg.checkCut("--metrics", r.cfg.Metrics); err != nil {
		return nil, err
	}
	if failed, err = r.createFile("--failed", r.cfg.Failed); err == nil {
		r.summaryFile, err = r.createFile("--summary", r.cfg.Summary)
	}
	return failed, err
}

func (r *run) createFile(flag, name string) (*os.File, error) {
	if err := r.cfg.checkCut(flag, name); err != nil {
		return nil, err
	}
	return output.Create(flag, name)
}

// inputs says what is read.
func (r *run) inputs() input.Config {
	c := r.cfg.Input()
	c.Summary, c.Folder = r.summary, r.folder
	return c
}

// outputs says where results go. failed is the file of --failed.
func (r *run) outputs(failed *os.File) output.Config {
	c := &r.cfg
	return output.Config{
		Stdout: c.Stdout, Format: c.Format, KeepInput: c.KeepInput, Raw: c.Decode.Raw, Replay: c.Ledger.Replay, Ordered: c.Ordered,
		Batches: c.Batch.Mode != flow.ModeRealtime, Failed: failed, Inputs: c.Files, First: r.hosts[0].Name,
		Reask: r.lanes.Reask, Ending: r.ending, Observe: c.Observe,
	}
}

// openAccount opens the account of the run's money.
func (r *run) openAccount() {
	r.flow.Inflight.ByRequest = r.cfg.Ledger.Dedupe
	r.account = spend.New(r.flow, spend.Options{
		Money: r.cfg.Money, Start: r.start, Midnight: r.midnight(), Hosts: r.hosts, Ledger: r.cfg.Ledger.Path,
		Realtime: r.cfg.Batch.Mode == flow.ModeRealtime,
		Expected: func() (int64, bool) {
			n, _ := r.expected(r.flow.Counts.In.Load(), r.flow.Counts.Skipped.Load())
			return n, n > 0
		},
	}, r.journal)
}

// openInput makes the reader, and also the batches if records may go by batch.
func (r *run) openInput(decode *record.Decoder) {
	to := input.Routes{Ask: r.lanes.Put, Recall: func(c flow.Chain) { r.recalls <- c }, Takes: func(*flow.Task) bool { return false }}
	d := &input.Decoder{Records: decode, Options: r.cfg.Decode, Lane: r.lanes.Primary(), Unasked: r.cfg.DryRun}
	if r.cfg.Batch.Mode != flow.ModeRealtime {
		c := r.cfg.Batch
		c.Ledger, c.Retries, c.GiveUp = r.cfg.Ledger.Path, r.cfg.Retries, r.cfg.Pace.GiveUp
		c.Shape, c.Folder = r.cfg.shape(), r.folder
		r.batches = batch.New(r.flow, &c, r.lanes.Primary(), r.journal, r.account, func() record.Options { return d.Options })
		to.Batch, to.Takes = r.batches.Put, r.batches.Takes
		if r.cfg.Ledger.Dedupe {
			r.flow.Inflight.InShard = r.journal.Ledger.SameShard
		}
	}
	r.in = input.New(r.flow, r.inputs(), r.source, d, r.journal, to)
}

// summary is what the run has done so far.
func (r *run) summary() ui.Summary {
	s := r.flow.Counts.Summary(r.start)
	r.account.Bill(&s)
	return s
}

// run starts the stages, waits for them, and says how it ended.
func (r *run) run() *Outcome {
	watching, stopWatching := context.WithCancel(context.Background())
	var watchers sync.WaitGroup
	watchers.Go(func() { r.watchSignals(watching) })
	go r.watchReader(watching) // not waited for: its poll would hold up the end
	watchers.Go(func() { r.lanes.TendConnections(watching) })
	if r.cfg.Deadline > 0 {
		watchers.Go(func() { r.flow.KeepDeadline(watching, r.start.Add(r.cfg.Deadline)) })
	}
	defer watchers.Wait()
	defer stopWatching()

	stopProgress := r.cfg.Progress.Show(r.flow.Voice, r.cfg.Stdout, r.status)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.stages()
	}()
	var o *Outcome
	select {
	case <-ended:
		o = r.outcome(true)
	case <-r.flow.Stop.Immediate:
		o = r.outcome(false)
	}
	r.account.AwaitAlerts(r.flow.Stop.Immediate)
	stopProgress()
	r.stopMetrics()
	if r.cfg.DryRun {
		r.flow.Voice.Note("%s of %s, %s that cannot be sent; nothing was sent", ui.Number(o.Summary.OK-o.Summary.Skipped, "request"),
			ui.Number(o.Summary.OK, "record"), ui.Number(o.Summary.Failed, "line"))
	} else {
		r.flow.Voice.Note("%s", o.Summary)
	}
	r.tellLeft(o)
	r.lanes.HintAtRefusals()
	if r.summaryFile != nil {
		if err := output.WriteSummary(r.summaryFile, o.Summary); err != nil && o.Err == nil {
			o.Err = err
		}
	}
	return o
}

// stages runs the stages. Each of them ends after the one that feeds it.
func (r *run) stages() {
	committed := make(chan struct{})
	go func() {
		defer close(committed)
		r.out.Commit()
	}()
	lanes, stopLanes := context.WithCancel(r.flow.Stop.Asking)
	defer stopLanes()
	served := make(chan struct{})
	go func() {
		defer close(served)
		r.lanes.Serve(lanes)
	}()
	if r.batches != nil {
		go r.batches.Take()
	}
	replayed := make(chan struct{})
	go func() {
		defer close(replayed)
		if r.journal != nil {
			r.journal.Replay(r.recalls, journal.Routes{Ask: r.lanes.PutAgain, Batch: r.putInBatch})
		}
	}()
	read := make(chan struct{})
	go func() {
		defer close(read)
		r.in.Read()
	}()

	select {
	case <-read:
	case <-r.flow.Stop.Asking.Done():
		if !r.source.Abandon() {
			r.lanes.Unserved(read)
		}
	}
	if r.batches != nil {
		close(r.recalls)
		<-replayed // a record that turns out to have no result may go by batch
		r.batches.End()
	}
	r.awaitIdle() // now all records read are committed, or on disk for batches that go on
	if r.batches != nil {
		r.batches.TellLeft()
	}
	r.tellElsewhere()
	if r.batches == nil {
		close(r.recalls)
		<-replayed
	}
	stopLanes()
	<-served
	if r.batches != nil {
		r.flow.Counts.Unsent.Add(r.batches.Spooled.Load())
	}
	close(r.flow.Commits)
	<-committed
}

// putInBatch puts t into a batch if it is to go by one, and reports whether it did.
func (r *run) putInBatch(t *flow.Task) bool {
	if r.batches == nil || !t.Duplicate && !r.batches.Takes(t) { // its original may be in a batch
		return false
	}
	r.batches.Put(t)
	return true
}

// tellElsewhere pauses the run if some of its records are in batches that it does not collect.
func (r *run) tellElsewhere() {
	if n := r.flow.Counts.Elsewhere.Load(); n > 0 {
		r.flow.Stop.Pause(ui.WithHint("collect them with --mode batch, at the provider that has them; "+
			"or give a batch up with llmpipe batches forget, and its records are sent again",
			fmt.Errorf("%s in batches that are not collected yet: they are not sent twice", ui.Number(n, "record"))))
	}
}

// awaitIdle waits until every record that was read has been committed, or lies on disk.
func (r *run) awaitIdle() {
	idle := make(chan struct{})
	go func() {
		defer close(idle)
		r.flow.Gate.Idle()
	}()
	select {
	case <-idle:
	case <-r.flow.Stop.Asking.Done():
		r.lanes.Unserved(idle)
	}
}
