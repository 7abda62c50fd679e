package batch

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"llmpipe/stream/flow"
	"llmpipe/stream/provider"
	"llmpipe/stream/record"
)

// answers finds the lines in the files of an ended batch by custom_id, because they come in no
// order. The lines stay on disk.
type answers struct {
	files   []*flow.Temporary
	at      map[string]answer
	refused map[string]*record.Error // errors by custom_id: of lines that the provider refused, and of answers that are too large
	all     *record.Error            // the error of all other requests; nil for none
	mark    mark                     // the custom_id that marks the batch, and whose it is
	stopped bool                     // the account's quota is used up: records without an answer wait, and lose no round
	line    []byte
	parsed  record.BatchOutput
}

// answer is where a line stands.
type answer struct {
	file   int
	offset int64
	length int
	good   bool // no error
	used   bool // it has a taker, and its cost is counted
}

func newAnswers() *answers {
	return &answers{at: make(map[string]answer), refused: make(map[string]*record.Error)}
}

// read indexes the files, and returns how many lines are no answers. Of several lines with one
// custom_id the first answer counts, or else the first error.
func (a *answers) read() (strange int64, err error) {
	for i := range a.files {
		n, err := a.readFile(i)
		strange += n
		if err != nil {
			return strange, err
		}
	}
	return strange, nil
}

func (a *answers) readFile(index int) (strange int64, err error) {
	err = a.lines(index, func(line []byte, offset, length int64) {
		switch {
		case length > provider.MaxResponse:
			if id := record.BatchOutputID(line); len(id) > 0 {
				a.refused[string(a.mark.of(id))] = tooLargeInBatch
			} else {
				strange++
			}
		case record.ParseBatchOutput(line, &a.parsed) != nil:
			strange++
		default:
			good := a.parsed.Err == nil && a.parsed.Status >= 200 && a.parsed.Status < 300
			id := a.mark.of(a.parsed.CustomID)
			if before, ok := a.at[string(id)]; !ok || good && !before.good {
				a.at[string(id)] = answer{file: index, offset: offset, length: int(length), good: good}
			}
		}
	})
	return strange, err
}

// count returns how many lines of the files are answers.
func (a *answers) count() (n int64, err error) {
	for i := range a.files {
		err = errors.Join(err, a.lines(i, func(line []byte, _, length int64) {
			if length > provider.MaxResponse || record.ParseBatchOutput(line, &a.parsed) == nil {
				n++
			}
		}))
	}
	return n, err
}

// lines calls f with each non-empty line of a file, its offset and its length. The line is valid
// until f returns.
func (a *answers) lines(index int, f func(line []byte, offset, length int64)) error {
	file := a.files[index]
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return flow.TemporaryError(err)
	}
	r := bufio.NewReaderSize(file, 256<<10)
	for offset := int64(0); ; {
		line, length, err := a.readLine(r)
		if length > 1 || length == 1 && line[0] != '\n' {
			f(line, offset, length)
		}
		offset += length
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return flow.TemporaryError(err)
		}
	}
}

// tooLargeInBatch is the error of a record whose answer is larger than a realtime one may be.
var tooLargeInBatch = &record.Error{
	Type: "response_too_large", Message: fmt.Sprintf("response is larger than %d MiB", provider.MaxResponse>>20),
}

// readLine returns the next line with its newline, if it has one, and its length. If the line is
// longer than any answer may be, readLine returns only its beginning. The line is valid until the
// next call.
func (a *answers) readLine(r *bufio.Reader) (line []byte, length int64, err error) {
	line, err = r.ReadSlice('\n')
	length = int64(len(line))
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, length, err
	}
	a.line = append(a.line[:0], line...)
	for errors.Is(err, bufio.ErrBufferFull) {
		line, err = r.ReadSlice('\n')
		length += int64(len(line))
		if length <= provider.MaxResponse {
			a.line = append(a.line, line...)
		}
	}
	return a.line, length, err
}

// rejection is the error of a request that the provider refused, or whose answer is too large; nil
// otherwise.
func (a *answers) rejection(id string) *record.Error {
	if err := a.refused[id]; err != nil {
		return err
	}
	return a.all
}

// use marks the answer for a custom_id as taken. It reports whether there is one that was not taken
// before: an answer costs once.
func (a *answers) use(id string) bool {
	at, ok := a.at[id]
	first := ok && !at.used
	if first {
		at.used = true
		a.at[id] = at
	}
	return first
}

// take returns the answer for a custom_id, or nil if there is none. The answer is valid until the
// next call.
func (a *answers) take(id string) (*record.BatchOutput, error) {
	at, ok := a.at[id]
	if !ok {
		return nil, nil
	}
	if cap(a.line) < at.length {
		a.line = make([]byte, at.length)
	}
	a.line = a.line[:at.length]
	if _, err := a.files[at.file].ReadAt(a.line, at.offset); err != nil {
		return nil, flow.TemporaryError(err)
	}
	if err := record.ParseBatchOutput(a.line, &a.parsed); err != nil {
		return nil, err // it was parsed before
	}
	return &a.parsed, nil
}

// untaken returns how many answers no record has taken.
func (a *answers) untaken() (n int64) {
	for _, at := range a.at {
		if !at.used {
			n++
		}
	}
	return n
}

// discard removes the files from the disk.
func (a *answers) discard() {
	for _, f := range a.files {
		f.Discard()
	}
	a.files = nil
}
