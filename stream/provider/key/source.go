// Package key hands out the key for a provider: a fixed key, or one that a command prints. The
// command runs again before the key expires, and when the provider rejects the key.
package key

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// soonest is how long before its expiry a key gets a successor, if the key says when it expires. A
// tenth of its life is used instead if that is less.
const soonest = time.Minute

// patience is how long the next run of the command waits after a failed one, while the current key
// is still valid.
const patience = 5 * time.Second

// remembered is how many of the newest keys are kept as secrets. An answer to a request with an
// earlier key may still be on its way.
const remembered = 8

// freshRefusals is how many fresh keys in a row the provider may refuse before no other is tried. A
// key is fresh if the provider has never accepted it.
const freshRefusals = 2

// Key is one key.
type Key struct {
	Text string // "" for none

	renew, expires time.Time   // zero if the key does not say
	worked         atomic.Bool // the provider has accepted it
}

// Source hands out the key for one provider. It is safe for concurrent use.
type Source struct {
	fixed   *Key // nil if a command prints the key
	command string
	print   func(ctx context.Context, command string) (string, error)
	life    context.Context
	end     context.CancelFunc

	mu      sync.Mutex
	current *Key          // nil before the first
	refused *Key          // the last key that the provider rejected
	count   int           // how many fresh keys in a row it rejected
	running chan struct{} // closed when the run under way has ended; nil while there is none
	err     error         // of the last run
	failed  time.Time     // when it last failed; zero after a success
	secrets []string      // the last keys, the newest first
	printed int           // how many keys there have been
}

// Fixed returns a source that always hands out text.
func Fixed(text string) *Source {
	return &Source{fixed: &Key{Text: text}, end: func() {}, secrets: []string{text}}
}

// Command returns a source that hands out what a command prints. The command first runs when
// [Source.Get] first asks for a key.
func Command(command string) *Source {
	s := &Source{command: command, print: run}
	s.life, s.end = context.WithCancel(context.Background())
	return s
}

// Close ends the run of the command that is under way, if any, and waits for it.
func (s *Source) Close() {
	s.end()
	s.mu.Lock()
	running := s.running
	s.mu.Unlock()
	if running != nil {
		<-running
	}
}

// Get returns the key that is valid now. If there is none, Get waits for the command, and its error
// is that of the run or of ctx. A key that expires soon is handed out while the command prints its
// successor.
func (s *Source) Get(ctx context.Context) (*Key, error) {
	if s.fixed != nil {
		return s.fixed, nil
	}
	s.mu.Lock()
	k, now := s.current, time.Now()
	if k != nil && k != s.refused {
		switch {
		case k.renew.IsZero() || now.Before(k.renew):
			s.mu.Unlock()
			return k, nil
		case now.Before(k.expires):
			if s.running == nil && now.Sub(s.failed) >= patience {
				s.start()
			}
			s.mu.Unlock()
			return k, nil
		}
	}
	return s.await(ctx, k)
}

// await waits for a key other than k, from the run under way or from a new one. It unlocks s.mu,
// which the caller holds.
func (s *Source) await(ctx context.Context, k *Key) (*Key, error) {
	if s.running == nil {
		s.start()
	}
	running := s.running
	s.mu.Unlock()
	select {
	case <-running:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != k {
		return s.current, nil
	}
	return nil, s.err
}

// start runs the command once, in the background. The caller holds s.mu.
func (s *Source) start() {
	done := make(chan struct{})
	s.running = done
	go func() {
		text, err := s.print(s.life, s.command)
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.err = err; err != nil {
			s.failed = time.Now()
		} else {
			s.take(text)
		}
		s.running = nil
		close(done)
	}()
}

// take makes the printed text the current key.
func (s *Source) take(text string) {
	k, now := &Key{Text: text}, time.Now()
	if begins, ends, ok := lifeOf(text); ok && ends.After(now) {
		life := ends.Sub(begins)
		if begins.IsZero() || life <= 0 {
			life = ends.Sub(now)
		}
		k.expires, k.renew = ends, ends.Add(-min(soonest, life/10))
		if !k.renew.After(now) { // the command keeps a key until it expires
			k.renew = ends
		}
	}
	s.current, s.failed = k, time.Time{}
	s.printed++
	if len(s.secrets) == 0 || s.secrets[0] != text {
		s.secrets = append([]string{text}, s.secrets[:min(len(s.secrets), remembered-1)]...)
	}
}

// Accept notes that the provider has accepted k.
func (s *Source) Accept(k *Key) {
	if s.fixed != nil || k.worked.Load() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	k.worked.Store(true)
	s.count = 0
}

// Reject notes that the provider rejected k, and returns another key. It returns nil if there is
// none to try: the key is fixed, or two fresh keys in a row were rejected. An error is that of the
// run that should have printed another key, or of ctx.
func (s *Source) Reject(ctx context.Context, k *Key) (*Key, error) {
	if s.fixed != nil {
		return nil, nil
	}
	s.mu.Lock()
	if s.current != k { // another caller has already reported k
		next := s.current
		s.mu.Unlock()
		return next, nil
	}
	if s.refused != k {
		s.refused = k
		if !k.worked.Load() {
			s.count++
		}
	}
	if s.count >= freshRefusals {
		s.mu.Unlock()
		return nil, nil
	}
	return s.await(ctx, k)
}

// Secrets returns the last keys, which must not be shown, and how many keys there have been.
func (s *Source) Secrets() (keys []string, printed int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.secrets, s.printed
}
