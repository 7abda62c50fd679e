package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"llmpipe/ledger/price"
)

// alert is what --alert is told.
type alert struct {
	Text   string         `json:"text"`
	Colour string         `json:"colour"`
	Done   int            `json:"done"`
	Left   *int           `json:"left"`
	Spent  price.Dollars  `json:"spent_usd"`
	Budget price.Dollars  `json:"budget_usd"`
	Finish *price.Dollars `json:"to_finish_usd"`
}

// readAlerts reads what `cat >> alerts.jsonl` got in dir, of which there is some.
func readAlerts(t testing.TB, dir string) []alert {
	t.Helper()
	var alerts []alert
	for _, line := range splitLines(readFile(t, dir, "alerts.jsonl")) {
		alerts = append(alerts, parseAlert(t, []byte(line)))
	}
	return alerts
}

func parseAlert(t testing.TB, body []byte) alert {
	t.Helper()
	var a alert
	if err := json.Unmarshal(body, &a); err != nil {
		t.Errorf("alert %q: %v", body, err)
	}
	return a
}

// alertBudget is for some 600 of the 1,000 records that the tests of alerts ask about.
const alertBudget = "0.015"

// alerted prepares a run that turns yellow, then red.
func alerted(t *testing.T, target string) (p *process, sim *simServer) {
	t.Helper()
	dir := t.TempDir()
	prompts := writeBounded(t, dir, 1_000, always(120))
	sim = startSim(t, "latency=5ms&output=40&seed=3")
	p = llmpipe(t, dir, "--base-url", sim.URL, "-m", "gpt-4o-mini", "-c", "16", "--budget", alertBudget, "--alert", target, prompts)
	return p, sim
}

// TestAlertsOncePerCrossing counts the messages: one for yellow and one for red, with what a person
// wants to know then.
func TestAlertsOncePerCrossing(t *testing.T) {
	t.Parallel()
	check := func(t *testing.T, alerts []alert) {
		t.Helper()
		if len(alerts) != 2 || alerts[0].Colour != "yellow" || alerts[1].Colour != "red" {
			t.Fatalf("alerts %+v, want a yellow one and a red one", alerts)
		}
		for i, a := range alerts {
			share := float64(a.Spent) / float64(a.Budget)
			if !strings.HasPrefix(a.Text, "llmpipe: the budget is "+a.Colour+": $0.0") || a.Budget.String() != alertBudget || share > 1 ||
				share < []float64{0.8, 0.98}[i] || a.Done < 300 || a.Left == nil || a.Finish == nil {
				t.Errorf("%+v", a)
				continue
			}
			// How many records are in the file is known by its size only roughly.
			if all := a.Done + *a.Left; all < 900 || all > 1_100 {
				t.Errorf("%d records are done and %d left, of 1,000", a.Done, *a.Left)
			}
			// All 1,000 cost 0.0248 dollars, by the simulator's seed.
			if mean := 0.0000248 * dollar * float64(*a.Left); float64(*a.Finish) < 0.9*mean || float64(*a.Finish) > 1.1*mean {
				t.Errorf("%s to finish, %.0f by the mean", a.Finish, mean)
			}
		}
	}
	t.Run("URL", func(t *testing.T) {
		t.Parallel()
		var mu sync.Mutex
		var got []alert
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			body, err := io.ReadAll(r.Body)
			if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%s %s, %v", r.Method, r.Header, err)
			}
			got = append(got, parseAlert(t, body))
		})
		p, _ := alerted(t, url+"/services/hook")
		p.exits(t, 4)
		mu.Lock()
		defer mu.Unlock()
		check(t, got)
	})
	t.Run("command", func(t *testing.T) {
		t.Parallel()
		p, _ := alerted(t, "exec:cat >> alerts.jsonl")
		p.exits(t, 4)
		check(t, readAlerts(t, p.Dir))
	})
}

// TestAlertsStayWhereTheyAreSent has the address of an alert redirect in each way that there is, and
// repeat itself in what cannot be read. It is secret: no other host hears of it, and no message.
func TestAlertsStayWhereTheyAreSent(t *testing.T) {
	t.Parallel()
	const secret = "T0/B0/secret"
	elsewhere := newBackend(t, func(_ int64, _ http.ResponseWriter, r *http.Request) {
		t.Errorf("another host was sent %s %s %s", r.Method, r.URL, r.Header)
	})
	for _, status := range []int{301, 302, 303, 307, 308, 0} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			hook := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if status > 0 {
					w.Header().Set("Location", elsewhere.URL)
					w.WriteHeader(status)
					return
				}
				if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
					fmt.Fprintf(conn, "HTTP/1.1 %s\r\n\r\n", r.URL)
					_ = conn.Close()
				}
			})
			p, _ := alerted(t, hook+"/"+secret+"?token=secret")
			p.exits(t, 4)
			if said := p.err.String(); strings.Count(said, "warning: --alert: ") != 2 || strings.Contains(said, "secret") {
				t.Errorf("said %s", said)
			}
		})
	}
}

// TestDeadAlerts has nobody listen in several ways. The run goes its way, at most with a warning.
func TestDeadAlerts(t *testing.T) {
	t.Parallel()
	// hanging takes connections, and says nothing on them.
	hanging, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hanging.Close() })
	for name, test := range map[string]struct {
		target, warning string
		warnings        int
	}{
		"refused":         {closedPort(t) + "/secret", "connection refused", 2},
		"hanging":         {"http://" + hanging.Addr().String() + "/secret", "", 0},
		"not found":       {serve(t, http.NotFound) + "/secret", "404", 2},
		"failing command": {"exec:exit 3", "exit status 3", 2},
		"no such command": {"exec:no-such-command-anywhere", "exit status 127", 2},
		"hanging command": {"exec:sleep 20", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, sim := alerted(t, test.target)
			p.exits(t, 4)
			asked := sim.stats(t)
			if n := len(p.lines()); n != asked.Answered || n < 500 {
				t.Errorf("%d lines for %d answers", n, asked.Answered)
			}
			said := p.err.Bytes()
			if n := bytes.Count(said, []byte("warning: --alert: ")); n != test.warnings {
				t.Errorf("%d warnings, want %d: %s", n, test.warnings, said)
			}
			if !bytes.Contains(said, []byte(test.warning)) || bytes.Contains(said, []byte("secret")) {
				t.Errorf("said %s", said)
			}
		})
	}
}
