package estimate

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The interval holds the truth in 95 of 100 samples of a population whose outputs differ by a
// factor of ten and whose prompts by one of four hundred.
func TestIntervalHoldsTheTruth(t *testing.T) {
	const population, n, runs = 10_000, 100, 1_000
	held := 0
	for seed := range uint64(runs) {
		r := rand.New(rand.NewPCG(seed, 1))
		x, y := make([]float64, population), make([]float64, population)
		var sumX, sumY float64
		for i := range x {
			x[i] = 10 * math.Pow(400, r.Float64())
			y[i] = 150*x[i] + 600*30*math.Pow(10, r.Float64())
			sumX += x[i]
			sumY += y[i]
		}
		r.Shuffle(population, func(i, j int) { x[i], x[j], y[i], y[j] = x[j], x[i], y[j], y[i] })
		e := regress(x[:n], y[:n], sumX, population)
		if math.Abs(e.total-sumY) <= e.half {
			held++
		}
	}
	t.Logf("%d of %d intervals hold the truth", held, runs)
	if held < 930 {
		t.Errorf("only %d of %d intervals hold the truth", held, runs)
	}
}

func TestRegressionOfWhatIsKnownExactly(t *testing.T) {
	x, y := []float64{1, 2, 3, 4}, []float64{12, 14, 16, 18}
	if e := regress(x, y, 100, 10); math.Abs(e.total-(10*10+2*100)) > 1e-9 || e.half > 1e-6 {
		t.Errorf("a straight line gives %+v, want a total of 300 with no doubt", e)
	}
	if e := regress(x, y, 10, 4); math.Abs(e.total-60) > 1e-9 || e.half > 1e-6 {
		t.Errorf("the whole population gives %+v, want its sum, 60", e)
	}
	if e := regress(x[:2], y[:2], 100, 10); e.half >= 0 {
		t.Errorf("two values give an interval of %v", e.half)
	}
	if e := regress([]float64{5, 5, 5}, []float64{1, 2, 3}, 500, 100); e.total != 200 {
		t.Errorf("prompts of one size give %v, want 200", e.total)
	}
	var same, differing []float64
	for i := range 100 {
		same, differing = append(same, 11), append(differing, float64(i))
	}
	if e := regress(same, differing, 11*1e6-2, 1e6); math.Abs(e.total/49.5e6-1) > 1e-9 || !(e.half > 5e6 && e.half < 6e6) {
		t.Errorf("prompts of one size, almost, give %+v, want 49.5e6 and 5.8e6 on each side", e)
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
