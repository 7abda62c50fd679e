package stream

import (
	"fmt"
	"io"
	"strings"
	"sync"
)

// Voice is how llmpipe speaks to people: lines on stderr that start with its name, in lower case, with no full stop. It is safe for
// concurrent use, and writes each line at once.
type Voice struct {
	mu    sync.Mutex
	w     io.Writer
	quiet bool
	loud  bool
}

// NewVoice speaks on w.
func NewVoice(w io.Writer, quiet, verbose bool) *Voice {
	return &Voice{w: w, quiet: quiet, loud: verbose && !quiet}
}

// Error says why something failed, and the hint that err or one that it wraps carries.
func (v *Voice) Error(err error) {
	v.say("error: " + err.Error())
	if h := HintOf(err); h != "" {
		v.say("hint: " + h)
	}
}

// Warn says what people need to know although the run goes on.
func (v *Voice) Warn(format string, args ...any) {
	if !v.quiet {
		v.say("warning: " + fmt.Sprintf(format, args...))
	}
}

// Note says what is worth knowing.
func (v *Voice) Note(format string, args ...any) {
	if !v.quiet {
		v.say(fmt.Sprintf(format, args...))
	}
}

// Detail says what only --verbose wants.
func (v *Voice) Detail(format string, args ...any) {
	if v.loud {
		v.say(fmt.Sprintf(format, args...))
	}
}

// say writes one line. An error on stderr has nobody left to be told to.
func (v *Voice) say(s string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, _ = io.WriteString(v.w, "llmpipe: "+strings.ReplaceAll(s, "\n", "\n  ")+"\n")
}
