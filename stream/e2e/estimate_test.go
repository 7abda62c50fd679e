package e2e

import (
	"bufio"
	"fmt"
	"math"
	"strings"
	"testing"

	"llmpipe/ledger/price"
)

// estimated is what `llmpipe estimate --json` says.
type estimated struct {
	Prompts  int           `json:"prompts"`
	Total    price.Dollars `json:"total_usd"`
	Interval *struct {
		Low  price.Dollars `json:"low_usd"`
		High price.Dollars `json:"high_usd"`
	} `json:"interval"`
	Sample *struct {
		N int `json:"n"`
	} `json:"sample"`
}

// TestSampleThenRun is the way to a bill without surprise: a sample, its estimate, and the run
// under 150 % of that.
func TestSampleThenRun(t *testing.T) {
	t.Parallel()
	const records, sampled = 10_000, 100
	dir := t.TempDir()
	prompts := writeBounded(t, dir, records, always(150))
	sim := startSim(t, "latency=2ms&output=40&seed=11")
	flags := []string{"--base-url", sim.URL, "-m", "gpt-4o-mini", "-c", "64", prompts}

	p := llmpipe(t, dir, append([]string{"estimate", "--json", "--sample", fmt.Sprint(sampled)}, flags...)...)
	p.exits(t, 0)
	if n := sim.stats(t).Requests; n != sampled {
		t.Errorf("the sample took %d requests", n)
	}
	estimate := writeFile(t, dir, "est.json", p.out.String())
	var e estimated
	readJSON(t, dir, "est.json", &e)
	if e.Prompts != records || e.Sample == nil || e.Sample.N != sampled || e.Interval == nil {
		t.Fatalf("estimate %s", &p.out)
	}

	p = llmpipe(t, dir, append([]string{"--estimate", estimate, "--budget", "150%", "--summary", "summary.json"}, flags...)...)
	p.exits(t, 0)
	asked := sim.stats(t)
	truth := asked.bill(t)
	if s := readSummary(t, dir); asked.Requests != records || s.Skipped != sampled || s.OK != records {
		t.Errorf("%d requests, summary %+v: the sample was paid for twice", asked.Requests, s)
	}
	off := float64(e.Total)/float64(truth) - 1
	t.Logf("estimated %s, %s to %s; it cost %s (off by %.1f %%)", e.Total, e.Interval.Low, e.Interval.High, price.Dollars(truth), 100*off)
	if math.Abs(off) > 0.15 || int64(e.Interval.Low) > truth || int64(e.Interval.High) < truth {
		t.Errorf("estimated %s, %s to %s, but it cost %s", e.Total, e.Interval.Low, e.Interval.High, price.Dollars(truth))
	}

	// Half of the estimate does not get as far.
	p = llmpipe(t, t.TempDir(), append([]string{"--estimate", estimate, "--budget", "50%"}, flags...)...)
	if code := p.exit(t); code != 4 {
		t.Errorf("with half of it: exit code %d: %s", code, &p.err)
	}
	if more := sim.stats(t).bill(t) - truth; !within(2, more, int64(e.Total)/2) {
		t.Errorf("with half of it %d was spent, of %s", more, e.Total)
	}
}

// TestEstimateMemory estimates a million records out of a pipe, with a sample held meanwhile.
func TestEstimateMemory(t *testing.T) {
	t.Parallel()
	const most = 48 << 20
	records := 1_000_000
	if race {
		records /= 10 // they take a minute
	}
	p := llmpipe(t, t.TempDir(), "estimate", "--json", "--base-url", "sim:?latency=1ms", "--sample", "1000")
	in, err := p.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.starts(t)
	out := bufio.NewWriterSize(in, 1<<16)
	for i := range records {
		if _, err := fmt.Fprintf(out, "\"%d\"\n", i); err != nil {
			t.Fatalf("%v: %s", err, &p.err)
		}
	}
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	peak := peakMemory(p.Process.Pid) // all but what the pipe holds is read, and of that no more is kept
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if code := p.wait(t); code != 0 || !strings.HasPrefix(p.out.String(), fmt.Sprintf(`{"prompts":%d,"invalid":0,`, records)) {
		t.Fatalf("exit code %d, %s, %s", code, &p.out, &p.err)
	}
	t.Logf("%d KiB of memory", peak>>10)
	if race {
		peak /= 6 // shadow memory
	}
	if peak > most {
		t.Errorf("%d MiB of memory, want at most %d", peak>>20, most>>20)
	}
}
