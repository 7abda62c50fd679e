package ledger

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Entry is one line of a ledger. It and all it points to are good until the function that got it returns.
type Entry struct {
	Kind    Kind   // also one that this version does not know
	Offset  int64  // of the line in the file, uncompressed
	Line    []byte // as it stands there, without its newline
	Run     *RunInfo
	Result  *Result
	Failure *Failure
	Emitted *Emitted
}

// Scan calls f with every line of a ledger in order, each verified first. A ledger that is compressed
// with gzip or zstd is read as well. What follows the last newline is left out, as a writer may be
// at it. An error of f ends the scan and is returned as it is.
func Scan(path string, f func(Entry) error) error {
	s := scanner{path: path}
	return scanLines(path, func(line []byte, at int64) error {
		entry, err := s.entry(line, at)
		if err != nil {
			return err
		}
		return f(entry)
	})
}

// scanLines calls f with every line and its offset.
func scanLines(path string, f func(line []byte, at int64) error) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("opening ledger: %w", err)
	}
	defer func() { err = both(err, file.Close()) }()
	src, err := decompress(file)
	if err != nil {
		return fmt.Errorf("reading ledger %s: %w", path, err)
	}
	defer func() { err = both(err, src.Close()) }()
	lines := newLineReader(src, 0, readSize)
	for {
		line, at, err := lines.next()
		switch {
		case err == io.EOF:
			if at == 0 && foreignTail(lines.tail()) {
				return notLedger(path, lines.tail())
			}
			return nil
		case errors.Is(err, errTooLong):
			return &DamageError{Path: path, Offset: at, Err: err}
		case err != nil:
			return fmt.Errorf("reading ledger %s at byte %d: %w", path, at, err)
		}
		if err := f(line, at); err != nil {
			return err
		}
	}
}

// scanner keeps what entries are read into.
type scanner struct {
	path    string
	run     RunInfo
	result  Result
	failure Failure
	emitted Emitted
	shard   ShardEntry
}

func (s *scanner) entry(line []byte, at int64) (Entry, error) {
	h, err := check(s.path, line, at)
	if err != nil {
		return Entry{}, err
	}
	return s.read(line, at, &h)
}

// read reads what is behind the head of a line, but for the records of an intent.
func (s *scanner) read(line []byte, at int64, h *head) (e Entry, err error) {
	e = Entry{Kind: kindOf(line), Offset: at, Line: line}
	switch h.kind {
	case KindRun:
		err, e.Run = s.run.decode(line), &s.run
	case KindResult:
		err, e.Result = s.result.decode(line), &s.result
	case KindFailure:
		err, e.Failure = s.failure.decode(line), &s.failure
	case KindEmitted:
		s.emitted = Emitted{File: h.file, Keys: s.emitted.Keys[:0], Simulated: h.simulated}
		e.Emitted = &s.emitted
		if !h.eachKey(func(k Key) { s.emitted.Keys = append(s.emitted.Keys, k) }) {
			err = errMalformed
		}
	case KindBatch:
		err = s.shard.decode(line, h)
		if err == nil && h.step == ShardIntent && !h.eachKey(func(Key) {}) {
			err = errMalformed
		}
	}
	if err != nil {
		return Entry{}, &DamageError{Path: s.path, Offset: at, Err: err}
	}
	return e, nil
}
