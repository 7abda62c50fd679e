package ui

import (
	"fmt"
	"io"
	"strings"
	"sync"
)

// Voice writes messages to people: lines on stderr that start with the program's name, in lower
// case, with no full stop. It is safe for concurrent use, and writes each line in one write. On a
// terminal it may keep a status line below the messages, and messages never break that line.
type Voice struct {
	mu     sync.Mutex
	w      io.Writer
	quiet  bool
	loud   bool
	drawn  string // the status line on the screen, empty for none
	lent   bool   // another program has the terminal: nothing is drawn
	beside beside // a later stage of the pipeline that may write there, too
}

// NewVoice returns a Voice that writes to w.
func NewVoice(w io.Writer, quiet, verbose bool) *Voice {
	return &Voice{w: w, quiet: quiet, loud: verbose && !quiet}
}

// Error prints why something failed, and the hint of err or of an error that it wraps.
func (v *Voice) Error(err error) {
	v.Say("error: " + err.Error())
	if h := HintOf(err); h != "" {
		v.Say("hint: " + h)
	}
}

// Warn prints what people need to know although the run goes on.
func (v *Voice) Warn(format string, args ...any) {
	if !v.quiet {
		v.Say("warning: " + fmt.Sprintf(format, args...))
	}
}

// Hint prints what can be done about the message before.
func (v *Voice) Hint(format string, args ...any) {
	if !v.quiet {
		v.Say("hint: " + fmt.Sprintf(format, args...))
	}
}

// Note prints what is worth knowing.
func (v *Voice) Note(format string, args ...any) {
	if !v.quiet {
		v.Say(fmt.Sprintf(format, args...))
	}
}

// Detail prints what is only for --verbose.
func (v *Voice) Detail(format string, args ...any) {
	if v.loud {
		v.Say(fmt.Sprintf(format, args...))
	}
}

// harmless turns the white space of ordinary text into line breaks and spaces. indented indents the
// lines after the first.
var (
	harmless = strings.NewReplacer("\r\n", "\n", "\t", " ")
	indented = strings.NewReplacer("\n", "\n         ")
)

// mostSaid bounds a message, in bytes: nobody reads more on stderr, and a provider's message may
// have any length. A record's error, of 4 KiB at most, fits as a whole.
const mostSaid = 8 << 10

// Say writes s, which may have several lines. s may quote a provider, so control characters are
// made harmless to the terminal.
func (v *Voice) Say(s string) {
	if len(s) > mostSaid {
		s = strings.ToValidUTF8(s[:mostSaid], "") + "…"
	}
	v.write("llmpipe: " + indented.Replace(PrintableLines(harmless.Replace(s))) + "\n")
}

// Logger returns a writer for a library's log. Each write becomes a message.
func (v *Voice) Logger() io.Writer { return logger{v} }

type logger struct{ voice *Voice }

// Write implements io.Writer.
func (l logger) Write(p []byte) (int, error) {
	l.voice.Say(strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}
