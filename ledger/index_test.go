package ledger

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"pgregory.net/rapid"
)

// The index is to a run what this map is: for each id, what is known of each of its requests.
type indexModel map[uint64]map[uint64]*modelSlot

type modelSlot struct {
	ref, intent  Ref
	met, emitted bool
}

func (m indexModel) slot(k Key) *modelSlot {
	if m[k.ID] == nil {
		m[k.ID] = make(map[uint64]*modelSlot)
	}
	if m[k.ID][k.Request] == nil {
		m[k.ID][k.Request] = new(modelSlot)
	}
	return m[k.ID][k.Request]
}

func (m indexModel) look(k Key) (found Found, intent Ref) {
	for request, s := range m[k.ID] {
		switch {
		case request == k.Request:
			found.Result, found.Emitted, intent = s.ref, s.emitted, s.intent
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
	return found, intent
}

func (m indexModel) check(t *rapid.T, l *Ledger, k Key) {
	t.Helper()
	found, slot := l.index.look(k)
	var intent Ref
	if slot != nil {
		intent = slot.intent()
	}
	wantFound, wantIntent := m.look(k)
	if found != wantFound || intent != wantIntent {
		t.Fatalf("look %v: %+v and intent %d, want %+v and %d", k, found, intent, wantFound, wantIntent)
	}
	if looked := l.Look(k); looked != wantFound {
		t.Fatalf("Look %v: %+v, want %+v", k, looked, wantFound)
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
	key := rapid.Custom(func(t *rapid.T) Key {
		return Key{ID: id.Draw(t, "id"), Request: rapid.Uint64Range(0, 3).Draw(t, "request")}
	})
	rapid.Check(t, func(t *rapid.T) {
		l := new(Ledger)
		model := make(indexModel)
		// Most tables are filled beforehand, so that what follows meets full pages and growth.
		crowd := rapid.IntRange(0, 2500).Draw(t, "crowd")
		clump := rapid.Bool().Draw(t, "clump")
		for n := range crowd {
			k := Key{ID: uint64(n) * (math.MaxUint64 / 2500), Request: 9}
			if clump {
				k.ID = math.MaxUint64 - uint64(n)
			}
			l.index.set(k, Ref(n+1), 0)
			model.slot(k).ref = Ref(n + 1)
		}
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			k := key.Draw(t, "key")
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0:
				ref := Ref(rapid.Uint64Range(1, maxRef).Draw(t, "ref"))
				l.index.set(k, ref, 0)
				s := model.slot(k)
				s.ref, s.intent = max(s.ref, ref), 0
			case 1:
				l.index.set(k, 0, emittedBit)
				model.slot(k).emitted = true
			case 2:
				want, _ := model.look(k)
				if got := l.Admit(k); got != want {
					t.Fatalf("admit %v: %+v, want %+v", k, got, want)
				}
				if want.Seen == NotSeen {
					model.slot(k).met = true
				}
			case 3:
				intent := Ref(rapid.Uint64Range(1, maxRef).Draw(t, "intent"))
				l.index.submit(k, intent)
				if s := model.slot(k); s.ref == 0 {
					s.intent = intent
				}
			case 4:
				l.index.reserve(rapid.IntRange(0, 5000).Draw(t, "reserve"))
			}
			model.check(t, l, k)
		}
		for id, requests := range model {
			for request := range requests {
				model.check(t, l, Key{ID: id, Request: request})
			}
		}
		slots, results := model.count()
		if l.index.slots != slots || l.index.results != results {
			t.Fatalf("%d slots and %d results, want %d and %d", l.index.slots, l.index.results, slots, results)
		}
	})
}

func TestIndexStaysWithinItsMemory(t *testing.T) {
	const (
		bytesARecord = 32
		whenNearlyNo = 64 << 10 // a few pages, however few the records
	)
	random := rand.New(rand.NewPCG(1, 2))
	var x index
	for n := 1; n <= 200_000; n++ {
		x.set(Key{ID: random.Uint64(), Request: random.Uint64()}, Ref(n), 0)
		if size := x.capacity() * 24; size > n*bytesARecord+whenNearlyNo {
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
		var x index
		for n := range records {
			x.set(Key{ID: random.Uint64(), Request: random.Uint64()}, Ref(n+1), 0)
		}
		runtime.ReadMemStats(&after)
		heap = float64(after.HeapAlloc-before.HeapAlloc) / records
		size = float64(x.capacity()*24) / records
	}
	b.ReportMetric(size, "B/record")
	b.ReportMetric(heap, "heap-B/record")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/records, "ns/record")
}
