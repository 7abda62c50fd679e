package ledger

import (
	"errors"
	"time"

	"llmpipe/ledger/line"
)

// Claim is a record that a run wants to ask about, and what became of that.
type Claim struct {
	// AtRisk is what the record can cost: all attempts at it so far, and the next.
	AtRisk
	// Not is a result that is known to be another record's, under the same hashes; 0 for none.
	Not Ref
	// Found is set by [Ledger.Claim].
	Found Claimed
}

// Claimed is what became of a claim.
type Claimed uint8

const (
	// Free is a record that this run may ask about: the ledger has it at risk.
	Free Claimed = iota
	// Answered is one that has a result by now.
	Answered
	// Asked is one that another living process has at risk.
	Asked
	// InShard is one that is in a pending shard.
	InShard
	// OverBudget is one whose worst case does not fit beside all that is spent and at risk.
	OverBudget
)

// Bounds is what may be spent and at risk, in billionths of a US dollar; 0 is no bound.
type Bounds struct {
	Total int64 // by everything in the ledger
	Daily int64 // since Options.Since
}

// Room is what was found about the money by a claim that is OverBudget.
type Room struct {
	Left   int64 // under the tighter bound, before anything is set aside
	Daily  bool  // that is the daily one
	Own    int64 // of what is left, at risk by this run
	Others int64 // at risk by other processes
	Shards int64 // set aside for pending shards
}

// free is what is left beside all that is at risk and set aside.
func (r *Room) free() int64 { return r.Left - r.Own - r.Others - r.Shards }

// Claim puts records at risk before they are asked about: those that nobody else asks about and for
// which there is room within the bounds, by one line, under the lock that other processes wait for,
// after indexing what they have appended. A record that this run has at risk already is restated.
// Before that, lifted says of others what attempts at them may have cost, of which none is under
// way.
//
// The line is not synced: a process that dies leaves it to the kernel. An error is a *[WriteError],
// and no record is at risk then that was not before; the ledger goes on where the file is as it
// was.
func (l *Ledger) Claim(claims []Claim, lifted []AtRisk, b Bounds) (Room, error) {
	l.committing.Lock()
	defer l.committing.Unlock()
	if l.refused != nil {
		return Room{}, &WriteError{Path: l.path, Err: l.refused}
	}
	room, err := l.claim(claims, lifted, b)
	if err == nil {
		return room, nil
	}
	if torn := (*tornError)(nil); errors.As(err, &torn) {
		l.refused = refusal(err)
	}
	return room, &WriteError{Path: l.path, Err: err}
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

// renew begins another day: what was spent since Options.Since counts from its start on.
func (l *Ledger) renew(now time.Time) {
	const day = 24 * time.Hour
	if l.options.Since.IsZero() || now.Sub(l.options.Since) < day {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.options.Since = now.UTC().Truncate(day)
	l.since = l.options.Since.Format(line.TimeLayout)
	l.summary.SpentSince, l.summary.KeptSince = 0, 0
}

// encodeRisk fills l.out with the line of the claims that are free, and with the run's before the
// first.
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
	if !l.announced {
		l.out = line.AppendRun(l.out, &l.options.Run, l.options.Simulated)
	}
	l.out, err = line.AppendRisk(l.out, l.riskLine(lifted, l.atRisk))
	return err
}

// riskLine is what this run says of records now.
func (l *Ledger) riskLine(lifted, records []AtRisk) *line.Risk {
	return &line.Risk{Run: l.options.Run.ID, Time: time.Now(), Simulated: l.rehearses(), Lifted: lifted, Records: records}
}

// judge says what becomes of each claim. All that others appended is indexed.
func (l *Ledger) judge(claims []Claim, lifted []AtRisk, b Bounds) (room Room) {
	l.mu.Lock()
	defer l.mu.Unlock()
	own := l.options.Run.ID
	for _, a := range lifted { // the line says so too; the room is there for these claims already
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
			if found := l.found(c.Key, l.index.Look(c.Key)); found.Result != 0 && found.Result != c.Not {
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
		// Behind one that does not fit nothing goes that needs more: or smaller ones would pass it
		// for ever.
		if full = full || more > left; full && more > 0 {
			c.Found = OverBudget
			continue
		}
		left -= more
	}
	return room
}

// room is what is left of the tighter of the bounds. The caller holds mu.
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
