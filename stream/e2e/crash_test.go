//go:build unix

package e2e

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"
)

const (
	crashRecords     = 2000
	crashConcurrency = 4

	// crashGroup is how many records a commit holds.
	crashGroup = 256
	// A kill loses at most what was asked and not yet recorded: no more than the records that may
	// lie between reading and the commit, however slow the disk is.
	crashMostInAir = 4*crashConcurrency + 256
)

// crashJob is one job that is killed and started again until it is done.
type crashJob struct {
	*testing.T
	dir     string
	out     string
	ledger  string
	prompts string
	flags   int // how out is opened: as > or >> does
	random  *rand.Rand
	witness *witness

	runs  int
	kills int
	since map[string]int // the run that recorded a record
}

func newCrashJob(t *testing.T, sim *simServer, flags int, seed uint64) *crashJob {
	dir := t.TempDir()
	return &crashJob{
		T: t, dir: dir, out: filepath.Join(dir, "out.jsonl"), ledger: filepath.Join(dir, "llmpipe.ledger.jsonl"),
		prompts: writePrompts(t, dir, crashRecords), flags: flags | os.O_WRONLY | os.O_CREATE,
		random: rand.New(rand.NewPCG(seed, 0)), witness: startWitness(t, sim), since: make(map[string]int),
	}
}

// start starts the job once more.
func (j *crashJob) start() *process {
	j.Helper()
	j.runs++
	out, err := os.OpenFile(j.out, j.flags, 0o666)
	if err != nil {
		j.Fatal(err)
	}
	defer out.Close()
	p := llmpipe(j, j.dir, "--base-url", j.witness.URL, "-m", "gpt-4o-mini", "-c", strconv.Itoa(crashConcurrency),
		"--header", runHeader+": "+j.run(), j.prompts)
	p.Stdout = out
	if err := p.Start(); err != nil {
		j.Fatal(err)
	}
	return p
}

// run is the name of the run under way.
func (j *crashJob) run() string { return strconv.Itoa(j.runs) }

// killSomewhere kills p at a moment that depends on what it has done by then: bytes in the ledger,
// bytes of output, or requests. step is how many records it should get done about, beyond those
// that are done already.
func (j *crashJob) killSomewhere(p *process, step float64) {
	j.Helper()
	const ledgerLine, outputLine = 800, 280 // bytes, about
	var progress func() int64
	records := 2 * step * j.random.Float64()
	goal := int64(records)
	switch j.random.IntN(4) {
	case 0, 1:
		progress = func() int64 { return fileSize(j.ledger) }
		goal = fileSize(j.ledger) + int64(records*ledgerLine)
	case 2:
		progress = func() int64 { return fileSize(j.out) }
		goal = fileSize(j.out) + int64(records*outputLine)
		if j.flags&os.O_TRUNC != 0 {
			goal = int64((float64(len(j.since)) + step) * outputLine * j.random.Float64()) // also amid what is replayed
		}
	case 3:
		asked := j.witness.count()
		progress = func() int64 { return int64(j.witness.count() - asked) }
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = p.Wait()
	}()
	for over := false; !over && progress() < goal; {
		select {
		case <-ended:
			over = true
		case <-time.After(200 * time.Microsecond):
		}
	}
	time.Sleep(time.Duration(j.random.IntN(5000)) * time.Microsecond)
	_ = p.Process.Kill()
	<-ended
	if !p.ProcessState.Exited() {
		j.kills++
	}
}

// account notes what the run that just ended recorded, and checks that it wrote nothing else.
func (j *crashJob) account() written {
	j.Helper()
	for id, times := range recorded(j, j.ledger) {
		if times != 1 {
			j.Errorf("run %d: record %s is %d times in the ledger", j.runs, id, times)
		}
		if _, ok := j.since[id]; !ok {
			j.since[id] = j.runs
		}
	}
	out := readOutput(j, j.out)
	for id := range out.ids {
		if _, ok := j.since[id]; !ok {
			j.Errorf("run %d wrote record %s before it was recorded", j.runs, id)
		}
	}
	return out
}

// killUntilDone starts the job, kills it often, and lets it finish. check is called with the output
// after each run.
func (j *crashJob) killUntilDone(check func(written)) {
	j.Helper()
	const spare = 15 // shares of the job that are left for the run that is not killed
	crashKills := 110
	if race { // with which a process takes ten times as long to start
		crashKills = 20
	}
	for j.kills < crashKills {
		p := j.start()
		j.killSomewhere(p, float64(crashRecords-len(j.since))/float64(crashKills+spare-j.kills))
		if p.ProcessState.Exited() {
			j.Fatalf("run %d ended by itself after %d kills: %v\n%s", j.runs, j.kills, p.ProcessState, &p.err)
		}
		check(j.account())
	}
	if p := j.start(); p.wait(j) != 0 {
		j.Fatalf("the last run: %v\n%s", p.ProcessState, &p.err)
	}
	check(j.account())
	checkOnceEach(j, "ledger", recorded(j, j.ledger), crashRecords)
}

// lost counts what was asked by runs that were killed before they recorded it. It fails for a
// record that was asked again although it was recorded.
func (j *crashJob) lost() (all int) {
	j.Helper()
	for run := 1; run <= j.runs; run++ {
		lost := 0
		for number, times := range j.witness.of(strconv.Itoa(run)) {
			switch since := j.since[number]; {
			case times != 1:
				j.Errorf("run %d asked %d times for record %s", run, times, number)
			case since < run:
				j.Errorf("run %d asked again for record %s, which run %d recorded", run, number, since)
			case since > run:
				lost++
			}
		}
		if lost > crashMostInAir {
			j.Errorf("the kill of run %d lost %d answers, more than can be in flight", run, lost)
		}
		all += lost
	}
	return all
}

// checkSurplus holds the server's surplus of answers against what was in flight at the kills.
func (j *crashJob) checkSurplus(sim *simServer) {
	j.Helper()
	c, lost := sim.stats(j), j.lost()
	surplus := c.Answered - crashRecords
	j.Logf("%d kills; %d requests seen, %d reached the simulator, %d were answered; %d were in flight at the kills",
		j.kills, j.witness.count(), c.Requests, c.Answered, lost)
	if surplus > lost || surplus < 0 {
		j.Errorf("%d answers too many, and %d were in flight at the kills", surplus, lost)
	}
	if asked := j.witness.count(); asked != crashRecords+lost || c.Requests > asked {
		j.Errorf("%d requests, %d of them at the simulator, want %d records and %d that were in flight", asked, c.Requests, crashRecords, lost)
	}
	if lost == 0 {
		j.Error("no kill ever hit anything in flight: the test shows nothing")
	}
}

// TestKilledAndResumed kills the command again and again, each time starting it with > out, as
// arrow up and enter do.
func TestKilledAndResumed(t *testing.T) {
	t.Parallel()
	sim := startSim(t, "latency=3ms&jitter=0.5")
	j := newCrashJob(t, sim, os.O_TRUNC, 1)
	var out written
	j.killUntilDone(func(now written) {
		out = now
		if out.torn > 1 {
			t.Errorf("run %d: %d torn lines", j.runs, out.torn)
		}
		for id, times := range out.ids {
			if times != 1 {
				t.Errorf("run %d wrote record %s %d times", j.runs, id, times)
			}
		}
	})
	checkOnceEach(t, "output", out.ids, crashRecords)
	if out.torn != 0 {
		t.Errorf("%d torn lines", out.torn)
	}
	j.checkSurplus(sim)
}

// TestKilledAndAppended is the same with >> out: what was written to it is not written again, also
// where the ledger did not learn of it in time, if the file can be read.
func TestKilledAndAppended(t *testing.T) {
	t.Parallel()
	sim := startSim(t, "latency=3ms&jitter=0.5")
	j := newCrashJob(t, sim, os.O_APPEND, 2)
	before := map[string]int{}
	most := 0
	if runtime.GOOS != "linux" {
		most = crashGroup // what a commit holds
	}
	j.killUntilDone(func(now written) {
		again := 0
		for id, times := range now.ids {
			added := times - before[id]
			if added > 1 {
				t.Errorf("run %d wrote record %s %d times", j.runs, id, added)
			}
			if before[id] > 0 {
				again += added
			}
		}
		if again > most {
			t.Errorf("run %d repeated %d records, want at most %d", j.runs, again, most)
		}
		before = now.ids
	})
	if len(before) != crashRecords {
		t.Errorf("%d records in the output, want %d", len(before), crashRecords)
	}
	j.checkSurplus(sim)
}
