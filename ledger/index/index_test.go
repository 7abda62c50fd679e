package index

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"pgregory.net/rapid"

	"llmpipe/ledger/line"
)

// The index is to a run what this map is: for each id, what is known of each of its requests.
type indexModel map[uint64]map[uint64]*modelSlot

type modelSlot struct {
	ref, intent  Ref
	met, emitted bool
	claimed      bool
}

func (m indexModel) slot(k line.Key) *modelSlot {
	if m[k.ID] == nil {
		m[k.ID] = make(map[uint64]*modelSlot)
	}
	if m[k.ID][k.Request] == nil {
		m[k.ID][k.Request] = new(modelSlot)
	}
	return m[k.ID][k.Request]
}

func (m indexModel) look(k line.Key) (found Found) {
	for request, s := range m[k.ID] {
		switch {
		case request == k.Request:
			found.Result, found.Emitted, found.Claimed, found.Intent = s.ref, s.emitted, s.claimed, s.intent
			if s.met {
				found.Seen = SeenSame
			}
		default:
			found.Other = max(found.Other, s.ref)
			if s.met {
				found.Seen = SeenOther
			}
		}
	}
	return found
}

func (m indexModel) check(t *rapid.T, x *Index, k line.Key) {
	t.Helper()
	if found, want := x.Look(k), m.look(k); found != want {
		t.Fatalf("Look %v: %+v, want %+v", k, found, want)
	}
}

func (m indexModel) count() (slots, results int) {
	for _, requests := range m {
		for _, s := range requests {
			slots++
			if s.ref > 0 {
				results++
			}
		}
	}
	return slots, results
}

func TestIndexIsAMap(t *testing.T) {
	// Ids that crowd at both ends of the table, and some between.
	id := rapid.OneOf(
		rapid.Uint64Range(0, 5),
		rapid.Uint64Range(math.MaxUint64-5, math.MaxUint64),
		rapid.Uint64(),
	)
	key := rapid.Custom(func(t *rapid.T) line.Key {
		return line.Key{ID: id.Draw(t, "id"), Request: rapid.Uint64Range(0, 3).Draw(t, "request")}
	})
	rapid.Check(t, func(t *rapid.T) {
		x := new(Index)
		model := make(indexModel)
		// Most tables are filled beforehand, so that what follows meets full pages and growth.
		crowd := rapid.IntRange(0, 2500).Draw(t, "crowd")
		clump := rapid.Bool().Draw(t, "clump")
		for n := range crowd {
			k := line.Key{ID: uint64(n) * (math.MaxUint64 / 2500), Request: 9}
			if clump {
				k.ID = math.MaxUint64 - uint64(n)
			}
			x.Set(k, Ref(n+1))
			model.slot(k).ref = Ref(n + 1)
		}
		last := Ref(crowd + 1)
		next := func() Ref { // lines come one behind the other
			last += Ref(rapid.Uint64Range(2, MaxRef/100).Draw(t, "further"))
			return last
		}
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			k := key.Draw(t, "key")
			switch rapid.IntRange(0, 6).Draw(t, "step") {
			case 0:
				ref := next()
				x.Set(k, ref)
				s := model.slot(k)
				if s.ref != 0 { // its line is yet to be written
					s.emitted, s.claimed = false, false
				}
				s.ref, s.intent = ref, 0
				x.Set(k, ref-1) // an older one changes nothing
			case 1:
				x.set(k, 0, emittedBit)
				model.slot(k).emitted = true
			case 2:
				want := model.look(k)
				if got := x.Meet(k); got != want {
					t.Fatalf("admit %v: %+v, want %+v", k, got, want)
				}
				if want.Seen == NotSeen {
					model.slot(k).met = true
				}
			case 3:
				intent := next()
				x.Submit(k, intent)
				model.slot(k).intent = intent
			case 5:
				x.Claim(k)
				if s := model.slot(k); !s.met {
					s.claimed = true
				}
			case 6:
				x.ForgetClaimed()
				for _, requests := range model {
					for _, s := range requests {
						s.claimed = false
					}
				}
				if x.HasClaims() {
					t.Fatal("there are claims still")
				}
			case 4:
				x.Reserve(rapid.IntRange(0, 5000).Draw(t, "reserve"))
			}
			model.check(t, x, k)
		}
		for id, requests := range model {
			for request := range requests {
				model.check(t, x, line.Key{ID: id, Request: request})
			}
		}
		slots, results := model.count()
		if x.slots != slots || x.Results() != results {
			t.Fatalf("%d slots and %d results, want %d and %d", x.slots, x.Results(), slots, results)
		}
	})
}

func TestIndexStaysWithinItsMemory(t *testing.T) {
	const (
		bytesARecord = 32
		whenNearlyNo = 64 << 10 // a few pages, however few the records
	)
	random := rand.New(rand.NewPCG(1, 2))
	var x Index
	for n := 1; n <= 200_000; n++ {
		x.Set(line.Key{ID: random.Uint64(), Request: random.Uint64()}, Ref(n))
		if size := x.Size(); size > n*bytesARecord+whenNearlyNo {
			t.Fatalf("%d records take %d bytes", n, size)
		}
	}
}

// BenchmarkIndex fills an index with ten million records, and tells what it takes for each of them:
// of memory, and of the heap, which the collector lets grow to twice that.
func BenchmarkIndex(b *testing.B) {
	const records = 10_000_000
	var heap, size float64
	for b.Loop() {
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		random := rand.New(rand.NewPCG(1, 2))
		var x Index
		for n := range records {
			x.Set(line.Key{ID: random.Uint64(), Request: random.Uint64()}, Ref(n+1))
		}
		runtime.ReadMemStats(&after)
		heap = float64(after.HeapAlloc-before.HeapAlloc) / records
		size = float64(x.Size()) / records
	}
	b.ReportMetric(size, "B/record")
	b.ReportMetric(heap, "heap-B/record")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/records, "ns/record")
}
