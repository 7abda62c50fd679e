package lane

import (
	"context"
	"slices"
	"sync"
	"time"

	"llmpipe/stream/flow"
	"llmpipe/stream/record"
)

const (
	// MaxPackBytes bounds the inputs of a pack. OpenAI takes at most 300,000 tokens in a request
	// for embeddings (platform.openai.com/docs/api-reference/embeddings/create), and hardly any
	// text has fewer than two bytes per token.
	MaxPackBytes = 600_000
	// PackWait is how long a record waits for others when none come.
	PackWait = 20 * time.Millisecond
)

// packer packs several records into one request before they are placed. A pack is sent when it is
// full, or when it is PackWait old, no more records are coming, and a worker takes it. Until then
// it grows.
type packer struct {
	flow  *flow.Flow
	lanes *Lanes
	size  int
	out   chan *Request // to the workers

	open  []*growing // the oldest first
	kinds map[string]*growing
	held  int64    // records in them
	ready *Request // a full pack, or a record that is not packed; no record is read until a worker takes it
	kind  []byte

	toldOdd   sync.Once // an answer did not fit its pack
	toldOther sync.Once // some records do not ask for embeddings
}

// growing is a pack that is not full. Its own fields are for when a worker has the request already.
type growing struct {
	request *Request
	kind    string // of what it holds
	records int64
}

func newPacker(l *Lanes) *packer {
	return &packer{flow: l.flow, lanes: l, size: l.cfg.Pack, out: make(chan *Request), kinds: make(map[string]*growing)}
}

// pack packs records until ctx ends.
func (p *packer) pack(ctx context.Context) {
	defer p.giveBack()
	timer := time.NewTimer(PackWait)
	defer timer.Stop()
	quiet := false // nothing more was coming when the oldest pack had waited long enough
	for {
		in, out, next := p.lanes.fresh, p.out, p.ready
		switch {
		case next != nil:
			in = nil
		case quiet:
			next = p.open[0].request
		default:
			out = nil
		}
		select {
		case t := <-in:
			if len(p.open) == 0 {
				timer.Reset(PackWait)
			}
			p.add(t)
		case out <- next:
			p.sent()
		case <-timer.C:
			if len(p.open) > 0 {
				quiet = p.lanes.cfg.Waits() || p.flow.Gate.Starved(p.held)
				timer.Reset(PackWait)
			}
		case <-ctx.Done():
			return
		}
		quiet = quiet && len(p.open) > 0
	}
}

// add puts t into the pack of its kind.
func (p *packer) add(t *flow.Task) {
	part, ok := t.Packable()
	if !ok {
		if t.Endpoint != record.Embeddings {
			p.toldOther.Do(func() { p.flow.Voice.Note("%s and others like it are sent one by one: --pack is for embeddings", t) })
		}
		p.ready = newRequest(t)
		return
	}
	p.kind = part.AppendKind(p.kind[:0])
	to := p.kinds[string(p.kind)]
	if to != nil && to.request.pack.bytes+part.Size() > MaxPackBytes {
		p.close(to)
		p.ready, to = to.request, nil
	}
	if to == nil {
		to = &growing{request: newPack(), kind: string(p.kind)}
		p.open = append(p.open, to)
		p.kinds[to.kind] = to
	}
	to.request.add(t, part)
	to.records++
	p.held++
	if to.records == int64(p.size) {
		p.close(to)
		p.ready = to.request
	}
}

// close ends the growth of a pack.
func (p *packer) close(g *growing) {
	at := slices.Index(p.open, g)
	p.open = slices.Delete(p.open, at, at+1)
	delete(p.kinds, g.kind)
	p.held -= g.records
}

// sent notes that a worker took what was offered.
func (p *packer) sent() {
	if p.ready != nil {
		p.ready = nil
	} else {
		p.close(p.open[0])
	}
}

// giveBack finishes the records that were never sent.
func (p *packer) giveBack() {
	if p.ready != nil {
		p.lanes.finish(p.ready)
	}
	for _, g := range p.open {
		p.lanes.finish(g.request)
	}
}
