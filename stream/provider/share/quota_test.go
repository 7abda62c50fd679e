package share

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"llmpipe/limiter/lease"
	"llmpipe/limiter/lease/leasetest"
)

// opened is a share at a Redis of its own, whose clock the test owns.
func opened(t *testing.T) (*Share, *miniredis.Miniredis) {
	t.Helper()
	m := miniredis.RunT(t)
	a, err := ParseAddress("redis://" + m.Addr() + "/job")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, m
}

// The script grants what the store in memory does, in which the laws of leases are tested: whoever
// comes, asks and goes, and whatever the clock does.
func TestScriptGrantsAsTheStoreDoes(t *testing.T) {
	s, m := opened(t)
	random := rand.New(rand.NewPCG(1, 2))
	var store leasetest.Store
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	granted, lacked := 0, 0
	for i := range 1500 {
		now = now.Add(time.Duration(random.IntN(40_000)) * time.Microsecond)
		switch random.IntN(500) {
		case 0:
			now = now.Add(3 * time.Second)
		case 1, 2: // another server takes over, or the clock is set
			now = now.Add(-time.Duration(random.IntN(5_000)) * time.Millisecond)
		}
		m.SetTime(now)
		worker := string(rune('a' + random.IntN(3+i/300)))
		ask := someAsk(random, i)
		b := append(appendAsk([]byte("["), 1, worker, ask), ']')
		reply, err := s.call(context.Background(), []string{s.key("money"), s.key("lane")}, nil, b)
		if err != nil {
			t.Fatal(err)
		}
		replies, err := reply[1].AsStrSlice()
		if err != nil {
			t.Fatal(err)
		}
		got, err := parseGrant(replies[0])
		if err != nil {
			t.Fatal(err)
		}
		want := store.Ask(worker, ask, now)
		if !alike(got, want) {
			t.Fatalf("ask %d: the script grants %+v, the store %+v", i, got, want)
		}
		for r, p := range got.Parcels {
			if p.Amount > 0 {
				granted++
			}
			if p.Amount < ask.Want[r] {
				lacked++
			}
		}
	}
	if granted < 500 || lacked < 500 {
		t.Errorf("%d parcels, %d smaller than what was wanted: the test tests little", granted, lacked)
	}
}

// someAsk is what a worker could ask.
func someAsk(random *rand.Rand, i int) (a lease.Ask) {
	a.Busy, a.Leads = random.IntN(10) > 0, random.IntN(2) > 0
	a.InFlight = float64(random.IntN(9))
	a.Seen = lease.Tally{Accepted: float64(random.IntN(9)), Refused: float64(random.IntN(3)), Tokens: random.Float64()}
	if random.IntN(3) == 0 {
		a.Found = lease.Found{Requests: 20 * random.Float64(), Tokens: 3000 * random.Float64()}
	}
	if random.IntN(9) == 0 {
		a.Shut = lease.Shut{For: time.Duration(random.IntN(300)) * time.Millisecond, Outage: random.IntN(2) == 0}
	}
	for r := range lease.Resources {
		if random.IntN(4) > 0 {
			a.Bounds[r] = float64(50 * (r + 1) * (1 + random.IntN(2)*i%7))
		}
		a.Want[r] = float64(random.IntN(30))
		a.Least[r] = float64(random.IntN(2)) * a.Want[r] / 2
	}
	return a
}

// alike reports whether two grants are the same but for what numbers lose on their way.
func alike(a, b lease.Grant) bool {
	same := a.Workers == b.Workers && a.InFlight == b.InFlight && a.Leads == b.Leads && a.Shut.Outage == b.Shut.Outage &&
		near(a.Seen.Accepted, b.Seen.Accepted) && near(a.Seen.Refused, b.Seen.Refused) && near(a.Seen.Tokens, b.Seen.Tokens) &&
		near(a.Found.Requests, b.Found.Requests) && near(a.Found.Tokens, b.Found.Tokens) &&
		near(a.Shut.For.Seconds(), b.Shut.For.Seconds())
	for r := range lease.Resources {
		p, q := a.Parcels[r], b.Parcels[r]
		same = same && near(a.Limits[r], b.Limits[r]) && near(p.Amount, q.Amount) && near(p.First, q.First) &&
			near(p.From.Seconds(), q.From.Seconds()) && near(p.To.Seconds(), q.To.Seconds())
	}
	return same
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-5*max(1, math.Abs(a)) }

func TestLaneID(t *testing.T) {
	a := Address{Job: "job"}
	id := a.LaneID("https://api.openai.com/v1", "sk-secret")
	for _, same := range []string{"https://api.openai.com/v1/", "HTTPS://API.OpenAI.com/v1", "https://api.openai.com:443/v1"} {
		if got := a.LaneID(same, "sk-secret"); got != id {
			t.Errorf("%s is another lane", same)
		}
	}
	for _, other := range []string{
		a.LaneID("https://api.openai.com/v1", "sk-other"), a.LaneID("https://api.openai.com/v2", "sk-secret"),
		a.LaneID("https://api.openai.com/v1?api-version=2", "sk-secret"), a.LaneID("http://api.openai.com/v1", "sk-secret"),
		a.LaneID("https://api.openai.com:8443/v1", "sk-secret"), Address{Job: "other"}.LaneID("https://api.openai.com/v1", "sk-secret"),
	} {
		if other == id {
			t.Error("two lanes have one name")
		}
	}
}

// TestClockBack: a server whose clock goes back, or another one that takes over with an earlier
// clock, goes on to give out as much as before.
func TestClockBack(t *testing.T) {
	s, m := opened(t)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var ask lease.Ask
	ask.Busy, ask.Bounds[lease.Requests], ask.Want[lease.Requests], ask.Least[lease.Requests] = true, 100, 1000, 1
	second := func() (sum float64) {
		for range 5 {
			now = now.Add(lease.Renew)
			m.SetTime(now)
			b := append(appendAsk([]byte("["), 1, "a", ask), ']')
			reply, err := s.call(t.Context(), []string{s.key("money"), s.key("lane")}, nil, b)
			if err != nil {
				t.Fatal(err)
			}
			replies, err := reply[1].AsStrSlice()
			if err != nil {
				t.Fatal(err)
			}
			g, err := parseGrant(replies[0])
			if err != nil {
				t.Fatal(err)
			}
			sum += g.Parcels[lease.Requests].Amount
		}
		return sum
	}
	second()
	for _, back := range []time.Duration{time.Second, time.Hour} {
		now = now.Add(-back)
		if got := second(); got < 70 || got > 110 {
			t.Errorf("%v back: %v requests are given out in a second, of 100", back, got)
		}
	}
}
