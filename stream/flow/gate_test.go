package flow

import (
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"llmpipe/ledger"
	"llmpipe/stream/provider"
)

func allow(n int) func() int { return func() int { return n } }

// line is a record whose line has so many bytes.
func line(bytes int64) *Task { return &Task{Buffer: make([]byte, bytes)} }

// finished is a record that was to be asked, with an answer of so many bytes.
func finished(bytes int64) *Task {
	return &Task{ask: true, Reply: provider.Reply{Body: make([]byte, bytes)}}
}

// resultOf is a record with a result of so many bytes, on its way alone.
func resultOf(bytes int64) (c Chain) {
	c.Push(&Task{Recorded: ledger.Result{Response: make([]byte, bytes)}}, bytes)
	return c
}

// gone is what leaves with so many records of so many bytes in all.
func gone(records int, bytes int64) departure { return departure{records: records, bytes: bytes} }

// Records to be asked wait at twice the concurrency allowed, until there is room for a quarter of
// that; what needs no asking passes them.
func TestGateHoldsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(allow(3), maxAnswerBytes)
		for range 6 {
			g.Enter(line(1), true)
		}
		entered := false
		go func() {
			g.Enter(line(1), true)
			entered = true
		}()
		g.Enter(line(1), false)
		synctest.Wait()
		if entered {
			t.Error("a seventh record was let in")
		}
		g.answered(finished(10))
		synctest.Wait()
		if entered {
			t.Error("the reader is woken for each answer")
		}
		g.answered(finished(10))
		synctest.Wait()
		if !entered {
			t.Error("there was room, and nobody was let in")
		}
	})
}

// A record larger than all that may be held passes when nothing else takes room.
func TestGateHugeRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(allow(3), maxAnswerBytes)
		g.Enter(line(0), false)
		g.Enter(line(2*maxOpenBytes), true)
		entered := false
		go func() {
			g.Enter(line(1), false)
			entered = true
		}()
		synctest.Wait()
		if entered {
			t.Error("a second record was let in")
		}
		g.answered(finished(0))
		g.leave(gone(1, 2*maxOpenBytes))
		synctest.Wait()
		if !entered {
			t.Error("the gate stayed shut")
		}
	})
}

// What answers turned out to be decides how many more are asked for: those that came and those that
// are to come, by the size of the last ones, have room together. One passes whatever its size.
func TestGateLearnsTheSizeOfAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const room, size = 1000, 100
		g := newGate(allow(50), room)
		answer := func(bytes int64) {
			done := finished(bytes)
			done.Outcome = Answered
			g.answered(done)
		}
		for range 20 {
			g.Enter(line(1), true)
		}
		entered := 0
		go func() {
			for range 30 {
				g.Enter(line(1), true)
				entered++
			}
		}()
		synctest.Wait()
		if entered != 30 {
			t.Fatalf("before the first answer %d of 30 are let in", entered)
		}
		answer(size)
		for range 49 { // written as they come
			answer(size)
			g.leave(departure{records: 1, bytes: 1, answers: size})
		}
		go func() {
			for range 30 {
				g.Enter(line(1), true)
				entered++
			}
		}()
		synctest.Wait()
		if want := 30 + (room-size)/size; entered != want {
			t.Errorf("with one that waits to be written %d are let in, want %d", entered, want)
		}
		g.leave(departure{records: 1, bytes: 1, answers: size})
		synctest.Wait()
		if want := 30 + room/size; entered != want {
			t.Errorf("with none that waits %d are let in, want %d", entered, want)
		}
		for range room / size {
			answer(10 * room)
			g.leave(departure{records: 1, bytes: 1, answers: 10 * room})
			synctest.Wait()
		}
		if want := 30 + room/size + 1; entered != want {
			t.Errorf("of those that have no room %d are let in, want %d, one", entered, want)
		}
		g.close()
		synctest.Wait()
	})
}

// Who packs records learns when no more come before some of those go out.
func TestGateStarved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(allow(2), maxAnswerBytes)
		for range 4 {
			g.Enter(line(1), true)
		}
		if g.Starved(4) {
			t.Error("nobody waits")
		}
		go g.Enter(line(1), true)
		synctest.Wait()
		if g.Starved(3) || !g.Starved(4) {
			t.Error("a reader is held back, by three packed records and one in flight, or by four packed ones")
		}
		g.answered(finished(0))
		synctest.Wait()
		g.answered(finished(0))
		g.leave(gone(2, 2))
		go g.Idle()
		synctest.Wait()
		if !g.Starved(0) {
			t.Error("everything is to be committed")
		}
		g.leave(gone(3, 3))
	})
}

// Closing lets everybody in at once, and tells them.
func TestGateClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(allow(1), maxAnswerBytes)
		g.Enter(line(1), true)
		g.Enter(line(1), true)
		told := make(chan bool, 2)
		for range 2 {
			go func() { told <- g.Enter(line(1), true) }()
		}
		synctest.Wait()
		g.close()
		first, second := <-told, <-told
		if first || second || g.Enter(line(1), true) {
			t.Error("a closed gate did not say so")
		}
	})
}

// Whatever the order of events, the counts end where they began, and idle returns.
func TestGateCountsReturnToZero(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := newGate(allow(1<<20), maxAnswerBytes)
		type held struct {
			bytes int64
			ask   bool
		}
		var open []held
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			if len(open) == 0 || rapid.Bool().Draw(t, "enter") {
				h := held{rapid.Int64Range(0, 1000).Draw(t, "bytes"), rapid.Bool().Draw(t, "ask")}
				g.Enter(line(h.bytes), h.ask)
				open = append(open, h)
				continue
			}
			h := open[0]
			open = open[1:]
			if h.ask {
				g.answered(finished(7))
				g.leave(departure{answers: 7})
			}
			g.leave(gone(1, h.bytes))
		}
		for _, h := range open {
			if h.ask {
				g.answered(finished(0))
			}
			g.leave(gone(1, h.bytes))
		}
		if g.asks != 0 || g.open != 0 || g.bytes != 0 || g.answers != 0 {
			t.Errorf("left: %d asked, %d open, %d bytes, %d of answers", g.asks, g.open, g.bytes, g.answers)
		}
		g.Idle()
	})
}

// Room for recorded results is there again when those before have been committed, and one that is
// larger than all of it passes alone.
func TestGateLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(allow(1), maxAnswerBytes)
		load := func(bytes int64) *bool {
			done := new(bool)
			go func() {
				g.load(resultOf(bytes))
				*done = true
			}()
			synctest.Wait()
			return done
		}
		if !*load(2 * maxOpenBytes) {
			t.Error("a result that is alone waits")
		}
		g.Enter(line(1), false) // it is alone
		entered, second := false, load(3)
		go func() {
			g.Enter(line(1), false)
			entered = true
		}()
		synctest.Wait()
		if *second || entered {
			t.Errorf("behind a result that takes all the room another one passes: %v, or a record enters: %v", *second, entered)
		}
		g.leave(departure{loaded: 2 * maxOpenBytes})
		synctest.Wait()
		if !*second || !entered || !*load(maxOpenBytes/2 - 3) {
			t.Error("the room is not there again")
		}
		last := load(1)
		if *last {
			t.Error("there is more room than half of all")
		}
		g.leave(departure{loaded: maxOpenBytes / 2})
		synctest.Wait()
		if !*last || g.loaded != 1 {
			t.Errorf("%d bytes are left", g.loaded)
		}
	})
}

// Records that sleep before a further attempt do not keep others from being read, up to a bound.
func TestSleepersLeaveRoom(t *testing.T) {
	g := newGate(allow(1), maxAnswerBytes)
	for range 2 {
		g.count(1, 0, true)
	}
	if !g.full(0, true) {
		t.Fatal("there is room for a third record of two")
	}
	g.Sleep(1)
	if g.full(0, true) {
		t.Error("no room though one of two sleeps")
	}
	g.Wake(1)
	if !g.full(0, true) {
		t.Error("room for a third record though none sleeps")
	}
	g.count(maxAsleep, 0, false) // which passes whatever is in flight
	for range maxAsleep {
		g.mu.Lock()
		g.asks++
		g.mu.Unlock()
	}
	g.Sleep(maxAsleep + 2)
	if !g.full(0, true) {
		t.Error("room though more sleep than may")
	}
}
