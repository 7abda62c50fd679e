package stream

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"llmpipe/limiter"
	"llmpipe/stream/provider"
	"llmpipe/stream/record"
	"llmpipe/stream/ui"
)

// run is one run of the filter: what its stages share.
type run struct {
	cfg   Config
	voice *ui.Voice
	start time.Time

	stop      *shutdown
	signals   <-chan os.Signal // nil: nobody listens
	gate      *gate
	underway  *underway
	sleepers  *sleepers
	packer    *packer // nil: records are asked one by one
	router    *router
	batches   *batcher // nil in realtime
	source    *source
	money     *money
	counts    counts
	sameError sameError
	chunks    chunks

	summaryFile *summaryFile // nil without --summary

	short chan struct{} // holds a token when a record waits for money that nothing but batches can give back

	fresh   chan *Task // from the reader to the packer, or to the router
	recalls chan *Task // chains of them, from the reader to the replayer
	commits chan *Task // the same, to the committer

	allRead    atomic.Bool // every record has been read, or as many as will be
	speed      *ui.Speed
	inputError error // set by the reader before it ends
	unsent     int64 // counted by the committer

	elsewhere atomic.Int64 // records that are in batches which this run does not collect
}

// Run runs the filter until its input ends and everything is committed, or until something stops it. Canceling ctx stops it without
// waiting for what is in flight. An error means that the run could not start.
func Run(ctx context.Context, cfg Config) (*Outcome, error) {
	r := &run{
		cfg:      cfg,
		voice:    ui.NewVoice(cfg.Stderr, cfg.Quiet, cfg.Verbose),
		start:    time.Now(),
		stop:     newShutdown(ctx),
		underway: newUnderway(),
		sleepers: newSleepers(),
		short:    make(chan struct{}, 1),
		fresh:    make(chan *Task, freshRecords),
		recalls:  make(chan *Task, 4),
		commits:  make(chan *Task, commitSlack),
		chunks:   chunks{size: cfg.Chunk},
	}
	r.speed = ui.NewSpeed(r.start)
	defer r.stop.release()
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
	lanes, err := r.openLanes()
	if err != nil {
		return nil, err
	}
	r.router = newRouter(r, lanes)
	defer r.router.close()
	if r.source, err = NewSource(&r.cfg); err != nil {
		return nil, err
	}
	decode, err := record.NewDecoder(r.cfg.Decode)
	if err != nil {
		return nil, err
	}
	// The ledger before the files that are cut: one that is damaged must not cost the list of failures of the run before.
	j, err := openJournal(r)
	if err != nil {
		return nil, err
	}
	failed, err := openFailed(&r.cfg)
	if err == nil {
		r.summaryFile, err = openSummary(&r.cfg)
	}
	if err != nil {
		return nil, errors.Join(err, j.abandon())
	}
	r.money = newMoney(r, j)
	r.fitDescriptors()
	r.paceLanes()
	r.gate = newGate(func() int { return r.router.allowed() * max(1, r.cfg.Pack) })
	if r.cfg.Pack > 1 {
		r.packer = newPacker(r)
	}
	in := newReader(r, decode, j)
	if r.cfg.Batch.Mode != ModeRealtime {
		r.batches = newBatcher(r, j, func() record.Options { return in.decoder.options })
	}
	out, err := newCommitter(r, failed, j)
	if err != nil {
		return nil, errors.Join(err, j.abandon())
	}
	return r.run(in, out), nil
}

// openLanes makes the lanes, the one of the configuration itself first. They have no limiters yet.
func (r *run) openLanes() ([]*lane, error) {
	first := LaneConfig{Provider: r.cfg.Provider, Pace: r.cfg.Pace}
	var lanes []*lane
	for i, c := range append([]LaneConfig{first}, r.cfg.Fallbacks...) {
		if c.Provider.Key != "" && provider.Exposed(c.Provider.BaseURL) {
			r.voice.Warn("the key goes over plain http to another machine: use https, unless that network is your own")
		}
		l, err := newLane(r, i, c)
		if err != nil {
			return nil, err
		}
		lanes = append(lanes, l)
	}
	return lanes, nil
}

// paceLanes gives each lane its limiter, and all of them the same budgets.
func (r *run) paceLanes() {
	for i, l := range r.router.lanes {
		pace := *r.paceOf(i)
		pace.Clock, pace.Budgets, pace.Short = limiter.System, r.money.budgets(), r.needMoney
		l.pace = limiter.New(pace)
	}
}

// needMoney says that a record waits for what batches hold.
func (r *run) needMoney() {
	select {
	case r.short <- struct{}{}:
	default:
	}
}

func newReader(r *run, decode *record.Decoder, j *journal) *reader {
	in := &reader{run: r, journal: j, memory: newWindow()}
	if j != nil {
		in.memory = j
	}
	in.decoder = &decoder{Decoder: decode, options: r.cfg.Decode, lane: r.router.lanes[0], beforeWait: in.passRecalled}
	in.next = in.nextRecord
	r.source.beforeWait = in.passRecalled
	if r.cfg.Sample > 0 {
		in.next = in.sampled()
	}
	return in
}

func newCommitter(r *run, failed *failedFile, j *journal) (*committer, error) {
	c := &committer{run: r, journal: j, failed: failed, emitter: newEmitter(r, j)}
	var err error
	switch {
	case r.cfg.Ordered && r.batches != nil:
		c.emitter.shelf, err = newShelf()
	case r.cfg.Ordered:
		c.order = newOrder()
	}
	return c, err
}

// run starts the stages, waits for them, and says how it ended.
func (r *run) run(in *reader, out *committer) *Outcome {
	context.AfterFunc(r.stop.asking, r.gate.close)
	watching, stopWatching := context.WithCancel(context.Background())
	defer stopWatching()
	go r.watch(watching)
	go r.tendConnections(watching)

	stopProgress := r.cfg.Progress.Show(r.voice, r.cfg.Stdout, r.status)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.stages(in, out)
	}()
	var o *Outcome
	select {
	case <-ended:
		o = r.outcome(true)
	case <-r.stop.immediate:
		o = r.outcome(false)
	}
	r.money.alerts.wait(r.stop.immediate)
	stopProgress()
	r.voice.Note("%s", o.Summary)
	r.hintAtRefusals()
	if r.summaryFile != nil {
		if err := r.summaryFile.write(o.Summary); err != nil && o.Err == nil {
			o.Err = err
		}
	}
	return o
}

// stages runs the stages one inside the other, each ending when the one that feeds it has.
func (r *run) stages(in *reader, out *committer) {
	committed := make(chan struct{})
	go func() {
		defer close(committed)
		out.commit()
	}()
	lanes, stopLanes := context.WithCancel(r.stop.asking)
	defer stopLanes()
	served := make(chan struct{})
	go func() {
		defer close(served)
		r.router.serve(lanes)
	}()
	if r.batches != nil {
		go r.batches.take()
	}
	replayed := make(chan struct{})
	go func() {
		defer close(replayed)
		if in.journal != nil {
			r.replay(in.journal)
		}
	}()
	read := make(chan struct{})
	go func() {
		defer close(read)
		in.read()
	}()

	select {
	case <-read:
	case <-r.stop.asking.Done():
		if !in.source.abandon() {
			r.drainUntil(read)
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
	close(r.commits)
	<-committed
	if r.batches != nil {
		r.unsent += r.batches.spooled.Load()
	}
}

// tellElsewhere pauses the run when records of it are in batches that it does not collect.
func (r *run) tellElsewhere() {
	if n := r.elsewhere.Load(); n > 0 {
		r.stop.pause(ui.WithHint("--mode batch collects them, at the provider that has them; "+
			"llmpipe batches forget gives a batch up, and its records are asked about anew",
			fmt.Errorf("%s in batches that are not collected yet, and not asked about a second time", ui.Number(n, "record"))))
	}
}

// freshRecords is how many records may wait for a worker: more than the gate lets in, so that it is there that reading waits, and not for
// the next worker to take a record.
const freshRecords = 4096

// awaitIdle waits until every record that was read has been committed.
func (r *run) awaitIdle() {
	idle := make(chan struct{})
	go func() {
		defer close(idle)
		r.gate.idle()
	}()
	select {
	case <-idle:
	case <-r.stop.asking.Done():
		r.drainUntil(idle)
	}
}

// drainUntil finishes what waits for a worker until done is closed. When asking has ended nobody else takes it, and who waits for its
// commit would wait for ever.
func (r *run) drainUntil(done <-chan struct{}) {
	for {
		select {
		case t := <-r.fresh:
			r.finish(t)
		case <-done:
			return
		}
	}
}
