package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"llmpipe/ledger/disk"
	"llmpipe/ledger/line"
)

// intentOf returns the intent of a shard of the results from..to-1. Every other record has a
// custom_id of its own.
func intentOf(shard string, round, from, to int) ShardEntry {
	e := ShardEntry{
		Step: ShardIntent, Shard: shard, Time: testTime(), Provider: "api.openai.com", Endpoint: "chat", Model: "gpt-4o-mini",
		Round: round, Bytes: 1234, ReservedNanos: 27600, Window: "24h",
	}
	for n := from; n < to; n++ {
		r := testResult(n)
		record := ShardRecord{ID: r.ID, Request: r.Request}
		if n%2 == 1 {
			record.CustomID, record.DowngradedFrom = fmt.Sprintf("c%d", n), "gpt-4o"
		}
		e.Records = append(e.Records, record)
	}
	return e
}

func uploaded(shard string) ShardEntry {
	return ShardEntry{Step: ShardUploaded, Shard: shard, Time: testTime().Add(time.Second), FileID: "file-" + shard}
}

func created(shard string) ShardEntry {
	return ShardEntry{Step: ShardCreated, Shard: shard, Time: testTime().Add(2 * time.Second), BatchID: "batch_" + shard}
}

func collected(shard, state string) ShardEntry {
	return ShardEntry{
		Step: ShardCollected, Shard: shard, Time: testTime().Add(time.Hour), State: state,
		Answered: 1, Failed: 1, Missing: 2, CostNanos: 6900, CostKnown: true,
	}
}

func mustStep(t testing.TB, l *Ledger, steps ...ShardEntry) {
	t.Helper()
	mustCommit(t, l, &Group{Shards: steps})
}

// commitShardLife takes shard s1, of records 30 and 31, to its end, half answered, and shard s2, of
// record 31, as far as its batch.
func commitShardLife(t testing.TB, l *Ledger) {
	t.Helper()
	mustStep(t, l, intentOf("s1", 1, 30, 32))
	mustStep(t, l, uploaded("s1"))
	mustStep(t, l, created("s1"))
	b := &Group{Results: []Result{testResult(30)}, Failures: []Failure{testFailure(31)}, Shards: []ShardEntry{collected("s1", "expired")}}
	b.Results[0].Shard, b.Failures[0].Shard = "s1", "s1"
	mustCommit(t, l, b)
	mustStep(t, l, intentOf("s2", 2, 31, 32))
	mustStep(t, l, uploaded("s2"), created("s2"))
}

// checkShardLines fails unless the ledger, which holds the lines of data, knows of the shards what
// commitShardLife had written by them.
func checkShardLines(t testing.TB, l *Ledger, data []byte) {
	t.Helper()
	want := map[string]string{}
	for text := range bytes.Lines(data) {
		var batch struct{ Kind, Step, Shard string }
		if err := json.Unmarshal(text, &batch); err != nil {
			t.Fatal(err)
		}
		if batch.Kind == string(line.KindBatch) {
			want[batch.Shard] = batch.Step
		}
	}
	got := map[string]string{}
	for _, s := range l.Shards() {
		got[s.ID] = s.Step.String()
		checkRecords(t, l, s.ID, map[string][]ShardRecord{"s1": intentOf("s1", 1, 30, 32).Records, "s2": intentOf("s2", 2, 31, 32).Records}[s.ID])
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("after %d bytes the shards are %v, want %v", len(data), got, want)
	}
	pending := map[string]string{"s1": "s1", "s2": "s2"}
	if step, ok := want["s1"]; !ok || step == ShardCollected.String() {
		pending["s1"] = ""
	}
	if _, ok := want["s2"]; !ok {
		pending["s2"] = pending["s1"]
	}
	r := testResult(30)
	checkShardOf(t, l, 31, pending["s2"])
	if answered := bytes.Contains(data, []byte(`,"id":"r30",`)); (l.Look(keyOf(&r)).Result != 0) != answered {
		t.Fatalf("after %d bytes record 30 is %+v", len(data), l.Look(keyOf(&r)))
	} else if answered {
		pending["s1"] = ""
	}
	checkShardOf(t, l, 30, pending["s1"])
}

// checkShardOf fails unless record n is in that pending shard, "" for none.
func checkShardOf(t testing.TB, l *Ledger, n int, want string) {
	t.Helper()
	r := testResult(n)
	if found := l.Look(keyOf(&r)); found.Shard != want {
		t.Fatalf("record %d is in shard %q, want %q", n, found.Shard, want)
	}
}

func checkRecords(t testing.TB, l *Ledger, shard string, want []ShardRecord) {
	t.Helper()
	var got []ShardRecord
	err := l.ReadShard(shard, func(r ShardRecord) error {
		r.ID = slices.Clone(r.ID)
		got = append(got, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("shard %s has the records\n%v\nwant\n%v", shard, got, want)
	}
}

func TestAShardLivesAndItsLeftoversLiveAgain(t *testing.T) {
	path := testPath(t)
	answered := resultsOf(1, 2)
	answered.Results[0].Shard = "a"
	answered.Shards = []ShardEntry{collected("a", "expired")}
	for _, step := range []struct {
		name  string
		batch *Group
		shard [4]string // of records 0 to 3
	}{
		{"nothing yet", &Group{}, [4]string{}},
		{"intent", &Group{Shards: []ShardEntry{intentOf("a", 1, 0, 3)}}, [4]string{"a", "a", "a"}},
		{"a result meanwhile", resultsOf(0, 1), [4]string{"", "a", "a"}},
		{"uploaded", &Group{Shards: []ShardEntry{uploaded("a")}}, [4]string{"", "a", "a"}},
		{"created", &Group{Shards: []ShardEntry{created("a")}}, [4]string{"", "a", "a"}},
		{"another", &Group{Shards: []ShardEntry{intentOf("b", 1, 3, 4)}}, [4]string{"", "a", "a", "b"}},
		{"collected", answered, [4]string{"", "", "", "b"}},
		{"next round", &Group{Shards: []ShardEntry{intentOf("c", 2, 2, 3)}}, [4]string{"", "", "c", "b"}},
		{"void", &Group{Shards: []ShardEntry{collected("b", "void")}}, [4]string{"", "", "c", ""}},
		{"answered otherwise", resultsOf(2, 3), [4]string{}},
	} {
		// The one that was opened last commits; the next is one that reads it all.
		l := mustOpen(t, path, Options{Fsync: FsyncNever})
		mustCommit(t, l, step.batch)
		for _, l := range []*Ledger{l, mustOpen(t, path, Options{})} {
			for n, want := range step.shard {
				checkShardOf(t, l, n, want)
			}
		}
		if t.Failed() {
			t.Fatalf("after: %s", step.name)
		}
	}
	l := mustOpen(t, path, Options{Emitted: &disk.ID{Device: 1, Inode: 2}})
	if got := l.Summary(); got.Results != 3 || got.SpentNanos != 3*13800 {
		t.Errorf("summary %+v", got)
	}
	intent, end := intentOf("a", 1, 0, 3), collected("a", "expired")
	want := Shard{
		ID: "a", Step: ShardCollected, Provider: intent.Provider, Endpoint: intent.Endpoint, Model: intent.Model, Round: 1, Records: 3,
		Bytes: intent.Bytes, ReservedNanos: intent.ReservedNanos, Window: "24h", FileID: "file-a", BatchID: "batch_a",
		Started: intent.Time, Stepped: end.Time, Ended: end.Time, State: "expired", Answered: 1, Failed: 1, Missing: 2, CostNanos: 6900,
		CostKnown: true,
	}
	if got, ok := l.Shard("a"); got != want || !ok || got.Pending() {
		t.Errorf("shard a is\n%+v\nwant\n%+v", got, want)
	}
	if got, ok := l.Shard("d"); ok {
		t.Errorf("shard d is %+v", got)
	}
	shards, err := ScanShards(path, nil)
	if got := l.Shards(); err != nil || len(got) != 3 || !slices.Equal(got, shards) || got[1].ID != "b" || got[2].Step != ShardIntent {
		t.Errorf("shards %+v, scanned %+v, %v", got, shards, err)
	}
	var r Result
	key := keyOf(&answered.Results[0])
	if err := l.Read(l.Look(key).Result, &r); err != nil || r.Shard != "a" {
		t.Errorf("result through shard %q, %v", r.Shard, err)
	}
}

// A record that is submitted again behind its result is in that shard until there is another.
func TestARecordIsSubmittedAgainBehindItsResult(t *testing.T) {
	path := testPath(t)
	mustCommit(t, mustOpen(t, path, Options{}), resultsOf(0, 2))
	var results [2]Ref
	for n := range results {
		r := testResult(n)
		results[n] = mustOpen(t, path, Options{}).Look(keyOf(&r)).Result
	}
	again := intentOf("a", 1, 0, 2)
	again.Reask, again.Records[0].Not, again.Records[1].Not = 2, uint64(results[0]), uint64(results[1])
	for _, step := range []struct {
		group *Group
		shard [2]string
	}{
		{&Group{Shards: []ShardEntry{again}}, [2]string{"a", "a"}},
		{&Group{Shards: []ShardEntry{uploaded("a")}}, [2]string{"a", "a"}},
		{resultsOf(0, 1), [2]string{"", "a"}},
		{&Group{Shards: []ShardEntry{collected("a", "expired")}}, [2]string{}},
	} {
		l := mustOpen(t, path, Options{})
		mustCommit(t, l, step.group)
		for _, l := range []*Ledger{l, mustOpen(t, path, Options{})} {
			for n, shard := range step.shard {
				checkShardOf(t, l, n, shard)
				r := testResult(n)
				if found := l.Look(keyOf(&r)); found.Result < results[n] || shard != "" && found.Result != results[n] {
					t.Errorf("the result of %d is at %d, and was at %d", n, found.Result, results[n])
				}
			}
			if got, _ := l.Shard("a"); got.Reask != 2 {
				t.Errorf("shard a is %+v", got)
			}
		}
	}
}

// Marks of a record in a shard are as those of any other.
func TestMarksBesideAShard(t *testing.T) {
	path, file := testPath(t), disk.ID{Device: 1, Inode: 2}
	l := mustOpen(t, path, Options{Emitted: &file, EmittedSize: 1})
	mustStep(t, l, intentOf("a", 1, 0, 1))
	r := testResult(0)
	key := keyOf(&r)
	mustCommit(t, l, marked(key))
	if got, want := l.Admit(key), (Found{Emitted: true, Shard: "a"}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got, want := l.Admit(key), (Found{Emitted: true, Shard: "a", Seen: SeenSame}); got != want {
		t.Errorf("then %+v, want %+v", got, want)
	}
}

func TestSimulatedShards(t *testing.T) {
	path := testPath(t)
	mustStep(t, mustOpen(t, path, Options{}), intentOf("real", 1, 0, 1))
	simulated := mustOpen(t, path, Options{Simulated: true})
	checkShardOf(t, simulated, 0, "")
	mustStep(t, simulated, intentOf("play", 1, 0, 2))
	checkShardOf(t, simulated, 0, "play")
	l := mustOpen(t, path, Options{})
	checkShardOf(t, l, 0, "real")
	checkShardOf(t, l, 1, "")
	if _, ok := l.Shard("play"); ok || len(l.Shards()) != 1 {
		t.Errorf("a real run knows of %+v", l.Shards())
	}
	all, err := ScanShards(path, nil)
	if err != nil || !slices.Equal(all, simulated.Shards()) || len(all) != 2 || all[0].Simulated || !all[1].Simulated {
		t.Errorf("all: %+v, %v", all, err)
	}
}

func TestADamagedIntentIsRefusedAndRepairedAway(t *testing.T) {
	path := testPath(t)
	l := mustOpen(t, path, Options{})
	mustCommit(t, l, resultsOf(5, 6))
	start := fileSize(t, path)
	mustStep(t, l, intentOf("a", 1, 0, 2))
	mustStep(t, l, uploaded("a"), created("a"))
	data := read(t, path)
	at := bytes.Index(data, []byte(`"records"`))
	data[at+20] ^= 1
	write(t, path, data)

	damage := (*DamageError)(nil)
	if err := l.ReadShard("a", func(ShardRecord) error { return nil }); !errors.As(err, &damage) || damage.Offset != start {
		t.Errorf("reading it: %v", err)
	}
	if _, err := Open(path, Options{}); !errors.As(err, &damage) || damage.Offset != start {
		t.Errorf("opening: %v", err)
	}
	if _, err := ScanShards(path, nil); !errors.As(err, &damage) || damage.Offset != start {
		t.Errorf("scanning: %v", err)
	}
	out := filepath.Join(t.TempDir(), "clean.jsonl")
	if stats, err := Repair(path, out); err != nil || stats.Kept != 4 || stats.Lost != 1 {
		t.Fatalf("repair: %+v, %v", stats, err)
	}
	clean := mustOpen(t, out, Options{})
	want := Shard{ID: "a", Step: ShardCreated, FileID: "file-a", BatchID: "batch_a", Stepped: created("a").Time}
	if got, ok := clean.Shard("a"); got != want || !ok || !got.Pending() {
		t.Errorf("after repair %+v, want %+v", got, want)
	}
	checkShardOf(t, clean, 0, "")
	if err := clean.ReadShard("a", func(ShardRecord) error { return nil }); err == nil {
		t.Error("records of a lost intent were read")
	}
	mustStep(t, clean, collected("a", "forgotten"))
}

func TestReadShardEndsWithTheErrorOfItsFunction(t *testing.T) {
	l := mustOpen(t, testPath(t), Options{})
	if err := l.ReadShard("a", nil); err == nil {
		t.Error("a shard that is not there was read")
	}
	mustStep(t, l, intentOf("a", 1, 0, 3))
	enough, calls := errors.New("enough"), 0
	err := l.ReadShard("a", func(ShardRecord) error { calls++; return enough })
	if err != enough || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
}

func TestReadersOfLedgersPassShardsOver(t *testing.T) {
	path := testPath(t)
	l := mustOpen(t, path, Options{})
	commitShardLife(t, l)
	latest := 0
	if err := ScanLatest([]string{path}, nil, func(string, Entry) error { latest++; return nil }); err != nil || latest != 1 {
		t.Errorf("%d newest results, %v", latest, err)
	}
	kinds := map[line.Kind]int{}
	err := Scan(path, nil, func(e Entry) error {
		kinds[e.Kind]++
		if e.Result != nil && e.Result.Shard != "s1" || e.Failure != nil && e.Failure.Shard != "s1" {
			t.Errorf("not of shard s1: %s", e.Line)
		}
		return nil
	})
	if err != nil || kinds[line.KindBatch] != 7 {
		t.Errorf("%v, %v", kinds, err)
	}
}

// What a shard may have cost that was given up counts as spent, once, however often that is written
// down and in whatever way it is read.
func TestGivenUpShardCountsAsSpent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	since := collected("s1", "").Time.Add(-time.Minute)
	open := func() *Ledger {
		l, err := Open(path, Options{Since: since, Run: RunInfo{ID: "r", Time: testTime()}})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	givenUp := ShardEntry{Step: ShardCollected, Shard: "s1", Time: collected("s1", "").Time, State: "forgotten", MayCostNanos: 500}
	l := open()
	mustStep(t, l, intentOf("s1", 1, 30, 32), created("s1"), givenUp)
	mustStep(t, l, givenUp)
	again := open()
	for _, ledger := range []*Ledger{l, again} {
		if s := ledger.Summary(); s.KeptNanos != 500 || s.KeptSince != 500 || s.SpentNanos != 0 {
			t.Errorf("%+v", s)
		}
		if s, _ := ledger.Shard("s1"); s.Pending() || s.MayCost != 500 {
			t.Errorf("%+v", s)
		}
		if err := ledger.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
