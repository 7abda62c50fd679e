package ledger

import (
	"llmpipe/ledger/disk"
	"llmpipe/ledger/index"
	"llmpipe/ledger/line"
)

// enter puts what lines say into the index and the summary.
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

// enterLine does what a line says. The caller holds mu.
func (l *Ledger) enterLine(v *verified) error {
	h := &v.head
	if h.Kind == line.KindEmitted {
		if !l.emitsTo(h.File) {
			return nil
		}
		return l.enterMarks(v)
	}
	switch h.Kind {
	case line.KindRisk:
		if h.Simulated && !l.options.Simulated && !l.options.Rehearsal {
			return nil
		}
		return l.enterRisk(v)
	case line.KindResult, line.KindFailure:
		l.risks.end(v.run, h.Key)
	}
	if l.leavesOut(h) {
		return nil
	}
	switch h.Kind {
	case line.KindResult:
		if index.RefAt(v.at) > index.MaxRef {
			return tooLarge(l.path, v.at)
		}
		l.index.Set(h.Key, index.RefAt(v.at))
		l.inHand.largest = max(l.inHand.largest, v.end-v.at)
		l.summary.spend(v)
	case line.KindFailure:
		l.summary.spend(v)
	case line.KindBatch:
		return l.enterShard(v)
	}
	return nil
}

// leavesOut reports whether a line does not exist for this run: it is a simulated run's, and this
// one is real. The caller holds mu, or is Open.
func (l *Ledger) leavesOut(h *line.Head) bool {
	if !h.Simulated || l.options.Simulated {
		return false
	}
	answer := h.Kind == line.KindResult || h.Kind == line.KindFailure
	l.leftOut = l.leftOut || answer && !l.options.Rehearsal
	return !answer || !l.options.Rehearsal
}

func (s *Summary) spend(v *verified) {
	h := &v.head
	if h.CostKnown {
		s.SpentNanos += h.CostNanos
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

// emitsTo says whether the results of this run are written to file.
func (l *Ledger) emitsTo(file disk.ID) bool {
	return l.options.Emitted != nil && *l.options.Emitted == file
}
