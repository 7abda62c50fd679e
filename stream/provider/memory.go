package provider

import (
	"context"
	"slices"
	"sync"
)

// Memory bounds what large bodies of answers take together, those of all clients that share it. A
// body counts as it comes, from its first block until it is let go; whoever reads one waits where
// there is no room for more of it.
//
// One of those that wait goes on all the same, so that none waits for ever: at most a body more is
// held than there is room for. The next may when that one was let go, or will be only after others.
type Memory struct {
	most int64

	mu      sync.Mutex
	held    int64
	waiting []*waiting // in the order in which they came
	ahead   *holding   // goes on whatever is held; nil: none

	joining sync.Mutex // held while a body is in memory twice
}

// NewMemory has room for so many bytes.
func NewMemory(most int64) *Memory { return &Memory{most: most} }

// Held is how many bytes large bodies take now.
func (m *Memory) Held() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.held
}

// holding is what one body takes of a memory.
type holding struct {
	memory *Memory // nil where it takes nothing, or nothing is bounded
	bytes  int64
}

// waiting is somebody who reads a body and waits for room.
type waiting struct {
	holding *holding
	bytes   int64
	goOn    chan struct{}
}

// try takes so many bytes more for h's body if there is room for them and nobody waits for it.
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

// take waits for room for so many bytes more of h's body, or for the end of ctx.
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

// admit lets those go on that there is room for, in their order, and the one ahead. The mutex is
// held.
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

// keep makes h one of so many bytes: its body has that length now.
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

// letGo gives back what h has taken.
func (h *holding) letGo() {
	if h.memory == nil {
		return
	}
	h.stepBack()
	h.keep(0)
	h.memory = nil
}

// stepBack lets the next go ahead of what there is room for.
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
