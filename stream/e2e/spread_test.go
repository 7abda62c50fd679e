//go:build unix

package e2e

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestSpreadWhenAServerIsKilled asks four servers at once, of which one is killed in the middle.
// The others answer what it did not, and nothing that they answered is asked twice.
func TestSpreadWhenAServerIsKilled(t *testing.T) {
	t.Parallel()
	const records = 1500
	dir := t.TempDir()
	prompts := writePrompts(t, dir, records)
	var sims []*simServer
	for _, rpm := range []string{"6000", "12000", "24000", "48000"} {
		sims = append(sims, startSim(t, "latency=20ms&headers=false&retry-after=none&rpm="+rpm+"&burst=1s"))
	}
	args := []string{"--base-url", sims[0].URL, "-m", "gpt-4o-mini", "-l", "job.jsonl", "--progress", "never", prompts}
	for i, s := range sims[1:] {
		args = append(args, "--spread", "url="+s.URL+",name=lane"+string(rune('1'+i)))
	}
	p := llmpipe(t, dir, args...)
	p.starts(t)
	victim := sims[2]
	eventually(t, "answers of the server that is killed", func() bool { return victim.stats(t).Answered > 50 })
	if err := victim.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if code := p.wait(t); code != 0 {
		t.Fatalf("exit %d: %s", code, &p.err)
	}
	checkOnceEach(t, "output", parseOutput(p.out.Bytes()).ids, records)
	for name, s := range map[string]*simServer{"lane1": sims[1], "lane3": sims[3]} {
		written := strings.Count(p.out.String(), `"provider":"`+name+`"`)
		if answered := s.stats(t).Answered; answered != written || written == 0 {
			t.Errorf("%s answered %d and %d are written", name, answered, written)
		}
	}
	report := llmpipe(t, dir, "report", filepath.Join(dir, "job.jsonl"))
	report.exits(t, 0)
	for _, row := range []string{"lane1", "lane2", "lane3"} {
		if !strings.Contains(report.out.String(), row) {
			t.Errorf("the report has no row of %s:\n%s", row, &report.out)
		}
	}
}
