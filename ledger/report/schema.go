package report

import (
	"cmp"
	"slices"

	"llmpipe/ledger"
	"llmpipe/ledger/price"
)

// schemaTally adds up what became of answers that were to fit a schema.
type schemaTally struct {
	misfits, reasked int64
	cost             price.Dollars
	places           map[string]int64
}

// mostPlaces bounds the places that are told apart: a model may think of new names for ever.
const mostPlaces = 100

func (t *schemaTally) addResult(r *ledger.Result) {
	if r.Misfit != "" {
		t.misfits++
	}
	if r.Earlier.Turns > 0 {
		t.reasked++
		if r.CostKnown {
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

// finish is nil where no answer was to be mended.
func (t *schemaTally) finish() *Schema {
	if t.misfits+t.reasked == 0 {
		return nil
	}
	s := &Schema{Misfits: t.misfits, Reasked: t.reasked, Cost: &t.cost, Failures: []MisfitCount{}}
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
