//go:build unix

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// laneRun is what a run over several lanes did: how many results each provider has, by the results
// themselves.
type laneRun struct {
	code   int
	shares map[string]int // provider -> results; "" is the first lane
	stderr string
	cost   float64
}

// runLanes runs records through the lanes, the first of them the primary one, and checks that each
// has one answer.
func runLanes(t *testing.T, records int, lanes []string, args ...string) laneRun {
	t.Helper()
	dir := t.TempDir()
	args = append([]string{"--base-url", lanes[0], "-m", "gpt-4o-mini", "-c", "8", writePrompts(t, dir, records)}, args...)
	for _, spec := range lanes[1:] {
		args = append(args, "--fallback", spec)
	}
	p := llmpipe(t, dir, args...)
	r := laneRun{code: p.exit(t), shares: map[string]int{}, stderr: p.err.String()}
	seen := map[string]bool{}
	for _, line := range p.lines() {
		var result struct {
			ID       json.Number
			Content  string
			Provider string
			CostUSD  float64 `json:"cost_usd"`
		}
		if err := json.Unmarshal([]byte(line), &result); err != nil || result.Content == "" || seen[result.ID.String()] {
			t.Fatalf("%s: %v", line, err)
		}
		seen[result.ID.String()] = true
		r.shares[result.Provider]++
		r.cost += result.CostUSD
	}
	return r
}

func spec(s *simServer, name string, more ...string) string {
	return strings.Join(append([]string{"url=" + s.URL, "name=" + name}, more...), ",")
}

// answered checks that every record was answered once, by the servers' own count.
func answered(t *testing.T, records int, sims ...*simServer) {
	t.Helper()
	sum := 0
	for _, s := range sims {
		sum += s.stats(t).Answered
	}
	if sum != records {
		t.Errorf("the servers answered %d times, want %d", sum, records)
	}
}

func TestLanesPrimaryDownFromTheStart(t *testing.T) {
	t.Parallel()
	const records = 1000
	down, spare, last := startSim(t, "latency=2ms&outage=0s-1h"), startSim(t, "latency=2ms"), startSim(t, "latency=2ms")
	r := runLanes(t, records, []string{down.URL, spec(spare, "spare"), spec(last, "last")})
	if r.code != 0 || r.shares["spare"] != records {
		t.Errorf("exit %d, shares %v: %s", r.code, r.shares, r.stderr)
	}
	// What was in flight, the eight that open the breaker, and a probe every few seconds.
	if n := down.stats(t).Requests; n > 8+8+3 {
		t.Errorf("%d requests reached the lane that is down", n)
	}
	answered(t, records, down, spare, last)
}

func TestLanesPrimaryDownInTheMiddleAndBack(t *testing.T) {
	t.Parallel()
	const records = 4000
	first, spare := startSim(t, "latency=15ms&outage=1s-3s"), startSim(t, "latency=15ms")
	r := runLanes(t, records, []string{first.URL, spec(spare, "spare", "model=gpt-4.1-mini")})
	if r.code != 0 || r.shares[""]+r.shares["spare"] != records {
		t.Errorf("exit %d, shares %v: %s", r.code, r.shares, r.stderr)
	}
	// The spare lane has the time from the outage to the probe that finds it over, five seconds;
	// the first has all the rest.
	if r.shares["spare"] < records/10 || r.shares[""] < records/10 {
		t.Errorf("shares %v: one lane stood idle", r.shares)
	}
	answered(t, records, first, spare)
	stats := first.stats(t)
	// Eight failures in a row open the breaker; answers to what was sent before the outage, up to
	// eight, may start the count anew; then there are those in flight, and a probe every few
	// seconds.
	if n := stats.ByStatus["503"]; n > 8+8+8+3 {
		t.Errorf("%d requests reached the lane while it was down", n)
	}
	for model := range spare.stats(t).Models {
		if model != "gpt-4.1-mini" {
			t.Errorf("the spare lane was asked for the model %s", model)
		}
	}
}

func TestLanesOutOfQuotaOneAfterTheOther(t *testing.T) {
	t.Parallel()
	const records = 1500
	first, second, third := startSim(t, "latency=2ms&quota=400"), startSim(t, "latency=2ms&quota=500"), startSim(t, "latency=2ms")
	r := runLanes(t, records, []string{first.URL, spec(second, "second"), spec(third, "third")})
	if r.code != 0 || r.shares[""] != 400 || r.shares["second"] != 500 || r.shares["third"] != 600 {
		t.Errorf("exit %d, shares %v: %s", r.code, r.shares, r.stderr)
	}
	answered(t, records, first, second, third)
	for _, s := range []*simServer{first, second} {
		if n := s.stats(t).ByStatus["429"]; n > 8 {
			t.Errorf("%d requests followed the one that said that nothing is left", n)
		}
	}
}

func TestLanesAllOutOfQuota(t *testing.T) {
	t.Parallel()
	first, second := startSim(t, "latency=2ms&quota=40"), startSim(t, "latency=2ms&quota=50")
	r := runLanes(t, 200, []string{first.URL, spec(second, "second")})
	if r.code != 75 || r.shares[""] != 40 || r.shares["second"] != 50 {
		t.Errorf("exit %d, shares %v: %s", r.code, r.shares, r.stderr)
	}
}

func TestLanesARefusalStaysARefusal(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	refusing := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), "number 7\"") {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error":{"message":"no sevens","type":"invalid_request_error","code":"no_sevens"}}`)
			return
		}
		answerChat(w)
	})
	spare := serve(t, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	dir := t.TempDir()
	p := llmpipe(t, dir, "--base-url", refusing, "-m", "m", "--fallback", "url="+spare, writePrompts(t, dir, 20))
	if code := p.exit(t); code != 3 || !strings.Contains(p.out.String(), "no sevens") {
		t.Errorf("exit %d: %s%s", code, &p.out, &p.err)
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("%d requests travelled to the other lane", n)
	}
}

func TestLanesAWrongKeyOnTheFallbackAlone(t *testing.T) {
	t.Parallel()
	const records = 1000
	first, locked := startSim(t, "latency=10ms&outage=300ms-2s"), startSim(t, "latency=10ms&key=right")
	r := runLanes(t, records, []string{first.URL, spec(locked, "locked")})
	if r.code != 0 || r.shares[""] != records || !strings.Contains(r.stderr, "locked: this provider gets no more requests") {
		t.Errorf("exit %d, shares %v: %s", r.code, r.shares, r.stderr)
	}
	if n := locked.stats(t).Requests; n > 8 {
		t.Errorf("%d requests with a wrong key", n)
	}
}

func TestLanesShareTheBudget(t *testing.T) {
	t.Parallel()
	const records = 600
	first, spare := startSim(t, "latency=2ms&quota=100"), startSim(t, "latency=2ms")
	r := runLanes(t, records, []string{first.URL, spec(spare, "spare", "model=gpt-4.1")}, "--budget", "0.03", "--set", "max_tokens=100")
	if r.code != 4 || r.shares[""] != 100 || r.shares["spare"] == 0 {
		t.Errorf("exit %d, shares %v: %s", r.code, r.shares, r.stderr)
	}
	// 0.15 and 0.60 dollars a million tokens there, 2 and 8 here.
	cost := func(s *simServer, input, output float64) float64 {
		c := s.stats(t)
		return (float64(c.PromptTokens)*input + float64(c.CompletionTokens)*output) / 1e6
	}
	spent := cost(first, 0.15, 0.60) + cost(spare, 2, 8)
	const worst = 0.0011 // of a request to the dearer lane: 100 tokens of output, and a token a byte of its body
	if spent > 0.03 || spent < 0.03-worst || r.cost < spent-1e-6 || r.cost > spent+1e-6 {
		t.Errorf("the servers' answers cost %f, the results say %f, of a budget of 0.03", spent, r.cost)
	}
}

func TestLanesInTheReport(t *testing.T) {
	t.Parallel()
	first, spare := startSim(t, "latency=1ms&quota=5"), startSim(t, "latency=1ms")
	dir := t.TempDir()
	p := llmpipe(t, dir, "--base-url", first.URL, "-m", "gpt-4o-mini", "-q", "--fallback", spec(spare, "spare"), writePrompts(t, dir, 20))
	p.exits(t, 0)
	report := llmpipe(t, dir, "report")
	if code := report.exit(t); code != 0 || !strings.Contains(report.out.String(), "provider spare") {
		t.Errorf("exit %d: %s%s", code, &report.out, &report.err)
	}
	again := llmpipe(t, dir, "--base-url", first.URL, "-m", "gpt-4o-mini", "--fallback", spec(spare, "spare"),
		filepath.Join(dir, "prompts.jsonl"))
	if code := again.exit(t); code != 0 || strings.Count(again.out.String(), `"provider":"spare"`) != 15 {
		t.Errorf("exit %d: %s%s", code, &again.out, &again.err)
	}
	answered(t, 20, first, spare)
}
