package report

import (
	"crypto/sha256"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"llmpipe/ledger"
	"llmpipe/ledger/report"
)

// job is a ledger as some runs would have left it, made without running anything: the same each
// time.
type job struct {
	t      *testing.T
	path   string
	dice   *rand.Rand
	models []string
}

// jobModels are names of models, with what a thousand tokens of their answers cost, in nanodollars.
var jobModels = []struct {
	name, provider string
	price          int64
}{
	{"gpt-4o-mini", "api.openai.com", 600_000}, {"gpt-4.1", "api.openai.com", 8_000_000},
	{"claude-haiku-4-5", "api.anthropic.com", 5_000_000}, {"gemini-2.5-flash", "generativelanguage.googleapis.com", 2_500_000},
	{"meta-llama/Llama-3.3-70B-Instruct-Turbo", "api.together.xyz", 880_000}, {"mistral-small-latest", "api.mistral.ai", 300_000},
	{"deepseek-chat", "api.deepseek.com", 1_100_000}, {"gpt-4.1-mini", "api.openai.com", 1_600_000},
	{"qwen2.5-72b-instruct", "api.together.xyz", 1_200_000}, {"o4-mini", "api.openai.com", 4_400_000},
	{"text-only-of-my-own", "127.0.0.1:8000", 0}, {"grok-3-mini", "api.x.ai", 500_000},
}

// run is one run of a job.
type jobRun struct {
	id          string
	start       time.Time
	took        time.Duration
	from, to    int     // records that are asked
	fails       float64 // the share of them that fail
	killed      bool
	exit        int
	retries, at int64 // at is how often the status was 429
}

// writeJob makes the ledger of a job over so many models: a run with an outage, one on the next day
// that asks what failed and some more, and one that was killed.
func writeJob(t *testing.T, models int) string {
	t.Helper()
	j := &job{t: t, path: filepath.Join(t.TempDir(), "llmpipe.ledger.jsonl"), dice: rand.New(rand.NewPCG(1, 2))}
	for i := range models {
		j.models = append(j.models, jobModels[i].name)
	}
	day := time.Date(2026, 3, 4, 9, 12, 30, 0, time.UTC)
	failed := j.run(jobRun{id: "run-1", start: day, took: 11 * time.Minute, from: 0, to: 240, fails: 0.08, exit: 3, retries: 31, at: 12}, nil)
	left := j.run(jobRun{
		id: "run-2", start: day.Add(26 * time.Hour), took: 6 * time.Minute, from: 240, to: 380, fails: 0.02, exit: 3, retries: 4,
	}, failed)
	j.run(jobRun{id: "run-3", start: day.Add(28 * time.Hour), took: time.Minute, from: 380, to: 400, killed: true}, left[:1])
	return j.path
}

// run writes a run down, which asks again what had failed, and returns what fails.
func (j *job) run(r jobRun, again []int) (failed []int) {
	j.t.Helper()
	l, err := ledger.Open(j.path, ledger.Options{Fsync: ledger.FsyncNever, Run: ledger.RunInfo{
		ID: r.id, Time: r.start, Version: "v1.0.0", Endpoint: "chat", Model: j.models[0], Provider: jobModels[0].provider,
		Mode: "realtime", BudgetNanos: 5e9, DailyNanos: 1e9,
	}})
	if err != nil {
		j.t.Fatal(err)
	}
	asked := append([]int(nil), again...)
	for n := r.from; n < r.to; n++ {
		asked = append(asked, n)
	}
	var g ledger.Group
	for i, n := range asked {
		// With a stretch in the middle in which it goes slowly, as with a provider in trouble.
		const slowFrom, slowTo, slower = 0.55, 0.65, 3.0
		share := (float64(i) + j.dice.Float64()) / float64(len(asked))
		spent := share + (slower-1)*(max(min(share, slowTo), slowFrom)-slowFrom)
		spent /= 1 + (slower-1)*(slowTo-slowFrom)
		when := r.start.Add(2*time.Second + time.Duration(float64(r.took-4*time.Second)*spent))
		if j.dice.Float64() < r.fails {
			failed = append(failed, n)
			g.Failures = append(g.Failures, j.failure(n, when))
		} else {
			g.Results = append(g.Results, j.result(n, when))
		}
	}
	if err := l.Commit(&g); err != nil {
		j.t.Fatal(err)
	}
	if !r.killed {
		end := ledger.RunEnd{
			Time: r.start.Add(r.took), Exit: r.exit, In: int64(r.to), OK: int64(r.to - len(failed)), Failed: int64(len(failed)),
			Skipped: int64(r.from - len(again)), Retries: r.retries, Status429: r.at,
		}
		if err := l.End(end); err != nil {
			j.t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		j.t.Fatal(err)
	}
	return failed
}

func (j *job) record(n int, when time.Time) ledger.Record {
	m := jobModels[n%len(j.models)]
	return ledger.Record{
		ID: fmt.Appendf(nil, `"mail-%04d"`, n), Request: sha256.Sum256(fmt.Appendf(nil, "request %d", n)), Endpoint: "chat",
		Model: m.name, Provider: m.provider, Attempts: 1, Time: when, LatencyMS: int64(math.Exp(6.6 + 0.45*j.dice.NormFloat64())),
	}
}

func (j *job) result(n int, when time.Time) ledger.Result {
	r := ledger.Result{Record: j.record(n, when)}
	r.PromptTokens, r.CompletionTokens = 120+int64(j.dice.IntN(400)), 40+int64(j.dice.IntN(700))
	price := jobModels[n%len(j.models)].price
	r.CostNanos, r.CostKnown = (r.PromptTokens/4+r.CompletionTokens)*price/1000, price > 0
	reason := "stop"
	if n%67 == 3 {
		reason = "length"
	}
	r.Response = fmt.Appendf(nil, `{"choices":[{"message":{"content":"An answer."},"finish_reason":%q}]}`, reason)
	return r
}

func (j *job) failure(n int, when time.Time) ledger.Failure {
	f := ledger.Failure{Record: j.record(n, when), Type: "rate_limit", Code: "rate_limit_exceeded", Status: 429}
	f.Attempts, f.CostKnown = 6, true
	f.Message = "Rate limit reached for requests per minute. Please try again in 1.2s."
	if n%3 == 0 {
		f.Type, f.Code, f.Status, f.Message = "timeout", "", 0, "no answer within 10m"
	}
	return f
}

// jobReport is what the report of a job says on its last day.
func jobReport(t *testing.T, models int) *report.Report {
	t.Helper()
	now := time.Date(2026, 3, 5, 20, 0, 0, 0, time.UTC)
	r, err := report.New(report.Options{Now: now, Flag: flagOf}, writeJob(t, models))
	if err != nil {
		t.Fatal(err)
	}
	return r
}
