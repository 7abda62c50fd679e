package estimate

import "math"

// confidence is the share of intervals that contain the true total.
const confidence = 0.95

// stratum is what is known about all records of a kind: those for one model at one tier.
type stratum struct {
	records float64
	weight  float64 // the price of their output, which decides how many of them are sampled
	prompts float64 // the estimated cost of their prompts
	bounds  float64 // the most that their completions can cost, or a guess
}

// observed is a record of the sample.
type observed struct {
	stratum       int
	prompt, bound float64 // the record's part of its stratum's prompts and bounds
	cost          float64
}

// regression is an estimate of a total with its interval. known reports whether there are enough
// values for an interval.
type regression struct {
	total, low, high float64
	known            bool
}

// fewInStratum is how many sampled records a stratum needs for a variance of its own. With fewer,
// it has the variance of all strata together.
const fewInStratum = 10

// regress estimates the cost of all records from that of the sample. In each stratum it takes the
// sample's mean, and corrects it for how the sample's prompts and bounds differ from those of all
// records. The correction is a regression of cost on prompt and bound over all strata (W. G.
// Cochran, Sampling Techniques, 3rd edition, 1977, sections 5A.9 and 7.10: post-stratification and
// the combined regression estimator, with their variances). Within a stratum, all records are
// equally likely to be chosen. Costs are in units of the stratum's weight, because they vary in
// proportion to it.
//
// Most outputs are short, and a few are very long. A sample that lacks the long ones has too small
// a mean and also too narrow an interval. So the skewness of the estimate moves the upper end up.
func regress(strata []stratum, sample []observed) regression {
	f := newFit(strata, sample)
	f.solve()
	return f.interval()
}

// fit is a regression in progress. Values are in units of their stratum's weight.
type fit struct {
	strata []stratum
	sample []observed
	groups []group // by stratum
	all    group   // all strata in the sample together
	met    float64 // the number of strata in the sample

	// The sums of squares and products of the covariates' deviations from the means of their groups,
	// and of their products with the costs' deviations.
	pp, bb, pb, pc, bc   float64
	ofPrompt, ofBound    float64 // the slopes
	slopes               float64 // how many slopes there are
	squares, cubes, free float64 // of all residuals; free is their degrees of freedom
}

// group has the means of the sampled records of a stratum, and sums over their residuals.
type group struct {
	n, prompt, bound, cost float64
	squares, cubes         float64
}

func (g *group) add(p, b, c float64) {
	g.n++
	g.prompt += p
	g.bound += b
	g.cost += c
}

func (g *group) divide() {
	g.prompt, g.bound, g.cost = g.prompt/g.n, g.bound/g.n, g.cost/g.n
}

func newFit(strata []stratum, sample []observed) *fit {
	f := &fit{strata: strata, sample: sample, groups: make([]group, len(strata))}
	for i := range sample {
		p, b, c := f.scaled(i)
		f.groups[sample[i].stratum].add(p, b, c)
		f.all.add(p, b, c)
	}
	f.all.divide()
	for h := range f.groups {
		if f.groups[h].n > 0 {
			f.groups[h].divide()
			f.met++
		}
	}
	return f
}

// scaled returns the values of a sampled record in units of its stratum's weight.
func (f *fit) scaled(i int) (prompt, bound, cost float64) {
	o := &f.sample[i]
	w := f.strata[o.stratum].weight
	return o.prompt / w, o.bound / w, o.cost / w
}

// deviations returns how far those values are from the means of their group.
func (f *fit) deviations(i int) (prompt, bound, cost float64) {
	p, b, c := f.scaled(i)
	g := &f.groups[f.sample[i].stratum]
	return p - g.prompt, b - g.bound, c - g.cost
}

// solve finds the residuals and the slopes. There are as many slopes as the sample is large enough
// for.
func (f *fit) solve() {
	for i := range f.sample {
		p, b, c := f.deviations(i)
		f.pp, f.bb, f.pb = f.pp+p*p, f.bb+b*b, f.pb+p*b
		f.pc, f.bc = f.pc+p*c, f.bc+b*c
	}
	// If all values are equal, what remains is rounding noise.
	const noise = 1e-18
	n := f.all.n
	hasPrompt, hasBound := f.pp > noise*n*f.all.prompt*f.all.prompt, f.bb > noise*n*f.all.bound*f.all.bound
	det := f.pp*f.bb - f.pb*f.pb
	switch most := n - f.met - 2; {
	case hasPrompt && hasBound && most >= 2 && det > 1e-9*f.pp*f.bb:
		f.ofPrompt, f.ofBound, f.slopes = (f.pc*f.bb-f.bc*f.pb)/det, (f.bc*f.pp-f.pc*f.pb)/det, 2
	case hasPrompt && most >= 1:
		f.ofPrompt, f.slopes = f.pc/f.pp, 1
	case hasBound && most >= 1:
		f.ofBound, f.slopes = f.bc/f.bb, 1
	}
	f.free = n - f.met - f.slopes
	for i := range f.sample {
		p, b, c := f.deviations(i)
		e := c - f.ofPrompt*p - f.ofBound*b
		g := &f.groups[f.sample[i].stratum]
		g.squares, g.cubes = g.squares+e*e, g.cubes+e*e*e
		f.squares, f.cubes = f.squares+e*e, f.cubes+e*e*e
	}
}

// spread returns the variance of a stratum's records about the regression, and their third moment.
func (f *fit) spread(g *group) (variance, third float64) {
	if g.n < fewInStratum {
		return f.squares / f.free, f.cubes / f.free
	}
	lost := (f.all.n - f.met) / f.free // corrects for the degrees of freedom that the slopes take
	return g.squares / (g.n - 1) * lost, g.cubes / (g.n - 1) * lost
}

// tail is how far the skewness of the estimate moves the upper end up, as a multiple of what an
// Edgeworth expansion gives for a known skewness (P. Hall, The Bootstrap and Edgeworth Expansion,
// 1992, section 2.5). A sample shows too little of the skewness: only half of it for 100 values
// with a lognormal distribution and a sigma of 1. The lower end stays, because a lower end that is
// too low does no harm.
const tail = 3.0

func (f *fit) interval() regression {
	var r regression
	var variance, third, prompts, bounds, records float64
	for h := range f.strata {
		s, g := &f.strata[h], &f.groups[h]
		if s.records == 0 {
			continue
		}
		scale := s.records * s.weight
		from, chosen := g, g.n
		if g.n == 0 { // as in the other strata
			from, chosen = &f.all, f.all.n
		}
		p, b := s.prompts/scale-from.prompt, s.bounds/scale-from.bound
		r.total += scale * (from.cost + f.ofPrompt*p + f.ofBound*b)
		prompts, bounds, records = prompts+scale*p, bounds+scale*b, records+s.records
		v, t := f.spread(g)
		rest := max(0, 1-g.n/s.records)
		variance += scale * scale * v * rest / chosen
		third += scale * scale * scale * t * rest * rest / (chosen * chosen)
	}
	r.low, r.high = r.total, r.total
	if f.free < 1 {
		return r
	}
	r.known = true
	variance += f.squares / f.free * f.lever(prompts, bounds) * max(0, 1-f.all.n/records)
	if variance <= 0 {
		return r
	}
	sigma := math.Sqrt(variance)
	z := student(f.free)
	shift := tail * (2*z*z + 1) / 6 * third / (variance * sigma)
	r.low -= sigma * (z - min(shift, 0))
	r.high += sigma * (z + max(shift, 0))
	return r
}

// lever returns how much the error of the slopes counts. It grows with how far all records are from
// the sample.
func (f *fit) lever(prompts, bounds float64) float64 {
	switch det := f.pp*f.bb - f.pb*f.pb; {
	case f.slopes == 2:
		return (prompts*prompts*f.bb - 2*prompts*bounds*f.pb + bounds*bounds*f.pp) / det
	case f.ofPrompt != 0:
		return prompts * prompts / f.pp
	case f.ofBound != 0:
		return bounds * bounds / f.bb
	}
	return 0
}

// student returns the 0.975 quantile of Student's t: the normal quantile with the first four terms
// of its expansion in 1/free (Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5).
// Below 3 degrees of freedom the expansion is not accurate enough, and it returns exact values.
func student(free float64) float64 {
	switch {
	case free < 2:
		return 12.7062
	case free < 3:
		return 4.3027
	}
	const z = 1.959963985
	z2 := z * z
	g1 := (z2 + 1) * z / 4
	g2 := ((5*z2+16)*z2 + 3) * z / 96
	g3 := (((3*z2+19)*z2+17)*z2 - 15) * z / 384
	g4 := ((((79*z2+776)*z2+1482)*z2-1920)*z2 - 945) * z / 92160
	return z + g1/free + g2/(free*free) + g3/(free*free*free) + g4/(free*free*free*free)
}
