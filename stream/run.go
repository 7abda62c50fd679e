package stream

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"llmpipe/stream/record"
	"llmpipe/stream/ui"
)

// run is one run of the filter: its stages, and what they share.
type run struct {
	cfg     Config
	start   time.Time
	flow    *Flow
	hosts   []*Host
	signals <-chan os.Signal // nil: nobody listens
	speed   *ui.Speed

	account *account
	journal *journal // nil without a ledger
	lanes   *lanes
	batches *batcher // nil in realtime
	source  *source
	in      *reader
	out     *committer

	recalls     chan chain   // from the reader to the replayer
	summaryFile *summaryFile // nil without --summary
}

// Run runs the filter until its input ends and everything is committed, or until something stops it. Canceling ctx stops it without
// waiting for what is in flight. An error means that the run could not start.
func Run(ctx context.Context, cfg Config) (*Outcome, error) {
	r := &run{cfg: cfg, start: time.Now(), recalls: make(chan chain, 4)}
	r.flow = NewFlow(ctx, ui.NewVoice(cfg.Stderr, cfg.Quiet, cfg.Verbose), func() int { return r.lanes.allowed() * max(1, cfg.Pack) })
	defer r.flow.stop.release()
	r.speed = ui.NewSpeed(r.start)
	if cfg.Listen != nil {
		r.signals = cfg.Listen()
	}
	if err := cfg.checkKey(); err != nil {
		return nil, err
	}
	if f, ok := cfg.Stdout.(*os.File); ok {
		if err := ui.CheckStdout(f); err != nil {
			return nil, err
		}
	}
	configs := append([]LaneConfig{{Provider: cfg.Provider, Pace: cfg.Pace}}, cfg.Fallbacks...)
	var err error
	if r.hosts, err = openHosts(r.flow.voice, configs); err != nil {
		return nil, err
	}
	defer r.closeHosts()
	if r.source, err = NewSource(r.inputs()); err != nil {
		return nil, err
	}
	decode, err := record.NewDecoder(r.cfg.Decode)
	if err != nil {
		return nil, err
	}
	// The ledger before the files that are cut: one that is damaged must not cost the list of failures of the run before.
	if err := r.openJournal(); err != nil {
		return nil, err
	}
	failed, err := r.createFiles()
	if err != nil {
		return nil, errors.Join(err, r.journal.abandon())
	}
	r.openAccount()
	r.lanes = newLanes(r.flow, lanesConfig{
		Lanes: configs, Retries: cfg.Retries, GiveUp: cfg.Pace.GiveUp, Pack: cfg.Pack, KeyEnv: cfg.KeyEnv, Model: cfg.Decode.Model,
		Waits: r.source.waits, Mode: cfg.Batch.Mode, Proven: r.journal != nil && r.journal.ledger.Summary().Results > 0,
	}, r.hosts, r.account)
	defer r.lanes.close()
	r.openInput(decode)
	if r.out, err = newCommitter(r.flow, r.outputs(failed), r.account, r.journal); err != nil {
		return nil, errors.Join(err, r.journal.abandon())
	}
	return r.run(), nil
}

// openJournal opens the ledger, if there is to be one.
func (r *run) openJournal() (err error) {
	if err := r.cfg.checkLedger(); err != nil {
		return err
	}
	r.journal, err = openJournal(r.flow, r.cfg.Ledger, about{
		Start: r.start, Endpoint: r.cfg.Decode.Endpoint.String(), Model: r.cfg.Decode.Model, First: r.hosts[0],
		Batches: r.cfg.Batch.Mode != ModeRealtime,
	}, r.cfg.Stdout)
	return err
}

// createFiles makes the files of --failed and --summary empty, unless one is needed for something else.
func (r *run) createFiles() (failed *os.File, err error) {
	if err := r.cfg.checkCut("--failed", r.cfg.Failed); err != nil {
		return nil, err
	}
	if failed, err = CreateFailed(r.cfg.Failed); err != nil {
		return nil, err
	}
	if err := r.cfg.checkCut("--summary", r.cfg.Summary); err != nil {
		return nil, err
	}
	r.summaryFile, err = createSummary(r.cfg.Summary)
	return failed, err
}

// inputs says what is read.
func (r *run) inputs() inputConfig {
	c := r.cfg.Input()
	c.Summary = r.summary
	return c
}

// outputs says where results go. failed is the file of --failed.
func (r *run) outputs(failed *os.File) outputConfig {
	c := &r.cfg
	return outputConfig{
		Stdout: c.Stdout, Format: c.Format, KeepInput: c.KeepInput, Raw: c.Decode.Raw, Replay: c.Ledger.Replay, Ordered: c.Ordered,
		Batches: c.Batch.Mode != ModeRealtime, Failed: failed, Inputs: c.Files, First: r.hosts[0].name, Observe: c.Observe,
	}
}

// openAccount opens the account of the run's money.
func (r *run) openAccount() {
	r.account = newAccount(r.flow, accountConfig{
		money: r.cfg.Money, start: r.start, hosts: r.hosts, ledger: r.cfg.Ledger.Path, realtime: r.cfg.Batch.Mode == ModeRealtime,
		expected: func() (int64, bool) { return r.source.expected(r.flow.counts.in.Load()) },
	}, r.journal)
}

// openInput makes the reader, and the batches where records may go there.
func (r *run) openInput(decode *record.Decoder) {
	to := routes{ask: r.lanes.put, recall: func(c chain) { r.recalls <- c }, takes: func(*Task) bool { return false }}
	d := &decoder{records: decode, options: r.cfg.Decode, lane: r.lanes.all[0]}
	if r.cfg.Batch.Mode != ModeRealtime {
		c := r.cfg.Batch
		c.Ledger, c.Retries, c.GiveUp = r.cfg.Ledger.Path, r.cfg.Retries, r.cfg.Pace.GiveUp
		r.batches = newBatcher(r.flow, &c, r.lanes.all[0], r.journal, r.account, func() record.Options { return d.options })
		to.batch, to.takes = r.batches.put, r.batches.takes
	}
	r.in = newReader(r.flow, r.inputs(), r.source, d, r.journal, to)
}

// closeHosts gives back what the clients hold.
func (r *run) closeHosts() {
	for _, h := range r.hosts {
		h.client.Close()
	}
}

// summary is what the run has done so far.
func (r *run) summary() ui.Summary {
	s := r.flow.counts.summary(r.start)
	s.DowngradedAt = r.account.downgradedAt()
	return s
}

// run starts the stages, waits for them, and says how it ended.
func (r *run) run() *Outcome {
	watching, stopWatching := context.WithCancel(context.Background())
	defer stopWatching()
	go r.watch(watching)
	go r.lanes.tendConnections(watching)

	stopProgress := r.cfg.Progress.Show(r.flow.voice, r.cfg.Stdout, r.status)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.stages()
	}()
	var o *Outcome
	select {
	case <-ended:
		o = r.outcome(true)
	case <-r.flow.stop.immediate:
		o = r.outcome(false)
	}
	r.account.awaitAlerts(r.flow.stop.immediate)
	stopProgress()
	r.flow.voice.Note("%s", o.Summary)
	r.lanes.hintAtRefusals()
	if r.summaryFile != nil {
		if err := r.summaryFile.write(o.Summary); err != nil && o.Err == nil {
			o.Err = err
		}
	}
	return o
}

// stages runs the stages one inside the other, each ending when the one that feeds it has.
func (r *run) stages() {
	committed := make(chan struct{})
	go func() {
		defer close(committed)
		r.out.commit()
	}()
	lanes, stopLanes := context.WithCancel(r.flow.stop.asking)
	defer stopLanes()
	served := make(chan struct{})
	go func() {
		defer close(served)
		r.lanes.serve(lanes)
	}()
	if r.batches != nil {
		go r.batches.take()
	}
	replayed := make(chan struct{})
	go func() {
		defer close(replayed)
		if r.journal != nil {
			r.journal.replay(r.recalls, r.lanes.putAgain)
		}
	}()
	read := make(chan struct{})
	go func() {
		defer close(read)
		r.in.read()
	}()

	select {
	case <-read:
	case <-r.flow.stop.asking.Done():
		if !r.source.abandon() {
			r.lanes.unserved(read)
		}
	}
	if r.batches != nil {
		r.batches.end()
	}
	r.awaitIdle() // every record that was read has been committed, or is on disk for a batch that is not waited for
	if r.batches != nil {
		r.batches.tellLeft()
	}
	r.tellElsewhere()
	close(r.recalls)
	<-replayed
	stopLanes()
	<-served
	close(r.flow.commits)
	<-committed
	if r.batches != nil {
		r.flow.counts.unsent.Add(r.batches.spooled.Load())
	}
}

// tellElsewhere pauses the run when records of it are in batches that it does not collect.
func (r *run) tellElsewhere() {
	if n := r.flow.counts.elsewhere.Load(); n > 0 {
		r.flow.stop.pause(ui.WithHint("--mode batch collects them, at the provider that has them; "+
			"llmpipe batches forget gives a batch up, and its records are asked about anew",
			fmt.Errorf("%s in batches that are not collected yet, and not asked about a second time", ui.Number(n, "record"))))
	}
}

// awaitIdle waits until every record that was read has been committed.
func (r *run) awaitIdle() {
	idle := make(chan struct{})
	go func() {
		defer close(idle)
		r.flow.gate.idle()
	}()
	select {
	case <-idle:
	case <-r.flow.stop.asking.Done():
		r.lanes.unserved(idle)
	}
}
