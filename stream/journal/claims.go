package journal

import (
	"errors"
	"fmt"
	"sync"

	"llmpipe/ledger"
	"llmpipe/stream/flow"
)

// claims puts records at risk in the ledger before they are asked about. Claims that come while a
// line is being written all go into the next line.
type claims struct {
	mu      sync.Mutex
	next    *claiming       // to be written with the next line
	lifted  []ledger.AtRisk // for the next line: records without an attempt in flight
	changed chan struct{}   // closed and replaced whenever the ledger changes

	writing sync.Mutex
}

// claiming is a group of claims that go into one line.
type claiming struct {
	claims []ledger.Claim
	lifted []ledger.AtRisk
	room   ledger.Room
	err    error
	done   bool
}

// Claim puts records at risk, as [ledger.Ledger.Claim] does, and sets Found of each.
func (j *Journal) Claim(claimed []ledger.Claim) (ledger.Room, error) {
	c := &j.claims
	c.mu.Lock()
	g := c.next
	if g == nil {
		g = new(claiming)
		c.next = g
	}
	from := len(g.claims)
	g.claims = append(g.claims, claimed...)
	c.mu.Unlock()

	c.writing.Lock()
	if !g.done {
		j.write(g)
	}
	c.writing.Unlock()
	copy(claimed, g.claims[from:])
	return g.room, g.err
}

// write writes a group's line. The caller holds c.writing.
func (j *Journal) write(g *claiming) {
	c := &j.claims
	c.mu.Lock()
	if c.next == g {
		c.next = nil
	}
	g.lifted, c.lifted = c.lifted, g.lifted[:0]
	c.mu.Unlock()
	g.room, g.err = j.Ledger.Claim(g.claims, g.lifted, j.Bounds)
	if errors.Is(g.err, ledger.ErrUndecided) {
		if g.err = j.decide(); g.err == nil {
			g.room, g.err = j.Ledger.Claim(g.claims, g.lifted, j.Bounds)
		}
	}
	if g.err != nil {
		g.err = j.HintAtWrite(fmt.Errorf("nothing more is sent: %w", g.err), MakeRoom)
	}
	g.done = true
}

// decide finds out whether this run asks a simulator, as other processes on the ledger do.
func (j *Journal) decide() error {
	client := j.first.Client
	client.Probe(j.flow.Stop.Asking)
	if client.Rehearses() {
		return j.Ledger.Rehearse()
	}
	j.Ledger.IsReal()
	return nil
}

// Rest notes that no attempt at a record is in flight any more, and what earlier attempts may have
// cost. The note is written with the next line.
func (j *Journal) Rest(a ledger.AtRisk) {
	j.claims.mu.Lock()
	j.claims.lifted = append(j.claims.lifted, a)
	j.claims.mu.Unlock()
}

// WriteRests writes what Rest has noted and no line has included yet. If it returns no error, all
// of that is in the file.
func (j *Journal) WriteRests() error {
	c := &j.claims
	c.writing.Lock()
	defer c.writing.Unlock()
	c.mu.Lock()
	none := len(c.lifted) == 0
	c.mu.Unlock()
	if none {
		return nil
	}
	g := new(claiming)
	j.write(g)
	return g.err
}

// lift notes that t, which leaves without a result or a failure of its own, is no longer asked
// about. What attempts at t may have cost stays at risk.
func (j *Journal) lift(t *flow.Task) {
	if t.Risk.Held && t.Cost+t.MayCost == 0 {
		j.batch.Lifted = append(j.batch.Lifted, ledger.AtRisk{Key: t.Key, Known: true})
	}
}

// Changed returns a channel that is closed when the ledger changes the next time, as far as this
// process sees.
func (j *Journal) Changed() <-chan struct{} {
	j.claims.mu.Lock()
	defer j.claims.mu.Unlock()
	if j.claims.changed == nil {
		j.claims.changed = make(chan struct{})
	}
	return j.claims.changed
}

// Change says that the ledger has changed, or the amount that may be spent.
func (j *Journal) Change() {
	j.claims.mu.Lock()
	defer j.claims.mu.Unlock()
	if j.claims.changed != nil {
		close(j.claims.changed)
		j.claims.changed = nil
	}
}
