package e2e

import (
	"bytes"
	"path/filepath"
	"testing"

	"llmpipe/ledger"
)

// ledgerJob is a small job with a ledger of its own.
type ledgerJob struct {
	*testing.T
	dir    string
	ledger string
	sim    *simServer
}

func newLedgerJob(t *testing.T, records int) *ledgerJob {
	t.Parallel()
	dir := t.TempDir()
	writePrompts(t, dir, records)
	return &ledgerJob{T: t, dir: dir, ledger: filepath.Join(dir, "job.jsonl"), sim: startSim(t, "latency=1ms")}
}

// filter prepares a run of the job, with more flags.
func (j *ledgerJob) filter(args ...string) *process {
	j.Helper()
	return llmpipe(j, j.dir, append([]string{"--base-url", j.sim.URL, "-m", "gpt-4o-mini", "-l", "job.jsonl", "prompts.jsonl"}, args...)...)
}

// run runs the job, with more flags.
func (j *ledgerJob) run(args ...string) (p *process, code int) {
	j.Helper()
	p = j.filter(args...)
	return p, p.exit(j)
}

// lines runs p, which must end well, and returns what it wrote.
func (j *ledgerJob) lines(p *process) []string {
	j.Helper()
	p.exits(j, 0)
	return p.lines()
}

// command runs llmpipe in j's directory, which must end well, and returns its lines.
func (j *ledgerJob) command(args ...string) []string {
	j.Helper()
	return j.lines(llmpipe(j, j.dir, args...))
}

// done runs the job, which must end well.
func (j *ledgerJob) done(records int) {
	j.Helper()
	p := j.filter()
	p.exits(j, 0)
	checkOnceEach(j, "output", parseOutput(p.out.Bytes()).ids, records)
}

// content is what is in the ledger.
func (j *ledgerJob) content() []byte {
	j.Helper()
	return []byte(readFile(j, j.dir, "job.jsonl"))
}

// refused checks that the ledger is refused, with a message that holds all of want, and that
// nothing was asked or changed.
func (j *ledgerJob) refused(p *process, code int, before []byte, asked int, want ...string) {
	j.Helper()
	if code != 1 || p.out.Len() > 0 {
		j.Errorf("%v: exit %d with %d bytes of output", p.Args[1:], code, p.out.Len())
	}
	p.says(j, want...)
	if before != nil && !bytes.Equal(j.content(), before) {
		j.Errorf("%v changed the ledger", p.Args[1:])
	}
	if n := j.sim.stats(j).Requests; n != asked {
		j.Errorf("%d requests, want %d", n, asked)
	}
}

// ledgerSays is what a ledger says was spent, may have been by runs that are gone, and is at risk
// by those that live or in batches, in billionths of a dollar.
func ledgerSays(t testing.TB, path string) (spent, kept, atRisk int64) {
	t.Helper()
	l, err := ledger.Open(path, ledger.Options{Rehearsal: true, Run: ledger.RunInfo{ID: "test"}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	own, others := l.AtRisk()
	atRisk = own.Nanos + others.Nanos
	for _, shard := range l.Shards() {
		if shard.Pending() {
			atRisk += shard.ReservedNanos
		}
	}
	s := l.Summary()
	return s.SpentNanos, s.KeptNanos, atRisk
}
