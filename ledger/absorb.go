package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"llmpipe/ledger/line"
)

// Two goroutines index a ledger, so that opening a long one uses two processors. One reads and
// verifies lines; the other puts their content into the index. Each takes about half of the time.

// absorb indexes the file from where the index ends to size, and returns what follows the last
// newline. If the lock is held, it reports torn lines in the middle and skips them. Without the
// lock they may be lines that somebody is cutting off and writing over at this moment.
func (l *Ledger) absorb(size int64, locked bool) (tail []byte, err error) {
	if size == l.end {
		return nil, nil
	}
	l.written.forget()
	var torn tornLines
	defer func() { torn.tell(l.path, l.options.Warn) }()
	readings, stop := make(chan reading, readAhead), make(chan struct{})
	var reader sync.WaitGroup
	lines := line.Section(l.file, l.end, size)
	reader.Go(func() { l.read(lines, locked, readings, stop) })
	defer func() {
		close(stop)
		reader.Wait()
	}()
	for {
		r := <-readings
		for i := 0; i < len(r.lines); i += enterLines {
			if err := l.enter(r.lines[i:min(i+enterLines, len(r.lines))]); err != nil {
				return nil, err
			}
		}
		if r.entered != nil {
			close(r.entered)
		}
		torn.add(r.torn)
		if r.err == io.EOF {
			return r.tail, nil
		}
		if r.err != nil {
			return nil, r.err
		}
	}
}

const (
	// readLines and readBytes bound what is handed over at a time: enough for the handover to cost
	// almost nothing, and little enough for the processor's cache.
	readLines = 512
	readBytes = 256 << 10

	// readAhead is how many readings may wait. Waking a goroutine takes long, and with fewer both
	// would wait for each other all the time.
	readAhead = 6

	// enterLines is how many lines are entered before mu is released: a result takes microseconds.
	enterLines = 32
)

// reading is some verified lines of a ledger. If err is not nil, the reading ended after them: with
// io.EOF at the end of the file, and tail is then what follows the last newline.
type reading struct {
	lines []verified
	torn  tornLines
	tail  []byte
	err   error

	// entered, if not nil, is closed when the lines are entered: the last one is too large to copy, so
	// the reader waits.
	entered chan struct{}
}

// verified is a line whose checksum is right, and what its beginning says.
type verified struct {
	head    line.Head
	at, end int64
	text    []byte // the line, if the index needs more of it than the head
	run     string // the run that wrote the line, if the line says so
	recent  bool   // it counts for Summary.SpentSince
	own     bool   // this run wrote it just now
}

// read hands over the lines, and then the error that ended them. A reading is valid until the next
// one is taken.
func (l *Ledger) read(lines *line.Reader, locked bool, readings chan<- reading, stop <-chan struct{}) {
	var buffers [readAhead + 2][]verified
	for n := 0; ; n++ {
		r := l.fill(lines, locked, buffers[n%len(buffers)][:0])
		buffers[n%len(buffers)] = r.lines
		select {
		case readings <- r:
		case <-stop:
			return
		}
		if r.err != nil {
			return
		}
		if r.entered != nil {
			select {
			case <-r.entered:
				r.lines[len(r.lines)-1] = verified{} // the next read overwrites its line
			case <-stop:
				return
			}
		}
	}
}

// fill reads as many lines as are handed over at a time, into memory that is reused.
func (l *Ledger) fill(lines *line.Reader, locked bool, buffer []verified) reading {
	r := reading{lines: buffer}
	for kept := 0; len(r.lines) < readLines && kept < readBytes; {
		text, at, err := lines.Next()
		if err != nil {
			r.tail, r.err = lines.Tail(), ended(l.path, lines.Tail(), at, err)
			break
		}
		if line.Blank(text) && at > 0 {
			r.lines = append(r.lines, verified{at: at, end: at + int64(len(text)) + 1})
			continue
		}
		v, err := l.verify(text, at)
		if err != nil && locked && l.takeJoined(&r, text, at) {
			break // these lines are handed over now, and the reading goes on
		}
		if err != nil {
			r.err = err
			break
		}
		switch {
		case !l.wants(&v.head):
			v.text, v.head.Time, v.head.Run = nil, nil, nil
		case len(text) <= readBytes:
			v.keep()
			kept += len(text)
		default:
			r.entered, kept = make(chan struct{}), readBytes
		}
		r.lines = append(r.lines, v)
	}
	return r
}

// takeJoined takes the whole lines between two newlines, in a place where ledgers were appended to
// one another. Anywhere else it returns false.
func (l *Ledger) takeJoined(r *reading, text []byte, at int64) bool {
	pieces := line.Joined(text)
	lines := make([]verified, 0, len(pieces))
	for _, p := range pieces {
		if !p.Whole {
			continue
		}
		v, err := l.verify(text[p.From:p.To], at+int64(p.From))
		if err != nil {
			return false
		}
		v.keep()
		if p.To < len(text) {
			v.end-- // it has no newline
		}
		lines = append(lines, v)
	}
	if len(lines) == 0 {
		return false
	}
	r.lines = append(r.lines, lines...)
	r.torn.note(pieces, at)
	return true
}

// verify verifies a line before it is entered.
func (l *Ledger) verify(text []byte, at int64) (verified, error) {
	h, err := check(l.path, text, at)
	if err != nil {
		return verified{}, err
	}
	recent := l.since != "" && string(h.Time) >= l.since
	if l.lastRun != string(h.Run) {
		l.lastRun = string(h.Run)
	}
	return verified{head: h, at: at, end: at + int64(len(text)) + 1, text: text, run: l.lastRun, recent: recent}, nil
}

// keep makes v independent of the reader's buffer.
func (v *verified) keep() {
	v.text = bytes.Clone(v.text)
	v.head, _ = line.ParseHead(v.text)
}

// wants reports whether the index needs more of a line than the numbers in its head.
func (l *Ledger) wants(h *line.Head) bool {
	switch h.Kind {
	case line.KindBatch, line.KindRisk:
		return true
	case line.KindEmitted:
		return l.emitsTo(h.File)
	case line.KindRun, line.KindShare:
		return l.options.Job != ""
	}
	return false
}

// Refresh indexes what other processes have appended since the last look. What gone processes had
// at risk then counts as possibly spent. Refresh writes nothing and takes no lock. It leaves out a
// last line without a newline, which may still be being written.
func (l *Ledger) Refresh() error {
	l.committing.Lock()
	defer l.committing.Unlock()
	if l.refused != nil {
		return fmt.Errorf("reading ledger %s: %w", l.path, l.refused)
	}
	if err := l.appear(); err != nil || l.file == nil {
		return err
	}
	if err := l.reread(); err != nil {
		return err
	}
	return l.buryGone(l.reread)
}

func (l *Ledger) reread() error {
	size, err := l.unchanged()
	if err != nil {
		return fmt.Errorf("reading ledger %s: %w", l.path, err)
	}
	return l.absorbUnlocked(size)
}

// appear opens a ledger that another process has created since Open found none.
func (l *Ledger) appear() error {
	if l.file != nil {
		return nil
	}
	file, readOnly, err := openExisting(l.options.FS, l.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("opening ledger: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.file, l.readOnly = file, readOnly
	return nil
}
