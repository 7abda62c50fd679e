package ledger

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"llmpipe/ledger/disk"
)

// earlierLine is what a line of a sample says, read without any of the code that reads ledgers.
type earlierLine struct {
	Kind, Step, Shard string
	R, I, Run         string
	Simulated         bool
	ID                json.RawMessage
	Cost              json.Number `json:"cost_usd"`
	MayCost           json.Number `json:"may_cost_usd"`
	Response          json.RawMessage
	File, Sum         string
	Keys              []string
	Records           []struct{ ID json.RawMessage }
	Worst             []json.Number `json:"worst_usd"`
	Lifted            []string
	Kept              []json.Number `json:"kept_usd"`
}

func (l *earlierLine) request(t *testing.T) *[32]byte {
	t.Helper()
	digits, err := hex.DecodeString(l.R)
	if err != nil || len(digits) != 32 {
		t.Fatalf("fingerprint %q: %v", l.R, err)
	}
	return (*[32]byte)(digits)
}

// nanos is a cost in billionths of a dollar.
func nanos(t *testing.T, cost json.Number) int64 {
	t.Helper()
	if cost == "" {
		return 0
	}
	n, ok := new(big.Rat).SetString(cost.String())
	if !ok || !n.Mul(n, big.NewRat(1e9, 1)).IsInt() {
		t.Fatalf("cost %q", cost)
	}
	return n.Num().Int64()
}

// earlierLedgers calls f with each ledger that an earlier version wrote, as a test of its own.
func earlierLedgers(t *testing.T, f func(t *testing.T, data []byte, lines []earlierLine)) {
	names, err := filepath.Glob(filepath.Join("..", "testdata", "ledgers", "*", "*", "ledger.jsonl"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	for _, name := range names {
		t.Run(filepath.Base(filepath.Dir(name)), func(t *testing.T) {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var lines []earlierLine
			for line := range bytes.Lines(data) {
				var l earlierLine
				if err := json.Unmarshal(line, &l); err != nil {
					t.Fatal(err)
				}
				lines = append(lines, l)
			}
			f(t, data, lines)
		})
	}
}

// lostIn is what the lines say was at risk when the last of them was written, by runs that are all
// gone.
func lostIn(t *testing.T, lines []earlierLine) (lost Exposure) {
	t.Helper()
	type risk struct{ run, key string }
	left := make(map[risk]json.Number)
	for i := range lines {
		l := &lines[i]
		switch l.Kind {
		case "risk":
			for i, key := range l.Lifted {
				if delete(left, risk{l.Run, key}); i < len(l.Kept) {
					left[risk{l.Run, key}] = l.Kept[i]
				}
			}
			for i, key := range l.Keys {
				left[risk{l.Run, key}] = l.Worst[i] // all prices are known
			}
		case "result", "failure":
			delete(left, risk{l.Run, l.I + l.R[:16]})
		}
	}
	for _, most := range left {
		lost.Records++
		lost.Nanos += nanos(t, most)
	}
	return lost
}

// openEarlier opens a ledger that holds data.
func openEarlier(t *testing.T, data []byte, o Options) *Ledger {
	t.Helper()
	name := filepath.Join(t.TempDir(), "ledger.jsonl")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	o.Simulated = true
	l, err := Open(name, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func TestEarlierLedgersOpen(t *testing.T) {
	earlierLedgers(t, func(t *testing.T, data []byte, lines []earlierLine) {
		l := openEarlier(t, data, Options{Since: time.Unix(0, 0)})
		var want Summary
		for _, line := range lines {
			if line.Kind == "result" {
				want.Results++
				checkEarlierResult(t, l, &line)
			}
			if line.Kind == "result" || line.Kind == "failure" {
				want.SpentNanos += nanos(t, line.Cost)
				if line.Simulated {
					want.Simulated += nanos(t, line.Cost)
				}
				want.KeptNanos += nanos(t, line.MayCost)
			}
		}
		want.Lost = lostIn(t, lines)
		want.KeptNanos += want.Lost.Nanos
		want.SpentSince, want.KeptSince = want.SpentNanos, want.KeptNanos
		if got := l.Summary(); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	})
}

// checkEarlierResult reads back by its id and fingerprint what a line says.
func checkEarlierResult(t *testing.T, l *Ledger, line *earlierLine) {
	t.Helper()
	var r Result
	request := line.request(t)
	found := l.Look(KeyOf(line.ID, request))
	if err := l.ReadMatch(found.Result, line.ID, request, &r); err != nil {
		t.Fatalf("id %s: %v", line.ID, err)
	}
	paid := r.CostNanos == nanos(t, line.Cost) && r.MayCostNanos == nanos(t, line.MayCost)
	if !bytes.Equal(r.Response, line.Response) || !paid {
		t.Errorf("id %s: %+v", line.ID, r)
	}
}

// What was written behind >> is known of the file that it was written to, as a claim: the marks
// have no proof.
func TestEarlierMarksAreKnown(t *testing.T) {
	earlierLedgers(t, func(t *testing.T, data []byte, lines []earlierLine) {
		var file disk.ID
		marks := make(map[string]bool)
		for _, line := range lines {
			if line.Kind != "emitted" || line.Sum != "" { // a proof is no claim
				continue
			}
			if _, err := fmt.Sscanf(line.File, "%x:%x", &file.Device, &file.Inode); err != nil {
				t.Fatalf("file %q: %v", line.File, err)
			}
			for _, key := range line.Keys {
				marks[key] = true
			}
		}
		if len(marks) == 0 {
			return
		}
		l := openEarlier(t, data, Options{Emitted: &file, EmittedSize: 1 << 40})
		for _, line := range lines {
			if line.Kind == "result" {
				k := KeyOf(line.ID, line.request(t))
				written := marks[fmt.Sprintf("%016x%016x", k.ID, k.Request)]
				if got := l.Look(k).Claimed; got != written {
					t.Errorf("id %s: claimed is %v", line.ID, got)
				}
			}
		}
	})
}

// A run may have died behind every line: the shards are then where the last step left them, and
// their records are known.
func TestEarlierShardsAreKnownAtEveryStep(t *testing.T) {
	earlierLedgers(t, func(t *testing.T, data []byte, lines []earlierLine) {
		steps, records, end := make(map[string]string), make(map[string]int), 0
		for _, line := range lines {
			end += bytes.IndexByte(data[end:], '\n') + 1
			if line.Kind != "batch" {
				continue
			}
			steps[line.Shard] = line.Step
			records[line.Shard] += len(line.Records)
			l := openEarlier(t, data[:end], Options{})
			if got := len(l.Shards()); got != len(steps) {
				t.Fatalf("%d shards, want %d", got, len(steps))
			}
			for id, step := range steps {
				known, ok := l.Shard(id)
				if !ok || known.Step.String() != step || known.Pending() != (step != "collected") ||
					known.Records != records[id] {
					t.Errorf("shard %s, which is %s with %d records: %+v", id, step, records[id], known)
				}
				read := 0
				err := l.ReadShard(id, func(ShardRecord) error { read++; return nil })
				if err != nil || read != records[id] {
					t.Errorf("shard %s has %d records: read %d, %v", id, records[id], read, err)
				}
			}
		}
	})
}
