package ui

import (
	"io"
	"time"
)

// The control sequences of the status line (ECMA-48). Between two writes the cursor rests at the
// line's start: when the terminal gets narrower and folds the line, all of it is still below the
// cursor.
const (
	lineStart  = "\r"
	eraseBelow = "\x1b[J"
	erase      = lineStart + eraseBelow
)

// restAfter is how long after a write to a pipe the screen is left to the pipe's reader, which may
// print to the same terminal.
const restAfter = time.Second

// beside is the next stage of a pipeline. What it prints must not mix with a status line.
type beside struct {
	prints  bool // it prints to the terminal that shows the status line
	busy    bool // something is being written to it
	written time.Time
}

// draw replaces the status line with line.
func (v *Voice) draw(line string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.lent || v.beside.prints && (v.beside.busy || time.Since(v.beside.written) < restAfter) {
		return
	}
	v.drawn = line
	v.put(lineStart + line + eraseBelow + lineStart)
}

// clear takes the status line away.
func (v *Voice) clear() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.wipe()
}

// wipe is clear with v.mu held.
func (v *Voice) wipe() {
	if v.drawn != "" {
		v.drawn = ""
		v.put(erase)
	}
}

// forget leaves the status line on the screen as it is, because another program has taken the
// screen.
func (v *Voice) forget() {
	v.mu.Lock()
	v.drawn = ""
	v.mu.Unlock()
}

// Lend leaves the terminal to another program until the function that it returns is called.
func (v *Voice) Lend() (giveBack func()) {
	lent := func(lent bool) {
		v.mu.Lock()
		v.lent = lent
		v.mu.Unlock()
	}
	lent(true)
	v.clear()
	return func() { lent(false) }
}

// write writes text above the status line, in one write.
func (v *Voice) write(text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.drawn != "" {
		text = erase + text + v.drawn + lineStart
	}
	v.put(text)
}

// Above returns a writer to w, the terminal that shows the status line. What is written goes above
// the line.
func (v *Voice) Above(w io.Writer) io.Writer { return aboveLine{w, v} }

// aboveLine is a writer to the terminal that shows the status line.
type aboveLine struct {
	io.Writer
	voice *Voice
}

// Write implements io.Writer.
func (a aboveLine) Write(p []byte) (int, error) {
	v := a.voice
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.drawn != "" {
		v.put(erase)
		defer v.put(v.drawn + lineStart)
	}
	return a.Writer.Write(p)
}

// Beside returns a writer to w, a pipe. If the pipe's reader prints to the terminal that shows the
// status line, the line is cleared before each write, and drawn again some time after the last
// write. In between the reader has the screen. The writer is for one goroutine.
func (v *Voice) Beside(w io.Writer) io.Writer { return besideLine{w, v} }

// besideLine is a writer to a pipe.
type besideLine struct {
	io.Writer
	voice *Voice
}

// Write implements io.Writer.
func (b besideLine) Write(p []byte) (int, error) {
	b.voice.passOn(true)
	defer b.voice.passOn(false)
	return b.Writer.Write(p)
}

// passOn notes that a write to a pipe begins, or has ended.
func (v *Voice) passOn(begins bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.beside.busy, v.beside.written = begins, time.Now(); begins && v.beside.prints {
		v.wipe()
	}
}

// shareWith notes whether the reader of a pipe prints to the terminal that shows the status line.
func (v *Voice) shareWith(reader bool) {
	v.mu.Lock()
	v.beside.prints = reader
	v.mu.Unlock()
}

// put writes to stderr. An error there cannot be reported anywhere.
func (v *Voice) put(text string) { _, _ = io.WriteString(v.w, text) }
