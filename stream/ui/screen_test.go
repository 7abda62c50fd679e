package ui

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Where the reader of a pipe prints to the same terminal, the line is gone before each write and
// comes back a second after the last, however often it was to be drawn: what the reader prints
// meets an empty row.
func TestVoiceBesideAReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w bytes.Buffer
		v := NewVoice(&w, false, false)
		v.shareWith(true)
		out := v.Beside(&w)
		drawn := func() int { return strings.Count(w.String(), "eta") }
		v.draw("[>  ] 1/3  $0.000282  eta 27s")
		for range 100 {
			_, _ = out.Write([]byte("an answer\n"))
			time.Sleep(50 * time.Millisecond)
			v.draw("[=> ] 2/3  $0.000282  eta 27s")
		}
		if n := drawn(); n != 1 {
			t.Errorf("the line was drawn %d times between writes that follow each other, want the one before them", n)
		}
		v.Note("a message")
		time.Sleep(restAfter)
		v.draw("[=> ] 2/3  $0.000282  eta 27s")
		if n := drawn(); n != 2 {
			t.Errorf("the line was not drawn a second after the last write")
		}
		_, _ = out.Write([]byte("the last\n"))
		v.clear()
		want := slices.Concat(slices.Repeat([]string{"an answer"}, 100), []string{"llmpipe: a message", "the last", ""})
		if got := screen(w.String()); !slices.Equal(got, want) {
			t.Errorf("the screen shows %q", got)
		}
	})
}

// Where it prints elsewhere, the line stays, and nothing is written for it.
func TestVoiceBesideAFile(t *testing.T) {
	var w, file bytes.Buffer
	v := NewVoice(&w, false, false)
	out := v.Beside(&file)
	v.draw("[>  ] 1/3")
	before := w.Len()
	_, _ = out.Write([]byte("an answer\n"))
	if w.Len() != before || v.drawn == "" {
		t.Errorf("the terminal got %q", w.String()[before:])
	}
	v.draw("[=> ] 2/3")
	if got := screen(w.String()); !slices.Equal(got, []string{"[=> ] 2/3"}) {
		t.Errorf("the screen shows %q", got)
	}
}

// While the reader takes its time, what it has got may be printed at any moment.
func TestVoiceBesideASlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w bytes.Buffer
		v := NewVoice(&w, false, false)
		v.shareWith(true)
		release := make(chan struct{})
		out := v.Beside(writerFunc(func(p []byte) (int, error) { <-release; return len(p), nil }))
		written := make(chan struct{})
		go func() {
			defer close(written)
			_, _ = out.Write([]byte("an answer\n"))
		}()
		time.Sleep(time.Minute)
		if v.draw("[>  ] 1/3"); w.Len() > 0 {
			t.Errorf("%q was drawn while a write hung", w.String())
		}
		close(release)
		<-written
		time.Sleep(restAfter)
		if v.draw("[>  ] 1/3"); w.Len() == 0 {
			t.Error("nothing was drawn after it")
		}
	})
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// In a log there is a line a minute, ten seconds apart where they are asked for, and none of a run
// that is over before.
func TestProgressInALog(t *testing.T) {
	for name, test := range map[string]struct {
		progress Progress
		quiet    bool
		took     time.Duration
		want     int
	}{
		"auto":             {ProgressAuto, false, 5*time.Minute + 30*time.Second, 5},
		"a short run":      {ProgressAuto, false, 59 * time.Second, 0},
		"no terminal":      {ProgressLog, false, 2*time.Minute + time.Second, 2},
		"always":           {ProgressAlways, false, time.Minute + time.Second, 6},
		"never":            {ProgressNever, false, time.Hour, 0},
		"quiet":            {ProgressAuto, true, time.Hour, 0},
		"quiet and ask":    {ProgressAlways, true, time.Hour, 0},
		"json each second": {ProgressJSON, false, 10*time.Second + time.Millisecond, 11}, // and the last
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var w, stdout bytes.Buffer
				stop := test.progress.Show(NewVoice(&w, test.quiet, false), &stdout, func() *Status { s := busy(); return &s })
				time.Sleep(test.took)
				stop()
				if n := strings.Count(w.String(), "\n"); n != test.want {
					t.Errorf("%d lines in %s, want %d:\n%s", n, test.took, test.want, &w)
				}
			})
		})
	}
}
