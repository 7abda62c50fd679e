package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// terminal is a pseudo-terminal: what a process writes to its own end is collected at the other.
type terminal struct {
	process, screen *os.File
	shown           transcript
	done            chan struct{}
}

func newTerminal(t *testing.T, columns int) *terminal {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	fd := int(screen.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	process, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{process: process, screen: screen, done: make(chan struct{})}
	term.resize(t, columns)
	go func() {
		defer close(term.done)
		_, _ = io.Copy(&term.shown, screen) // ends with an error when nobody holds the other end
	}()
	t.Cleanup(func() {
		_ = process.Close()
		<-term.done
		_ = screen.Close()
	})
	return term
}

func (term *terminal) resize(t *testing.T, columns int) {
	t.Helper()
	if err := unix.IoctlSetWinsize(int(term.screen.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: uint16(columns)}); err != nil {
		t.Fatal(err)
	}
}

// close waits until everything that was written to the terminal has been collected.
func (term *terminal) close() {
	_ = term.process.Close()
	<-term.done
}

// drawn are the status lines that were drawn so far.
func (term *terminal) drawn() []string {
	var lines []string
	for _, m := range regexp.MustCompile("\r([^\r\n\x1b]+)\x1b\\[J\r").FindAllStringSubmatch(term.shown.String(), -1) {
		lines = append(lines, m[1])
	}
	return lines
}

// rows are what stands on the terminal in the end. What is written may erase what is below the
// cursor, and move to the line's start.
func (term *terminal) rows() []string {
	var rows []string
	row := ""
	column := 0
	for _, token := range regexp.MustCompile("\x1b\\[J|\r|\n|[^\x1b\r\n]+|\x1b").FindAllString(term.shown.String(), -1) {
		switch token {
		case "\x1b[J":
			row = row[:min(column, len(row))]
		case "\r":
			column = 0
		case "\n":
			rows, row, column = append(rows, row), "", 0
		default:
			row = row[:column] + token + row[min(column+len(token), len(row)):]
			column += len(token)
		}
	}
	return append(rows, row)
}

// On a terminal one line is redrawn in place, as wide as the terminal is at that moment. Messages
// stand above it, whole, and in the end it is gone and the summary stands.
func TestStatusLineOnTerminal(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"stderr", "both"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			release := make(chan struct{})
			b := newBackend(t, func(n int64, w http.ResponseWriter, r *http.Request) {
				if n%2 == 1 && n < 40 {
					answerError(w, http.StatusInternalServerError, "passing")
					return
				}
				if n > 20 {
					select {
					case <-release:
					case <-r.Context().Done():
						return
					}
				}
				answerChat(w)
			})
			const records = 100
			term := newTerminal(t, 200)
			dir := t.TempDir()
			p := llmpipe(t, dir, "--base-url", b.URL, "-m", "m", "-c", "4", "--no-ledger", "-v",
				"--rpm", "100000", "--tpm", "10000000", writePrompts(t, dir, records))
			p.Stderr = term.process
			if where == "both" {
				p.Stdout = term.process
				p.Args = append(p.Args, "--progress", "always")
			}
			p.starts(t)
			t.Cleanup(func() { _ = p.Process.Kill() }) // else a test that failed would wait for the terminal's end
			eventually(t, "a wide status line", func() bool {
				lines := term.drawn()
				return len(lines) > 1 && strings.Contains(lines[len(lines)-1], "in flight 4/4")
			})
			term.resize(t, 40)
			eventually(t, "a narrow status line", func() bool {
				lines := term.drawn()
				return len(lines[len(lines)-1]) < 40
			})
			wide := regexp.MustCompile(`^\[[=> ]{14}\] \d+/~?\d+  \d+%  `)
			if first := term.drawn()[0]; !wide.MatchString(first) {
				t.Errorf("the first line is %q", first)
			}
			interrupt(t, p, syscall.SIGUSR1)
			eventually(t, "the status", func() bool { return term.shown.has("llmpipe: [") })
			close(release)
			if code := p.wait(t); code != 0 {
				t.Errorf("exit code %d", code)
			}
			term.close()
			checkRows(t, term.rows(), where == "both", records)
		})
	}
}

// checkRows checks that each row is one message or one record, whole, and that the summary is the
// last.
func checkRows(t *testing.T, rows []string, answers bool, records int) {
	t.Helper()
	message := regexp.MustCompile(`^llmpipe: (line \d+ \(id \d+\): server_error passing 500: refused by the test; retrying in [0-9.]+m?s` +
		`|no price is known for "m": .* adds prices\)|\[[=> ]+\] \d.* in flight \d/4.*|100 in: 100 ok, 0 failed(; .*)?)$`)
	answered := regexp.MustCompile(`^\{"id":\d+,"content":"said".*\}$`)
	written := 0
	last := len(rows) - 1
	for i, row := range rows {
		switch {
		case answers && answered.MatchString(row):
			written++
		case message.MatchString(row):
		case i == last-1 && strings.HasPrefix(row, "         300 + 100 tokens in "):
		case i == last && row == "":
		default:
			t.Errorf("row %d is %q", i, row)
		}
	}
	if answers && written != records {
		t.Errorf("%d records stand on the terminal, want %d", written, records)
	}
	if end := strings.Join(rows[max(0, last-2):], ""); !strings.Contains(end, "llmpipe: 100 in: 100 ok") {
		t.Errorf("the summary is not last: %q", end)
	}
}

// filter prints the content of each line that it reads, when it reads it.
const filter = `sed -u 's/.*"content":"\([^"]*\)".*/\1/'`

// Where a later stage of the pipeline prints to the terminal that the status line stands on, no
// part of the line stands behind an answer, and it comes back while nothing is answered.
func TestStatusLineBesideAFilter(t *testing.T) {
	t.Parallel()
	const each, held = 20, 2
	release := make(chan struct{})
	b := newBackend(t, func(n int64, w http.ResponseWriter, r *http.Request) {
		if n > each {
			<-release
		}
		answerChat(w)
	})
	term := newTerminal(t, 200)
	dir := t.TempDir()
	writePrompts(t, dir, each+held)
	p := shell(t, dir, `llmpipe --base-url "$1" -m m -c 2 --no-ledger --prices free -- prompts.jsonl | `+filter, b.URL)
	p.Stdout, p.Stderr = term.process, term.process
	p.starts(t)
	t.Cleanup(func() { _ = p.Process.Kill() })
	eventually(t, "a status line below the answers", func() bool {
		drawn := term.drawn()
		return len(drawn) > 0 && strings.Contains(drawn[len(drawn)-1], "] 20/22  90%")
	})
	close(release)
	if code := p.wait(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	term.close()
	answers, rest := 0, []string{}
	for _, row := range term.rows() {
		if row == "said" {
			answers++
		} else {
			rest = append(rest, row)
		}
	}
	if answers != each+held {
		t.Errorf("%d answers stand on the terminal, whole, want %d", answers, each+held)
	}
	if len(rest) != 2 || !strings.HasPrefix(rest[0], "llmpipe: 22 in: 22 ok, 0 failed; 66 + 22 tokens") || rest[1] != "" {
		t.Errorf("beside the answers there stands %q", rest)
	}
}

// Where it prints elsewhere the line is there all the time.
func TestStatusLineBesideAFile(t *testing.T) {
	t.Parallel()
	term := newTerminal(t, 200)
	dir := t.TempDir()
	writePrompts(t, dir, 20)
	p := shell(t, dir, `llmpipe --base-url 'sim:?latency=100ms' -c 1 --no-ledger -- prompts.jsonl | cat > out.jsonl`)
	p.Stdout, p.Stderr = term.process, term.process
	p.exits(t, 0)
	term.close()
	under := 0
	for _, line := range term.drawn() {
		if !strings.Contains(line, " 0/20") && !strings.Contains(line, " 20/20") {
			under++
		}
	}
	if under == 0 {
		t.Errorf("no line was drawn while answers came: %q", term.drawn())
	}
}

// A program that has taken the terminal for itself, as a pager does, has it alone.
func TestNoStatusLineInAPager(t *testing.T) {
	t.Parallel()
	term := newTerminal(t, 200)
	fd := int(term.screen.Fd())
	mode, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	mode.Lflag &^= unix.ICANON | unix.ECHO
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, mode); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	p := llmpipe(t, dir, "--base-url", "sim:?latency=600ms", "--no-ledger", writePrompts(t, dir, 4))
	p.Stderr = term.process
	p.exits(t, 0)
	term.close()
	if drawn := term.drawn(); len(drawn) > 0 {
		t.Errorf("%q", drawn)
	}
}

// The line is for people who look: not when stdout is what they see, not with -q, not on a terminal
// that cannot.
func TestNoStatusLineOnTerminal(t *testing.T) {
	t.Parallel()
	for name, adapt := range map[string]func(*process, *terminal){
		"stdout is the terminal": func(p *process, term *terminal) { p.Stdout = term.process },
		"-q":                     func(p *process, _ *terminal) { p.Args = append(p.Args, "-q") },
		"--progress never":       func(p *process, _ *terminal) { p.Args = append(p.Args, "--progress", "never") },
		"TERM=dumb":              func(p *process, _ *terminal) { p.Env = append(p.Env, "TERM=dumb") },
		"CI=true":                func(p *process, _ *terminal) { p.Env = append(p.Env, "CI=true") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			term := newTerminal(t, 80)
			dir := t.TempDir()
			p := llmpipe(t, dir, "--base-url", "sim:?latency=600ms", "--no-ledger", writePrompts(t, dir, 8))
			p.Env = append(p.Env, "TERM=xterm")
			p.Stderr = term.process
			adapt(p, term)
			if code := p.exit(t); code != 0 {
				t.Errorf("exit code %d", code)
			}
			term.close()
			if shown := term.shown.String(); strings.Contains(shown, "\x1b") || strings.Contains(shown, "in flight") {
				t.Errorf("%q", shown)
			}
		})
	}
}

// A person in a terminal who sends nothing is told what to do, not left waiting.
func TestStdinIsTerminal(t *testing.T) {
	t.Parallel()
	term := newTerminal(t, 80)
	p := llmpipe(t, t.TempDir(), "--base-url", "sim:")
	p.Stdin = term.process
	if code := p.exit(t); code != 2 || !strings.Contains(p.err.String(), "hint: name a file: llmpipe prompts.jsonl ") {
		t.Errorf("exit code %d, said %s", code, &p.err)
	}
}
