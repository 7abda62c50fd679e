package sim

import "sync/atomic"

// places bounds how many requests a server serves at once. It refuses the rest.
type places struct {
	most  int64 // 0 for no bound
	taken atomic.Int64
}

// take takes a place and reports whether there was one. A request that is refused does not hold a
// place even for a moment, so that a storm of requests leaves no place empty.
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

// leave gives back a place that was taken.
func (p *places) leave() {
	if p.most > 0 {
		p.taken.Add(-1)
	}
}
