package estimate

import "math"

// confidence is the share of intervals that hold the truth.
const confidence = 0.95

// regression is an estimate of a total with half the width of its interval; negative where there
// are too few values to say.
type regression struct{ total, half float64 }

// regress estimates the sum of y over a whole population from a sample, by the regression of y on
// an x whose sum over the population is known (W. G. Cochran, Sampling Techniques, 3rd edition,
// chapter 7: the linear regression estimator, with its variance from the residuals and the finite
// population correction). The interval takes Student's t with n-2 degrees of freedom.
func regress(x, y []float64, sumX, population float64) regression {
	n := float64(len(x))
	var meanX, meanY float64
	for i := range x {
		meanX += x[i]
		meanY += y[i]
	}
	meanX, meanY = meanX/n, meanY/n // exact where all are the same whole number, so that sxx is 0 then
	var sxx, sxy float64
	for i := range x {
		sxx += (x[i] - meanX) * (x[i] - meanX)
		sxy += (x[i] - meanX) * (y[i] - meanY)
	}
	slope := 0.0
	if sxx > 0 {
		slope = sxy / sxx
	}
	r := regression{total: population*meanY + slope*(sumX-population*meanX), half: -1}
	if n < 3 {
		return r
	}
	var residual float64
	for i := range x {
		d := y[i] - meanY - slope*(x[i]-meanX)
		residual += d * d
	}
	free := n - 2
	rest := max(0, 1-n/population)
	// The slope is an estimate too: its error counts by how far the population's mean is from the
	// sample's.
	lever := 0.0
	if sxx > 0 {
		d := sumX/population - meanX
		lever = d * d / sxx
	}
	r.half = student(free) * population * math.Sqrt(residual/free*(rest/n+lever*rest))
	return r
}

// student is the 0.975 quantile of Student's t: the normal one with the first four terms of its
// expansion in 1/free (Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5). Below 3
// degrees of freedom, where that is not good enough, exact values.
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
