package estimate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"llmpipe/ledger"
	"llmpipe/ledger/price"
	"llmpipe/limiter"
	"llmpipe/stream"
	"llmpipe/stream/flow"
	"llmpipe/stream/input"
	"llmpipe/stream/journal"
	"llmpipe/stream/provider"
	"llmpipe/stream/record"
)

// simulated is a configuration that asks the simulator in process, at once and without a ledger.
func simulated(input io.Reader) stream.Config {
	return stream.Config{
		Stdin: input, Stdout: io.Discard, Stderr: io.Discard, Quiet: true, MaxLine: 1 << 20, Retries: 6,
		Decode:   record.Options{Model: "gpt-4o-mini"},
		Provider: provider.Config{BaseURL: "sim:?latency=0&output=60", Connections: 32},
		Pace:     limiter.Config{Concurrency: 32},
	}
}

// A sample is a run: what stops it has the exit code of a run.
func TestEstimateWhoseSampleIsStopped(t *testing.T) {
	for name, c := range map[string]struct {
		adapt func(*stream.Config)
		want  int
	}{
		"budget": {func(c *stream.Config) { c.Money.Budget = 1 }, stream.ExitBudget},
		"quota":  {func(c *stream.Config) { c.Provider.BaseURL = "sim:?quota=1" }, stream.ExitPaused},
	} {
		cfg := simulated(strings.NewReader(mixedPrompts(10)))
		cfg.Sample = 10
		c.adapt(&cfg)
		_, err := Run(t.Context(), cfg, nil)
		var ended *stream.Ended
		if !errors.As(err, &ended) || ended.ExitCode() != c.want {
			t.Errorf("%s: %v, want exit %d", name, err, c.want)
		}
	}
}

// mixedPrompts are n records whose prompts differ in length by a factor of a hundred.
func mixedPrompts(n int) string {
	var b strings.Builder
	for i := range n {
		words := 1 + int(math.Pow(100, float64(i*7919%n)/float64(n)))
		fmt.Fprintf(&b, `{"id":"%d","prompt":"%d %s"}`+"\n", i, i, strings.Repeat("some words ", words))
	}
	return b.String()
}

// What a sample of 100 says of 10,000 records for two models, against what they really cost with
// the simulator, whose outputs vary by a factor of nine: over 1,000 seeds, the interval holds
// the truth in 930 or more, and the total is within 15 %.
func TestSamplesAgainstTheSimulator(t *testing.T) {
	const population, n, seeds = 10_000, 100, 1_000
	prompts := strings.ReplaceAll(mixedPrompts(population), `1","prompt"`, `1","model":"gpt-4o","prompt"`)
	cfg := simulated(strings.NewReader(prompts))
	survey, err := surveyRecords(&cfg, cfg.Money.InForce(time.Now()), "sim", func(*flow.Task) {})
	if err != nil || len(survey.kinds) != 2 {
		t.Fatal(err, survey)
	}
	all := &sample{survey: survey, seen: make(map[*kind]*seen)}
	var ids [][]byte
	truth := 0.0
	cfg.Stdin = strings.NewReader(prompts)
	cfg.Observe = func(_ *flow.Flow, tk *flow.Task) {
		all.add(tk)
		ids, truth = append(ids, bytes.Clone(tk.ID)), truth+float64(tk.Cost)
	}
	outcome, err := stream.Run(t.Context(), cfg)
	if err != nil || outcome.ExitCode() != stream.ExitOK || len(all.observed) != population {
		t.Fatalf("%+v, %v, %d records", outcome, err, len(all.observed))
	}
	strata := []stratum{survey.kinds[0].stratum, survey.kinds[1].stratum}
	held, near := 0, 0
	for seed := range uint64(seeds) {
		s := input.Sampler[observed]{N: n}
		for i, o := range all.observed {
			s.Offer(survey.kinds[o.stratum].rank(input.Rank(seed, ids[i]), survey.kinds[0]), o)
		}
		e := regress(strata, s.Chosen())
		if e.low <= truth && truth <= e.high {
			held++
		}
		if math.Abs(e.total/truth-1) <= 0.15 {
			near++
		}
	}
	t.Logf("of %d intervals %d hold the truth; %d totals are within 15 %%", seeds, held, near)
	if held < 930 || near < 980 {
		t.Errorf("of %d intervals only %d hold the truth, %d totals are within 15 %%", seeds, held, near)
	}
}

// The whole way: the estimate, then the run, whose sampled answers are not asked again.
func TestEstimateThenRun(t *testing.T) {
	input := mixedPrompts(2_000)
	path := t.TempDir() + "/ledger.jsonl"
	cfg := simulated(strings.NewReader(input))
	cfg.Ledger = journal.Config{Path: path, Fsync: ledger.FsyncNever}
	cfg.Sample, cfg.Seed = 100, 4
	cfg.Pace.RPM = 6_000_000
	e, err := Run(t.Context(), cfg, []string{"gpt-4o", "gpt-4o-mini", "nobody-knows"})
	if err != nil {
		t.Fatal(err)
	}
	if e.Prompts != 2_000 || e.Sample == nil || e.Sample.N != 100 || e.Basis != "a sample" || e.Total == nil || e.Interval == nil {
		t.Fatalf("%+v", e)
	}
	if len(e.Models) != 3 || e.Models[0].Cost == nil || e.Models[1].Batch == nil || e.Models[2].Cost != nil {
		t.Errorf("models %+v", e.Models)
	}
	if e.Hours == nil || *e.Hours < 0.99*2_000/6_000_000/60 {
		t.Errorf("hours %v, bound by %s", e.Hours, e.Bound)
	}
	cfg.Stdin, cfg.Sample = strings.NewReader(input), 0
	outcome, err := stream.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	s := outcome.Summary
	if s.Skipped != 100 || s.OK != 2_000 || s.CostUSD == nil {
		t.Fatalf("%+v", s)
	}
	spent := int64(*s.CostUSD) + int64(*e.Sample.CostPerRecord)*100
	if off := float64(*e.Total)/float64(spent) - 1; math.Abs(off) > 0.15 {
		t.Errorf("the estimate of %s is off by %.0f %% of the %s that were spent", e.Total, 100*off, price.Dollars(spent))
	}
}

func TestEstimateWithoutASample(t *testing.T) {
	tests := []struct {
		name, input, basis string
		completion         int64
	}{
		{"max_tokens says the most", `{"prompt":"a","max_tokens":50}` + "\n" + `{"prompt":"b","max_tokens":30,"n":2}`, "max_tokens", 110},
		{"else it is a guess", `{"prompt":"a","max_tokens":50}` + "\n" + `"b"`, "a guess", 50 + guessedOutput},
	}
	for _, test := range tests {
		cfg := simulated(strings.NewReader(test.input + "\nno record\n"))
		e, err := Run(t.Context(), cfg, nil)
		if err != nil {
			t.Fatal(err)
		}
		if e.Prompts != 2 || e.Invalid != 1 || e.Basis != test.basis || e.CompletionTokens != test.completion || e.Interval != nil {
			t.Errorf("%s: %+v", test.name, e)
		}
		if e.Total == nil || *e.Total <= 0 {
			t.Errorf("%s: total %v", test.name, e.Total)
		}
	}
}

// BenchmarkEstimate reads 20,000 records of 1.2 KB: MB/s. The memory of the whole process is in the
// test of the binary.
func BenchmarkEstimate(b *testing.B) {
	var input []byte
	for i := range 20_000 {
		input = fmt.Appendf(input, `{"custom_id":"r%d","method":"POST","url":"/v1/chat/completions","body":{"model":"m",`+
			`"messages":[{"role":"user","content":"%d %s"}],"max_tokens":400}}`+"\n", i, i, strings.Repeat("lorem ipsum dolor sit amet ", 38))
	}
	b.SetBytes(int64(len(input)))
	for b.Loop() {
		if _, err := Run(b.Context(), simulated(bytes.NewReader(input)), nil); err != nil {
			b.Fatal(err)
		}
	}
}
