package stream

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"llmpipe/limiter"
	"llmpipe/stream/lane"
	"llmpipe/stream/provider/sim"
)

// poisoner is a provider that always fails some of the records, and is down for a while.
type poisoner struct {
	bad   func(id int) bool
	fail  http.HandlerFunc // what the bad ones meet; not before an answer takes
	takes time.Duration    // an answer; 0 stands for 50ms
	began time.Time
	down  [2]time.Duration

	mu      sync.Mutex
	asked   int // while it was up
	refused int // while it was down
}

const (
	broken = `{"choices":[{"message":{"con`
	usual  = `{"choices":[{"message":{"content":"yes"},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":1}}`
)

var promptNumber = regexp.MustCompile(`prompt number (\d+)`)

func (p *poisoner) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	id, _ := strconv.Atoi(string(promptNumber.FindSubmatch(body)[1]))
	if p.isDown() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	time.Sleep(cmp.Or(p.takes, 50*time.Millisecond))
	if p.bad(id) {
		p.fail(w, r)
		return
	}
	_, _ = io.WriteString(w, usual)
}

func (p *poisoner) isDown() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	age := time.Since(p.began)
	if age >= p.down[0] && age < p.down[1] {
		p.refused++
		return true
	}
	p.asked++
	return false
}

// serve has the provider answer until stop, and returns how it is reached. Its counts may be read
// after stop.
func (p *poisoner) serve() (dial func(ctx context.Context, network, address string) (net.Conn, error), stop func()) {
	listener := sim.NewListener()
	server := &http.Server{Handler: p}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener)
	}()
	p.began = time.Now()
	dial = func(ctx context.Context, _, _ string) (net.Conn, error) { return listener.Dial(ctx) }
	return dial, func() {
		_ = server.Close()
		<-served
	}
}

// run asks the provider about records, over connections within the process, as fake time needs.
func (p *poisoner) run(t *testing.T, records io.Reader, adapt func(*Config)) *trial {
	t.Helper()
	dial, stop := p.serve()
	defer stop()
	return try(t, "http://127.0.0.1/v1", records, func(c *Config) {
		c.Provider.Dial = dial
		c.Provider.Timeout, c.Provider.Connections = 20*time.Second, 64
		c.Pace = limiter.Config{GiveUp: 2 * time.Hour}
		adapt(c)
	})
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func breakOff(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, broken) }

func hangUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func mixed(w http.ResponseWriter, r *http.Request) {
	faults := []http.HandlerFunc{status(500), breakOff, hangUp, status(502)}
	faults[time.Now().UnixMilli()%int64(len(faults))](w, r)
}

// However records that always fail lie among good ones, and whether or not there is an outage
// meanwhile: the good ones are answered, the bad ones fail, after no more requests than that takes,
// and within five minutes, where one that waits for ever would take the two hours of GiveUp.
func TestPoisonedRecords(t *testing.T) {
	const records, retries = 552, 6
	for name, mixture := range map[string]struct {
		bad  func(id int) bool
		fail http.HandlerFunc
	}{
		"two":                      {func(id int) bool { return id == 100 || id == 400 }, status(500)},
		"two, 503":                 {func(id int) bool { return id == 100 || id == 400 }, status(503)},
		"forty in a row":           {func(id int) bool { return id >= 200 && id < 240 }, status(500)},
		"the first forty":          {func(id int) bool { return id < 40 }, status(500)},
		"forty, 502":               {func(id int) bool { return id >= 200 && id < 240 }, status(502)},
		"every tenth":              {func(id int) bool { return id%10 == 3 }, status(500)},
		"every tenth, in all ways": {func(id int) bool { return id%10 == 3 }, mixed},
		"half are broken":          {func(id int) bool { return id%2 == 0 }, breakOff},
		"one hangs":                {func(id int) bool { return id == 50 }, hang},
	} {
		for _, down := range []time.Duration{0, 10 * time.Second} {
			for _, concurrency := range []int{0, 8, 64} {
				t.Run(fmt.Sprintf("%s, down %s, -c %d", name, down, concurrency), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						p := &poisoner{bad: mixture.bad, fail: mixture.fail, down: [2]time.Duration{500 * time.Millisecond, 500*time.Millisecond + down}}
						if concurrency == 0 { // what takes longer than refusals mostly do counts as accepted
							p.takes = 20 * time.Millisecond
						}
						bad := 0
						for id := range records {
							if p.bad(id) {
								bad++
							}
						}
						start := time.Now()
						r := p.run(t, prompts(records), func(c *Config) { c.Pace.Concurrency = concurrency })
						took := time.Since(start)
						if s := r.Summary; r.ExitCode() != ExitIncomplete || s.OK != int64(records-bad) || s.Failed != int64(bad) {
							t.Errorf("exit %d, %+v, %v: %s", r.ExitCode(), s, r.Paused, &r.said)
						}
						if n := strings.Count(r.out.String(), `"error":{`); n != bad {
							t.Errorf("%d error lines, want %d", n, bad)
						}
						most := ((retries+1)*bad + records - bad) * 105 / 100
						t.Logf("%d requests of %d, and %d while it was down, in %s", p.asked, most, p.refused, took)
						if p.asked > most {
							t.Errorf("%d requests, want at most %d", p.asked, most)
						}
						if took > 5*time.Minute { // seven time-outs take more than two
							t.Errorf("it took %s", took)
						}
					})
				})
			}
		}
	}
}

// A fallback is asked only about the records that fail at the first provider, too, and so answers
// none of them. That is no outage of the fallback: the run must not wait for its end.
func TestPoisonedRecordsWithAFallback(t *testing.T) {
	const records = 552
	for name, fail := range map[string]http.HandlerFunc{"500": status(500), "in all ways": mixed} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tenth := func(id int) bool { return id%10 == 3 }
				down := [2]time.Duration{500 * time.Millisecond, 10500 * time.Millisecond}
				first := &poisoner{bad: tenth, fail: fail, takes: 20 * time.Millisecond, down: down}
				second := &poisoner{bad: tenth, fail: fail, takes: 20 * time.Millisecond, down: down}
				dial, stop := second.serve()
				defer stop()
				start := time.Now()
				r := first.run(t, prompts(records), func(c *Config) {
					behind := c.Provider
					behind.BaseURL, behind.Dial = "http://127.0.0.2/v1", dial
					c.Lanes = append(c.Lanes, lane.Target{Name: "behind", Provider: behind, Pace: c.Pace})
				})
				if s := r.Summary; r.ExitCode() != ExitIncomplete || s.OK != 497 || s.Failed != 55 {
					t.Errorf("exit %d, %+v, %v: %s", r.ExitCode(), s, r.Paused, &r.said)
				}
				if took := time.Since(start); took > 20*time.Minute { // most take one or two
					t.Errorf("it took %s", took)
				}
			})
		})
	}
}

// A provider that fails half of everything by chance is none that is down: each record has its
// attempts, and those that are answered by then are answered.
func TestHalfOfAllBodiesBreakOff(t *testing.T) {
	const records = 552
	for _, concurrency := range []int{0, 8, 64} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			r := try(t, "sim:?garbage=0.5&latency=50ms", prompts(records), func(c *Config) { c.Pace = limiter.Config{Concurrency: concurrency} })
			// One in 2^7 fails with every attempt, and each record takes two on average. Both are four
			// standard deviations away.
			s := r.Summary
			if s.Failed > 13 || s.OK+s.Failed != records || s.Retries > 700 {
				t.Errorf("-c %d: exit %d, %+v, %v", concurrency, r.ExitCode(), s, r.Paused)
			}
			if took := time.Since(start); took > 5*time.Minute {
				t.Errorf("-c %d: it took %s", concurrency, took)
			}
		})
	}
}

// What is left for a later run are the poisoned records alone: no answer says that the fault is
// theirs, and they fail all the same, where there was somebody to answer.
func TestPoisonedRecordsAlone(t *testing.T) {
	for name, fail := range map[string]http.HandlerFunc{"500": status(500), "broken": breakOff, "hanging up": hangUp} {
		for _, records := range []int{1, 2, 9, 40} {
			synctest.Test(t, func(t *testing.T) {
				p := &poisoner{bad: func(int) bool { return true }, fail: fail}
				start := time.Now()
				r := p.run(t, prompts(records), func(*Config) {})
				if s := r.Summary; r.ExitCode() != ExitIncomplete || s.Failed != int64(records) || p.asked > 7*records*105/100 {
					t.Errorf("%s, %d records: exit %d, %+v, %d requests: %v", name, records, r.ExitCode(), s, p.asked, r.Paused)
				}
				if took := time.Since(start); took > 15*time.Minute {
					t.Errorf("%s, %d records: it took %s", name, records, took)
				}
			})
		}
	}
}

// A record that is refused for as long as --give-up while others are answered fails, whether or not
// it is told to wait; where nobody else is answered the run waits and stops.
func TestARecordThatIsAlwaysRefused(t *testing.T) {
	const records, giveUp = 200, 10 * time.Minute
	soon := [2]time.Duration{time.Second, 11 * time.Second}
	for _, refusal := range []struct {
		status int
		hint   string
		down   [2]time.Duration
	}{
		{status: http.StatusTooManyRequests}, {status: http.StatusTooManyRequests, hint: "7"}, {status: 529},
		{status: http.StatusTooManyRequests, down: soon}, {status: http.StatusTooManyRequests, hint: "7", down: soon}, {status: 529, down: soon},
	} {
		for name, test := range map[string]struct {
			bad        func(id int) bool
			exit       int
			ok, failed int64
		}{
			"one":     {func(id int) bool { return id == 50 }, ExitIncomplete, records - 1, 1},
			"several": {func(id int) bool { return id%40 == 7 }, ExitIncomplete, records - 5, 5},
			// What was sent beside the last that was answered may be one that is refused alone.
			"all from the hundredth on": {func(id int) bool { return id >= 100 }, ExitPaused, 100, 64},
			"all":                       {func(int) bool { return true }, ExitPaused, 0, 0},
		} {
			synctest.Test(t, func(t *testing.T) {
				p := &poisoner{bad: test.bad, down: refusal.down, fail: func(w http.ResponseWriter, _ *http.Request) {
					if refusal.hint != "" {
						w.Header().Set("Retry-After", refusal.hint)
					}
					w.WriteHeader(refusal.status)
				}}
				start := time.Now()
				r := p.run(t, prompts(records), func(c *Config) { c.Pace.GiveUp = giveUp })
				s := r.Summary
				all := s.Failed == test.failed || test.exit == ExitPaused && s.Failed < test.failed
				if r.ExitCode() != test.exit || s.OK != test.ok || !all {
					t.Errorf("%s, %+v: exit %d, %+v, %v", name, refusal, r.ExitCode(), s, r.Paused)
				}
				n := strings.Count(r.out.String(), `"type":"rate_limit"`)
				if refusal.status == 529 && test.exit == ExitIncomplete { // an overload is a failure too: an outage beside it may use up the attempts
					n += strings.Count(r.out.String(), `"type":"server_error"`)
				}
				if n != int(r.Summary.Failed) {
					t.Errorf("%s, %+v: %d error lines of that type, want %d: %s", name, refusal, n, r.Summary.Failed, &r.out)
				}
				early := strings.Contains(r.out.String(), `"type":"server_error"`) // whose attempts were used up
				if took := time.Since(start); took < giveUp-10*time.Second && !early || took > time.Duration(test.failed+1)*giveUp+time.Minute {
					// A time to wait holds the lane, so that the last of them may be asked for the first time
					// late.
					t.Errorf("%s, %+v: it took %s", name, refusal, took)
				}
			})
		}
	}
}
