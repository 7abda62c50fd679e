package input

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	"llmpipe/stream/flow"
	"llmpipe/stream/naming"
	"llmpipe/stream/record"
	"llmpipe/stream/record/lines"
	"llmpipe/stream/ui"
)

// Source reads the lines of the inputs, one input after the other.
//
// A read of a pipe or a terminal cannot be interrupted, and the run must be able to end while one
// hangs. So the source knows whether its owner is inside a read: Abandon reports that, and from
// then on Next returns errAbandoned as soon as the read comes back, before its owner touches
// anything else.
type Source struct {
	cfg   Config
	begin int64 // the file offset at which stdin began

	beforeWait func() // called by the owner before anything that may wait for an input

	opened int // how many inputs were opened
	file   *os.File
	reader *lines.Reader

	size     int64        // of all inputs, in bytes; negative when it cannot be told
	consumed atomic.Int64 // bytes of them that were read, read-ahead included
	taken    atomic.Int64 // bytes, decompressed, of the lines handed out
	ahead    atomic.Int64 // bytes, decompressed, read beyond them
	waiting  atomic.Bool  // for an input to give more

	tally tally

	abandoned atomic.Bool
	mu        sync.Mutex
	inside    bool // a call that may wait for an input
}

var errAbandoned = errors.New("reading was given up")

// NewSource checks that every input can be opened, so that a wrong name is found before anything is
// paid for.
func NewSource(c Config) (*Source, error) {
	if len(c.Files) == 0 {
		c.Files = []string{"-"}
	}
	s := &Source{cfg: c, beforeWait: func() {}}
	for _, name := range c.Files {
		info, err := checkInput(name, c.Stdin)
		if err != nil {
			return nil, err
		}
		if flow.IsFile(c.Stdout, info) { // every answer would become a question
			if name == "-" {
				name = "stdin"
			}
			return nil, ui.WithHint("write to another file: > empties the input before it is read, and with >> the input never ends",
				fmt.Errorf("input: %s is the output too", name))
		}
		if info == nil || !info.Mode().IsRegular() {
			s.size = -1
		} else if s.size >= 0 {
			s.size += info.Size()
			if f, ok := c.Stdin.(*os.File); ok && name == "-" {
				s.begin, _ = f.Seek(0, io.SeekCurrent)
				s.size -= min(s.begin, info.Size())
			}
		}
	}
	return s, nil
}

// checkInput returns the file info of an input, nil for a stdin that is not a file.
func checkInput(name string, stdin io.Reader) (os.FileInfo, error) {
	if name == "-" {
		if f, ok := stdin.(*os.File); ok {
			info, _ := f.Stat() // reading will say what is wrong
			return info, ui.CheckStdin(f)
		}
		return nil, nil
	}
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, fmt.Errorf("input: %w", err)
	case info.IsDir():
		return nil, ui.WithHint("name the files in it: llmpipe "+naming.Quoted(strings.TrimRight(name, "/"))+"/*.jsonl",
			fmt.Errorf("input: %s is a directory", naming.Short(name)))
	case !info.Mode().IsRegular():
		return info, nil // opening and closing a named pipe would lose what its writer has written
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	defer f.Close()
	return info, nil
}

// Waits reports whether the owner is waiting for an input right now. If that lasts, the writer of
// the input has nothing to send yet.
func (s *Source) Waits() bool { return s.waiting.Load() }

// counted is an input that counts its bytes, and notes when a read waits.
type counted struct {
	io.Reader
	source *Source
}

// Read implements io.Reader.
func (c counted) Read(p []byte) (n int, err error) {
	if abandoned := c.source.wait(func() { n, err = c.Reader.Read(p) }); abandoned != nil {
		return 0, abandoned
	}
	c.source.consumed.Add(int64(n))
	return n, err
}

// Next reads the next line into t, and returns io.EOF after the last one of the last input.
func (s *Source) Next(t *flow.Task) error {
	for {
		if s.reader == nil {
			if err := s.open(); err != nil {
				return err
			}
		}
		line, err := s.read(t.Buffer)
		switch {
		case err == nil:
			s.take(t, line)
			return nil
		case errors.Is(err, errAbandoned):
			return err
		case !errors.Is(err, io.EOF):
			return fmt.Errorf("reading %s: %w", s.title(), err)
		}
		s.closeInput()
	}
}

// take gives line to t.
func (s *Source) take(t *flow.Task, line lines.Line) {
	t.Line = line.Number
	if len(s.cfg.Files) > 1 {
		t.File = s.cfg.Files[s.opened-1]
	}
	if line.TooLong > 0 {
		t.Spill, _ = line.Spilled.(*os.File)
		t.Fail(record.TooLongError(line.TooLong, s.cfg.MaxLine))
		return
	}
	t.Buffer, t.Input = line.Bytes, line.Bytes
}

// open opens the next input.
func (s *Source) open() error {
	if s.opened == len(s.cfg.Files) {
		return io.EOF
	}
	name := s.cfg.Files[s.opened]
	s.opened++
	src := s.cfg.Stdin
	if name != "-" {
		f, err := s.openFile(name)
		if err != nil {
			return err
		}
		s.file, src = f, f
	}
	s.reader = lines.New(counted{src, s}, s.cfg.MaxLine)
	if s.cfg.Spill {
		s.reader.Spill = newSpill
	}
	return nil
}

// openFile opens a file. Opening a named pipe waits for its writer, and so may hang like a read.
func (s *Source) openFile(name string) (*os.File, error) {
	var f *os.File
	var err error
	if abandoned := s.wait(func() { f, err = os.Open(name) }); abandoned != nil {
		_ = f.Close() // f may be nil; it is not read
		return nil, abandoned
	}
	if err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	return f, nil
}

func (s *Source) closeInput() {
	if s.file != nil {
		_ = s.file.Close() // it was only read
	}
	s.file, s.reader = nil, nil
}

// title names the input being read, for messages.
func (s *Source) title() string {
	if name := s.cfg.Files[s.opened-1]; name != "-" {
		return name
	}
	return "stdin"
}

// read reads a line, unless the source was abandoned before or meanwhile.
func (s *Source) read(buf []byte) (lines.Line, error) {
	line, err := s.reader.Next(buf)
	if s.abandoned.Load() {
		return lines.Line{}, errAbandoned
	}
	if err == nil {
		s.taken.Add(max(line.TooLong, int64(len(line.Bytes))) + 1)
		s.ahead.Store(int64(s.reader.Buffered()))
	}
	return line, err
}

// wait calls do, which may wait for an input. It returns errAbandoned if the source was abandoned
// before or meanwhile.
func (s *Source) wait(do func()) error {
	s.beforeWait()
	if !s.enterWait(true) {
		return errAbandoned
	}
	s.waiting.Store(true)
	do()
	s.waiting.Store(false)
	if !s.enterWait(false) {
		return errAbandoned
	}
	return nil
}

func (s *Source) enterWait(inside bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inside = inside
	return !s.abandoned.Load()
}

// Abandon makes every later next return errAbandoned, and reports whether the owner waits for an
// input, which may never end.
func (s *Source) Abandon() (hanging bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.abandoned.Store(true)
	return s.inside
}

// newSpill makes a file for a line that is too long for memory. Where the system allows it, the
// file loses its name at once, so that nothing is left behind.
func newSpill() (io.Writer, error) {
	f, err := os.CreateTemp("", "llmpipe-line-")
	if err != nil {
		return nil, fmt.Errorf("keeping a line that is too long for --failed: %w", err)
	}
	_ = os.Remove(f.Name()) // fails on Windows, whose temporary files stay until they are cleaned up
	return f, nil
}
