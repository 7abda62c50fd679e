package limiter

import (
	"cmp"
	"flag"
	"slices"
	"strings"
	"testing"
	"time"
)

var only = flag.String("servers", "", "of TestServers, only rows with this in their name")

// A row is one server of the family, and what is asked of the limiter there.
type row struct {
	name    string
	site    site
	config  Config
	clients int
	apart   time.Duration // between the clients' beginnings
	sizes   func(w *world) func() prompt
	// possible is how many answers a second the server could have given; 0: its limit.
	possible float64
	from, to int     // the seconds that are judged; default 10 to 45
	refused  float64 // the most that may be, of the answers
	share    float64 // the least, of the possible; default 0.9
	early    float64 // the same of the first 10 s; default 0.6
	least    float64 // what the smallest client has at least, of its fair part
	outage   float64 // the least share around an outage; default 0.05 below share
}

const ms = time.Millisecond

func turns(period time.Duration, rates ...float64) func(time.Duration) float64 {
	return func(since time.Duration) float64 { return rates[int(since/period)%len(rates)] }
}

var family = []row{
	{name: "429 1% hint 1s", site: site{chance: 0.01, hint: time.Second}, refused: 0.025},
	{name: "429 2% hint 1s", site: site{chance: 0.02, hint: time.Second}, refused: 0.035},
	{name: "429 5% hint 1s", site: site{chance: 0.05, hint: time.Second}, refused: 0.065},
	{name: "429 10% hint 1s", site: site{chance: 0.10, hint: time.Second}, refused: 0.115},
	{name: "429 1%", site: site{chance: 0.01}, refused: 0.025},
	{name: "429 2%", site: site{chance: 0.02}, refused: 0.035},
	{name: "429 5%", site: site{chance: 0.05}, refused: 0.065},
	{name: "429 10%", site: site{chance: 0.10}, refused: 0.115},
	{name: "503 1%", site: site{chance: 0.01, overload: true}, refused: 0.025},
	{name: "503 5%", site: site{chance: 0.05, overload: true}, refused: 0.065},
	{name: "503 10%", site: site{chance: 0.10, overload: true}, refused: 0.115},
	{
		name:    "503 5% hint 1s",
		site:    site{chance: 0.05, overload: true, hint: time.Second},
		refused: 0.065,
	},
	{name: "500 10%", site: site{errors: 0.10}, refused: 0},
	{
		name:    "mixed faults",
		site:    site{chance: 0.05, errors: 0.10, resets: 0.05, hint: time.Second},
		refused: 0.065,
	},
	{
		name:   "mixed faults -c 128",
		site:   site{chance: 0.05, errors: 0.10, resets: 0.05, hint: time.Second},
		config: Config{Concurrency: 128}, refused: 0.07,
	},
	{
		name:    "faults and 60/s",
		site:    site{errors: 0.05, resets: 0.05, rate: steady(60)},
		refused: 0.015,
	},
	{
		name:    "places 40 503 hint 1s",
		site:    site{places: 40, overload: true, hint: time.Second},
		refused: 0.01,
	},
	{name: "places 40 429", site: site{places: 40}, refused: 0.01},
	{
		name:    "places 40 500",
		site:    site{places: 40, fails: true},
		refused: 0.01, share: 0.6, early: 0.55, outage: 0.3,
	},
	{name: "places 4 429", site: site{places: 4}, refused: 0.04},
	{
		name:    "places 4 503 hint 1s",
		site:    site{places: 4, overload: true, hint: time.Second},
		refused: 0.04,
	},
	{name: "places 400 429", site: site{places: 400}, refused: 0.01},
	{
		name:    "others 100/30",
		site:    site{rate: turns(10*time.Second, 100, 30)},
		refused: 0.04, outage: 0.7,
	},
	{
		name:    "others 100/30 hint 1s",
		site:    site{rate: turns(10*time.Second, 100, 30), hint: time.Second},
		refused: 0.04, outage: 0.7,
	},
	{
		name:    "ramp 10+5/s hint 1s",
		site:    site{rate: func(s time.Duration) float64 { return 10 + 5*s.Seconds() }, hint: time.Second},
		refused: 0.04,
	},
	{name: "silent 100/s hint 1s", site: site{rate: steady(100), hint: time.Second}, refused: 0.01},
	{name: "silent 100/s", site: site{rate: steady(100)}, refused: 0.01},
	{
		name:    "silent 100/s hint 5s",
		site:    site{rate: steady(100), hint: 5 * time.Second},
		refused: 0.01,
	},
	{
		name:    "silent 100/s hint 60s",
		site:    site{rate: steady(100), hint: 60 * time.Second},
		refused: 0.01, share: -1, early: 0.25,
	},
	{name: "silent 300/s", site: site{rate: steady(300)}, refused: 0.01},
	{name: "silent 600/s", site: site{rate: steady(600)}, refused: 0.01},
	{name: "silent 20/s", site: site{rate: steady(20)}, refused: 0.04},
	{name: "told 100/s by headers", site: site{rate: steady(100), headers: true}, refused: 0.01},
	{
		name:    "60/s 20s burst exact",
		site:    site{rate: steady(60), burst: 20, exact: true},
		refused: 0.01,
	},
	{name: "60/s 20s burst", site: site{rate: steady(60), burst: 20}, refused: 0.01},
	{
		name:    "window 10s 60/s exact",
		site:    site{rate: steady(60), window: 10 * time.Second, exact: true},
		refused: 0.01,
	},
	{
		name:    "window 10s 60/s",
		site:    site{rate: steady(60), window: 10 * time.Second},
		refused: 0.04, outage: 0.65,
	},
	{
		name: "minute 5/s exact",
		site: site{rate: steady(5), window: time.Minute, exact: true},
		from: 60, to: 300, refused: 0.04,
	},
	{
		name: "minute 5/s",
		site: site{rate: steady(5), window: time.Minute},
		from: 60, to: 300, refused: 0.04,
	},
	{
		name: "minute 100/s exact",
		site: site{rate: steady(100), window: time.Minute, exact: true},
		from: 60, to: 300, refused: 0.01,
	},
	{
		name: "minute 100/s",
		site: site{rate: steady(100), window: time.Minute},
		from: 60, to: 300, refused: 0.01,
	},
	{
		name: "sliding 5/s exact",
		site: site{rate: steady(5), window: time.Minute, sliding: true, exact: true},
		from: 60, to: 300, refused: 0.04,
	},
	{
		name: "sliding 100/s exact",
		site: site{rate: steady(100), window: time.Minute, sliding: true, exact: true},
		from: 60, to: 300, refused: 0.02,
	},
	{
		name: "sliding 100/s",
		site: site{rate: steady(100), window: time.Minute, sliding: true},
		from: 60, to: 300, refused: 0.01,
	},
	{
		name: "minute burst 10/s",
		site: site{rate: steady(10), burst: 60},
		from: 60, to: 300, refused: 0.04,
	},
	{
		name: "minute burst 10/s exact",
		site: site{rate: steady(10), burst: 60, exact: true},
		from: 60, to: 300, refused: 0.04,
	},
	{
		name: "minute burst .5/s exact",
		site: site{rate: steady(.5), burst: 60, exact: true},
		from: 60, to: 600, refused: 0.12,
	},
	{name: "5/s hint 1s", site: site{rate: steady(5), hint: time.Second}, refused: 0.04},
	{name: "5/s", site: site{rate: steady(5)}, refused: 0.04},
	{
		name:   "slow 2% told 100/s",
		site:   site{rate: steady(100), slow: 0.02},
		config: Config{RPM: 6000}, refused: 0.01,
	},
	{name: "slow 2% silent 100/s", site: site{rate: steady(100), slow: 0.02}, refused: 0.01},
	{name: "no limit", site: site{}, refused: 0},
	{name: "no limit slow 2%", site: site{slow: 0.02}, refused: 0},
	{
		name:    "falls to a third and back",
		site:    site{rate: turns(15*time.Second, 100, 33, 100)},
		refused: 0.04,
	},
	{
		name:    "falls to a third and back hint",
		site:    site{rate: turns(15*time.Second, 100, 33, 100), hint: time.Second},
		refused: 0.04,
	},
	{name: "latency 0.4-4-0.4 s", site: site{latency: drift}, refused: 0, early: 0.2},
	{
		name:     "threads 6",
		site:     site{threads: 6, latency: func(time.Duration) time.Duration { return 120 * ms }},
		possible: 50, refused: 0,
	},
	{
		name:    "link 3s",
		site:    site{down: func(s time.Duration) bool { return s/(3*time.Second)%2 == 1 }},
		refused: 0, share: 0.6, early: 0.3,
	},
	{
		name: "link 10s",
		site: site{down: func(s time.Duration) bool { return s/(10*time.Second)%2 == 1 }},
		to:   50, refused: 0, share: 0.8, outage: 0.6,
	},
	{name: "odd header", site: site{odd: 1000, chance: 0.001, hint: time.Second}, refused: 0.016},
	{name: "odd header 100/s -rpm", site: site{odd: 1000}, config: Config{RPM: 60000}, refused: 0.016},
	{
		name:  "tokens+requests",
		site:  site{rate: steady(20), tokens: 10000, headers: true},
		sizes: mixedSizes, refused: 0.04,
	},
	{name: "tokens silent", site: site{tokens: 20000}, sizes: mixedSizes, refused: 0.1, share: 0.85},
	{
		name:    "2 clients silent 100/s",
		site:    site{rate: steady(100)},
		clients: 2, from: 60, to: 120, refused: 0.04, least: 0.4,
	},
	{
		name:    "4 clients silent 100/s",
		site:    site{rate: steady(100)},
		clients: 4, from: 60, to: 120, refused: 0.04, least: 0.4,
	},
	{
		name:    "4 clients silent, in turn",
		site:    site{rate: steady(100)},
		clients: 4, apart: 15 * time.Second, from: 75, to: 135, refused: 0.04, least: 0.4,
	},
	{
		name:    "4 clients told, in turn",
		site:    site{rate: steady(100), headers: true},
		clients: 4, apart: 15 * time.Second, from: 75, to: 135, refused: 0.04, least: 0.7,
	},
	{
		name:    "2 clients told 100/s",
		site:    site{rate: steady(100), headers: true},
		clients: 2, from: 60, to: 120, refused: 0.04, least: 0.7,
	},
	{
		name:    "4 clients told 100/s",
		site:    site{rate: steady(100), headers: true},
		clients: 4, from: 60, to: 120, refused: 0.04, least: 0.7,
	},
}

func drift(since time.Duration) time.Duration {
	s := since.Seconds()
	if s > 22.5 {
		s = max(0, 45-s)
	}
	return time.Duration((0.4 + 3.6*s/22.5) * float64(time.Second))
}

func mixedSizes(w *world) func() prompt {
	prompts := mixed(5000, 500)
	i := 0
	return func() prompt { i++; return prompts[i%len(prompts)] }
}

// result is how a row went.
type result struct {
	share, early, refused float64
	least                 float64 // of its fair part, of the smallest client
	most                  int     // in flight at once
}

// worst takes what is worse of another run.
func (r *result) worst(o result) {
	r.share, r.early, r.least = min(r.share, o.share), min(r.early, o.early), min(r.least, o.least)
	r.refused, r.most = max(r.refused, o.refused), max(r.most, o.most)
}

func (r row) run(scripted int, seed uint64) result {
	w := newWorld(seed)
	s := newSite(w, r.site)
	n := max(1, r.clients)
	var tallies []*tally
	for i := range n {
		if scripted > 0 {
			tallies = append(tallies, &newScript(w, s, scripted).tally)
			continue
		}
		p := newPiper(w, s, r.config)
		p.idle = true
		w.after(time.Duration(i)*r.apart, func() { p.idle = false })
		if r.sizes != nil {
			p.sizes = r.sizes(w)
		}
		tallies = append(tallies, &p.tally)
	}
	from, to := r.from, r.to
	if to == 0 {
		from, to = max(from, 10), 45
	}
	if from == 0 {
		from = 10
	}
	w.run(w.now.Add(time.Duration(to) * time.Second))
	var res result
	all, refusals, early := 0, 0, 0
	res.least = 1
	for _, t := range tallies {
		got := sum(t.answered, from, to)
		all += got
		early += sum(t.answered, 0, 10)
		refusals += sum(t.refused, from, to)
		res.most = max(res.most, t.most)
	}
	for _, t := range tallies {
		res.least = min(res.least, float64(sum(t.answered, from, to))*float64(n)/float64(max(1, all)))
	}
	res.share = float64(all) / r.could(from, to)
	res.early = float64(early) / r.could(0, 10)
	res.refused = float64(refusals) / float64(max(1, refusals+all))
	return res
}

// could is how many answers the server could have given from and before to.
func (r row) could(from, to int) float64 {
	total := 0.0
	for s := float64(from); s < float64(to); s += 0.05 {
		since := time.Duration((s + 0.025) * float64(time.Second))
		latency := 0.4
		if r.site.latency != nil {
			latency = r.site.latency(since).Seconds()
		}
		if r.site.slow > 0 {
			latency = (1-r.site.slow)*latency + 10*r.site.slow
		}
		most := 256.0
		if r.config.Concurrency > 0 {
			most = float64(r.config.Concurrency)
		}
		if r.site.places > 0 {
			most = min(most, float64(r.site.places))
		}
		rate := most / latency * (1 - r.site.chance - r.site.errors - r.site.resets)
		if r.site.rate != nil {
			rate = min(rate, r.site.rate(since))
		}
		if r.site.tokens > 0 {
			rate = min(rate, r.site.tokens/meanCost)
		}
		if r.possible > 0 {
			rate = r.possible
		}
		if r.site.down != nil && r.site.down(since) {
			rate = 0
		}
		total += rate * 0.05
	}
	return total
}

// meanCost is what a mixed prompt costs in tokens, its max_tokens included.
var meanCost = func() float64 {
	sum := 0.0
	prompts := mixed(5000, 500)
	for _, p := range prompts {
		sum += float64(p.tokens + p.maxTokens)
	}
	return sum / float64(len(prompts))
}()

// TestServers is the family of servers. It prints what the limiter gets from each, as a share of
// what is possible, in the seconds that are judged and in the first ten, beside a script of 64
// workers.
func TestServers(t *testing.T) {
	table(t, family, false, 2)
}

// TestServersWithAnOutage has ten seconds in the middle of each in which every connection is reset.
func TestServersWithAnOutage(t *testing.T) {
	table(t, family, true, 1)
}

// table runs rows, and judges each by its worst of so many runs of chance.
func table(t *testing.T, rows []row, outage bool, seeds uint64) {
	t.Logf("%-30s %6s %6s %8s %5s %5s | %6s %8s", "server", "share", "early", "refused", "most", "least", "script", "refused")
	for _, r := range rows {
		if !strings.Contains(r.name, *only) || outage && r.apart > 0 {
			continue
		}
		if outage {
			r = r.withOutage()
		}
		got := r.run(0, 0)
		for seed := uint64(1); seed < seeds; seed++ {
			got.worst(r.run(0, seed))
		}
		other := r.run(64, 0)
		t.Logf("%-30s %6.2f %6.2f %8.3f %5d %5.2f | %6.2f %8.3f", r.name, got.share, got.early, got.refused, got.most, got.least,
			other.share, other.refused)
		r.judge(t, got, other)
	}
}

// withOutage is r with an outage from second 20 to 30. From 4 s after it on it is judged as ever,
// but that a limit which moved meanwhile is found later.
func (r row) withOutage() row {
	was := r.site.down
	r.site.down = func(s time.Duration) bool {
		return s >= 20*time.Second && s < 30*time.Second || was != nil && was(s)
	}
	if r.to == 0 {
		r.from, r.to = 34, 64
	}
	r.share = cmp.Or(r.outage, cmp.Or(r.share, 0.9)-0.05)
	r.refused += 0.03
	return r
}

func (r row) judge(t *testing.T, got, other result) {
	t.Helper()
	if want := cmp.Or(r.share, 0.9); got.share < want {
		t.Errorf("%s: %.2f of the possible, want %.2f", r.name, got.share, want)
	}
	if want := cmp.Or(r.early, 0.6); got.early < want {
		t.Errorf("%s: %.2f of the possible in the first 10 s, want %.2f", r.name, got.early, want)
	}
	if got.refused > r.refused {
		t.Errorf("%s: %.3f refused, want at most %.3f", r.name, got.refused, r.refused)
	}
	if got.least < r.least {
		t.Errorf("%s: the smallest client has %.2f of its part, want %.2f", r.name, got.least, r.least)
	}
	if script := min(1, other.share); r.share == 0 && r.sizes == nil && got.share < script-0.1 {
		t.Errorf("%s: %.2f of the possible, and a script gets %.2f", r.name, got.share, script)
	}
	if got.most > 256 || r.config.Concurrency > 0 && got.most > r.config.Concurrency {
		t.Errorf("%s: %d in flight", r.name, got.most)
	}
}

// A hint of a minute on a real bucket holds the lane to its end.
func TestLongHintHoldsTheLane(t *testing.T) {
	w := newWorld(0)
	s := newSite(w, site{rate: steady(100), hint: time.Minute})
	p := newPiper(w, s, Config{})
	w.run(w.now.Add(50 * time.Second))
	first := slices.IndexFunc(p.refused, func(n int) bool { return n > 0 })
	if first < 0 {
		t.Fatal("nothing was refused")
	}
	if asked := sum(p.asked, first+1, 50); asked > 0 {
		t.Errorf("%d requests within the minute that was asked for", asked)
	}
}
