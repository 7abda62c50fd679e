package provider

import (
	"context"
	"slices"
	"sync"
)

// Memory bounds what large bodies of answers take together, across all clients that share it. A
// body counts as it arrives, from its first block until it is let go. Its reader waits if there is
// no room for more of it.
//
// One of the waiting bodies goes ahead regardless, so that none waits for ever. So at most one body
// more is held than there is room for. The next may go ahead once that body has been let go, or is
// known to be let go only after others.
type Memory struct {
	most int64

	mu      sync.Mutex
	held    int64
	waiting []*waiting // in the order in which they came
	ahead   *holding   // goes ahead whatever is held; nil for none

	joining sync.Mutex // held while a body is in memory twice
}

// NewMemory returns a Memory with room for most bytes.
func NewMemory(most int64) *Memory { return &Memory{most: most} }

// Held returns how many bytes large bodies take now.
func (m *Memory) Held() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.held
}

// holding is what one body takes from a Memory.
type holding struct {
	memory *Memory // nil if the body takes nothing, or nothing is bounded
	bytes  int64
}

// waiting is the reader of a body that waits for room.
type waiting struct {
	holding *holding
	bytes   int64
	goOn    chan struct{}
}

// try takes bytes more for h's body, if there is room for them and no other body waits for room.
// The body that is ahead always gets them.
func (m *Memory) try(h *holding, bytes int64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	h.memory = m
	if m.ahead != h && (len(m.waiting) > 0 || m.held+bytes > m.most) {
		return false
	}
	m.held += bytes
	h.bytes += bytes
	return true
}

// take waits until there is room for bytes more of h's body, or until ctx ends.
func (m *Memory) take(ctx context.Context, h *holding, bytes int64) error {
	w := &waiting{holding: h, bytes: bytes, goOn: make(chan struct{})}
	m.mu.Lock()
	m.waiting = append(m.waiting, w)
	m.admit()
	m.mu.Unlock()
	select {
	case <-w.goOn:
		return nil
	case <-ctx.Done():
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waiting = slices.DeleteFunc(m.waiting, func(other *waiting) bool { return other == w })
	m.admit()
	return ctx.Err()
}

// admit lets waiting bodies go on, in their order, if there is room for them, and also the one
// ahead. The caller holds the mutex.
func (m *Memory) admit() {
	m.waiting = slices.DeleteFunc(m.waiting, func(w *waiting) bool {
		fits := m.held+w.bytes <= m.most
		if !fits && m.ahead == nil {
			m.ahead = w.holding
		}
		if !fits && m.ahead != w.holding {
			return false
		}
		m.held += w.bytes
		w.holding.bytes += w.bytes
		close(w.goOn)
		return true
	})
}

// keep sets what h holds to bytes, the size of its body now.
func (h *holding) keep(bytes int64) {
	m := h.memory
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.held += bytes - h.bytes
	h.bytes = bytes
	m.admit()
}

// letGo gives back everything that h holds.
func (h *holding) letGo() {
	if h.memory == nil {
		return
	}
	h.stepBack()
	h.keep(0)
	h.memory = nil
}

// stepBack gives up h's place ahead, so that the next body may go ahead.
func (h *holding) stepBack() {
	m := h.memory
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ahead == h {
		m.ahead = nil
		m.admit()
	}
}
