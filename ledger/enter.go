package ledger

import (
	"fmt"
	"io"

	"llmpipe/ledger/disk"
	"llmpipe/ledger/index"
	"llmpipe/ledger/line"
)

// enter puts the content of lines into the index and the summary.
func (l *Ledger) enter(lines []verified) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range lines {
		if err := l.enterLine(&lines[i]); err != nil {
			return err
		}
		l.end = lines[i].end
	}
	return nil
}

// enterLine puts the content of one line into the index and the summary. The caller holds mu.
func (l *Ledger) enterLine(v *verified) error {
	h := &v.head
	if h.Kind == line.KindEmitted {
		if !l.emitsTo(h.File) {
			return nil
		}
		return l.enterMarks(v)
	}
	switch h.Kind {
	case line.KindRun, line.KindShare:
		return l.enterShared(v)
	case line.KindRisk:
		if l.leavesOut(h) {
			l.leave(v)
			return nil
		}
		return l.enterRisk(v)
	case line.KindResult, line.KindFailure:
		l.risks.end(v.run, h.Key)
	}
	if l.leavesOut(h) {
		l.leave(v)
		return nil
	}
	switch h.Kind {
	case line.KindResult:
		if index.RefAt(v.at) > index.MaxRef {
			return tooLarge(l.path, v.at)
		}
		l.index.Set(h.Key, index.RefAt(v.at))
		if l.answers != nil {
			l.answers.Set(requestKey(h.Key), index.RefAt(v.at))
		}
		l.inHand.largest = max(l.inHand.largest, v.end-v.at)
		l.summary.spend(v)
	case line.KindFailure:
		l.summary.spend(v)
	case line.KindBatch:
		return l.enterShard(v)
	}
	return nil
}

// leavesOut reports whether this run ignores a line: the line is a simulated run's, and this run is
// real. The caller holds mu, or is Open.
func (l *Ledger) leavesOut(h *line.Head) bool {
	if !h.Simulated || l.options.Simulated {
		return false
	}
	answer := h.Kind == line.KindResult || h.Kind == line.KindFailure
	l.leftOut = l.leftOut || answer && !l.options.Rehearsal
	return !l.options.Rehearsal || !answer && h.Kind != line.KindRisk
}

// leave notes the offset of the first line of another process that was left out since the ledger
// was opened: this run may turn out to be a rehearsal too.
func (l *Ledger) leave(v *verified) {
	if l.loaded && l.left.from == 0 && !l.options.Rehearsal && v.head.Kind != line.KindBatch && v.head.Kind != line.KindEmitted {
		l.left.from = index.RefAt(v.at)
	}
}

// leftLines are the simulated lines that others have written since the ledger was opened.
type leftLines struct {
	from    index.Ref // the first of them, 0 for none
	decided bool      // this run ignores them for good
}

// enterLeft enters the simulated lines that were left out since the ledger was opened.
func (l *Ledger) enterLeft() error {
	if l.left.from == 0 {
		return nil
	}
	lines := line.Section(l.file, l.left.from.Offset(), l.end)
	l.left.from = 0
	for {
		text, at, err := lines.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading ledger %s at byte %d: %w", l.path, at, err)
		}
		if line.Blank(text) {
			continue
		}
		v, err := l.verify(text, at)
		if err != nil {
			return err
		}
		if !v.head.Simulated {
			continue
		}
		l.mu.Lock()
		err = l.enterLine(&v)
		l.mu.Unlock()
		if err != nil {
			return err
		}
	}
}

func (s *Summary) spend(v *verified) {
	h := &v.head
	if h.CostKnown {
		s.SpentNanos += h.CostNanos
		if h.Simulated {
			s.Simulated += h.CostNanos
		}
		if v.recent {
			s.SpentSince += h.CostNanos
		}
	} else if h.MayCost == 0 {
		s.UnknownCost++
	}
	s.KeptNanos += h.MayCost
	if v.own {
		s.OwnNanos += h.MayCost
		if h.CostKnown {
			s.OwnNanos += h.CostNanos
		}
	}
	if h.MayCost > 0 && v.recent {
		s.KeptSince += h.MayCost
	}
}

// emitsTo reports whether this run writes its results to file.
func (l *Ledger) emitsTo(file disk.ID) bool {
	return l.options.Emitted != nil && *l.options.Emitted == file
}
