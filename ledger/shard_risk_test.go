package ledger

import (
	"errors"
	"fmt"
	"sync"
	"testing"
)

// A record that a living process asks about is in no shard, and one in a shard is asked about by
// nobody else, until that process has given it up or is gone.
func TestARecordIsInAShardOrAskedAbout(t *testing.T) {
	path := testPath(t)
	open := func(run string) *Ledger { return mustOpen(t, path, Options{Run: RunInfo{ID: run}}) }
	batch, asks := open("batch"), open("asks")
	mustClaim(t, asks, claimOf(1, 10), claimOf(2, 10))
	refused(t, batch, path, &Group{Shards: []ShardEntry{intentOf("a", 1, 0, 2)}})
	mustStep(t, batch, intentOf("a", 1, 3, 5))
	if c := mustClaim(t, asks, claimOf(3, 10)); c[0].Found != InShard {
		t.Errorf("a record in a shard is %v to the other", c[0].Found)
	}
	if _, err := asks.Claim(nil, []AtRisk{{Key: claimOf(1, 0).Key, Known: true}}, Bounds{}); err != nil {
		t.Fatal(err)
	}
	mustStep(t, batch, intentOf("b", 1, 0, 2)) // given up
	kill(t, asks)
	refused(t, batch, path, &Group{Shards: []ShardEntry{intentOf("c", 1, 2, 3)}}) // nobody has looked whether it lives
	if err := batch.Refresh(); err != nil {
		t.Fatal(err)
	}
	mustStep(t, batch, intentOf("c", 1, 2, 3))
	mustClaim(t, batch, claimOf(7, 10))
	mustStep(t, batch, intentOf("d", 1, 7, 8)) // its own
}

// An intent goes only where what it reserves fits beside all that is spent, at risk and set aside.
func TestAnIntentFitsTheBounds(t *testing.T) {
	const worst = 27600 // of each intent
	for name, c := range map[string]struct {
		bounds Bounds
		prior  func(t *testing.T, l *Ledger)
		fits   bool
	}{
		"no bounds":       {fits: true, prior: func(t *testing.T, l *Ledger) { mustClaim(t, l, claimOf(9, 1<<40)) }},
		"alone":           {bounds: Bounds{Total: worst}, fits: true},
		"too large":       {bounds: Bounds{Total: worst - 1}},
		"too large a day": {bounds: Bounds{Total: 2 * worst, Daily: worst - 1}},
		"beside a shard": {bounds: Bounds{Total: 2 * worst}, fits: true, prior: func(t *testing.T, l *Ledger) {
			mustStep(t, l, intentOf("o", 1, 8, 9))
		}},
		"beside two": {bounds: Bounds{Total: 3*worst - 1}, prior: func(t *testing.T, l *Ledger) {
			mustStep(t, l, intentOf("o", 1, 8, 9), intentOf("p", 1, 9, 10))
		}},
		"beside risk":       {bounds: Bounds{Total: worst + 9}, prior: func(t *testing.T, l *Ledger) { mustClaim(t, l, claimOf(9, 10)) }},
		"beside a spending": {bounds: Bounds{Total: worst + 9}, prior: func(t *testing.T, l *Ledger) { mustCommit(t, l, costing(9, 10)) }},
		"after a shard": {bounds: Bounds{Total: worst + 6900}, fits: true, prior: func(t *testing.T, l *Ledger) {
			mustStep(t, l, intentOf("o", 1, 8, 9))
			mustStep(t, l, collected("o", "completed"))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			path := testPath(t)
			mine, theirs := mustOpen(t, path, Options{Run: RunInfo{ID: "m"}}), mustOpen(t, path, Options{Run: RunInfo{ID: "t"}})
			if c.prior != nil {
				c.prior(t, theirs)
			}
			err := mine.Commit(&Group{Shards: []ShardEntry{intentOf("mine", 1, 0, 3)}, Bounds: c.bounds})
			var full *OverBoundsError
			if c.fits != (err == nil) || err != nil && !errors.As(err, &full) {
				t.Fatalf("it got %v", err)
			}
			mustCommit(t, mine, resultsOf(20, 21)) // the ledger goes on
		})
	}
}

// Of many that intend at a time, so many do as fit together.
func TestManyIntentsFitTheBoundsTogether(t *testing.T) {
	path := testPath(t)
	const rivals, fit = 8, 3
	var all sync.WaitGroup
	for i := range rivals {
		l := mustOpen(t, path, Options{Fsync: FsyncNever, Run: RunInfo{ID: fmt.Sprint("r", i)}})
		all.Go(func() {
			intent := intentOf(fmt.Sprint("s", i), 1, 10*i, 10*i+2)
			err := l.Commit(&Group{Shards: []ShardEntry{intent}, Bounds: Bounds{Total: fit*27600 + 27599}})
			if err != nil && !Refused(err) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if shards := mustOpen(t, path, Options{}).Shards(); len(shards) != fit {
		t.Errorf("%d shards of %d that fit", len(shards), fit)
	}
}
