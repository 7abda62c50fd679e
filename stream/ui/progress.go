package ui

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// Progress says how a run shows how far it is.
type Progress uint8

// The ways to show progress.
const (
	// ProgressAuto draws a status line if stderr is a terminal and stdout is not. If stderr is not
	// a terminal, it prints the status as a new line once in a while.
	ProgressAuto Progress = iota
	// ProgressAlways draws it even if stdout is a terminal. If stderr is not a terminal, it prints
	// more lines.
	ProgressAlways
	// ProgressNever shows only the summary.
	ProgressNever
	// ProgressJSON writes the status to stderr as one object a line.
	ProgressJSON
	// ProgressLog is ProgressAuto for a stderr that nothing can be drawn on, although it is a
	// terminal. No flag names it.
	ProgressLog
)

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Progress) UnmarshalText(text []byte) error {
	for i, known := range [...]string{"auto", "always", "never", "json"} {
		if string(text) == known {
			*p = Progress(i)
			return nil
		}
	}
	return fmt.Errorf("%q is not one of auto, always, never, json", text)
}

// How often the status is shown: on a terminal, as JSON, as lines in what is probably a log if the
// user asked for them, and as such lines if not.
const (
	redrawEvery = 200 * time.Millisecond
	objectEvery = time.Second
	lineEvery   = 10 * time.Second
	logEvery    = time.Minute
)

// lookEvery is how often to look for other programs that print to the terminal. This can be rare,
// because the stages of a pipeline begin together.
const lookEvery = 10 * time.Second

// Show shows how far the run is, until the function that it returns is called. stdout matters
// because a status line would disturb results that are read on the same terminal.
func (p Progress) Show(v *Voice, stdout io.Writer, status func() *Status) (stop func()) {
	stderr, _ := v.w.(*os.File)
	out, _ := stdout.(*os.File)
	terminal := stderr != nil && IsTerminal(stderr)
	draws := terminal && p != ProgressLog && drawable(stderr)
	inSight := terminal && out != nil && IsTerminal(out)
	say := func() { v.Say(status().String()) }
	switch {
	case v.quiet || p == ProgressNever:
	case p == ProgressJSON:
		return every(objectEvery, func() { v.object(status()) }, func() { v.object(status()) })
	case draws && (p == ProgressAlways || !inSight):
		return every(redrawEvery, v.drawing(stderr, out, status), v.clear)
	case p == ProgressAlways:
		return every(lineEvery, say, func() {})
	case !inSight:
		return every(logEvery, say, func() {})
	}
	return func() {}
}

// drawing returns a function that draws the status line on a terminal. out is stdout; nil if that
// is not a file.
func (v *Voice) drawing(terminal, out *os.File, status func() *Status) func() {
	piped := out != nil && IsPipe(out)
	var looked time.Time
	return func() {
		if taken(terminal) {
			v.forget()
			return
		}
		if piped && time.Since(looked) >= lookEvery {
			looked = time.Now()
			v.shareWith(printedTo(terminal))
		}
		v.draw(status().line(columns(terminal) - 1)) // a full last column makes some terminals wrap
	}
}

// every calls show at every tick until stop is called, and then last once. stop waits for that.
func every(interval time.Duration, show, last func()) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				last()
				return
			case <-ticker.C:
				show()
			}
		}
	})
	return func() {
		cancel()
		done.Wait()
	}
}

// columns returns the terminal's width now; 80 if unknown.
func columns(f *os.File) int {
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		return 80
	}
	return width
}

// Speed measures how fast a value has grown lately.
type Speed struct {
	mu      sync.Mutex
	samples []sample
}

// sample is the value at a moment.
type sample struct {
	at time.Time
	n  int64
}

// The speed is taken over this many samples, this far apart: about the last half minute.
const (
	speedSamples = 30
	speedApart   = time.Second
)

// NewSpeed returns a Speed whose value is 0 now.
func NewSpeed(now time.Time) *Speed { return &Speed{samples: []sample{{at: now}}} }

// At notes that the value is n now, and returns its growth per second.
func (s *Speed) At(now time.Time, n int64) float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	first, last := s.samples[0], s.samples[len(s.samples)-1]
	if now.Sub(last.at) >= speedApart {
		s.samples = append(s.samples, sample{now, n})
		s.samples = s.samples[max(len(s.samples)-speedSamples, 0):]
	}
	elapsed := now.Sub(first.at).Seconds()
	if elapsed <= 0 {
		return 0
	}
	return float64(n-first.n) / elapsed
}

// object writes o as one line of JSON, in one write, between the lines for people.
func (v *Voice) object(o any) {
	line, err := json.Marshal(o)
	if err != nil {
		v.Warn("status: %v", err)
		return
	}
	v.write(string(line) + "\n")
}
