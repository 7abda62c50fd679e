package limiter

import (
	"container/heap"
	"math/rand/v2"
	"time"
)

// A world is time that passes from event to event, without goroutines: minutes of a server and its
// clients in milliseconds. It is the Clock of the limiters in it.
type world struct {
	now    time.Time
	events events
	last   int // number of the last event, which keeps the order of those at one moment
	random *rand.Rand
	then   []func() // what looks about after each event
}

func newWorld(seed uint64) *world {
	return &world{now: time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC), random: rand.New(rand.NewPCG(7, seed))}
}

// An event happens once. It is the Timer of what AfterFunc was asked for.
type event struct {
	at   time.Time
	n    int
	do   func()
	over bool
}

func (e *event) Stop() bool {
	was := !e.over
	e.over = true
	return was
}

// Now implements Clock.
func (w *world) Now() time.Time { return w.now }

// AfterFunc implements Clock.
func (w *world) AfterFunc(d time.Duration, f func()) Timer { return w.after(d, f) }

func (w *world) after(d time.Duration, f func()) *event {
	w.last++
	e := &event{at: w.now.Add(max(0, d)), n: w.last, do: f}
	heap.Push(&w.events, e)
	return e
}

// run lets time pass until end.
func (w *world) run(end time.Time) {
	for len(w.events) > 0 && !w.events[0].at.After(end) {
		e := heap.Pop(&w.events).(*event)
		if e.over {
			continue
		}
		w.now, e.over = e.at, true
		e.do()
		for _, look := range w.then {
			look()
		}
	}
	w.now = end
}

type events []*event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	if !e[i].at.Equal(e[j].at) {
		return e[i].at.Before(e[j].at)
	}
	return e[i].n < e[j].n
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(*event)) }
func (e *events) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	(*e)[last] = nil
	*e = (*e)[:last]
	return x
}
