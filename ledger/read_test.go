package ledger

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"

	"llmpipe/ledger/disk"
)

// countingFS counts the reads of its files.
type countingFS struct {
	disk.OS
	reads atomic.Int64
}

func (c *countingFS) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	f, err := c.OS.OpenFile(name, flag, perm)
	return countingFile{f, c}, err
}

type countingFile struct {
	disk.File
	fs *countingFS
}

func (f countingFile) ReadAt(p []byte, at int64) (int, error) {
	f.fs.reads.Add(1)
	return f.File.ReadAt(p, at)
}

// A reader reads every result whatever the order and however long the lines are; in about the
// file's own order it seldom has to go to the disk.
func TestReaderReadsAhead(t *testing.T) {
	const results = 2000
	disk := &countingFS{}
	l := mustOpen(t, testPath(t), Options{FS: disk})
	want := make([]Result, results)
	b := &Group{}
	for n := range want {
		want[n] = testResult(n)
		size := n % 700
		switch n % 500 {
		case 3:
			size = firstRead + n
		case 4:
			size = 5 * farRead
		}
		want[n].Response = fmt.Appendf(nil, `{"n":%d,"text":%q}`, n, bytes.Repeat([]byte(`"\,:}x`), size/6))
		b.Results = append(b.Results, want[n])
	}
	mustCommit(t, l, b)

	forwards := make([]int, results)
	for n := range forwards {
		forwards[n] = n
	}
	backwards, anyhow := slices.Clone(forwards), slices.Clone(forwards)
	slices.Reverse(backwards)
	random := rand.New(rand.NewPCG(1, 2))
	random.Shuffle(results, func(i, j int) { anyhow[i], anyhow[j] = anyhow[j], anyhow[i] })
	muddled := slices.Clone(forwards) // as answers are recorded that come a little out of turn
	for n := 0; n+20 < results; n += 20 {
		random.Shuffle(20, func(i, j int) { muddled[n+i], muddled[n+j] = muddled[n+j], muddled[n+i] })
	}
	for _, c := range []struct {
		name  string
		order []int
		most  int64 // reads
	}{
		{"forwards", forwards, results / 8}, {"muddled", muddled, results / 8},
		{"backwards", backwards, results * 3}, {"anyhow", anyhow, results * 3},
	} {
		disk.reads.Store(0)
		reader := l.NewReader()
		var got Result
		for _, n := range c.order {
			w := want[n]
			if err := reader.ReadMatch(l.Look(keyOf(&w)).Result, w.ID, &w.Request, &got); err != nil {
				t.Fatalf("%s, result %d: %v", c.name, n, err)
			}
			if !bytes.Equal(got.Response, w.Response) || got.LatencyMS != w.LatencyMS {
				t.Fatalf("%s, result %d is %.200s, want %.200s", c.name, n, got.Response, w.Response)
			}
		}
		if reads := disk.reads.Load(); reads > c.most {
			t.Errorf("%s: %d reads", c.name, reads)
		}
	}
}
