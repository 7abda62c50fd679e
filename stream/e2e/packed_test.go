package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
)

// Killed in the middle of packs and run again, embeddings are asked for once more only where no
// result is recorded, and the output is the one of a run that asks for each alone.
func TestPacksKilledAndResumed(t *testing.T) {
	const records = 5_000
	sim, dir := startSim(t, "latency=10ms&jitter=0.5"), t.TempDir()
	witness, runs := startWitness(t, sim), 0
	input := writePrompts(t, dir, records)
	recorded := func() int {
		content, _ := os.ReadFile(filepath.Join(dir, "packed.ledger")) // not there yet: nothing is recorded
		whole := content[:bytes.LastIndexByte(content, '\n')+1]
		return bytes.Count(whole, []byte(`"embedding":[`))
	}
	start := func(pack string, more ...string) *process {
		runs++
		p := llmpipe(t, dir, append([]string{"--base-url", witness.URL, "--header", runHeader + ": " + strconv.Itoa(runs),
			"--endpoint", "embeddings", "-m", "text-embedding-3-small", "--pack", pack, "--summary", "summary.json", input}, more...)...)
		p.starts(t)
		return p
	}
	for kill := range 3 {
		p := start("100", "-c", "4", "-l", "packed.ledger")
		eventually(t, "some results are recorded", func() bool { return recorded() > 1000*kill+30 })
		_ = p.Process.Kill()
		p.wait(t)
	}
	done := recorded()
	packed := start("100", "-c", "4", "-l", "packed.ledger")
	if code := packed.wait(t); code != 0 {
		t.Fatalf("exit %d: %s", code, &packed.err)
	}
	if s := readSummary(t, dir); s.OK != records || s.Skipped != done {
		t.Errorf("%d were recorded, %+v", done, s)
	}
	// A disk that holds reading back may send a pack on before it is full.
	asked, want := witness.of(strconv.Itoa(runs)), (records-done+99)/100
	if asked.records != records-done || asked.requests < want || asked.requests > want+2 {
		t.Errorf("%d requests about %d records, want %d about %d", asked.requests, asked.records, want, records-done)
	}
	alone := start("1", "-c", "64", "--no-ledger")
	if code := alone.wait(t); code != 0 {
		t.Fatalf("exit %d: %s", code, &alone.err)
	}
	// What differs: how long it took, and how the tokens of inputs of different lengths are shared
	// out.
	differs := regexp.MustCompile(`"usage":\{[^}]*\}|"(latency_ms|cost_usd)":[0-9.]+`)
	var lines [2][]string
	for i, p := range [...]*process{packed, alone} {
		lines[i] = splitLines(differs.ReplaceAllString(p.out.String(), ""))
		slices.Sort(lines[i])
	}
	if len(lines[0]) != records || !slices.Equal(lines[0], lines[1]) {
		t.Errorf("%d lines, and %d asked for one by one, which differ", len(lines[0]), len(lines[1]))
	}
}
