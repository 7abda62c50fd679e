package input

import (
	"io"
	"os"
	"sync"

	"llmpipe/stream/record/lines"
)

// mostCounted is the largest total size of inputs whose lines are counted before they are read, in
// bytes, decompressed. Counting takes some hundredths of a second at most, once, and only on
// request. For larger inputs the number of records is estimated.
const mostCounted = 64 << 20

// tally is the number of records in all inputs. It is counted at the first request.
type tally struct {
	once    sync.Once
	records int64
	known   bool
}

func (t *tally) of(s *Source) (records int64, known bool) {
	t.once.Do(func() { t.records, t.known = s.countLines() })
	return t.records, t.known
}

// Expected returns how many records there will be, given how many were read so far and how many of
// those have a recorded result. exact is false for an estimate. ok is false if there is no basis
// for one.
func (s *Source) Expected(read, recorded int64) (total int64, exact, ok bool) {
	counted, isCounted := s.tally.of(s)
	slices := int64(max(1, s.cfg.Slice.Of))
	switch sample := int64(s.cfg.Sample); {
	case sample > 0: // all is read before the first of them is
		if total = sample; isCounted {
			total = min(total, counted)
		}
		total, exact, ok = total/slices, isCounted && slices == 1, true
	case isCounted && slices == 1:
		total, exact, ok = counted, true, true
	default:
		share := s.share()
		if ok = share > 0; ok {
			total = int64(float64(read) / share)
		}
	}
	if most := int64(s.cfg.Limit) + recorded; s.cfg.Limit > 0 && (!ok || total > most) {
		return most, exact && recorded == 0, true // more of them may turn out to be recorded
	}
	return total, exact, ok
}

// share returns how much of the inputs has been read as lines, 0 to 1; 0 where that is not known.
func (s *Source) share() float64 {
	taken := float64(s.taken.Load())
	if s.size <= 0 || taken == 0 {
		return 0
	}
	read := min(float64(s.consumed.Load())/float64(s.size), 1)
	return read * taken / (taken + float64(s.ahead.Load()))
}

// countLines counts the records in all inputs, if these are small files.
func (s *Source) countLines() (n int64, ok bool) {
	if s.size < 0 || s.size > mostCounted {
		return 0, false
	}
	for _, name := range s.cfg.Files {
		in, ok := s.countLinesOf(name)
		if !ok {
			return 0, false
		}
		n += in
	}
	return n, true
}

// countLinesOf counts the records of one. Stdin stays where it is.
func (s *Source) countLinesOf(name string) (n int64, ok bool) {
	if name == "-" {
		f, isFile := s.cfg.Stdin.(*os.File)
		if !isFile {
			return 0, false
		}
		return lines.Count(io.NewSectionReader(f, s.begin, mostCounted+1), mostCounted)
	}
	f, err := os.Open(name)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	return lines.Count(f, mostCounted)
}
