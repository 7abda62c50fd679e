package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
)

// How a ledger is indexed: one goroutine reads lines and verifies them, another enters what they say, so that a long ledger is opened by
// two processors. Each takes about half of the time.

// absorb indexes the file from where the index ends to size, and returns what is behind the last newline.
func (l *Ledger) absorb(size int64) (tail []byte, err error) {
	if size == l.end {
		return nil, nil
	}
	readings, stop := make(chan reading, readAhead), make(chan struct{})
	var reader sync.WaitGroup
	lines := sectionLines(l.file, l.end, size)
	reader.Go(func() { l.read(lines, readings, stop) })
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
		if r.err == io.EOF {
			return r.tail, nil
		}
		if r.err != nil {
			return nil, r.err
		}
	}
}

const (
	// readLines and readBytes bound what is handed over at a time: enough for the handing over to cost nothing, and little enough to be
	// in the processor's cache.
	readLines = 512
	readBytes = 256 << 10

	// readAhead is how many of them may wait: waking a goroutine up takes long, and with fewer both would do so all the time.
	readAhead = 6

	// enterLines is how many lines are entered under one lock: results take microseconds.
	enterLines = 32
)

// reading is some lines of a ledger, verified. After them the reading ended if err is not nil: io.EOF at the end of the file, with what is
// behind the last newline.
type reading struct {
	lines []verified
	tail  []byte
	err   error

	// entered, if not nil, is closed when the lines are entered: the last one is too large to be copied, and is waited for.
	entered chan struct{}
}

// verified is a line that has the right checksum, and what its beginning says.
type verified struct {
	head
	at, end int64
	line    []byte // where the index needs more of it than the head
	recent  bool   // it counts for Summary.SpentSince
}

// read hands over the lines, and what ended them. What was handed over is good until the next is taken.
func (l *Ledger) read(lines *lineReader, readings chan<- reading, stop <-chan struct{}) {
	var buffers [readAhead + 2][]verified
	for n := 0; ; n++ {
		r := reading{lines: buffers[n%len(buffers)][:0]}
		for kept := 0; len(r.lines) < readLines && kept < readBytes && r.err == nil; {
			line, at, err := lines.next()
			if err != nil {
				r.tail, r.err = lines.tail(), l.ended(lines.tail(), at, err)
				break
			}
			v, err := l.verify(line, at)
			if err != nil {
				r.err = err
				break
			}
			switch {
			case !l.wants(&v.head):
				v.line, v.time = nil, nil
			case len(line) <= readBytes:
				v.keep()
				kept += len(line)
			default:
				r.entered, kept = make(chan struct{}), readBytes
			}
			r.lines = append(r.lines, v)
		}
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
				r.lines[len(r.lines)-1] = verified{} // its line is as good as overwritten
			case <-stop:
				return
			}
		}
	}
}

// ended says what it means that no line could be read at an offset: io.EOF if nothing is wrong.
func (l *Ledger) ended(tail []byte, at int64, err error) error {
	switch {
	case err == io.EOF && at == 0 && foreignTail(tail):
		return notLedger(l.path, tail)
	case err == io.EOF:
		return err
	case errors.Is(err, errTooLong):
		return &DamageError{Path: l.path, Offset: at, Err: err}
	}
	return fmt.Errorf("reading ledger %s at byte %d: %w", l.path, at, err)
}

// verify verifies a line, to be entered.
func (l *Ledger) verify(line []byte, at int64) (verified, error) {
	h, err := check(l.path, line, at)
	if err != nil {
		return verified{}, err
	}
	recent := l.since != "" && string(h.time) >= l.since
	return verified{head: h, at: at, end: at + int64(len(line)) + 1, line: line, recent: recent}, nil
}

// keep makes v independent of the line's memory.
func (v *verified) keep() {
	v.line = bytes.Clone(v.line)
	v.head, _ = parseHead(v.line)
}

// wants reports whether more is needed of a line than its head's numbers.
func (l *Ledger) wants(h *head) bool {
	return h.kind == KindBatch || h.kind == KindEmitted && l.emitsTo(h.file)
}

// check verifies a line and reads its beginning.
func check(path string, line []byte, at int64) (head, error) {
	if err := verify(line); err != nil {
		if at == 0 && foreign(line) {
			return head{}, notLedger(path, line)
		}
		return head{}, &DamageError{Path: path, Offset: at, Err: err}
	}
	return headOf(path, line, at)
}

// headOf reads the beginning of a line that verify has passed.
func headOf(path string, line []byte, at int64) (head, error) {
	h, ok := parseHead(line)
	if !ok {
		return head{}, &DamageError{Path: path, Offset: at, Err: errMalformed}
	}
	if h.run > formatVersion {
		return head{}, fmt.Errorf("reading ledger %s at byte %d: %w, in format %d", path, at, ErrVersion, h.run)
	}
	return h, nil
}

// enter puts what lines say into the index and the summary.
func (l *Ledger) enter(lines []verified) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range lines {
		if err := l.heed(&lines[i]); err != nil {
			return err
		}
		l.end = lines[i].end
	}
	return nil
}

// heed does what a line says. The caller holds mu.
func (l *Ledger) heed(v *verified) error {
	if v.kind == KindEmitted && l.emitsTo(v.file) {
		if v.empty || v.size < l.marked {
			l.index.forgetEmitted()
		}
		l.marked = v.size
	}
	if v.simulated && !l.options.Simulated {
		answer := v.kind == KindResult || v.kind == KindFailure
		l.leftOut = l.leftOut || answer && !l.options.Rehearsal
		if !answer || !l.options.Rehearsal {
			return nil
		}
	}
	switch v.kind {
	case KindResult:
		if refAt(v.at) > maxRef {
			return tooLarge(l.path, v.at)
		}
		l.index.set(v.key, refAt(v.at), 0)
		l.summary.spend(v)
	case KindFailure:
		l.summary.spend(v)
	case KindEmitted:
		if l.emitsTo(v.file) {
			if !v.eachKey(l.index.markEmitted) {
				return &DamageError{Path: l.path, Offset: v.at, Err: errMalformed}
			}
		}
	case KindBatch:
		return l.enterShard(&v.head, v.line, v.at)
	}
	return nil
}

func (s *Summary) spend(v *verified) {
	if v.costKnown {
		s.SpentNanos += v.costNanos
		if v.recent {
			s.SpentSince += v.costNanos
		}
	} else if v.mayCost == 0 {
		s.UnknownCost++
	}
	s.KeptNanos += v.mayCost
	if v.mayCost > 0 && v.recent {
		s.KeptSince += v.mayCost
	}
}

// emitsTo says whether the results of this run are written to file.
func (l *Ledger) emitsTo(file FileID) bool {
	return l.options.Emitted != nil && *l.options.Emitted == file
}

func tooLarge(path string, at int64) error {
	return fmt.Errorf("reading ledger %s at byte %d: a ledger has at most 256 TiB", path, at)
}
