package provider

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"llmpipe/stream/record"
)

// taker reads a body in pieces, as far as it may.
func taker(ctx context.Context, m *Memory, h *holding, pieces int, piece int64) error {
	for range pieces {
		if m.try(h, piece) {
			continue
		}
		if err := m.take(ctx, h, piece); err != nil {
			return err
		}
	}
	return nil
}

// However many read however much, no more is held than there is room for and one body beside, and
// all come to their end: whether bodies are let go as they come, or only when all have come.
func TestMemoryHoldsAndLetsAllCome(t *testing.T) {
	for seed := range uint64(40) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			const most, piece, longest = 100, 7, 20
			m := NewMemory(most)
			var over atomic.Int64
			parked := seed%2 == 1 // none is let go before all have come, as where results go in order
			n := 1 + r.IntN(30)
			holdings := make([]holding, n)
			var all sync.WaitGroup
			for i := range n {
				pieces, pause := r.IntN(longest), time.Duration(r.IntN(50))
				all.Go(func() {
					time.Sleep(pause)
					if err := taker(t.Context(), m, &holdings[i], pieces, piece); err != nil {
						t.Error(err)
					}
					if held := m.Held(); held > most+piece*longest {
						over.Store(held)
					}
					if parked {
						holdings[i].stepBack() // it is let go when all have come
						return
					}
					holdings[i].keep(piece)
					time.Sleep(pause)
					holdings[i].letGo()
				})
			}
			all.Wait()
			if held := over.Load(); held > 0 && !parked {
				t.Errorf("seed %d: %d bytes are held", seed, held)
			}
			for i := range holdings {
				holdings[i].letGo()
				holdings[i].letGo() // which does nothing
			}
			if m.Held() != 0 || len(m.waiting) != 0 || m.ahead != nil {
				t.Errorf("seed %d: %d bytes are held at the end, %d wait", seed, m.Held(), len(m.waiting))
			}
		})
	}
}

// Who waits for memory can be called off, and leaves no trace.
func TestMemoryCalledOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory(10)
		var ahead, second, third holding
		if err := taker(t.Context(), m, &ahead, 2, 10); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		off, came := make(chan error, 1), make(chan error, 1)
		go func() { off <- m.take(ctx, &second, 10) }()
		synctest.Wait()
		go func() { came <- m.take(t.Context(), &third, 10) }()
		synctest.Wait()
		cancel()
		if err := <-off; !errors.Is(err, context.Canceled) {
			t.Errorf("called off: %v", err)
		}
		ahead.letGo()
		if err := <-came; err != nil || m.Held() != 10 {
			t.Errorf("%v, %d bytes are held", err, m.Held())
		}
	})
}

// bomb is so many bytes of nothing, compressed.
func bomb(t *testing.T, size int) []byte {
	t.Helper()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write([]byte(strings.Repeat(" ", size)))
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

// Bodies count as what has come of them, whatever they are, and are let go when they are of no use:
// one that never ends, one that is small and becomes endless, an error of any length, an answer.
func TestBodiesAreCounted(t *testing.T) {
	const large = 3 << 20
	text := strings.Repeat("word ", large/5)
	bodies := map[string]struct {
		write func(w http.ResponseWriter)
		kind  string // of the error; empty for an answer
		held  int64
	}{
		"an answer": {func(w http.ResponseWriter) { fmt.Fprintf(w, `{"choices":[{"message":{"content":"%s"}}]}`, text) }, "", large},
		"an answer of known length": {func(w http.ResponseWriter) {
			body := fmt.Sprintf(`{"choices":[{"message":{"content":"%s"}}]}`, text)
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
			_, _ = w.Write([]byte(body))
		}, "", large},
		"a stream": {func(w http.ResponseWriter) {
			for range 100 {
				fmt.Fprintf(w, `data: {"choices":[{"delta":{"content":"%s"}}]}`+"\n\n", text[:large/100])
			}
			fmt.Fprint(w, `data: {"choices":[{"delta":{},"finish_reason":"stop"}]}`+"\n\ndata: [DONE]\n\n")
		}, "", large},
		"a small answer": {func(w http.ResponseWriter) { fmt.Fprint(w, `{"choices":[{"message":{"content":"yes"}}]}`) }, "", 0},
		"an error": {func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"error":{"type":"long","message":"%s"}}`, text)
		}, "long", 0},
		"one without end": {func(w http.ResponseWriter) {
			for {
				if _, err := w.Write([]byte(text)); err != nil {
					return
				}
			}
		}, "response_too_large", 0},
		"one that says it is too long": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", fmt.Sprint(MaxResponse+1))
		}, "response_too_large", 0},
		"a bomb": {func(w http.ResponseWriter) { _, _ = w.Write(bomb(t, MaxResponse+large)) }, "response_too_large", 0},
	}
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			c := clientOf(t, Config{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { body.write(w) }))
			m := NewMemory(16 << 20)
			c.Bound(m)
			var reply Reply
			for range 2 {
				c.Ask(t.Context(), record.Chat, []byte(`{}`), &reply)
				if body.kind != "" && (reply.Err == nil || reply.Err.Type != body.kind) || body.kind == "" && reply.Class != OK {
					t.Fatalf("class %v, %v, want %q", reply.Class, reply.Err, body.kind)
				}
				if reply.Class == Transient {
					t.Error("it is asked again")
				}
				held := m.Held()
				if held < body.held || held > body.held+body.held/2 {
					t.Errorf("%d bytes are held, want %d", held, body.held)
				}
				if body.kind != "" && cap(reply.Body) > smallBody {
					t.Errorf("%d bytes are kept of what is no answer", cap(reply.Body))
				}
			}
			reply.LetGo()
			if m.Held() != 0 {
				t.Errorf("%d bytes are held in the end", m.Held())
			}
		})
	}
}
