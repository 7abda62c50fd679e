package report

import (
	"cmp"
	"slices"
	"strings"

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

func (t *schemaTally) addFailure(f *ledger.Failure) {
	if f.Misfit == "" {
		return
	}
	if t.places == nil {
		t.places = make(map[string]int64)
	}
	place := strings.Clone(f.Misfit)
	if _, known := t.places[place]; !known && len(t.places) >= mostPlaces {
		place = "elsewhere"
	}
	t.places[place]++
}

// finish is nil where no answer was to be mended.
func (t *schemaTally) finish() *Schema {
	if t.misfits+t.reasked == 0 {
		return nil
	}
	s := &Schema{Misfits: t.misfits, Reasked: t.reasked, Cost: &t.cost, Failures: []MisfitCount{}}
	for place, n := range t.places {
		s.Failures = append(s.Failures, MisfitCount{place, n})
	}
	slices.SortFunc(s.Failures, func(a, b MisfitCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Place, b.Place))
	})
	return s
}
