package report

import (
	"cmp"
	"slices"

	"llmpipe/ledger"
	"llmpipe/ledger/price"
)

// schemaTally adds up the outcomes of answers that had to fit a schema.
type schemaTally struct {
	misfits, reasked int64
	priced           int64 // of reasked, those whose cost is known
	cost             price.Dollars
	places           map[string]int64
}

// mostPlaces limits the places that are counted apart: a model may invent new names forever.
const mostPlaces = 100

func (t *schemaTally) addResult(r *ledger.Result) {
	if r.Misfit != "" {
		t.misfits++
	}
	if r.Earlier.Turns > 0 {
		t.reasked++
		if r.CostKnown {
			t.priced++
			t.cost += price.Dollars(r.CostNanos)
		}
	}
}

// placeOf is the place that a misfit counts at.
func (t *schemaTally) placeOf(misfit string) string {
	if misfit == "" {
		return ""
	}
	if t.places == nil {
		t.places = make(map[string]int64)
	}
	if _, known := t.places[misfit]; !known && len(t.places) >= mostPlaces {
		return "elsewhere"
	}
	t.places[misfit] += 0
	return misfit
}

// fail counts records that failed at a place.
func (t *schemaTally) fail(place string, n int64) {
	if place != "" {
		t.places[place] += n
	}
}

// finish returns nil if every answer fitted and none was asked for again.
func (t *schemaTally) finish() *Schema {
	if t.misfits+t.reasked == 0 {
		return nil
	}
	s := &Schema{Misfits: t.misfits, Reasked: t.reasked, Failures: []MisfitCount{}}
	if t.priced > 0 || t.reasked == 0 {
		s.Cost = &t.cost
	}
	for place, n := range t.places {
		if n == 0 {
			continue // they fit by now
		}
		s.Failures = append(s.Failures, MisfitCount{place, n})
	}
	slices.SortFunc(s.Failures, func(a, b MisfitCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Place, b.Place))
	})
	return s
}
