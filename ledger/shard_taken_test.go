package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"

	"llmpipe/ledger/line"
)

// refused fails unless l refuses the intent for what others have written, and writes nothing.
func refused(t *testing.T, l *Ledger, path string, g *Group) {
	t.Helper()
	before := read(t, path)
	err := l.Commit(g)
	var we *WriteError
	if !errors.Is(err, ErrTaken) || !errors.As(err, &we) || we.Results != 0 {
		t.Errorf("committed with %v", err)
	}
	if !bytes.Equal(read(t, path), before) {
		t.Error("a refused group was written")
	}
}

// What another process has intended, or recorded, since this one last looked is in no second shard.
func TestAnIntentOfWhatAnotherHasIntendedIsRefused(t *testing.T) {
	path := testPath(t)
	mine, theirs := mustOpen(t, path, Options{}), mustOpen(t, path, Options{})
	mustStep(t, theirs, intentOf("theirs", 1, 0, 3))
	refused(t, mine, path, &Group{Shards: []ShardEntry{intentOf("mine", 1, 2, 5)}})
	checkShardOf(t, mine, 2, "theirs")
	checkShardOf(t, mine, 3, "")
	mustStep(t, mine, intentOf("mine", 1, 3, 5)) // under the name that was refused
	mustStep(t, mine, uploaded("mine"))

	mustStep(t, theirs, collected("theirs", "void"))
	mustStep(t, mine, intentOf("again", 1, 0, 2)) // nobody has them any more
	mustCommit(t, theirs, resultsOf(2, 3))
	refused(t, mine, path, &Group{Shards: []ShardEntry{intentOf("late", 1, 2, 3)}})
	withResult := resultsOf(7, 8)
	withResult.Shards = []ShardEntry{intentOf("late", 1, 2, 3)}
	refused(t, mine, path, withResult)
	mustCommit(t, mine, resultsOf(7, 8))
}

// Of many who intend the same records at a time one does.
func TestOneOfManyIntends(t *testing.T) {
	path := testPath(t)
	const rivals = 8
	var all sync.WaitGroup
	var errs [rivals]error
	for i := range rivals {
		l := mustOpen(t, path, Options{Fsync: FsyncNever})
		all.Go(func() { errs[i] = l.Commit(&Group{Shards: []ShardEntry{intentOf(fmt.Sprint("s", i), 1, i, i+rivals)}}) })
	}
	all.Wait()
	done := 0
	for _, err := range errs {
		switch {
		case err == nil:
			done++
		case !errors.Is(err, ErrTaken):
			t.Error(err)
		}
	}
	if shards := mustOpen(t, path, Options{}).Shards(); done != 1 || len(shards) != 1 {
		t.Errorf("%d intended, and the ledger has %d shards", done, len(shards))
	}
}

// A record that is in an intent although it was answered keeps its result until there is another.
func TestAnIntentOfAnAnsweredRecordIsRead(t *testing.T) {
	path := testPath(t)
	mustCommit(t, mustOpen(t, path, Options{}), resultsOf(0, 1))
	intent := intentOf("a", 1, 0, 2)
	text, err := line.AppendShard(read(t, path), &intent, false)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, text)
	l := mustOpen(t, path, Options{})
	checkHas(t, l, testResult(0))
	checkShardOf(t, l, 0, "a")
	checkShardOf(t, l, 1, "a")
	mustCommit(t, l, resultsOf(0, 1))
	checkHas(t, l, testResult(0))
	checkShardOf(t, l, 0, "")
	checkShardOf(t, l, 1, "a")
}

// What a run says of a result that does not serve it lets it ask again, once.
func TestAResultThatDoesNotServeIsInNobodysWay(t *testing.T) {
	l := mustOpen(t, testPath(t), Options{})
	mustCommit(t, l, resultsOf(0, 1))
	intent := intentOf("a", 1, 0, 1)
	r := &intent.Records[0]
	if err := l.Commit(&Group{Shards: []ShardEntry{intent}}); !errors.Is(err, ErrTaken) {
		t.Errorf("a record that is answered: %v", err)
	}
	r.Not = uint64(l.Look(KeyOf(r.ID, &r.Request)).Result)
	if err := l.Commit(&Group{Shards: []ShardEntry{intent}}); err != nil {
		t.Fatal(err)
	}
	checkShardOf(t, l, 0, "a")
	intent.Shard = "b"
	if err := l.Commit(&Group{Shards: []ShardEntry{intent}}); !errors.Is(err, ErrTaken) {
		t.Errorf("a record that is in a shard: %v", err)
	}
}
