package batch

import (
	"fmt"

	"llmpipe/limiter"
	"llmpipe/stream/flow"
	"llmpipe/stream/spend"
	"llmpipe/stream/ui"
)

// If the budget is less than the worst case of the input, batches follow each other: each gives
// back what it did not cost, and that pays for the next. Two bounds keep them from becoming ever
// more and ever smaller. While another batch may still give money back, none is submitted before it
// holds a certain share of the input. And a run that only makes batches submits none whose worst
// case is less than leastWorth of the budget, because hardly anything is left then.
const (
	leastShare = 100  // the least share of the input is a hundredth
	leastWorth = 0.03 // of what the budget had
)

// rounds estimates how many batches it takes to ask about the input within the budget.
type rounds struct {
	batches *Batches
	account *spend.Account
	room    int64 // what the budget had left when the first record was added
	told    bool  // the run said how many batches to expect
	retold  bool  // it said so again, from what the first of them cost

	records  int64 // added so far
	worst    int64 // the most that they can cost
	examples spend.Reckoning
	looked   int64 // how many records examples is about
}

// mostExamples is how many records are examined closely: the tokens of their text are estimated.
const mostExamples = 2_000

// add adds a record that can cost at most worst.
func (r *rounds) add(q spend.Charge, worst int64) {
	if r.records == 0 {
		r.room = r.account.Left()
	}
	r.records++
	r.worst += worst
	if r.looked < mostExamples && !r.told {
		r.looked++
		r.examples.Add(r.account.ReckonInBatch(q))
	}
}

// input estimates how many records there are to ask about. It reports false if the size of the
// input does not tell.
func (r *rounds) input() (int64, bool) {
	n, ok := r.account.Expected()
	return max(n-r.batches.flow.Counts.Skipped.Load(), r.records), ok
}

// enough reports whether open shards with so many requests, which can cost at most worst, are worth
// a batch while others may still give money back.
func (r *rounds) enough(requests, worst int64) bool {
	if n, known := r.input(); known {
		return requests*leastShare >= n
	}
	return !r.tooLittle(worst)
}

// tooLittle reports whether requests that may cost worst are too few for a batch.
func (r *rounds) tooLittle(worst int64) bool { return float64(worst) < leastWorth*float64(r.room) }

// tell says how many batches there will be, before the first that the budget cuts short, and which
// max_tokens would make it a single one. It says the number once more when the first batches have
// shown what they cost.
func (r *rounds) tell() {
	n, known := r.input()
	held, cost := r.batches.settled.held.Load(), r.batches.settled.cost.Load()
	if !known || r.looked == 0 || r.told && (r.retold || held == 0) {
		return
	}
	worst := float64(r.worst) / float64(r.records) * float64(n)
	each := float64(n) / float64(r.looked)
	share, by := float64(r.examples.Likely)/max(1, float64(r.examples.Worst)), "if answers are half as long as allowed"
	if held > 0 {
		share, by = float64(cost)/float64(held), "judging by the cost of the first ones"
	}
	count, part := r.expect(worst, share)
	some := ""
	if part < 0.995 {
		some = fmt.Sprintf(" for about %.0f %% of it", 100*part)
	}
	r.batches.flow.Voice.Note("the input may cost up to %s, and %s of the budget is left for it%s: "+
		"this makes about %s, one after the other,%s %s",
		ui.USD(int64(worst)), ui.USD(r.room), ui.Simulated(r.batches.client.Rehearses()), counted(int(count)), some, by)
	r.retold = held > 0
	if r.told {
		return
	}
	r.told = true
	if fit := (float64(r.room) - float64(r.examples.Prompt)*each) / max(1, float64(r.examples.Token)*each); fit >= 1 {
		r.batches.flow.Voice.Hint("set max_tokens to %s or less to make it one batch", ui.Grouped(int64(fit)))
	} else {
		r.batches.flow.Voice.Hint("raise the budget to make it one batch: the prompts alone may cost more than is left")
	}
}

// expect returns how many batches it takes to ask about an input that can cost at most worst and
// does cost a share of that. part is the part of the input that these batches are about.
func (r *rounds) expect(worst, share float64) (count int64, part float64) {
	const most = 1_000
	room, left := float64(r.room), worst
	for ; left > 0 && count < most && room >= leastWorth*float64(r.room); count++ {
		taken := min(room, left)
		left -= taken
		room -= taken * share
	}
	return max(count, 1), 1 - left/max(1, worst)
}

// mayCome reports whether this run's batches or requests hold money that may come back.
func (b *Batches) mayCome() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.shards {
		if s.giving.Load() {
			return true
		}
	}
	return limiter.InFlight(b.account.Budgets())
}

// holds is how many requests the open shards hold, and what they may cost at most.
func (f *assembler) holds() (requests, worst int64) {
	for _, s := range f.open {
		requests += s.file.requests
		worst += s.bill.reserved
	}
	return requests, worst
}

// makeRoom submits the open shards, so that they can give their money back, if they are worth a
// batch, or if nothing else will give any money back. It returns false if nothing more is to be
// submitted.
func (f *assembler) makeRoom() bool {
	requests, worst := f.holds()
	if f.batches.mayCome() {
		if f.rounds.enough(requests, worst) {
			f.seal()
		}
		return true
	}
	if f.cutsOff() && f.rounds.tooLittle(worst) {
		f.account.StopForBatch()
		return false
	}
	f.seal()
	return true
}

// giveUp submits the open shards because records elsewhere need their money, if nothing else will
// give any back, or if they are worth a batch.
func (f *assembler) giveUp() {
	if requests, worst := f.holds(); !f.batches.mayCome() || f.rounds.enough(requests, worst) {
		f.seal()
	}
}

// cutsOff reports whether f gives up what is not worth a batch. That is so for the intake of a run
// that makes only batches and waits for them, while no money is set aside for work elsewhere.
// Otherwise other records or runs have a use for even the smallest amount.
func (f *assembler) cutsOff() bool {
	return f.from == nil && f.batches.cfg.Mode == flow.ModeBatch && !f.batches.cfg.Detach && !limiter.Elsewhere(f.account.Budgets())
}
