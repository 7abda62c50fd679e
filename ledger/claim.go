package ledger

import (
	"time"

	"llmpipe/ledger/line"
)

// Claim is a record that a run wants to ask about, and the ledger's verdict.
type Claim struct {
	// AtRisk is what the record can cost: all attempts so far, and the next one.
	AtRisk
	// Not is the newest result with the same hashes, or of an equal request, that is known not to serve;
	// 0 for none.
	Not Ref
	// Found is set by [Ledger.Claim].
	Found Claimed
}

// Claimed is the ledger's verdict on a claim. With Options.Requests, a result of an equal request
// counts, and so does a shard that holds one.
type Claimed uint8

const (
	// Free is a record that this run may ask about: the ledger now has it at risk.
	Free Claimed = iota
	// Answered is a record that has a result by now.
	Answered
	// Asked is a record that another living process has at risk.
	Asked
	// InShard is a record that is in a pending shard.
	InShard
	// OverBudget is a record whose worst case does not fit within the bounds, given all that is spent
	// and at risk.
	OverBudget
)

// Bounds is how much may be spent and at risk, in billionths of a US dollar; 0 is no bound.
type Bounds struct {
	Total int64 // by everything in the ledger
	Daily int64 // since Options.Since
}

// Room is what a claim or an intent found left of the budget, in billionths of a US dollar.
type Room struct {
	Left   int64 // under the tighter bound, before anything at risk or set aside is subtracted
	Daily  bool  // that is the daily one
	Own    int64 // the part of Left that this run has at risk
	Others int64 // at risk by other processes
	Shards int64 // set aside for pending shards
}

// free is what is left after all that is at risk and set aside.
func (r *Room) free() int64 { return r.Left - r.Own - r.Others - r.Shards }

// Claim puts records at risk before they are asked about: those that nobody else asks about, as far
// as the bounds leave room. It writes one line, under the lock that other processes wait for, after
// indexing what they have appended. A record that this run has at risk already is stated again.
// lifted are records with no attempt in flight, with what earlier attempts may have cost; they take
// effect before the claims.
//
// The line is not synced: if the process dies, the kernel still writes it. An error is a
// *[WriteError], and then no further record is at risk. The ledger goes on if the file is
// unchanged.
func (l *Ledger) Claim(claims []Claim, lifted []AtRisk, b Bounds) (room Room, err error) {
	err = l.unsynced(func() (err error) {
		room, err = l.claim(claims, lifted, b)
		return err
	})
	return room, err
}

func (l *Ledger) claim(claims []Claim, lifted []AtRisk, b Bounds) (room Room, err error) {
	if err := l.live(); err != nil {
		return room, err
	}
	l.renew(time.Now())
	l.inHand.leaveFor(0)
	_, err = l.append(func() error {
		if l.left.from != 0 && !l.left.decided {
			return ErrUndecided
		}
		room = l.judge(claims, lifted, l.within(b))
		return l.encodeRisk(claims, lifted)
	}, 0)
	l.announced = l.announced || err == nil && len(l.out) > 0
	return room, err
}

// renew begins another day: Options.Since and the sums since then start again 24 hours later.
func (l *Ledger) renew(now time.Time) {
	const day = 24 * time.Hour
	passed := now.Sub(l.options.Since).Truncate(day)
	if l.options.Since.IsZero() || passed < day {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.options.Since = l.options.Since.Add(passed)
	l.since = l.options.Since.UTC().Format(line.TimeLayout)
	l.summary.SpentSince, l.summary.KeptSince = 0, 0
}

// encodeRisk fills l.out with the line of the claims that are free. The run's line stands before
// the first.
func (l *Ledger) encodeRisk(claims []Claim, lifted []AtRisk) (err error) {
	l.out, l.atRisk = l.out[:0], l.atRisk[:0]
	for i := range claims {
		if claims[i].Found == Free {
			l.atRisk = append(l.atRisk, claims[i].AtRisk)
		}
	}
	if len(lifted)+len(l.atRisk) == 0 {
		return nil
	}
	l.out, err = line.AppendRisk(l.appendRun(l.out), l.riskLine(lifted, l.atRisk))
	return err
}

// riskLine is what this run says of records now.
func (l *Ledger) riskLine(lifted, records []AtRisk) *line.Risk {
	return &line.Risk{Run: l.options.Run.ID, Time: time.Now(), Simulated: l.rehearses(), Lifted: lifted, Records: records}
}

// judge sets the verdict on each claim. The caller has indexed all that others appended.
func (l *Ledger) judge(claims []Claim, lifted []AtRisk, b Bounds) (room Room) {
	l.mu.Lock()
	defer l.mu.Unlock()
	own := l.options.Run.ID
	for _, a := range lifted { // the line says so too; the claims below already get this room
		l.risks.lift(own, a, true)
	}
	room = l.room(b)
	left, bounded := room.free(), b != Bounds{}
	full := false
	for i := range claims {
		c := &claims[i]
		before, risky := l.risks.records[c.Key]
		ours := risky && before.run.id == own
		c.Found = Free
		switch {
		case ours:
		case risky:
			c.Found = Asked
		default:
			if found := l.foundEqual(c.Key); found.Result.Newer(c.Not) {
				c.Found = Answered
			} else if found.Shard != "" {
				c.Found = InShard
			}
		}
		if c.Found != Free || !bounded {
			continue
		}
		more := c.Nanos
		if ours {
			more -= before.nanos
		}
		// Once a claim does not fit, later ones that need money wait too: otherwise smaller ones would
		// pass it forever.
		if full = full || more > left; full && more > 0 {
			c.Found = OverBudget
			continue
		}
		left -= more
	}
	return room
}

// room is what is left under the tighter of the bounds. The caller holds mu.
func (l *Ledger) room(b Bounds) Room {
	own, _ := l.risks.of(l.options.Run.ID)
	r := Room{Own: own.Nanos, Others: l.risks.all.Nanos - own.Nanos, Shards: l.shards.reserved}
	s := &l.summary
	if b.Total > 0 {
		r.Left = b.Total - s.SpentNanos - s.KeptNanos
	}
	if today := b.Daily - s.SpentSince - s.KeptSince; b.Daily > 0 && (b.Total == 0 || today < r.Left) {
		r.Left, r.Daily = today, true
	}
	return r
}
