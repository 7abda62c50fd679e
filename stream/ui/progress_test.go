package ui

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var shown []time.Duration
		var last time.Duration
		stop := every(redrawEvery, func() { shown = append(shown, time.Since(start)) }, func() { last = time.Since(start) })
		time.Sleep(650 * time.Millisecond)
		stop()
		if want := []time.Duration{200 * time.Millisecond, 400 * time.Millisecond, 600 * time.Millisecond}; !slices.Equal(shown, want) {
			t.Errorf("shown at %v, want %v", shown, want)
		}
		if last != 650*time.Millisecond {
			t.Errorf("the last at %s", last)
		}
	})
}

func TestSpeed(t *testing.T) {
	start := time.Unix(0, 0)
	s := NewSpeed(start)
	if got := s.At(start, 0); got != 0 {
		t.Errorf("%v at once", got)
	}
	// Ten a second for a minute, then a hundred.
	n := int64(0)
	for i := range 600 {
		n++
		if got := s.At(start.Add(time.Duration(i+1)*100*time.Millisecond), n); got < 9.9 || got > 10.1 {
			t.Fatalf("%v after %d", got, i)
		}
	}
	var got float64
	for i := range 300 {
		n += 10
		got = s.At(start.Add(time.Minute+time.Duration(i+1)*100*time.Millisecond), n)
	}
	if got < 95 || got > 105 {
		t.Errorf("%v a second half a minute later, want 100", got)
	}
	if len(s.samples) > speedSamples {
		t.Errorf("%d samples are kept", len(s.samples))
	}
}

// Messages go above the status line, each write whole, and the line is gone in the end.
func TestVoiceStatusLine(t *testing.T) {
	var w bytes.Buffer
	v := NewVoice(&w, false, true)
	v.Note("before")
	v.draw("[>  ] 1/3, and longer than what is said")
	v.Note("a message")
	v.draw("[=> ] 2/3")
	giveBack := v.Lend()
	v.draw("not now")
	_, _ = w.WriteString("another program\n")
	giveBack()
	v.draw("[==>] 3/3")
	v.Warn("two\nlines")
	v.clear()
	v.clear()
	v.Note("after")
	want := []string{
		"llmpipe: before", "llmpipe: a message", "another program", "llmpipe: warning: two", "         lines",
		"llmpipe: after", "",
	}
	if got := screen(w.String()); !slices.Equal(got, want) {
		t.Errorf("%q, want\n%q", got, want)
	}
	if strings.Contains(w.String(), "not now") {
		t.Error("the line was drawn while the screen was lent")
	}
}

// screen is what a terminal that is wide enough shows of a text.
func screen(text string) []string {
	rows, row, column := []string{""}, 0, 0
	for text != "" {
		switch {
		case strings.HasPrefix(text, eraseBelow):
			rows = rows[:row+1]
			rows[row] = rows[row][:min(column, len(rows[row]))]
			text = text[len(eraseBelow):]
			continue
		case text[0] == '\r':
			column = 0
		case text[0] == '\n':
			row, column = row+1, 0
			if row == len(rows) {
				rows = append(rows, "")
			}
		default:
			line := []byte(rows[row])
			if column == len(line) {
				line = append(line, ' ')
			}
			line[column] = text[0]
			rows[row] = string(line)
			column++
		}
		text = text[1:]
	}
	return rows
}
