package ui

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// checkMetrics reads text as the format demands: each family has a HELP, then a TYPE, then samples
// of its name with a number, none twice, and counters end in _total. The last line ends in a
// newline.
func checkMetrics(t *testing.T, text string) map[string]string {
	t.Helper()
	values := map[string]string{}
	lines := strings.SplitAfter(text, "\n")
	if lines[len(lines)-1] != "" {
		t.Errorf("the last line is cut: %q", lines[len(lines)-1])
	}
	sample := regexp.MustCompile(`^([a-z_:][a-z0-9_:]*)(\{[a-z_]+="[^"\\\n]*"\})? (-?[0-9.]+(?:e[+-]?[0-9]+)?)\n$`)
	help, family, kind := "", "", ""
	met := map[string]bool{}
	for _, line := range lines[:len(lines)-1] {
		words := strings.SplitN(line, " ", 4)
		switch {
		case strings.HasPrefix(line, "# HELP "):
			help = words[2]
		case strings.HasPrefix(line, "# TYPE "):
			family, kind = words[2], strings.TrimSpace(words[3])
			if help != family || met[family] {
				t.Errorf("%q follows the help of %s", line, help)
			}
			met[family] = true
			if (kind == "counter") != strings.HasSuffix(family, "_total") || kind != "counter" && kind != "gauge" {
				t.Errorf("%s is a %s", family, kind)
			}
		default:
			m := sample.FindStringSubmatch(line)
			if m == nil || m[1] != family || values[m[1]+m[2]] != "" {
				t.Errorf("%q in the family %s", line, family)
				continue
			}
			values[m[1]+m[2]] = m[3]
		}
	}
	return values
}

func TestMetrics(t *testing.T) {
	cost := dollars("0.000000123")
	s := busy()
	s.Summary = Summary{In: 10, OK: 7, Failed: 2, Skipped: 3, PromptTokens: 1 << 40, CostUSD: &cost, ElapsedS: 1.5,
		Reasked: 4, Misfits: map[string]int64{"#": 1, "#/a": 2}}
	got := checkMetrics(t, string(s.appendMetrics(nil, true)))
	for name, want := range map[string]string{
		`llmpipe_records_total{outcome="ok"}`: "7", `llmpipe_records_total{outcome="failed"}`: "2", "llmpipe_records_read_total": "10",
		`llmpipe_tokens_total{kind="prompt"}`: "1099511627776", "llmpipe_cost_dollars_total": "0.000000123", "llmpipe_budget_dollars": "5",
		"llmpipe_elapsed_seconds": "1.5", "llmpipe_running": "1", "llmpipe_schema_reasks_total": "4", "llmpipe_schema_failures_total": "3",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	for name := range checkMetrics(t, string((&Status{}).appendMetrics(nil, false))) {
		if strings.Contains(name, "budget") || strings.Contains(name, "cost") || strings.Contains(name, "expected") {
			t.Errorf("%s is there, of which nothing is known", name)
		}
	}
}

// Whoever reads the file finds a whole one at any moment, and nothing beside it.
func TestMetricsFileIsWhole(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "m.prom")
	text := bytes.Repeat([]byte("line\n"), 10_000)
	if err := replace(name, text); err != nil {
		t.Fatal(err)
	}
	var writing sync.WaitGroup
	for range 2 {
		writing.Go(func() {
			for range 200 {
				if err := replace(name, text); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 400 {
		if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, text) {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
	}
	writing.Wait()
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%d files are left", len(entries))
	}
}

// The file is there from the start, is written every few seconds, and says at last that it is over.
func TestMetricsAreKept(t *testing.T) {
	name := filepath.Join(t.TempDir(), "m.prom")
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		s := busy()
		stop, err := KeepMetrics(NewVoice(&said, false, false), name, func() *Status { s.OK++; return &s })
		if err != nil {
			t.Fatal(err)
		}
		value := func(of string) string {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			return checkMetrics(t, string(text))[of]
		}
		const ok = `llmpipe_records_total{outcome="ok"}`
		first := value(ok)
		time.Sleep(3*metricsEvery + time.Second)
		if first != "1" || value(ok) != "4" || value("llmpipe_running") != "1" {
			t.Errorf("first %s, then %s", first, value(ok))
		}
		stop()
		if value(ok) != "5" || value("llmpipe_running") != "0" {
			t.Errorf("at the end %s, running %s", value(ok), value("llmpipe_running"))
		}
	})
	if _, err := KeepMetrics(nil, t.TempDir(), nil); err == nil {
		t.Error("a directory is taken for a file")
	}
}
