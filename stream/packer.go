package stream

import (
	"context"
	"slices"
	"sync"
	"time"

	"llmpipe/stream/record"
)

const (
	// maxPackBytes bounds the inputs of a pack. OpenAI takes at most 300,000 tokens in a request for embeddings
	// (platform.openai.com/docs/api-reference/embeddings/create), and hardly a text has fewer than two bytes a token.
	maxPackBytes = 600_000
	// packWait is how long a record waits for others when none come.
	packWait = 20 * time.Millisecond
)

// packer is the stage between admission and placing that makes one request of several. A pack goes on when it is full; or, once it is
// packWait old and nothing more is coming for now, as soon as the router takes it. Until then it grows.
type packer struct {
	*run
	size int
	out  chan *Task // to the router

	open  []*growing // the oldest first
	kinds map[string]*growing
	held  int64 // records in them
	ready *Task // a full pack, or a record that is not packed; nothing is taken in before it has gone on
	kind  []byte

	toldOdd   sync.Once // an answer did not fit its pack
	toldOther sync.Once // there is something beside embeddings
}

// growing is a pack that is not full. What stands beside the task is for when it is another stage's already.
type growing struct {
	task    *Task
	kind    string // of what it holds
	records int64
}

func newPacker(r *run) *packer {
	return &packer{run: r, size: r.cfg.Pack, out: make(chan *Task), kinds: make(map[string]*growing)}
}

// pack packs records until ctx ends.
func (p *packer) pack(ctx context.Context) {
	defer p.giveBack()
	timer := time.NewTimer(packWait)
	defer timer.Stop()
	quiet := false // nothing more was coming when the oldest pack had waited long enough
	for {
		in, out, next := p.fresh, p.out, p.ready
		switch {
		case next != nil:
			in = nil
		case quiet:
			next = p.open[0].task
		default:
			out = nil
		}
		select {
		case t := <-in:
			if len(p.open) == 0 {
				timer.Reset(packWait)
			}
			p.add(t)
		case out <- next:
			p.sent()
		case <-timer.C:
			if len(p.open) > 0 {
				quiet = p.source.waits() || p.gate.starved(p.held)
				timer.Reset(packWait)
			}
		case <-ctx.Done():
			return
		}
		quiet = quiet && len(p.open) > 0
	}
}

// add puts t into the pack of its kind.
func (p *packer) add(t *Task) {
	part, ok := t.Packable()
	if !ok {
		if t.Endpoint != record.Embeddings {
			p.toldOther.Do(func() { p.voice.Note("%s and all like it are asked one by one: --pack is for embeddings", t.title()) })
		}
		p.ready = t
		return
	}
	p.kind = part.AppendKind(p.kind[:0])
	to := p.kinds[string(p.kind)]
	if to != nil && to.task.pack.bytes+part.Size() > maxPackBytes {
		p.close(to)
		p.ready, to = to.task, nil
	}
	if to == nil {
		to = &growing{task: newTask(), kind: string(p.kind)}
		to.task.pack = &pack{}
		p.open = append(p.open, to)
		p.kinds[to.kind] = to
	}
	to.task.pack.add(t, part)
	to.records++
	p.held++
	if to.records == int64(p.size) {
		p.close(to)
		p.ready = to.task
	}
}

// close lets a pack grow no more.
func (p *packer) close(g *growing) {
	at := slices.Index(p.open, g)
	p.open = slices.Delete(p.open, at, at+1)
	delete(p.kinds, g.kind)
	p.held -= g.records
}

// sent notes that the router took what was offered.
func (p *packer) sent() {
	if p.ready != nil {
		p.ready = nil
	} else {
		p.close(p.open[0])
	}
}

// giveBack finishes what never was asked.
func (p *packer) giveBack() {
	if p.ready != nil {
		p.finish(p.ready)
	}
	for _, g := range p.open {
		p.finish(g.task)
	}
}
