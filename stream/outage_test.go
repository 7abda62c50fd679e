package stream

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A record that is alone waits an outage out as many together do, and fails where it is the record
// that is at fault, or may be.
func TestALoneRecordAndAnOutage(t *testing.T) {
	for _, test := range []struct {
		name, sim      string
		ok, failed     int64
		exit, requests int // of the record, 0 for any number
	}{
		{"an outage", "sim:?outage=0s-20m", 1, 0, ExitOK, 1},
		{"an outage past --give-up", "sim:?outage=0s-20h", 0, 0, ExitPaused, 0},
		{"failures of its own", "sim:?fail=1", 0, 1, ExitIncomplete, 7},
		{"hanging up on it", "sim:?reset=1", 0, 1, ExitIncomplete, 7},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := try(t, test.sim, prompts(1), func(c *Config) { c.Pace.GiveUp = time.Hour })
				if r.ExitCode() != test.exit || r.Summary.OK != test.ok || r.Summary.Failed != test.failed {
					t.Errorf("exit %d, %+v: %s", r.ExitCode(), r.Summary, &r.said)
				}
				if want := `"attempts":` + string(rune('0'+test.requests)); test.requests > 0 && !strings.Contains(r.out.String(), want) {
					t.Errorf("not %s: %s", want, &r.out)
				}
			})
		})
	}
}

// A provider that refuses or fails everything is given up to the second, however the records' sleep
// falls, and not before: counted from the first refusal, and from when it is known to be down.
func TestGiveUpIsKept(t *testing.T) {
	const giveUp = 20*time.Minute + 10*time.Second // between two hints
	for name, test := range map[string]struct {
		sim     string
		records int
	}{
		"refused, one record":   {"sim:?pressure=1&latency=0s", 1},
		"refused, many records": {"sim:?pressure=1&latency=0s", 200},
		"refused, hints":        {"sim:?pressure=1&latency=0s&retry-after=50s", 1},
		"refused, slow answers": {"sim:?pressure=1&latency=1s&jitter=0", 1},
		"down, one record":      {"sim:?outage=0s-20h&latency=0s", 1},
		"down, many records":    {"sim:?outage=0s-20h&latency=0s", 200},
	} {
		synctest.Test(t, func(t *testing.T) {
			known := &heard{text: "fails every request", at: time.Now()}
			r := try(t, test.sim, prompts(test.records), func(c *Config) { c.Pace.GiveUp, c.Stderr = giveUp, known })
			took := time.Since(known.at)
			if r.ExitCode() != ExitPaused || took < giveUp || took > giveUp+3*time.Second {
				t.Errorf("%s: exit %d after %s", name, r.ExitCode(), took)
			}
		})
	}
}

// However few records there are, and however long they have slept between their attempts by then,
// no more than a tenth of an outage is lost after its end, and the time in which it is found to be
// over.
func TestFewRecordsAfterAnOutage(t *testing.T) {
	for _, lasts := range []time.Duration{30 * time.Second, time.Minute, 5 * time.Minute} {
		for _, records := range []int{2, 3, 9} {
			for name, down := range map[string]int{"503": http.StatusServiceUnavailable, "529": 529} {
				synctest.Test(t, func(t *testing.T) {
					start := time.Now()
					p := &poisoner{bad: func(int) bool { return time.Since(start) < lasts }, fail: status(down)}
					r := p.run(t, prompts(records), func(*Config) {})
					if lost := time.Since(start) - lasts; r.Summary.OK != int64(records) || lost > lasts/10+3*time.Second {
						t.Errorf("%d records, %s for %s: %+v, %s after it", records, name, lasts, r.Summary, lost)
					}
				})
			}
		}
	}
}

// heard is a stderr that notes when something is said there.
type heard struct {
	text string
	at   time.Time
}

func (h *heard) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(h.text)) {
		h.at = time.Now()
	}
	return len(p), nil
}

// The last record of a run that went well until then waits as well.
func TestTheLastRecordAndAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := try(t, "sim:?latency=1s&jitter=0&outage=10s-20m", bytes.NewReader(nil), func(c *Config) {
			c.Pace.GiveUp = time.Hour
			c.Stdin = &lateLine{first: `{"id":1,"prompt":"one"}` + "\n", then: `{"id":2,"prompt":"two"}` + "\n", after: 15 * time.Second}
		})
		if r.ExitCode() != ExitOK || r.Summary.OK != 2 {
			t.Errorf("exit %d, %+v: %s", r.ExitCode(), r.Summary, &r.said)
		}
	})
}

// lateLine is an input whose second line comes later.
type lateLine struct {
	first, then string
	after       time.Duration
}

func (l *lateLine) Read(p []byte) (int, error) {
	if l.first != "" {
		n := copy(p, l.first)
		l.first = l.first[n:]
		return n, nil
	}
	time.Sleep(l.after)
	l.after = 0
	return strings.NewReader(l.takeThen()).Read(p)
}

func (l *lateLine) takeThen() string {
	s := l.then
	l.then = ""
	return s
}

// An outage is told when it begins and when it is over, once each, however many records fail in it.
func TestOutageIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := try(t, "sim:?latency=1s&outage=3s-40s", prompts(100), func(c *Config) { c.Pace.GiveUp = time.Hour })
		if r.Summary.OK != 100 {
			t.Errorf("%+v", r.Summary)
		}
		said := r.said.String()
		for _, want := range []string{
			"llmpipe: warning: sim fails every request, most recently with ", "; records wait at most 1h00m for it, which costs them no attempt\n",
			"llmpipe: sim answers again\n",
		} {
			if n := strings.Count(said, want); n != 1 {
				t.Errorf("%q is said %d times, want once", want, n)
			}
		}
		if t.Failed() {
			t.Log(said)
		}
	})
}
