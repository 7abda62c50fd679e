package share

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"llmpipe/limiter/lease"
)

const (
	// Interval is the least time between calls.
	Interval = lease.Renew
	// leastGap is the least time before a call that must not wait.
	leastGap = 20 * time.Millisecond
	// callTimeout is how long a call may take.
	callTimeout = 2 * time.Second
	// openTimeout is how long the first call may take.
	openTimeout = 5 * time.Second
	// leaveTimeout is how long the last call may take.
	leaveTimeout = time.Second
)

// Part is one half of what is shared. The loop of a [Share] calls its methods one after another.
type Part interface {
	// Keys returns the names of the keys that this half of the script works on, without the job's
	// prefix.
	Keys() []string
	// Ask returns what to ask the script, in JSON; nil for nothing.
	Ask(now time.Time) []byte
	// Told gets the reply to the last Ask, which came now.
	Told(reply []rueidis.RedisMessage, now time.Time)
	// Missed says that the last Ask got no reply. The script may or may not have run.
	Missed(err error)
	// Leave says that the next Ask is the last one.
	Leave()
}

// Share is a process's place in a job.
type Share struct {
	// Told are the lowest budgets that the processes running at Open were told, in billionths of a US
	// dollar; 0 for none.
	Told [Budgets]int64
	// Ahead is how far the server's clock was ahead of this machine's at Open, to about half of the
	// time that a call takes.
	Ahead time.Duration

	address Address
	client  rueidis.Client
	keys    []string
	parts   [2]Part // money, quota

	woken  chan struct{}
	urgent atomic.Bool
	stop   context.CancelFunc
	ended  chan struct{}
	close  sync.Once
}

// Open connects to a server, and checks that it runs the script. An error is a *[Trouble].
func Open(ctx context.Context, a Address) (*Share, error) {
	o := a.option
	o.Username, o.Password = a.User, a.Password
	if o.Dialer.Timeout == 0 {
		o.Dialer.Timeout = dialTimeout
	}
	if o.ConnWriteTimeout == 0 {
		o.ConnWriteTimeout = callTimeout
	}
	// One connection, with one call at a time.
	o.DisableCache, o.DisableRetry, o.PipelineMultiplex, o.RingScaleEachConn = true, true, -1, 3
	o.ReadBufferEachConn, o.WriteBufferEachConn = 32<<10, 32<<10
	o.ClientSetInfo = rueidis.DisableClientSetInfo
	s := &Share{address: a, woken: make(chan struct{}, 1), ended: make(chan struct{})}
	var err error
	if s.client, err = rueidis.NewClient(o); err != nil {
		return nil, s.trouble(err)
	}
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	if err = s.peek(ctx); err != nil {
		s.client.Close()
		return nil, err
	}
	return s, nil
}

// Start begins to call the script for the halves that are shared. A half that is not shared is nil.
func (s *Share) Start(money, quota Part) {
	s.parts = [2]Part{money, quota}
	s.keys = append(s.keys, s.key("money"))
	for _, p := range s.parts {
		if p == nil {
			continue
		}
		for _, name := range p.Keys() {
			s.keys = append(s.keys, s.key(name))
		}
	}
	var ctx context.Context
	ctx, s.stop = context.WithCancel(context.Background())
	go s.loop(ctx)
}

// Wake makes the parts ask as soon as the time between two calls is over; with atOnce that time is
// much shorter. Wake itself never waits.
func (s *Share) Wake(atOnce bool) {
	if atOnce {
		s.urgent.Store(true)
	}
	select {
	case s.woken <- struct{}{}:
	default:
	}
}

// key returns the name of a key of the job. The part in braces decides the slot of a cluster.
func (s *Share) key(name string) string { return "llmpipe:{" + s.address.Job + "}:" + name }

// Close gives back what is lent, if the server answers, and disconnects.
func (s *Share) Close() {
	if s == nil {
		return
	}
	s.close.Do(func() {
		if s.stop != nil {
			s.stop()
			<-s.ended
			for _, p := range s.parts {
				if p != nil {
					p.Leave()
				}
			}
			s.turn(context.Background(), leaveTimeout)
		}
		s.client.Close()
	})
}

func (s *Share) loop(ctx context.Context) {
	defer close(s.ended)
	timer := time.NewTimer(0)
	defer timer.Stop()
	var called time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.woken:
			gap := Interval
			if s.urgent.Load() {
				gap = leastGap
			}
			if wait := gap - time.Since(called); wait > 0 {
				timer.Reset(wait)
				continue
			}
		case <-timer.C:
		}
		timer.Reset(Interval)
		s.urgent.Store(false)
		if began := time.Now(); s.turn(ctx, callTimeout) {
			called = began
		}
	}
}

// turn makes one call, and reports whether there was anything to ask.
func (s *Share) turn(ctx context.Context, timeout time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	now := time.Now()
	var asks [2][]byte
	for i, p := range s.parts {
		if p != nil {
			asks[i] = p.Ask(now)
		}
	}
	if asks[0] == nil && asks[1] == nil {
		return false
	}
	reply, err := s.call(ctx, s.keys, asks[0], asks[1])
	now = time.Now()
	for i, p := range s.parts {
		if p == nil || asks[i] == nil {
			continue
		}
		if err != nil {
			p.Missed(err)
			continue
		}
		part, err := reply[i].ToArray()
		if err != nil {
			p.Missed(s.trouble(err))
			continue
		}
		p.Told(part, now)
	}
	return true
}

// call calls the script. The reply has one element for each half.
func (s *Share) call(ctx context.Context, keys []string, money, quota []byte) ([]rueidis.RedisMessage, error) {
	reply, err := script.Exec(ctx, s.client, keys, []string{string(money), string(quota)}).ToArray()
	if err != nil {
		return nil, s.trouble(err)
	}
	if len(reply) != 2 {
		return nil, s.trouble(errReply)
	}
	return reply, nil
}
