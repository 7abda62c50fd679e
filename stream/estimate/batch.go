package estimate

import (
	"math"
	"strconv"
	"time"

	"llmpipe/ledger/price"
)

// byBatch turns the estimate into that of a run by batch: the same tokens at the batch price,
// within the window. The sample was paid at the realtime price. If no batch price is known, the
// total is unknown.
func (e *Estimate) byBatch(s *survey, window string) {
	e.Mode = "batch"
	hours := windowHours(window)
	e.Hours, e.Bound = &hours, "the window of batches"
	batch, whole := s.cost(inBatch), s.cost(own)
	if batch == nil || whole == nil || e.Total == nil {
		e.Total, e.Interval = nil, nil
		return
	}
	part := 1.0
	if *whole > 0 {
		part = float64(*batch) / float64(*whole)
	}
	of := func(d price.Dollars) price.Dollars {
		return e.sampled + price.Dollars(math.Round(float64(d-e.sampled)*part))
	}
	for i, k := range s.kinds {
		if cost := e.ByModel[i].Cost; *cost > 0 {
			*cost = price.Dollars(math.Round(float64(*cost) / float64(k.cost(k.price)) * float64(k.cost(k.price.At(price.Batched)))))
		}
	}
	total := of(*e.Total)
	e.Total = &total
	if e.Interval != nil {
		e.Interval.Low, e.Interval.High = of(e.Interval.Low), of(e.Interval.High)
	}
}

// windowHours returns the hours of a window such as 24h or 7d.
func windowHours(window string) float64 {
	if days, err := strconv.Atoi(window[:max(len(window)-1, 0)]); err == nil && window[len(window)-1] == 'd' {
		return float64(24 * days)
	}
	d, _ := time.ParseDuration(window) // its form was checked
	return d.Hours()
}
