package stream

import (
	"bufio"
	"errors"
	"io"

	"llmpipe/stream/record"
)

// answers are what the files of an ended batch hold, found by custom_id: they come in no order. The lines stay on disk.
type answers struct {
	files   []*temporary
	at      map[string]answer
	refused map[string]*record.Error // lines of which the provider said before it began what is wrong with them
	all     *record.Error            // the same of all others
	line    []byte
	parsed  record.BatchOutput
}

// answer is where a line stands.
type answer struct {
	file   int
	offset int64
	length int
	used   bool // a record of this run has it
}

func newAnswers() *answers {
	return &answers{at: make(map[string]answer), refused: make(map[string]*record.Error)}
}

// read finds out what stands where in the files, and returns how many lines are no answers. Where a custom_id comes twice the first counts.
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
	file := a.files[index]
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return 0, temporaryError(err)
	}
	r := bufio.NewReaderSize(file, 256<<10)
	var offset int64
	for {
		line, err := a.readLine(r)
		if len(line) > 1 || len(line) == 1 && line[0] != '\n' {
			if parseErr := record.ParseBatchOutput(line, &a.parsed); parseErr != nil {
				strange++
			} else if _, ok := a.at[string(a.parsed.CustomID)]; !ok {
				a.at[string(a.parsed.CustomID)] = answer{file: index, offset: offset, length: len(line)}
			}
		}
		offset += int64(len(line))
		if errors.Is(err, io.EOF) {
			return strange, nil
		}
		if err != nil {
			return strange, temporaryError(err)
		}
	}
}

// readLine returns the next line with its newline, if it has one. It is good until the next call.
func (a *answers) readLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, err
	}
	a.line = append(a.line[:0], line...)
	for errors.Is(err, bufio.ErrBufferFull) {
		line, err = r.ReadSlice('\n')
		a.line = append(a.line, line...)
	}
	return a.line, err
}

// rejection is what the provider found wrong with a request before any was run; nil when it was nothing.
func (a *answers) rejection(id string) *record.Error {
	if err := a.refused[id]; err != nil {
		return err
	}
	return a.all
}

// take returns the answer for a custom_id, nil where there is none, and notes that it has a taker. It is good until the next call.
func (a *answers) take(id string) (*record.BatchOutput, error) {
	at, ok := a.at[id]
	if !ok {
		return nil, nil
	}
	at.used = true
	a.at[id] = at
	if cap(a.line) < at.length {
		a.line = make([]byte, at.length)
	}
	a.line = a.line[:at.length]
	if _, err := a.files[at.file].ReadAt(a.line, at.offset); err != nil {
		return nil, temporaryError(err)
	}
	if err := record.ParseBatchOutput(a.line, &a.parsed); err != nil {
		return nil, err // it was parsed before
	}
	return &a.parsed, nil
}

// left returns the answer for a custom_id that nobody has taken.
func (a *answers) left(id string) (*record.BatchOutput, error) {
	if at, ok := a.at[id]; !ok || at.used {
		return nil, nil
	}
	return a.take(id)
}

// discard gives the disk back.
func (a *answers) discard() {
	for _, f := range a.files {
		f.discard()
	}
}
