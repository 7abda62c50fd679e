package limiter

import (
	"fmt"
	"testing"
	"time"

	"llmpipe/limiter/lease"
	"llmpipe/limiter/lease/leasetest"
)

// A job is several processes that share the quota of one lane, in fake time: the store is asked as
// one in Redis is, a millisecond or so away.
type job struct {
	world *world
	site  *site
	store leasetest.Store
	ahead time.Duration // of the store's clock
	away  bool          // the store does not answer
	calls int
	all   []*member
}

// member is one of the processes.
type member struct {
	*piper
	job    *job
	id     string
	dead   bool
	called time.Time
	due    *event
}

func newJob(w *world, s *site, n int, c Config) *job {
	j := &job{world: w, site: s}
	for range n {
		j.add(c)
	}
	return j
}

func (j *job) add(c Config) *member {
	m := &member{job: j, id: fmt.Sprint(len(j.all))}
	c.Share = m
	m.piper = newPiper(j.world, j.site, c)
	m.begun = j.site.begun
	j.all = append(j.all, m)
	m.after(time.Duration(j.world.random.Float64() * float64(20*ms)))
	return m
}

// Want implements Sharer.
func (m *member) Want(atOnce bool) {
	gap := lease.Renew
	if atOnce {
		gap = 20 * ms
	}
	m.after(max(0, gap-m.job.world.now.Sub(m.called)))
}

// after has the store asked after d.
func (m *member) after(d time.Duration) {
	if m.due != nil {
		m.due.Stop()
	}
	m.due = m.job.world.after(d, m.ask)
}

func (m *member) ask() {
	w := m.job.world
	if m.dead {
		return
	}
	m.called = w.now
	ask := m.limiter.Ask()
	next := lease.Renew
	if !ask.Busy {
		next = lease.Rest
	}
	m.after(next + time.Duration(w.random.Float64()*float64(5*ms)))
	if m.job.away {
		return
	}
	m.job.calls++
	w.after(time.Duration(w.random.Float64()*float64(2*ms)), func() {
		g := m.job.store.Ask(m.id, ask, w.now.Add(m.job.ahead))
		w.after(time.Duration(w.random.Float64()*float64(2*ms)), func() {
			if !m.dead {
				m.limiter.Heed(g)
			}
		})
	})
}

// kill ends the process: nothing that it has in flight comes back to it.
func (m *member) kill() {
	m.dead, m.idle, m.piper.idle = true, true, true
	m.limiter.Close()
}

// answered is how many answers all got in the seconds from and before to, and refused how many
// were.
func (j *job) sums(from, to int) (answered, refused int, least float64) {
	least = 1
	for _, m := range j.all {
		answered += sum(m.answered, from, to)
		refused += sum(m.refused, from, to)
	}
	for _, m := range j.all {
		least = min(least, float64(sum(m.answered, from, to))*float64(len(j.all))/float64(max(1, answered)))
	}
	return answered, refused, least
}

// Sixteen that are told a limit use it to the full, and are not refused once, by a provider that
// lets nobody save up a minute.
func TestSharedLimitIsUsedToTheFull(t *testing.T) {
	for _, tt := range []struct {
		name   string
		site   site
		config Config
		rate   float64 // answers a second that are possible
	}{
		{"requests", site{rate: steady(100)}, Config{RPM: 6000}, 100},
		{"few requests", site{rate: steady(1)}, Config{RPM: 60}, 1},
		{"some requests", site{rate: steady(10)}, Config{RPM: 600}, 10},
		{"many requests", site{rate: steady(1000)}, Config{RPM: 60000}, 1000},
		{"tokens", site{rate: steady(100), tokens: 10000}, Config{RPM: 6000, TPM: 600000}, 10000. / 150},
		{"tokens strictly", site{tokens: 10000, burst: 0.5}, Config{TPM: 600000}, 10000. / 150},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(1)
			j := newJob(w, newSite(w, tt.site), 16, tt.config)
			w.run(w.now.Add(65 * time.Second))
			answered, refused, least := j.sums(5, 65)
			share := float64(answered) / 60 / tt.rate
			t.Logf("%.3f, %d refused, least %.2f, %.1f calls a second", share, refused, least, float64(j.calls)/65/16)
			if share < 0.98 || refused > 0 || least < 0.5 {
				t.Errorf("%.3f of the limit, %d refused, the slowest has %.2f of its part", share, refused, least)
			}
		})
	}
}

func inA20th(time.Duration) time.Duration { return 50 * ms }

// Where nobody tells a limit one of them finds it out, for all.
func TestSharedLimitIsFoundOut(t *testing.T) {
	for _, tt := range []struct {
		name   string
		site   site
		config Config
		from   int
		rate   float64
		share  float64
		bad    float64
	}{
		{"silent", site{rate: steady(100)}, Config{}, 5, 100, 0.93, 0.01},
		{"minute burst", site{rate: steady(100), burst: 60}, Config{}, 60, 100, 0.93, 0.01},
		{"quick", site{rate: steady(100), burst: 60, latency: inA20th}, Config{}, 30, 100, 0.93, 0.015},
		{"hints", site{rate: steady(100), hint: time.Second}, Config{}, 5, 100, 0.93, 0.01},
		{"tokens", site{tokens: 15000}, Config{}, 5, 100, 0.93, 0.01},
		{"falls", site{rate: turns(15*time.Second, 100, 50)}, Config{}, 5, 75, 0.75, 0.05},
		{"headers", site{rate: steady(100), headers: true}, Config{}, 5, 100, 0.93, 0.01},
		{"told too much", site{rate: steady(100)}, Config{RPM: 12000}, 5, 100, 0.85, 0.01},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(1)
			j := newJob(w, newSite(w, tt.site), 16, tt.config)
			w.run(w.now.Add(time.Duration(tt.from+60) * time.Second))
			answered, refused, least := j.sums(tt.from, tt.from+60)
			before, refusedBefore, _ := j.sums(0, tt.from)
			share, bad := float64(answered)/60/tt.rate, float64(refused)/float64(answered+refused)
			t.Logf("%.3f, %.3f refused, least %.2f; before %d, %d refused", share, bad, least, before, refusedBefore)
			if share < tt.share || bad > tt.bad || least < 0.5 {
				t.Errorf("%.3f of the limit, %.3f refused, the slowest has %.2f of its part", share, bad, least)
			}
		})
	}
}

// What one of them does not want is the others'.
func TestSharedLimitGoesToThoseWhoUseIt(t *testing.T) {
	w := newWorld(1)
	j := newJob(w, newSite(w, site{rate: steady(100)}), 16, Config{RPM: 6000})
	slow := j.all[3]
	slow.idle = true
	var next func()
	next = func() { // one request in 1.6 s is a tenth of a sixteenth
		slow.idle = false
		w.after(0, func() { slow.idle = true })
		w.after(1600*ms, next)
	}
	next()
	w.run(w.now.Add(65 * time.Second))
	answered, refused, _ := j.sums(5, 65)
	got := sum(slow.answered, 5, 65)
	t.Logf("%d answered, %d refused, of them %d by the slow one", answered, refused, got)
	if answered < 98*60 || refused > 0 {
		t.Errorf("%d of %d answered, %d refused", answered, 100*60, refused)
	}
	if got < 35 || got > 200 {
		t.Errorf("the slow one got %d", got)
	}
}

// Those who come and go leave nothing unused for longer than a lease, and nobody sends too much.
func TestSharedLimitWhileProcessesComeAndGo(t *testing.T) {
	w := newWorld(1)
	s := newSite(w, site{rate: steady(100), burst: 0.5})
	j := newJob(w, s, 1, Config{RPM: 6000})
	for range 15 {
		w.run(w.now.Add(time.Second))
		j.add(Config{RPM: 6000})
	}
	w.run(w.now.Add(5 * time.Second))
	for _, m := range j.all[:15] {
		w.run(w.now.Add(time.Second))
		m.kill()
	}
	w.run(w.now.Add(5 * time.Second))
	answered, refused, _ := j.sums(2, 40)
	lost := 15 * 4 // of the killed: what was in flight, which takes 0.4 s
	t.Logf("%d answered, %d refused", answered, refused)
	if answered+lost < 97*38 || refused > 0 {
		t.Errorf("%d of %d answered, %d refused", answered, 100*38, refused)
	}
}

// While the store is away each keeps its part, and nobody more; afterwards all goes on.
func TestSharedLimitWhileTheStoreIsAway(t *testing.T) {
	for _, empty := range []bool{false, true} {
		w := newWorld(1)
		j := newJob(w, newSite(w, site{rate: steady(100)}), 16, Config{RPM: 6000})
		w.run(w.now.Add(10 * time.Second))
		j.away = true
		w.run(w.now.Add(30 * time.Second))
		if j.away = false; empty {
			j.store = leasetest.Store{}
		}
		w.run(w.now.Add(20 * time.Second))
		answered, refused, least := j.sums(5, 60)
		during, _, _ := j.sums(11, 40)
		t.Logf("%d answered, %d while it was away, %d refused, least %.2f", answered, during, refused, least)
		if answered < 98*55 || during < 98*29 || refused > 0 || least < 0.5 {
			t.Errorf("empty %v: %d of %d answered, %d of %d while the store was away, %d refused", empty, answered, 5500, during, 2900, refused)
		}
	}
}

// A store that is empty again gives nothing that was saved up.
func TestSharedStoreEmptied(t *testing.T) {
	w := newWorld(1)
	j := newJob(w, newSite(w, site{rate: steady(100), burst: 0.5}), 16, Config{RPM: 6000})
	for range 8 {
		w.run(w.now.Add(5 * time.Second))
		j.store = leasetest.Store{}
	}
	answered, refused, _ := j.sums(1, 40)
	t.Logf("%d answered, %d refused", answered, refused)
	if answered < 93*39 || refused > 0 {
		t.Errorf("%d of %d answered, %d refused", answered, 3900, refused)
	}
}

// A store whose clock is set, or another one that takes over with an earlier or a later clock, goes
// on to give out what the limit allows.
func TestSharedStoreWhoseClockIsSet(t *testing.T) {
	w := newWorld(1)
	j := newJob(w, newSite(w, site{rate: steady(100), burst: 0.5}), 16, Config{RPM: 6000})
	for _, by := range []time.Duration{-time.Second, -time.Hour, time.Second, -20 * ms, time.Hour, -200 * ms} {
		w.run(w.now.Add(5 * time.Second))
		j.ahead += by
	}
	w.run(w.now.Add(5 * time.Second))
	answered, refused, _ := j.sums(1, 35)
	t.Logf("%d answered, %d refused", answered, refused)
	if answered < 93*34 || refused > 0 {
		t.Errorf("%d of %d answered, %d refused", answered, 3400, refused)
	}
}

// The lowest of differing limits holds, and nobody is raised above what it was told.
func TestSharedLimitsDiffer(t *testing.T) {
	w := newWorld(1)
	j := newJob(w, newSite(w, site{rate: steady(200)}), 3, Config{RPM: 6000})
	j.add(Config{RPM: 3000})
	w.run(w.now.Add(35 * time.Second))
	asked := 0
	for _, m := range j.all {
		asked += sum(m.asked, 5, 35)
	}
	if asked < 49*30 || asked > 51*30 {
		t.Errorf("%d asked in 30 s, want %d", asked, 50*30)
	}
}

// In an outage one of them asks to see whether it is over, and no record pays for it.
func TestSharedOutage(t *testing.T) {
	w := newWorld(1)
	s := newSite(w, site{rate: steady(100), down: func(s time.Duration) bool { return s >= 10*time.Second && s < 40*time.Second }})
	j := newJob(w, s, 16, Config{RPM: 6000})
	w.run(w.now.Add(60 * time.Second))
	asked, failed := 0, 0
	for _, m := range j.all {
		asked += sum(m.asked, 12, 40)
		failed += m.lost
	}
	answered, _, least := j.sums(45, 60)
	t.Logf("%d asked in the outage, %d records failed, %d answered after it, least %.2f", asked, failed, answered, least)
	if asked > 60 || failed > 0 {
		t.Errorf("%d asked in an outage of 28 s, %d records failed", asked, failed)
	}
	if answered < 90*15 {
		t.Errorf("%d of %d answered after it", answered, 1500)
	}
}

// A hint that shuts the gate for one shuts it for all.
func TestSharedHint(t *testing.T) {
	w := newWorld(1)
	s := newSite(w, site{rate: func(s time.Duration) float64 {
		if s >= 10*time.Second && s < 25*time.Second {
			return 1e-9
		}
		return 100
	}, hint: 10 * time.Second})
	j := newJob(w, s, 16, Config{RPM: 6000})
	w.run(w.now.Add(60 * time.Second))
	asked := 0
	for _, m := range j.all {
		asked += sum(m.asked, 13, 24)
	}
	answered, _, _ := j.sums(45, 60)
	t.Logf("%d asked while it was shut, %d answered after", asked, answered)
	if asked > 100 {
		t.Errorf("%d asked while the gate was shut", asked)
	}
	if answered < 80*15 {
		t.Errorf("%d of %d answered after it", answered, 1500)
	}
}

// When the one that finds out the limit dies another goes on from what was believed.
func TestSharedLimitOutlivesItsFinder(t *testing.T) {
	w := newWorld(1)
	j := newJob(w, newSite(w, site{rate: steady(100)}), 16, Config{})
	for range 3 {
		w.run(w.now.Add(15 * time.Second))
		for _, m := range j.all {
			if m.limiter.share.lead != nil && !m.dead {
				m.kill()
			}
		}
	}
	w.run(w.now.Add(15 * time.Second))
	answered, refused, _ := j.sums(10, 60)
	t.Logf("%d answered, %d refused", answered, refused)
	if answered < 93*50 || refused > answered/50 {
		t.Errorf("%d of %d answered, %d refused", answered, 100*50, refused)
	}
}
