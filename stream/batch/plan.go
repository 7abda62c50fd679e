package batch

import (
	"fmt"
	"os"

	"llmpipe/stream/flow"
	"llmpipe/stream/ui"
)

// plan are new records with files, before any of the files is read: once all records have come, or
// very many, it is known what they take, which is said, and that there is space for that.
type plan struct {
	records *spool // nil for none
	files   int64
	bytes   int64 // of the files
	upload  int64 // bytes of the shards
	lines   int64 // bytes of the records
	shards  map[shardKind]*planned
	met     map[[32]byte]bool // requests, where equal ones are asked once; else nil
}

// planned are the shards of a kind.
type planned struct {
	shards int64
	last   shardFile // the sums of the one that is not full
}

// mostPlanned is how many records are planned for before they are carried out.
const mostPlanned = 50_000

// take puts t into the plan where it has files, else into a shard, and so what an answer is
// recorded to which does not fit.
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

// disk is how many bytes of temporary files the plan takes at a time, at most: what is full waits
// to be sent, and what is not full is there besides. Each record is there twice, in the plan and in
// its shard.
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

// carryOut puts the records of the plan into shards, once there is space for that.
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

// tell says what the plan takes, and is an error where there is no space for it.
func (f *assembler) tell(p *plan) error {
	var shards int64
	for _, of := range p.shards {
		shards += of.shards
	}
	need := p.disk(func(kind shardKind) int64 { return f.batches.drivers[kind.endpoint].Bounds().Bytes })
	f.flow.Voice.Note("--attach: %s with %s bytes for %s: %s to upload in %s, up to %s of temporary disk in %s",
		ui.Number(p.files, "file"), ui.Grouped(p.bytes), ui.Number(p.records.records, "record"), ui.Bytes(p.upload), counted(int(shards)),
		ui.Bytes(need), os.TempDir())
	if free, known := flow.TemporaryFree(); known && free < need {
		return flow.TemporaryError(fmt.Errorf("%s are free, and the batches take up to %s at a time; nothing was submitted", ui.Bytes(free),
			ui.Bytes(need)))
	}
	return nil
}
