package ledger

import (
	"bytes"
	"fmt"
	"testing"

	"llmpipe/ledger/disk"
)

// manyLines is more than are read ahead.
const manyLines = 3 * readLines * (readAhead + 2)

// longLedger makes a ledger of so many results, with marks for all of them to file, failures and a
// shard's intent among them.
func longLedger(t testing.TB, path string, file disk.ID) {
	t.Helper()
	const group = 100
	l := mustOpen(t, path, Options{Fsync: FsyncNever, Emitted: &file})
	for n := 0; n < manyLines; n += group {
		b := resultsOf(n, min(n+group, manyLines))
		var keys []Key
		for i := range b.Results {
			keys = append(keys, keyOf(&b.Results[i]))
		}
		b.Marks = marked(keys...).Marks
		b.Failures = []Failure{testFailure(manyLines + n)}
		mustCommit(t, l, b)
		if n == manyLines/2/group*group {
			mustStep(t, l, intentOf("s1", 1, manyLines+10, manyLines+12))
		}
	}
}

func TestALongLedgerIsIndexedWhole(t *testing.T) {
	path, file := testPath(t), disk.ID{Device: 1, Inode: 2}
	longLedger(t, path, file)
	l := mustOpen(t, path, Options{Emitted: &file, EmittedSize: 2 * manyLines, Since: testTime()})
	for n := range manyLines {
		r := testResult(n)
		if found := l.Look(keyOf(&r)); found.Result == 0 || !found.Emitted {
			t.Fatalf("record %d: %+v", n, found)
		}
	}
	checkHas(t, l, testResult(0))
	checkHas(t, l, testResult(manyLines-1))
	checkShardOf(t, l, manyLines+11, "s1")
	want := Summary{Results: manyLines, SpentNanos: manyLines * 13800, SpentSince: manyLines * 13800}
	if got := l.Summary(); got != want {
		t.Errorf("summary %+v, want %+v", got, want)
	}
}

// Damage is told at its place, however much is read ahead of what is entered.
func TestDamageFarIntoALongLedger(t *testing.T) {
	path := testPath(t)
	longLedger(t, path, disk.ID{Device: 1, Inode: 2})
	data := read(t, path)
	for _, n := range []int{1, readLines, manyLines / 2, manyLines - 1} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			r := testResult(n)
			at := bytes.Index(data, fmt.Appendf(nil, `,"id":%s,`, r.ID))
			start := bytes.LastIndexByte(data[:at], '\n') + 1
			damaged := bytes.Clone(data)
			damaged[at] ^= 1
			write(t, path, damaged)
			checkDamage(t, path, false, int64(start))
		})
	}
}

// How many records a file has does not follow from its size and its first lines.
func TestALedgerWhoseLinesGetLonger(t *testing.T) {
	path := testPath(t)
	l := mustOpen(t, path, Options{Fsync: FsyncNever})
	const short, long = 112_000, 100
	mustCommit(t, l, resultsOf(0, short))
	b := resultsOf(short, short+long)
	for i := range b.Results {
		b.Results[i].Response = fmt.Appendf(nil, `{"choices":[{"message":{"content":"%0200000d"}}]}`, i)
	}
	mustCommit(t, l, b)
	l = mustOpen(t, path, Options{})
	if got := l.Summary().Results; got != short+long {
		t.Errorf("%d results, want %d", got, short+long)
	}
	if size, most := l.index.Size(), 36*(short+long)+64<<10; size > most {
		t.Errorf("the index takes %d bytes, want at most %d", size, most)
	}
}

// Lines that are too large to be copied are entered one by one, between others.
func TestALedgerOfLargeIntents(t *testing.T) {
	const intents, records = 20, 4000
	path := testPath(t)
	l := mustOpen(t, path, Options{Fsync: FsyncNever})
	for i := range intents {
		mustCommit(t, l, resultsOf(i, i+1))
		mustStep(t, l, intentOf(fmt.Sprint("s", i), 1, intents+i*records, intents+(i+1)*records))
	}
	for line := range bytes.Lines(read(t, path)) {
		if bytes.HasPrefix(line, []byte(batchStart)) && len(line) <= readBytes {
			t.Fatalf("an intent has %d bytes only", len(line))
		}
	}
	l = mustOpen(t, path, Options{})
	for i := range intents {
		checkHas(t, l, testResult(i))
		checkShardOf(t, l, intents+i*records, fmt.Sprint("s", i))
		checkShardOf(t, l, intents+(i+1)*records-1, fmt.Sprint("s", i))
	}
}
