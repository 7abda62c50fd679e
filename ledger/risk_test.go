package ledger

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// kill ends a run as SIGKILL would: its locks are given back, and nothing is written or removed.
func kill(t testing.TB, l *Ledger) {
	t.Helper()
	if l.alive != nil {
		if err := l.alive.Release(false); err != nil {
			t.Fatal(err)
		}
	}
	if l.file != nil {
		if err := l.file.Close(); err != nil {
			t.Fatal(err)
		}
	}
	l.refused = ErrClosed
}

func claimOf(n int, nanos int64) Claim {
	r := testResult(n)
	return Claim{AtRisk: AtRisk{Key: keyOf(&r), Nanos: nanos, Known: true}}
}

func mustClaim(t testing.TB, l *Ledger, claims ...Claim) []Claim {
	t.Helper()
	if _, err := l.Claim(claims, nil, Bounds{}); err != nil {
		t.Fatal(err)
	}
	return claims
}

func costing(n int, nanos int64) *Group {
	r := testResult(n)
	r.CostNanos, r.CostKnown = nanos, true
	return &Group{Results: []Result{r}}
}

// bench is a ledger and the runs that live on it, beside what is true of both.
type bench struct {
	t      *rapid.T
	path   string
	limit  int64
	runs   []*benchRun
	begun  int
	billed int64 // by all requests that were ever sent and answered
	lost   int64 // at risk by runs that were killed
	done   map[int]bool
}

// benchRun is a run, and what it has under way: the worst case by record.
type benchRun struct {
	ledger *Ledger
	flying map[int]int64
}

func (b *bench) begin() *benchRun {
	b.begun++
	l, err := Open(b.path, Options{Fsync: FsyncNever, Run: RunInfo{ID: fmt.Sprintf("run%d", b.begun)}})
	if err != nil {
		b.t.Fatal(err)
	}
	run := &benchRun{ledger: l, flying: make(map[int]int64)}
	b.runs = append(b.runs, run)
	return run
}

// flying is what all runs have at risk.
func (b *bench) flying() (sum int64) {
	for _, run := range b.runs {
		for _, worst := range run.flying {
			sum += worst
		}
	}
	return sum
}

func (b *bench) flies(n int) bool {
	for _, run := range b.runs {
		if _, ok := run.flying[n]; ok {
			return true
		}
	}
	return false
}

// However runs claim, answer, give up, die and begin, a record is under way in one of them at most,
// and all that is spent, lost and at risk stays within the bound; every run that looks knows all of
// it.
func TestRunsShareABudgetAndAskOnce(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		dir, err := os.MkdirTemp("", "risk")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		b := &bench{
			t: r, path: filepath.Join(dir, "l"), limit: rapid.Int64Range(100, 2000).Draw(r, "limit"), done: make(map[int]bool),
		}
		defer func() {
			for _, run := range b.runs {
				kill(t, run.ledger)
			}
		}()
		pick := func() *benchRun {
			if len(b.runs) == 0 {
				return b.begin()
			}
			return b.runs[rapid.IntRange(0, len(b.runs)-1).Draw(r, "run")]
		}
		r.Repeat(map[string]func(*rapid.T){
			"begin": func(r *rapid.T) {
				if len(b.runs) < 4 {
					b.begin()
				}
			},
			"claim": func(r *rapid.T) { b.claim(r, pick()) },
			"answer": func(r *rapid.T) {
				run := pick()
				for n, worst := range run.flying {
					cost := rapid.Int64Range(0, worst).Draw(r, "cost")
					if err := run.ledger.Commit(costing(n, cost)); err != nil {
						r.Fatal(err)
					}
					b.billed, b.done[n] = b.billed+cost, true
					delete(run.flying, n)
					break
				}
			},
			"lift": func(r *rapid.T) {
				run := pick()
				for n := range run.flying {
					if err := run.ledger.Commit(&Group{Lifted: []AtRisk{{Key: claimOf(n, 0).Key, Known: true}}}); err != nil {
						r.Fatal(err)
					}
					delete(run.flying, n)
					break
				}
			},
			"kill": func(r *rapid.T) {
				run := pick()
				kill(t, run.ledger)
				for _, worst := range run.flying {
					b.lost += worst
				}
				for i := range b.runs {
					if b.runs[i] == run {
						b.runs = append(b.runs[:i], b.runs[i+1:]...)
						break
					}
				}
			},
			"": func(r *rapid.T) { b.check(r, pick().ledger) },
		})
		fresh := b.begin()
		b.check(r, fresh.ledger)
	})
}

func (b *bench) claim(r *rapid.T, run *benchRun) {
	var claims []Claim
	var records []int
	for range rapid.IntRange(1, 4).Draw(r, "records") {
		n := rapid.IntRange(0, 12).Draw(r, "record")
		if _, ok := run.flying[n]; ok {
			continue
		}
		claims, records = append(claims, claimOf(n, rapid.Int64Range(0, 300).Draw(r, "worst"))), append(records, n)
		run.flying[n] = 0 // not twice in a group
	}
	for _, n := range records {
		delete(run.flying, n)
	}
	if err := run.ledger.Refresh(); err != nil { // or the dead would be taken for living ones
		r.Fatal(err)
	}
	before := b.billed + b.lost + b.flying()
	if _, err := run.ledger.Claim(claims, nil, Bounds{Total: b.limit}); err != nil {
		r.Fatal(err)
	}
	for i, n := range records {
		c, want := &claims[i], Free
		switch {
		case b.done[n]:
			want = Answered
		case b.flies(n):
			want = Asked
		case before+c.Nanos > b.limit:
			want = OverBudget
		}
		if c.Found != want && (want != Free || c.Found != OverBudget || i == 0) { // one behind one that is over waits too
			r.Fatalf("record %d with a worst case of %d, of %d %d are gone: %d, want %d", n, c.Nanos, b.limit, before, c.Found, want)
		}
		if c.Found == Free {
			run.flying[n] = c.Nanos
			before += c.Nanos
		}
	}
}

func (b *bench) check(r *rapid.T, l *Ledger) {
	if err := l.Refresh(); err != nil {
		r.Fatal(err)
	}
	own, others := l.AtRisk()
	s := l.Summary()
	if s.SpentNanos != b.billed || s.KeptNanos != b.lost || own.Nanos+others.Nanos != b.flying() {
		r.Fatalf("spent %d, kept %d, at risk %d and %d; want %d, %d, %d", s.SpentNanos, s.KeptNanos, own.Nanos, others.Nanos,
			b.billed, b.lost, b.flying())
	}
	if sum := b.billed + b.lost + b.flying(); sum > b.limit {
		r.Fatalf("%d of a bound of %d are spent, lost or at risk", sum, b.limit)
	}
}

// What a run that is gone had at risk may have been spent; another run's answer does not end it.
func TestWhatAKilledRunHadAtRiskIsKept(t *testing.T) {
	path := testPath(t)
	first := mustOpen(t, path, Options{Run: RunInfo{ID: "first"}, Since: time.Now().Add(-time.Hour)})
	mustClaim(t, first, claimOf(0, 100), claimOf(1, 50), claimOf(2, 7))
	mustCommit(t, first, costing(1, 20))
	second := mustOpen(t, path, Options{Run: RunInfo{ID: "second"}})
	if got := mustClaim(t, second, claimOf(0, 100), claimOf(1, 50)); got[0].Found != Asked || got[1].Found != Answered {
		t.Errorf("%+v: the first run lives", got)
	}
	if e := second.Elsewhere(); e.Asked != 107 {
		t.Errorf("elsewhere %+v", e)
	}
	kill(t, first)
	if err := second.Refresh(); err != nil {
		t.Fatal(err)
	}
	if got := mustClaim(t, second, claimOf(0, 100)); got[0].Found != Free {
		t.Errorf("%+v: the first run is gone", got)
	}
	mustCommit(t, second, costing(0, 30))
	again := mustOpen(t, path, Options{Run: RunInfo{ID: "again"}, Since: time.Now().Add(-time.Hour)})
	for _, l := range []*Ledger{second, again} {
		s := l.Summary()
		if s.SpentNanos != 50 || s.KeptNanos != 107 || s.Lost != (Exposure{Records: 2, Nanos: 107}) {
			t.Errorf("%+v", s)
		}
	}
	if s := again.Summary(); s.KeptSince != 107 {
		t.Errorf("%d of it since an hour ago", s.KeptSince)
	}
	if _, err := os.Stat(path + ".run-first"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the lock of the run that is gone: %v", err)
	}
}

// A clean end leaves nothing at risk, and no lock.
func TestACleanEndLeavesNothingAtRisk(t *testing.T) {
	path := testPath(t)
	l := mustOpen(t, path, Options{Run: RunInfo{ID: "one"}})
	mustClaim(t, l, claimOf(0, 100), claimOf(1, 50))
	info, err := os.Stat(path + ".run-one")
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("its lock: %v, %v", info, err)
	}
	g := costing(0, 20)
	g.Lifted = []AtRisk{{Key: claimOf(1, 0).Key, Known: true}}
	mustCommit(t, l, g)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + ".run-one"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its lock is there still: %v", err)
	}
	if s := mustOpen(t, path, Options{}).Summary(); s.KeptNanos != 0 || s.SpentNanos != 20 {
		t.Errorf("%+v", s)
	}
}

// Between attempts only what those before may have cost is at risk; whoever waits for money does
// not wait for that.
func TestWhatRestsIsNotWaitedFor(t *testing.T) {
	path := testPath(t)
	one := mustOpen(t, path, Options{Run: RunInfo{ID: "one"}})
	other := mustOpen(t, path, Options{Run: RunInfo{ID: "other"}})
	mustClaim(t, one, claimOf(0, 100), claimOf(1, 50))
	lifted := []AtRisk{{Key: claimOf(0, 0).Key, Nanos: 40, Known: true}, {Key: claimOf(1, 0).Key, Known: true}}
	if _, err := one.Claim(nil, lifted, Bounds{}); err != nil {
		t.Fatal(err)
	}
	if err := other.Refresh(); err != nil {
		t.Fatal(err)
	}
	if e := other.Elsewhere(); e != (Elsewhere{Rest: 40}) {
		t.Errorf("elsewhere %+v", e)
	}
	if got := mustClaim(t, other, claimOf(0, 100), claimOf(1, 50)); got[0].Found != Asked || got[1].Found != Free {
		t.Errorf("%+v", got)
	}
	mustClaim(t, one, claimOf(0, 140))
	if err := other.Refresh(); err != nil {
		t.Fatal(err)
	}
	if e := other.Elsewhere(); e != (Elsewhere{Asked: 140}) {
		t.Errorf("elsewhere %+v", e)
	}
}

// cat a b > c has the money of both at risk, whichever comes first, and so has a copy.
func TestRiskOfLedgersOneBehindTheOther(t *testing.T) {
	var contents [2][]byte
	for i := range contents {
		path := testPath(t)
		l := mustOpen(t, path, Options{Run: RunInfo{ID: fmt.Sprintf("run%d", i)}})
		mustClaim(t, l, claimOf(0, 100), claimOf(1, 50))
		mustCommit(t, l, costing(i, 10))
		contents[i] = read(t, path)
		kill(t, l)
	}
	for _, order := range [][2]int{{0, 1}, {1, 0}} {
		path := testPath(t)
		write(t, path, append(append([]byte(nil), contents[order[0]]...), contents[order[1]]...))
		if s := mustOpen(t, path, Options{}).Summary(); s.SpentNanos != 20 || s.KeptNanos != 150 {
			t.Errorf("%v: %+v", order, s)
		}
	}
}

// A line of what is at risk that cannot be written puts nothing at risk, and the answers that come
// are recorded all the same.
func TestAClaimThatFailsPutsNothingAtRisk(t *testing.T) {
	fsys := &faultFS{}
	l := mustOpen(t, testPath(t), Options{FS: fsys, Run: RunInfo{ID: "one"}})
	mustClaim(t, l, claimOf(0, 100))
	for room := range int64(100) {
		fsys.full, fsys.room, fsys.fullErr = true, room, syscall.ENOSPC
		_, err := l.Claim([]Claim{claimOf(1, 50)}, nil, Bounds{})
		if failed := (*WriteError)(nil); !errors.As(err, &failed) || !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("room for %d bytes: %v", room, err)
		}
	}
	fsys.full = false
	if own, _ := l.AtRisk(); own != (Exposure{Records: 1, Nanos: 100}) {
		t.Errorf("at risk: %+v", own)
	}
	mustCommit(t, l, costing(0, 20))
	fsys.full, fsys.room, fsys.truncateErr = true, 10, errDisk
	if _, err := l.Claim([]Claim{claimOf(1, 50)}, nil, Bounds{}); !errors.Is(err, errDisk) {
		t.Errorf("a torn line: %v", err)
	}
	fsys.full = false
	if err := l.Commit(costing(0, 20)); !errors.Is(err, errDisk) {
		t.Errorf("a commit behind a torn line: %v", err)
	}
}

// What a rehearsal has at risk is no money.
func TestARehearsalPutsNoMoneyAtRisk(t *testing.T) {
	path := testPath(t)
	l := mustOpen(t, path, Options{Run: RunInfo{ID: "rehearsal"}})
	l.Rehearse()
	mustClaim(t, l, claimOf(0, 100))
	kill(t, l)
	if s := mustOpen(t, path, Options{}).Summary(); s.KeptNanos != 0 {
		t.Errorf("%+v", s)
	}
	if s := mustOpen(t, path, Options{Rehearsal: true}).Summary(); s.KeptNanos != 100 {
		t.Errorf("%+v of another rehearsal", s)
	}
}

// A daily bound is whole again after midnight, also in a run that goes on.
func TestADailyBoundIsRenewed(t *testing.T) {
	path := testPath(t)
	synctest.Test(t, func(t *testing.T) { // a bubble's clock begins at midnight UTC
		l := mustOpen(t, path, Options{Fsync: FsyncNever, Run: RunInfo{ID: "one"}, Since: time.Now()})
		bounds := Bounds{Daily: 100}
		found := func(n int, want Claimed) {
			t.Helper()
			c := []Claim{claimOf(n, 60)}
			room, err := l.Claim(c, nil, bounds)
			if err != nil || c[0].Found != want {
				t.Errorf("record %d: %d, %+v, %v, want %d", n, c[0].Found, room, err, want)
			}
		}
		time.Sleep(23 * time.Hour)
		found(0, Free)
		g := costing(0, 60)
		g.Results[0].Time = time.Now()
		mustCommit(t, l, g)
		found(1, OverBudget)
		time.Sleep(2 * time.Hour)
		found(1, Free)
		found(2, OverBudget)
	})
}
