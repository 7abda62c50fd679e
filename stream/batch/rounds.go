package batch

import (
	"fmt"

	"llmpipe/limiter"
	"llmpipe/stream/flow"
	"llmpipe/stream/spend"
	"llmpipe/stream/ui"
)

// Under a budget that is less than the worst case of the input, batches follow each other: each
// gives back what it did not cost, and the next is made of that. So that they are not ever more and
// ever smaller, none is submitted before it holds leastShare of the input while another may still
// give money back, and none at all that is worth less than leastWorth of the budget: what is left
// then is hardly anything.
const (
	leastShare = 100 // a hundredth
	leastWorth = 0.03
)

// rounds reckons with what the budget allows of the input.
type rounds struct {
	batches *Batches
	account *spend.Account
	room    int64 // what the budget had when the first record was reckoned
	told    bool  // how many batches to expect,
	retold  bool  // also by what the first of them cost

	records  int64 // reckoned so far
	worst    int64 // the most that they can cost
	examples spend.Reckoning
	looked   int64 // how many records examples is about
}

// mostExamples is how many records are looked at closely: their text is.
const mostExamples = 2_000

// add reckons with a record that can cost so much at most.
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

// input is how many records there are, where the size of the input tells.
func (r *rounds) input() (int64, bool) {
	n, ok := r.account.Expected()
	return max(n-r.batches.flow.Counts.Skipped.Load(), r.records), ok
}

// enough reports whether open shards that hold so many requests, at so much at most, are worth a
// batch while others may still give money back.
func (r *rounds) enough(requests, worst int64) bool {
	if n, known := r.input(); known {
		return requests*leastShare >= n
	}
	return !r.tooLittle(worst)
}

// tooLittle reports whether requests that may cost worst are too few for a batch.
func (r *rounds) tooLittle(worst int64) bool { return float64(worst) < leastWorth*float64(r.room) }

// tell says once, before the first batch that the budget cuts is made, how many there will be, and
// what would make it one; and once more when the first of them has shown what they cost.
func (r *rounds) tell() {
	n, known := r.input()
	held, cost := r.batches.settled.held.Load(), r.batches.settled.cost.Load()
	if !known || r.looked == 0 || r.told && (r.retold || held == 0) {
		return
	}
	worst := float64(r.worst) / float64(r.records) * float64(n)
	each := float64(n) / float64(r.looked)
	share, by := float64(r.examples.Likely)/max(1, float64(r.examples.Worst)), "if answers are half as long as they may be"
	if held > 0 {
		share, by = float64(cost)/float64(held), "by what the first of them cost"
	}
	count, part := r.expect(worst, share)
	some := ""
	if part < 0.995 {
		some = fmt.Sprintf(" for some %.0f %% of it", 100*part)
	}
	r.batches.flow.Voice.Note("the input may cost up to %s, and the budget has %s for it%s: about %s in all, one after the other,%s %s",
		ui.USD(int64(worst)), ui.USD(r.room), ui.Simulated(r.batches.client.Rehearses()), counted(int(count)), some, by)
	r.retold = held > 0
	if r.told {
		return
	}
	r.told = true
	if fit := (float64(r.room) - float64(r.examples.Prompt)*each) / max(1, float64(r.examples.Token)*each); fit >= 1 {
		r.batches.flow.Voice.Hint("a max_tokens of %s or less makes it one", ui.Grouped(int64(fit)))
	} else {
		r.batches.flow.Voice.Hint("no max_tokens makes it one: the prompts alone may cost more than the budget")
	}
}

// expect is how many batches it takes for what may cost so much at most and costs a share of that,
// and which part of it they are about.
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

// mayCome reports whether money that this run's batches hold, or its requests, may come back.
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

// makeRoom submits the open shards, so that they can give their money back, if that is worth a
// batch, or if nobody else will give any. It returns false where nothing more is to be submitted.
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

// giveUp submits the open shards because records elsewhere need their money, if nobody else will
// give any, or if they are worth a batch.
func (f *assembler) giveUp() {
	if requests, worst := f.holds(); !f.batches.mayCome() || f.rounds.enough(requests, worst) {
		f.seal()
	}
}

// cutsOff reports whether f gives up what is not worth a batch: the intake of a run that only makes
// batches, and waits for them. Others' records or runs have use for the least.
func (f *assembler) cutsOff() bool {
	return f.from == nil && f.batches.cfg.Mode == flow.ModeBatch && !f.batches.cfg.Detach && !limiter.Elsewhere(f.account.Budgets())
}
