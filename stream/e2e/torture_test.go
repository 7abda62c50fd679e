//go:build unix

package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// TestTorture kills the command with SIGKILL at moments of all kinds, and starts it again, until it
// was killed often enough and has ended by itself. The provider keeps its own count, and bills what
// was in flight. Whatever happens
//   - no line of the output is lost or doubled, and half a line is mended;
//   - nothing that is recorded is asked about again, and what is paid twice is at most twice what
//     may be in flight, at each kill;
//   - what the ledger says was spent, may have been and is at risk is never below the bill;
//   - the bill is never above the budget, and a run that the budget ends has used it up.
//
// With -long there are as many kills as README says.
func TestTorture(t *testing.T) {
	t.Parallel()
	for _, kind := range tortures {
		for _, budget := range []bool{false, true} {
			name := kind.name
			if budget {
				name += ", with a budget"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				kind.run(t, budget)
			})
		}
	}
}

// torture is a kind of job, and how it is killed.
type torture struct {
	name        string
	kills, long int // how many: of a third of the records, and with -long
	each        int // of them to a job; a new one begins then
	sim         string
	args        []string
	line        func(i int) string // of the input
	records     int
	inFlight    int // records, at most
	step        int64
	most        int64 // that a request can cost, in billionths of a dollar; 0 where a budget may not be used up
	processes   int   // on one input and one ledger, each with an output of its own
	redirect    bool  // the output is written with > and not with >>
}

var tortures = []torture{
	{name: "realtime", kills: 8, long: 200, each: 50, sim: "latency=3ms&jitter=0.5&lost=0.01", args: []string{"-c", "16"},
		line: bounded(""), records: 1500, inFlight: 16, step: 4_000_000, most: 32_000},
	{name: "256 in flight", kills: 2, long: 10, each: 10, sim: "latency=20ms&jitter=0.5", args: []string{"-c", "256"},
		line: bounded(""), records: 6000, inFlight: 256, step: 24_000_000, most: 32_000},
	{name: "from the start", kills: 4, long: 40, each: 40, sim: "latency=3ms&jitter=0.5", args: []string{"-c", "16"},
		line: bounded(""), records: 1500, inFlight: 16, step: 4_000_000, most: 32_000, redirect: true},
	{name: "batch", kills: 4, long: 60, each: 6, sim: "latency=0s&batch-latency=150ms", args: []string{"--mode", "batch"},
		line: func(i int) string { return bounded([]string{"", `,"model":"gpt-4o"`}[i%2])(i) }, records: 200, step: 3_000_000},
	{name: "hybrid", kills: 4, long: 40, each: 5, sim: "latency=3ms&jitter=0.5&batch-latency=150ms",
		args: []string{"--mode", "hybrid", "-c", "8"},
		line: func(i int) string { return bounded([]string{"", `,"priority":"high"`}[i%2])(i) }, records: 400, inFlight: 8, step: 4_000_000},
	{name: "packed", kills: 3, long: 40, each: 20, sim: "latency=10ms&jitter=0.5",
		args: []string{"--endpoint", "embeddings", "-m", "text-embedding-3-small", "--pack", "20", "-c", "4"},
		line: plain, records: 3000, inFlight: 80, step: 200_000},
	{name: "two processes", kills: 4, long: 40, each: 20, sim: "latency=5ms&jitter=0.9", args: []string{"-c", "8"},
		line: bounded(""), records: 800, inFlight: 8, step: 4_000_000, processes: 2},
}

// plain is the line of a record.
func plain(i int) string { return fmt.Sprintf(`{"id":%d,"prompt":"prompt number %[1]d"}`, i) }

// bounded makes lines of records with a bound and more members.
func bounded(more string) func(int) string {
	return func(i int) string {
		return fmt.Sprintf(`{"id":%d,"prompt":"prompt number %[1]d","max_tokens":20%s}`, i, more)
	}
}

// run does jobs until there were as many kills as there are to be.
func (k torture) run(t *testing.T, budget bool) {
	kills := k.long
	if !*long {
		kills = k.kills
		k.records /= 3
	}
	k.processes = max(k.processes, 1)
	seed := uint64(len(k.name))
	sum := tally{least: 1 << 62}
	for sum.kills < kills {
		seed++
		k.each = min(k.each, kills-sum.kills)
		newVictim(t, k, budget, seed, &sum).live()
		if sum.jobs > 4*kills {
			t.Fatalf("jobs end before they are killed: %s", sum)
		}
	}
	if sum.inFlight+sum.twice == 0 && k.inFlight > 0 { // what was on its way yet was in flight too, and is asked again
		t.Error("no kill ever hit anything in flight: the test shows nothing")
	}
	t.Log(sum)
}

// tally adds up what happened.
type tally struct {
	jobs, runs, kills    int
	inFlight             int // records at the kills
	records, twice, lost int // paid for again after a kill, and after a 504
	halves               int
	raised               int   // budgets
	least                int64 // by which the ledger ever was above the bill
}

func (o tally) String() string {
	return fmt.Sprintf("%d kills of %d runs in %d jobs: %d records were in flight, %d of %d paid twice, and %d after a 504; "+
		"%d half lines; %d budgets used up; the ledger was above the bill by %d at least",
		o.kills, o.runs, o.jobs, o.inFlight, o.twice, o.records, o.lost, o.halves, o.raised, o.least)
}

// victim is one job of a torture.
type victim struct {
	*testing.T
	torture
	tally       *tally
	dir, ledger string
	sim         *simServer
	witness     *witness
	random      *rand.Rand
	budget      int64 // 0 for none
	slots       []*slot
	settled     map[string]int    // by which moment of the witness a record was recorded
	killed      map[string]bool   // runs
	said        map[string]string // by runs that ended by themselves
}

// slot is one of the processes of a job, whichever run of it that is.
type slot struct {
	out   string
	run   string
	p     *process
	ended chan struct{} // of p
	done  bool          // it ended well
}

func newVictim(t *testing.T, k torture, budget bool, seed uint64, sum *tally) *victim {
	t.Helper()
	dir := t.TempDir()
	sim := startSim(t, k.sim+"&seed="+strconv.FormatUint(seed, 10))
	v := &victim{T: t, torture: k, tally: sum, dir: dir, ledger: filepath.Join(dir, "llmpipe.ledger.jsonl"),
		sim: sim, witness: startWitness(t, sim), random: rand.New(rand.NewPCG(seed, 0)),
		settled: make(map[string]int), killed: make(map[string]bool), said: make(map[string]string)}
	writeFile(t, dir, "prompts.jsonl", repeat(1, k.records, k.line))
	if budget {
		v.budget = k.step
	}
	for i := range k.processes {
		v.slots = append(v.slots, &slot{out: filepath.Join(dir, fmt.Sprintf("out.%d", i))})
	}
	return v
}

// live kills the job's processes as often as it is to be done, and lets them end.
func (v *victim) live() {
	v.Helper()
	v.tally.jobs++
	v.tally.records += v.records
	last := v.tally.kills + v.each
	for {
		var alive []*slot
		for _, s := range v.slots {
			if s.p == nil && !s.done {
				v.start(s)
			}
			if !s.done {
				alive = append(alive, s)
			}
		}
		if len(alive) == 0 {
			break
		}
		s := alive[v.random.IntN(len(alive))]
		if v.tally.kills >= last {
			v.await(s, func() bool { return false })
			v.took(s)
			continue
		}
		v.await(s, v.goal(s))
		time.Sleep(time.Duration(v.random.IntN(5000)) * time.Microsecond)
		v.kill(s)
	}
	v.verify()
}

// start starts the job once more.
func (v *victim) start(s *slot) {
	v.Helper()
	v.tally.runs++
	s.run = strconv.Itoa(v.tally.runs)
	how := os.O_APPEND
	if v.redirect {
		how = os.O_TRUNC
	}
	out, err := os.OpenFile(s.out, how|os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		v.Fatal(err)
	}
	defer out.Close()
	args := append([]string{"--base-url", v.witness.URL, "-m", "gpt-4o-mini", "--header", runHeader + ": " + s.run}, v.args...)
	if v.budget > 0 {
		args = append(args, "--budget", strconv.FormatFloat(float64(v.budget)/dollar, 'f', 9, 64))
	}
	p := llmpipe(v, v.dir, append(args, "prompts.jsonl")...)
	p.Stdout = out
	if err := p.Start(); err != nil {
		v.Fatal(err)
	}
	ended := make(chan struct{})
	s.p, s.ended = p, ended
	go func() {
		defer close(ended)
		_ = p.Wait()
	}()
}

// goal is when a process is killed: when it got so many records further, by what the ledger, the
// output or the provider's calls say, or after a time.
func (v *victim) goal(s *slot) (reached func() bool) {
	const ledgerLine, outputLine = 800, 280 // bytes, about
	further := 2 * v.random.Float64() * float64(v.records) / float64(v.each+2)
	calls, moment := v.witness.counts()
	ledger, output := fileSize(v.ledger), fileSize(s.out)
	switch v.random.IntN(5) {
	case 0, 1:
		ledger += int64(further * ledgerLine)
		return func() bool { return fileSize(v.ledger) >= ledger }
	case 2:
		output += int64(further * outputLine)
		return func() bool { return fileSize(s.out) >= output }
	case 3:
		calls += v.random.IntN(12)
		moment += int(further)
		return func() bool {
			c, m := v.witness.counts()
			return m >= moment && c >= calls
		}
	}
	at := time.Now().Add(time.Duration(v.random.IntN(200)) * time.Millisecond)
	return func() bool { return time.Now().After(at) }
}

// await waits until a process has reached a goal or ended.
func (v *victim) await(s *slot, reached func() bool) {
	v.Helper()
	for deadline := time.Now().Add(tooLong); !reached(); {
		select {
		case <-s.ended:
			return
		case <-time.After(200 * time.Microsecond):
		}
		if time.Now().After(deadline) {
			_ = s.p.Process.Kill()
			<-s.ended
			v.Fatalf("run %s hung, and said\n%s", s.run, &s.p.err)
		}
	}
}

// kill kills a process, unless it has ended by itself.
func (v *victim) kill(s *slot) {
	v.Helper()
	inFlight := v.witness.of(s.run).inFlight
	_ = s.p.Process.Kill()
	<-s.ended
	if s.p.ProcessState.Exited() {
		v.took(s)
		return
	}
	v.tally.kills++
	v.tally.inFlight += inFlight
	v.killed[s.run] = true
	v.witness.dies(s.run)
	eventually(v, "what was in flight is billed", func() bool { return v.witness.of(s.run).inFlight == 0 })
	v.account(s)
	v.tear(s)
	s.p = nil
}

// took deals with a process that has ended by itself.
func (v *victim) took(s *slot) {
	v.Helper()
	code := s.p.ProcessState.ExitCode()
	v.said[s.run] = s.p.err.String()
	sum := v.account(s)
	switch {
	case code == 0:
		s.done = true
	case v.budget > 0 && (code == 4 || code == 75 && len(v.slots) > 1):
		if v.most > 0 && len(v.slots) == 1 && v.budget-sum >= v.most {
			v.Errorf("run %s ended with %d of %d\n%s", s.run, sum, v.budget, &s.p.err)
		}
		v.budget += v.step
		v.tally.raised++
	default:
		v.Fatalf("run %s ended with exit %d\n%s", s.run, code, &s.p.err)
	}
	s.p = nil
}

// account holds the output and the ledger to the provider's count.
func (v *victim) account(s *slot) (sum int64) {
	v.Helper()
	bill := v.sim.stats(v).bill(v) // before the ledger is read: others may be at it
	out := readOutput(v, s.out)
	ids := recorded(v, v.ledger)
	_, now := v.witness.counts()
	for id, times := range ids {
		if times != 1 {
			v.Errorf("run %s: record %s is %d times in the ledger", s.run, id, times)
		}
		if _, ok := v.settled[id]; !ok {
			v.settled[id] = now
		}
	}
	again := 0
	for id, times := range out.ids {
		again += times - 1
		if ids[id] == 0 {
			v.Errorf("run %s wrote record %s before it was recorded", s.run, id)
		}
	}
	if most := v.mostAgain(); again > most {
		v.Errorf("run %s: %d lines are doubled", s.run, again-most)
	}
	if out.torn > 1 {
		v.Errorf("run %s: %d lines are torn", s.run, out.torn)
	}
	if fileSize(v.ledger) > 0 {
		spent, kept, atRisk := ledgerSays(v, v.ledger)
		sum = spent + kept + atRisk
	}
	v.tally.least = min(v.tally.least, sum-bill)
	if sum < bill {
		v.Errorf("run %s: the bill is %d, and the ledger says %d", s.run, bill, sum)
	}
	if v.budget > 0 && bill > v.budget {
		v.Errorf("run %s: the bill is %d of %d", s.run, bill, v.budget)
	}
	if v.Failed() {
		v.Fatalf("run %s said\n%s", s.run, &s.p.err)
	}
	return sum
}

// mostAgain is how many lines may be doubled: none, but where a file that is only open for writing
// cannot be read, of which the ledger may not have learned what the last commit wrote.
func (v *victim) mostAgain() int {
	if runtime.GOOS == "linux" {
		return 0
	}
	return v.tally.kills * commitGroup
}

// tear cuts an output's last line, now and then, as a kill amid a write does.
func (v *victim) tear(s *slot) {
	v.Helper()
	if v.redirect || v.random.IntN(4) > 0 {
		return
	}
	text, err := os.ReadFile(s.out)
	if err != nil {
		v.Fatal(err)
	}
	if lines := splitLines(string(text)); len(lines) > 1 && text[len(text)-1] == '\n' {
		last := len(lines[len(lines)-1]) // what is left of it is at least a byte
		if err := os.Truncate(s.out, int64(len(text)-1-v.random.IntN(last))); err != nil {
			v.Fatal(err)
		}
		v.tally.halves++
	}
}

// verify holds a job that has ended to what was asked.
func (v *victim) verify() {
	v.Helper()
	for _, s := range v.slots {
		out := readOutput(v, s.out)
		if out.torn > 0 {
			v.Errorf("%s: %d lines are torn", s.out, out.torn)
		}
		if v.mostAgain() > 0 {
			for id := range out.ids {
				out.ids[id] = 1
			}
		}
		checkOnceEach(v, s.out, out.ids, v.records)
	}
	checkOnceEach(v, "ledger", recorded(v, v.ledger), v.records)
	c := v.sim.stats(v)
	twice, retries, lost := 0, 0, make(map[string]int)
	for id, askings := range v.witness.askings() {
		for i, a := range askings {
			if a.at > v.settled[id] {
				v.Errorf("run %s asked about record %s, which was recorded by the moment %d: %v", a.run, id, v.settled[id], askings)
			}
			switch last := i == len(askings)-1; {
			case last:
			case askings[i+1].run == a.run:
				retries++
			case !v.killed[a.run] && c.Faults["lost"] > 0:
				retries++ // by a later run, with more money
			case !v.killed[a.run]:
				v.Errorf("record %s was asked about by run %s, which was not killed, and again by run %s; %v, and the first said\n%s",
					id, a.run, askings[i+1].run, askings, v.said[a.run])
			default:
				twice++
				lost[a.run]++
			}
		}
	}
	v.tally.twice += twice
	v.tally.lost += retries
	for run, n := range lost {
		if failed := v.witness.of(run).failed; n > 2*v.inFlight+failed { // those wait before they are tried again
			v.Errorf("%d records that run %s asked about were asked about again: %d may be in flight, and %d failed", n, run, v.inFlight, failed)
		}
	}
	if retries > c.Faults["lost"] {
		v.Errorf("%d records were tried again, and %d answers were lost", retries, c.Faults["lost"])
	}
	if answered := c.Answered + c.Batch.Answered; answered > v.records+twice+retries {
		v.Errorf("%d answers for %d records, of which %d were asked about again", answered, v.records, twice+retries)
	}
	spent, kept, atRisk := ledgerSays(v, v.ledger)
	if bill := c.bill(v); spent+kept < bill || atRisk != 0 || spent > bill {
		v.Errorf("in the end the bill is %d, and the ledger says %d, %d more at most, and %d at risk", bill, spent, kept, atRisk)
	}
}
