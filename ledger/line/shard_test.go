package line

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestAnyStepIsReadBackAsItWas(t *testing.T) {
	text := rapid.String()
	count := rapid.Int64Range(0, math.MaxInt64)
	when := rapid.Custom(func(t *rapid.T) time.Time {
		return time.UnixMilli(rapid.Int64Range(-62135596800000, 253402300799999).Draw(t, "ms")).UTC()
	})
	record := rapid.Custom(func(t *rapid.T) ShardRecord {
		id, err := json.Marshal(text.Draw(t, "id"))
		if err != nil {
			t.Fatal(err)
		}
		request := [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "request"))
		r := ShardRecord{ID: id, Request: request, CustomID: text.Draw(t, "custom"), DowngradedFrom: text.Draw(t, "downgraded")}
		for range rapid.IntRange(0, 2).Draw(t, "files") {
			r.Attachments = append(r.Attachments, Attachment{
				Path: text.Draw(t, "path"), Size: count.Draw(t, "size"), ModTime: when.Draw(t, "mtime"), Sum: request,
			})
		}
		return r
	})
	rapid.Check(t, func(t *rapid.T) {
		want := ShardEntry{
			Step:  ShardStep(rapid.IntRange(0, int(ShardCollected)).Draw(t, "step")),
			Shard: rapid.StringMatching(`[A-Za-z0-9_-]{1,64}`).Draw(t, "shard"), Time: when.Draw(t, "time"),
			Provider: text.Draw(t, "provider"), Endpoint: text.Draw(t, "endpoint"), Model: text.Draw(t, "model"),
			Round: rapid.IntRange(0, math.MaxInt).Draw(t, "round"), Bytes: count.Draw(t, "bytes"),
			Reask:         rapid.IntRange(0, math.MaxInt).Draw(t, "reask"),
			ReservedNanos: count.Draw(t, "reserved"), Window: text.Draw(t, "window"),
			FileID: text.Draw(t, "file"), BatchID: text.Draw(t, "batch"),
		}
		var records []ShardRecord
		switch want.Step {
		case ShardIntent:
			records = rapid.SliceOfN(record, 1, 5).Draw(t, "records")
		case ShardCollected:
			want.State, want.CostKnown = text.Draw(t, "state"), rapid.Bool().Draw(t, "known")
			want.Answered, want.Failed, want.Missing = count.Draw(t, "answered"), count.Draw(t, "failed"), count.Draw(t, "missing")
			if want.CostKnown {
				want.CostNanos = count.Draw(t, "cost")
			}
		}
		simulated := rapid.Bool().Draw(t, "simulated")
		written := want
		written.Records = records
		line, err := AppendShard(nil, &written, simulated)
		if err != nil {
			t.Fatal(err)
		}
		line = bytes.TrimSuffix(line, []byte("\n"))
		err = Verify(line)
		h, ok := ParseHead(line)
		if err != nil || !ok || h.Kind != KindBatch || h.Simulated != simulated {
			t.Fatalf("head %+v, %v of %s", h, err, line)
		}
		var got ShardEntry
		if err := got.Decode(line, &h); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
			t.Fatalf("read back\n%s\nwant\n%s", g, w)
		}
		if want.Step != ShardIntent {
			return
		}
		var keys []Key
		if !h.EachKey(func(k Key) { keys = append(keys, k) }) {
			t.Fatalf("keys of %s", line)
		}
		read, err := recordsOf(line)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range records {
			more, err := read.next()
			if !more || err != nil || fmt.Sprint(read.record) != fmt.Sprint(r) || keys[i] != KeyOf(r.ID, &r.Request) {
				t.Fatalf("record %d is %v, %v, want %v", i, read.record, err, r)
			}
		}
		if more, err := read.next(); more || err != nil || len(keys) != len(records) {
			t.Fatalf("after the last record: %v, %v; %d keys", more, err, len(keys))
		}
	})
}
