package ledger

import (
	"fmt"
	"io"
	"os"

	"llmpipe/ledger/disk"
	"llmpipe/ledger/line"
)

// Entry is one line of a ledger. It and everything it points to are valid until the function that
// got it returns.
type Entry struct {
	Kind    line.Kind // may be one that this version does not know
	Offset  int64     // of the line in the uncompressed file
	Line    []byte    // the line without its newline
	Run     *RunInfo
	Result  *Result
	Failure *Failure
	Emitted *line.Emitted
	Risk    *line.Risk
	End     *RunEnd
	Shard   *ShardEntry // a step of a shard, without the records of an intent

	// ShardSimulated says that the step is a simulated run's.
	ShardSimulated bool
}

// Scan calls f with every line of a ledger in order, each verified first. It also reads a ledger
// that is compressed with gzip or zstd, and a pipe that the process was started with. It leaves out
// what follows the last newline, as a writer may not have finished it, and torn lines that another
// ledger was appended to. If warn is not nil, it is told of the torn lines when the scan ends. An
// error of f ends the scan and is returned unchanged.
func Scan(path string, warn func(string), f func(Entry) error) error {
	s := scanner{path: path}
	return scanLines(path, warn, func(h *line.Head, text []byte, at int64) error {
		entry, err := s.read(text, at, h)
		if err != nil {
			return err
		}
		return f(entry)
	})
}

// scanLines calls f with every verified line, its head and its offset.
func scanLines(path string, warn func(string), f func(h *line.Head, text []byte, at int64) error) (err error) {
	if !disk.Inherited(path) {
		err = disk.CheckRegular(disk.OS{}, path)
	}
	var file *os.File
	if err == nil {
		file, err = os.Open(path)
	}
	if err != nil {
		return fmt.Errorf("opening ledger: %w", err)
	}
	defer func() { err = disk.Both(err, file.Close()) }()
	src, err := decompress(file)
	if err != nil {
		return fmt.Errorf("reading ledger %s: %w", path, err)
	}
	defer func() { err = disk.Both(err, src.Close()) }()
	lines := line.NewReader(src, 0, line.ReadSize)
	var torn tornLines
	defer func() { torn.tell(path, warn) }()
	for {
		text, at, err := lines.Next()
		if err != nil {
			if err = ended(path, lines.Tail(), at, err); err == io.EOF {
				return nil
			}
			return err
		}
		if line.Blank(text) && at > 0 {
			continue
		}
		h, err := check(path, text, at)
		if err != nil {
			if err = joined(path, text, at, err, &torn, f); err != nil {
				return err
			}
			continue
		}
		if err := f(&h, text, at); err != nil {
			return err
		}
	}
}

// joined calls f with the whole lines between two newlines, in a place where one ledger was
// appended to another. Anywhere else it returns damage.
func joined(path string, text []byte, at int64, damage error, torn *tornLines, f func(h *line.Head, text []byte, at int64) error) error {
	pieces := line.Joined(text)
	if pieces == nil {
		return damage
	}
	torn.note(pieces, at)
	for _, p := range pieces {
		if !p.Whole {
			continue
		}
		h, err := headOf(path, text[p.From:p.To], at+int64(p.From))
		if err == nil {
			err = f(&h, text[p.From:p.To], at+int64(p.From))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// scanner holds the memory that entries are read into.
type scanner struct {
	path    string
	run     RunInfo
	result  Result
	failure Failure
	emitted line.Emitted
	shard   ShardEntry
	risk    line.Risk
	share   line.Share
	end     RunEnd
}

// read reads what follows the head of a line, except the records of an intent.
func (s *scanner) read(text []byte, at int64, h *line.Head) (e Entry, err error) {
	e = Entry{Kind: line.KindOf(text), Offset: at, Line: text}
	switch h.Kind {
	case line.KindRun:
		err, e.Run = s.run.Decode(text), &s.run
	case line.KindShare:
		err = s.share.Decode(text)
	case line.KindEnd:
		err, e.End = s.end.Decode(text), &s.end
	case line.KindResult:
		err, e.Result = s.result.Decode(text), &s.result
	case line.KindFailure:
		err, e.Failure = s.failure.Decode(text), &s.failure
	case line.KindEmitted:
		err, e.Emitted = s.emitted.Decode(h), &s.emitted
	case line.KindRisk:
		err, e.Risk = s.risk.Decode(h), &s.risk
	case line.KindBatch:
		err, e.Shard, e.ShardSimulated = s.shard.Decode(text, h), &s.shard, h.Simulated
		if err == nil && h.Step == ShardIntent && !h.EachKey(func(line.Key) {}) {
			err = line.ErrMalformed
		}
	}
	if err != nil {
		return Entry{}, &DamageError{Path: s.path, Offset: at, Err: err}
	}
	return e, nil
}
