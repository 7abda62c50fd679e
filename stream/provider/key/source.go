// Package key hands out what a provider is shown: a key that stays, or what a command prints, which
// is run again before the key expires and when the provider does not accept it.
package key

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// soonest is how long before its end a key that says when that is gets a successor, unless a tenth
// of its life is less.
const soonest = time.Minute

// patience is how long after a run of the command that failed the next one waits, while the key
// that is there still holds.
const patience = 5 * time.Second

// remembered is how many keys are known as secrets, the newest first: an answer to what an earlier
// one was shown with may be on its way.
const remembered = 8

// freshRefusals is how many keys in a row may be refused, each fresh from a run of the command,
// before there is no other to try.
const freshRefusals = 2

// Key is one key.
type Key struct {
	Text string // "" for none

	renew, expires time.Time   // zero where the key does not say
	worked         atomic.Bool // the provider has accepted it
}

// Source hands out the key for one provider. It is safe for concurrent use.
type Source struct {
	fixed   *Key // nil where a command prints the key
	command string
	print   func(ctx context.Context, command string) (string, error)
	life    context.Context
	end     context.CancelFunc

	mu      sync.Mutex
	current *Key          // nil before the first
	refused *Key          // a key that the provider does not accept
	count   int           // how many fresh ones it has not accepted in a row
	running chan struct{} // closed when the run under way has ended; nil while there is none
	err     error         // of the last run
	failed  time.Time     // when that was
	secrets []string      // the last keys
	printed int           // how many there have been
}

// Fixed hands out text for ever.
func Fixed(text string) *Source {
	return &Source{fixed: &Key{Text: text}, end: func() {}, secrets: []string{text}}
}

// Command hands out what a command prints. It is run when a key is asked for, by [Source.Get] the
// first time.
func Command(command string) *Source {
	s := &Source{command: command, print: run}
	s.life, s.end = context.WithCancel(context.Background())
	return s
}

// Close ends a run of the command that is under way.
func (s *Source) Close() {
	s.end()
	s.mu.Lock()
	running := s.running
	s.mu.Unlock()
	if running != nil {
		<-running
	}
}

// Get returns the key that holds now. Where there is none it waits for the command, and its error
// is that of the run, or ctx's. One that ends soon is handed out while its successor is printed.
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

// await waits for a key other than k, by the run under way or one more, and unlocks.
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

// start runs the command once, beside.
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

// take makes what was printed the key.
func (s *Source) take(text string) {
	k, now := &Key{Text: text}, time.Now()
	if begins, ends, ok := lifeOf(text); ok && ends.After(now) {
		life := ends.Sub(begins)
		if begins.IsZero() || life <= 0 {
			life = ends.Sub(now)
		}
		k.expires, k.renew = ends, ends.Add(-min(soonest, life/10))
		if !k.renew.After(now) { // the command keeps it to its end
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

// Reject notes that the provider does not accept k, and returns another key, or nil where there is
// none to try: the key stays, or two fresh ones in a row were refused. An error is that of the run
// that should have printed another, or ctx's.
func (s *Source) Reject(ctx context.Context, k *Key) (*Key, error) {
	if s.fixed != nil {
		return nil, nil
	}
	s.mu.Lock()
	if s.current != k { // another has told
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

// Secrets are the last keys, which must not be seen, and how many there have been.
func (s *Source) Secrets() (keys []string, printed int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.secrets, s.printed
}
