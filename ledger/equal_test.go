package ledger

import "testing"

// With Options.Requests a record whose request equals another's is not asked about where that one is
// answered, or in a pending shard, by another process too; but where the answer is known not to
// serve. Without them only the record's own count.
func TestClaimsOfEqualRequests(t *testing.T) {
	for _, requests := range []bool{true, false} {
		path := testPath(t)
		run := func(id string) *Ledger { return mustOpen(t, path, Options{Requests: requests, Run: RunInfo{ID: id}}) }
		mine, theirs := run("mine"), run("theirs")
		equal := func(n int) Claim {
			r := testResult(n)
			r.ID = []byte(`"another"`)
			return Claim{AtRisk: AtRisk{Key: keyOf(&r), Nanos: 1, Known: true}}
		}
		answered, inShard := Answered, InShard
		if !requests {
			answered, inShard = Free, Free
		}
		mustCommit(t, theirs, resultsOf(0, 2))
		mustStep(t, theirs, intentOf("shard", 1, 2, 3))
		for n, want := range []Claimed{answered, answered, inShard, Free} {
			if got := mustClaim(t, mine, equal(n))[0].Found; got != want {
				t.Errorf("Requests is %t: the claim of what equals record %d is %d, want %d", requests, n, got, want)
			}
		}
		if !requests {
			continue
		}
		known := equal(1)
		known.Not = mine.Same(known.Key)
		if got := mustClaim(t, mine, known)[0].Found; got != Free || known.Not == 0 {
			t.Errorf("where the answer at %v does not serve the claim is %d", known.Not, got)
		}
		older := equal(0)
		older.Not = known.Not
		if got := mustClaim(t, mine, older)[0].Found; got != Free {
			t.Errorf("where an answer newer than the equal one does not serve the claim is %d", got)
		}
	}
}
