package batch

import (
	"fmt"
	"os"

	"llmpipe/stream/flow"
	"llmpipe/stream/ui"
)

// plan collects new records with files before any of the files is read. Once all records have come,
// or very many, the run says what they take, and checks that there is disk space for it.
type plan struct {
	records *spool // nil for none
	files   int64
	bytes   int64 // of the files
	upload  int64 // bytes of the shards
	lines   int64 // bytes of the records
	shards  map[shardKind]*planned
	met     map[[32]byte]bool // requests so far, if equal ones are asked about once; else nil
}

// planned are the shards of a kind.
type planned struct {
	shards int64
	last   shardFile // the sums of the shard that is not full yet
}

// mostPlanned is how many records a plan takes before it is carried out.
const mostPlanned = 50_000

// take puts t into the plan if it has files, and into a shard otherwise. A record that comes from
// another shard, or whose recorded answer does not fit, also goes into a shard at once.
func (f *assembler) take(t *flow.Task) {
	if len(t.Files) == 0 || f.from != nil || t.Misfit() {
		f.add(t)
		return
	}
	if err := f.look(t); err != nil {
		t.Fail(err)
		f.flow.Finish(t)
		return
	}
	p := &f.plan
	if p.shards == nil {
		p.shards = make(map[shardKind]*planned)
		if f.flow.Inflight.ByRequest {
			p.met = make(map[[32]byte]bool)
		}
	}
	if err := addTo(&p.records, t); err != nil {
		f.flow.Stop.Fail(err)
		f.flow.Finish(t)
		return
	}
	if !t.Duplicate && !p.met[t.Request] {
		f.reckon(t)
	}
	f.batches.letGo(t)
	if p.records.records >= mostPlanned {
		f.carryOut()
	}
}

// reckon adds to the plan what t takes.
func (f *assembler) reckon(t *flow.Task) {
	f.prepare(t)
	p, kind := &f.plan, shardKind{t.Endpoint, f.request.Model, t.Turns()}
	if f.line.size > f.batches.drivers[t.Endpoint].Bounds().Bytes {
		return // it will fail
	}
	if p.met != nil {
		p.met[t.Request] = true
	}
	for i := range t.Files {
		p.files++
		p.bytes += t.Files[i].Size
	}
	p.upload += f.line.size
	p.lines += int64(len(t.Buffer))
	of := p.shards[kind]
	if of == nil {
		of = &planned{shards: 1}
		p.shards[kind] = of
	}
	if f.noRoom(&of.last, f.batches.drivers[t.Endpoint], t) {
		of.shards++
		of.last = shardFile{}
	}
	of.last.requests++
	of.last.bytes += f.line.size
}

// disk returns the most bytes of temporary files that the plan takes at a time. They hold the full
// shards that wait to be sent, the shards that are not full yet, and each record twice: in the plan
// and in its shard's spool.
func (p *plan) disk(bounds func(shardKind) int64) int64 {
	var open int64
	for kind, of := range p.shards {
		most := bounds(kind)
		if of.shards == 1 {
			most = of.last.bytes
		}
		open += most
	}
	return min(p.upload, mostWaiting+open) + 2*p.lines
}

// carryOut puts the records of the plan into shards, if there is disk space for that.
func (f *assembler) carryOut() {
	p := f.plan
	f.plan = plan{}
	defer p.records.discard()
	var err error
	if p.files > 0 {
		err = f.tell(&p)
	}
	if err == nil {
		err = f.batches.readBack(f.flow.Stop.Asking, p.records, f.batches.comeAlone, func(t *flow.Task) error {
			f.add(t)
			return nil
		})
	}
	if err != nil && !f.flow.Stop.Ending() {
		f.flow.Stop.Fail(err)
	}
}

// tell says what the plan takes. It returns an error if there is no disk space for that.
func (f *assembler) tell(p *plan) error {
	var shards int64
	for _, of := range p.shards {
		shards += of.shards
	}
	need := p.disk(func(kind shardKind) int64 { return f.batches.drivers[kind.endpoint].Bounds().Bytes })
	f.flow.Voice.Note("--attach: %s with %s bytes for %s: uploading %s in %s takes up to %s of temporary disk space in %s",
		ui.Number(p.files, "file"), ui.Grouped(p.bytes), ui.Number(p.records.records, "record"), ui.Bytes(p.upload), counted(int(shards)),
		ui.Bytes(need), os.TempDir())
	if free, known := flow.TemporaryFree(); known && free < need {
		return flow.TemporaryError(fmt.Errorf("%s of disk space are free, and the batches take up to %s at a time; nothing was submitted",
			ui.Bytes(free), ui.Bytes(need)))
	}
	return nil
}
