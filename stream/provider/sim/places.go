package sim

import "sync/atomic"

// places are those of a server that serves so many requests at once and refuses the rest.
type places struct {
	most  int64 // 0 for no bound
	taken atomic.Int64
}

// take reports whether there is a place, and takes it. What is refused takes none, not for a
// moment, so that a storm of requests leaves no place empty.
func (p *places) take() bool {
	for p.most > 0 {
		taken := p.taken.Load()
		if taken >= p.most {
			return false
		}
		if p.taken.CompareAndSwap(taken, taken+1) {
			return true
		}
	}
	return true
}

// leave gives a place back that was taken.
func (p *places) leave() {
	if p.most > 0 {
		p.taken.Add(-1)
	}
}
