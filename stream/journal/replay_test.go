package journal

import (
	"context"
	"io"
	"path/filepath"
	"testing"
	"time"

	"llmpipe/ledger"
	"llmpipe/stream/flow"
	"llmpipe/stream/ui"
)

// TestAskedAgainOnce has a record whose recorded answer does not fit meet an equal request of
// another one. Wherever that is, also where it got into a shard a moment ago, one of the two is
// asked about.
func TestAskedAgainOnce(t *testing.T) {
	for _, test := range []struct {
		name    string
		meet    func(f *flow.Flow, l *ledger.Ledger, other *flow.Task) error // after it was looked whether t goes by batch
		batched bool                                                         // t, where it is looked again
		asked   bool
	}{
		{name: "nowhere", asked: true, meet: func(*flow.Flow, *ledger.Ledger, *flow.Task) error { return nil }},
		{name: "in flight", meet: func(f *flow.Flow, _ *ledger.Ledger, other *flow.Task) error {
			f.Inflight.Begin(other)
			return nil
		}},
		{name: "in a shard", batched: true, meet: func(f *flow.Flow, _ *ledger.Ledger, other *flow.Task) error {
			f.Inflight.Keep(other, "7f3a-1")
			return nil
		}},
		{name: "in a shard that the ledger knows", batched: true, meet: func(f *flow.Flow, l *ledger.Ledger, other *flow.Task) error {
			f.Inflight.Keep(other, "7f3a-1")
			err := l.Commit(&ledger.Group{Shards: []ledger.ShardEntry{{
				Step: ledger.ShardIntent, Shard: "7f3a-1", Time: time.Now(), Provider: "api.example.com", Endpoint: "chat", Model: "m", Round: 1,
				Records: []ledger.ShardRecord{{ID: other.ID, Request: other.Request}},
			}}})
			f.Inflight.LetGoAll("7f3a-1")
			return err
		}},
		{name: "in a shard that is gone", asked: true, meet: func(f *flow.Flow, _ *ledger.Ledger, other *flow.Task) error {
			f.Inflight.Keep(other, "7f3a-1")
			f.Inflight.LetGo(other)
			return nil
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, err := ledger.Open(filepath.Join(t.TempDir(), "ledger.jsonl"), ledger.Options{Requests: true})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			f := flow.New(context.Background(), ui.NewVoice(io.Discard, true, false), func() int { return 8 })
			defer f.Stop.Release()
			f.Inflight.ByRequest, f.Inflight.InShard = true, l.SameShard
			again, other := equalRecord("1"), equalRecord("2")
			looks, batched, asked := 0, false, false
			p := replayer{flow: f, journal: &Journal{flow: f, Ledger: l}, to: Routes{
				Ask: func(*flow.Task) { asked = true },
				Batch: func(t *flow.Task) bool {
					if looks++; looks == 1 {
						err = test.meet(f, l, other)
						return false
					}
					batched = f.Inflight.Kept(t)+l.SameShard(t.Key) != ""
					return batched
				},
			}}
			if !p.askAgain(again) || err != nil || batched != test.batched || asked != test.asked {
				t.Errorf("it goes by batch: %t, is asked about at once: %t; %v", batched, asked, err)
			}
		})
	}
}

// equalRecord has that id, and a request that all have.
func equalRecord(id string) *flow.Task {
	t := flow.NewTask()
	t.ID, t.Request = []byte(id), [32]byte{1}
	t.Key = ledger.KeyOf(t.ID, &t.Request)
	return t
}
