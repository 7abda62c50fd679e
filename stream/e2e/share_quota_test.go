//go:build unix

package e2e

import (
	"fmt"
	"testing"
	"time"
)

// shareQuota starts processes that share a quota, each with a slice of so many records, and args.
func shareQuota(t *testing.T, r *redisServer, sim *simServer, processes, records int, args ...string) (running []*process) {
	t.Helper()
	dir := t.TempDir()
	prompts := writePrompts(t, dir, records)
	for i := range processes {
		p := llmpipe(t, dir, append([]string{
			"--base-url", sim.URL, "-m", "gpt-4o-mini", "--share", r.url("job"), "--no-ledger",
			"--slice", fmt.Sprintf("%d/%d", i, processes), prompts,
		}, args...)...)
		p.starts(t)
		running = append(running, p)
	}
	return running
}

// TestShareOneQuota: processes that are told the same limit send no more than that together, where
// a provider lets nobody save up a minute, and go on while the store stands still.
func TestShareOneQuota(t *testing.T) {
	t.Parallel()
	const records = 60
	r, sim := startRedis(t), startSim(t, "latency=5ms&rpm=1200&burst=1s")
	running := shareQuota(t, r, sim, 4, records, "--rpm", "1200")
	eventually(t, "the first answers", func() bool { return sim.stats(t).Answered >= records/6 })
	r.pause(true)
	before := sim.stats(t).Answered
	eventually(t, "answers while the store stands still", func() bool { return sim.stats(t).Answered >= before+records/6 })
	r.pause(false)
	answered := 0
	for _, p := range running {
		if code := p.wait(t); code != 0 {
			t.Errorf("exit %d: %s", code, &p.err)
		}
		answered += len(parseOutput(p.out.Bytes()).ids)
	}
	if s := sim.stats(t); answered != records || s.ByStatus["429"] > 0 {
		t.Errorf("%d of %d answered, %d times 429", answered, records, s.ByStatus["429"])
	}
}

// TestShareQuotaOfMany: sixteen processes use a limit that they are told, and one that nobody tells.
func TestShareQuotaOfMany(t *testing.T) {
	needsLong(t, "four minutes")
	for _, tt := range []struct {
		name, sim string
		args      []string
		share     float64
		refused   float64
	}{
		{"told", "latency=400ms&jitter=0.5&rpm=6000&tpm=600000", []string{"--rpm", "6000", "--tpm", "600000"}, 0.98, 0},
		{"told nothing", "latency=400ms&jitter=0.5&rpm=6000&burst=1s&headers=false", nil, 0.93, 0.01},
		{"told by headers", "latency=400ms&jitter=0.5&rpm=6000&tpm=600000", nil, 0.93, 0.01},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, sim := startRedis(t), startSim(t, tt.sim)
			running := shareQuota(t, r, sim, 16, 20_000, tt.args...)
			time.Sleep(15 * time.Second) // a limit has been found by then
			before, began := sim.stats(t), time.Now()
			time.Sleep(30 * time.Second)
			after, seconds := sim.stats(t), time.Since(began).Seconds()
			for _, p := range running {
				_ = p.Process.Kill()
				_ = p.Wait()
			}
			answered := float64(after.ByStatus["200"] - before.ByStatus["200"])
			refused := float64(after.ByStatus["429"] - before.ByStatus["429"])
			t.Logf("%.1f answered a second, %.0f of %.0f refused", answered/seconds, refused, answered+refused)
			if answered < tt.share*100*seconds || refused > tt.refused*(answered+refused) {
				t.Errorf("%.1f answered a second of 100, %.0f of %.0f refused", answered/seconds, refused, answered+refused)
			}
		})
	}
}
