package estimate

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"llmpipe/stream/input"
)

// population is records whose costs are known.
type population struct {
	strata  []stratum
	records []observed
	truth   float64
	spread  float64 // standard deviation of all costs
}

// mixture draws a population of so many records: their models by shares, at prices, with prompts
// whose length differs by sizes, and outputs of the mean that each model has, which are lognormal.
func mixture(seed uint64, records int, shares, prices, means []float64, sizes, sigma float64) *population {
	r := rand.New(rand.NewPCG(seed, 1))
	p := &population{strata: make([]stratum, len(shares))}
	for range records {
		h, u := 0, r.Float64()
		for ; h < len(shares)-1 && u > shares[h]; h++ {
			u -= shares[h]
		}
		words := 10 * math.Pow(sizes, r.Float64())
		o := observed{stratum: h, prompt: words * prices[h] / 4, bound: 256 * prices[h]}
		output := means[h] * math.Exp(sigma*r.NormFloat64()-sigma*sigma/2)
		o.cost = o.prompt*(0.9+0.2*r.Float64()) + output*prices[h]
		s := &p.strata[h]
		s.records, s.weight, s.prompts, s.bounds = s.records+1, prices[h], s.prompts+o.prompt, s.bounds+o.bound
		p.records, p.truth = append(p.records, o), p.truth+o.cost
	}
	var squares float64
	for i := range p.records {
		d := p.records[i].cost - p.truth/float64(records)
		squares += d * d
	}
	p.spread = math.Sqrt(squares / float64(records))
	return p
}

// sample draws n of the records as a run does.
func (p *population) sample(n int, r *rand.Rand) []observed {
	kinds := make([]*kind, len(p.strata))
	for h := range kinds {
		kinds[h] = &kind{stratum: p.strata[h]}
	}
	chosen := input.Sampler[*observed]{N: n}
	for i := range p.records {
		o := &p.records[i]
		if rank := kinds[o.stratum].rank(r.Uint64(), kinds[0]); chosen.Wants(rank) {
			chosen.Offer(rank, o)
		}
	}
	sample := make([]observed, n)
	for i, o := range chosen.Chosen() {
		sample[i] = *o
	}
	return sample
}

// The interval holds the truth in 930 of 1,000 samples of 100, however the models are mixed,
// with prompts that differ in length by a factor of 400 and outputs that are lognormal with a
// sigma of 1; and in the median it is no wider than one and a half times the normal interval of
// a plain sample's mean.
func TestIntervalHoldsTheTruth(t *testing.T) {
	const n, runs = 100, 1_000
	for name, p := range map[string]*population{
		"one model":                mixture(1, 800, []float64{1}, []float64{1}, []float64{300}, 1, 1),
		"prompts of all sizes":     mixture(2, 800, []float64{1}, []float64{1}, []float64{300}, 400, 1),
		"two models":               mixture(3, 800, []float64{0.5, 0.5}, []float64{1, 16}, []float64{300, 300}, 400, 1),
		"a few for the dear one":   mixture(4, 800, []float64{0.95, 0.05}, []float64{1, 16}, []float64{300, 300}, 400, 1),
		"very few":                 mixture(5, 800, []float64{0.99, 0.01}, []float64{1, 16}, []float64{300, 300}, 400, 1),
		"three that differ":        mixture(6, 800, []float64{0.6, 0.3, 0.1}, []float64{1, 16, 50}, []float64{100, 800, 300}, 400, 1),
		"few records":              mixture(7, 400, []float64{0.6, 0.4}, []float64{1, 16}, []float64{300, 300}, 400, 1),
		"outputs that are alike":   mixture(8, 800, []float64{0.6, 0.4}, []float64{1, 16}, []float64{300, 300}, 400, 0.3),
		"outputs that differ more": mixture(9, 800, []float64{0.6, 0.4}, []float64{1, 16}, []float64{300, 300}, 400, 1.2),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(1, 2))
			normal := 2 * 1.96 * p.spread * float64(len(p.records)) / math.Sqrt(n)
			held, near := 0, 0
			widths := make([]float64, runs)
			for i := range runs {
				e := regress(p.strata, p.sample(n, r))
				if e.low <= p.truth && p.truth <= e.high {
					held++
				}
				if math.Abs(e.total/p.truth-1) <= 0.5 {
					near++
				}
				widths[i] = (e.high - e.low) / normal
			}
			slices.Sort(widths)
			t.Logf("%d of %d intervals hold the truth; they are %.2f times as wide as normal ones", held, runs, widths[runs/2])
			if held < 930 || near < 990 || widths[runs/2] > 1.5 {
				t.Errorf("%d of %d intervals hold the truth, %d totals are within a half, and the median is %.2f times as wide as a normal one",
					held, runs, near, widths[runs/2])
			}
		})
	}
}

func TestRegressionOfWhatIsKnownExactly(t *testing.T) {
	of := func(prompts, costs []float64) (s []observed) {
		for i := range prompts {
			s = append(s, observed{prompt: prompts[i], cost: costs[i]})
		}
		return s
	}
	all := func(records, prompts float64) []stratum {
		return []stratum{{records: records, weight: 2, prompts: prompts}}
	}
	x, y := []float64{1, 2, 3, 4}, []float64{12, 14, 16, 18}
	exact := func(e regression, want float64) bool {
		return math.Abs(e.total-want) < 1e-9*want && e.high-e.low < 1e-6*want
	}
	if e := regress(all(10, 100), of(x, y)); !exact(e, 10*10+2*100) || !e.known {
		t.Errorf("a straight line gives %+v, want a total of 300 with no doubt", e)
	}
	if e := regress(all(4, 10), of(x, y)); !exact(e, 60) {
		t.Errorf("the whole population gives %+v, want its sum, 60", e)
	}
	if e := regress(all(100, 100), of(x[:1], y[:1])); e.known {
		t.Errorf("one value gives an interval: %+v", e)
	}
	if e := regress(all(100, 500), of([]float64{5, 5, 5}, []float64{1, 2, 3})); e.total != 200 {
		t.Errorf("prompts of one size give %+v, want 200", e)
	}
	var same, differing []float64
	for i := range 100 {
		same, differing = append(same, 11), append(differing, float64(i))
	}
	e := regress(all(1e6, 11*1e6-2), of(same, differing))
	if width := e.high - e.low; math.Abs(e.total/49.5e6-1) > 1e-9 || width < 11e6 || width > 12e6 {
		t.Errorf("prompts of one size, almost, give %+v, want 49.5e6 and 5.8e6 on each side", e)
	}
	// A model that the sample has none of is taken for like the others, at its price.
	two := []stratum{{records: 10, weight: 1}, {records: 10, weight: 3}}
	if e := regress(two, of([]float64{0, 0, 0}, []float64{4, 5, 6})); e.total != 50+150 || !e.known || e.low > 190 {
		t.Errorf("a stratum without records gives %+v, want 200 and doubt", e)
	}
}

func TestStudent(t *testing.T) {
	// Table 26.10 of the Handbook of Mathematical Functions.
	for free, want := range map[float64]float64{1: 12.706, 2: 4.303, 3: 3.182, 5: 2.571, 10: 2.228, 30: 2.042, 98: 1.984, 1e6: 1.960} {
		if got := student(free); math.Abs(got-want) > 0.02 {
			t.Errorf("%v degrees of freedom: %.3f, want %.3f", free, got, want)
		}
	}
}
