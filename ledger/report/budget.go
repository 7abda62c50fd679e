package report

import (
	"time"

	"llmpipe/ledger"
	"llmpipe/ledger/price"
)

// Budget is what is left of a ledger's budgets, as its latest run had them.
type Budget struct {
	Ledger string `json:"ledger"`
	// Total is the most that everything in the ledger may cost. Spent is what counts against it: what
	// is paid, what may have been spent, and what is at risk or set aside for batches.
	Total *price.Dollars `json:"budget_usd,omitempty"`
	Spent price.Dollars  `json:"spent_usd"`
	Left  *price.Dollars `json:"left_usd,omitempty"`
	// Daily is the most since 00:00 UTC, and Today the part of Spent since then.
	Daily     *price.Dollars `json:"budget_per_day_usd,omitempty"`
	Today     price.Dollars  `json:"today_usd"`
	LeftToday *price.Dollars `json:"left_today_usd,omitempty"`
}

// spending is what one ledger's lines say of its budgets.
type spending struct {
	midnight      time.Time
	all, today    price.Dollars
	pending       map[string]price.Dollars // what is set aside for batches that are not collected, by shard
	total, perDay price.Dollars            // of the latest run
}

func (s *spending) run(r *ledger.RunInfo) {
	s.total, s.perDay = price.Dollars(r.BudgetNanos), price.Dollars(r.DailyNanos)
}

func (s *spending) spend(r *ledger.Record) {
	sum := price.Dollars(r.MayCostNanos)
	if r.CostKnown {
		sum += price.Dollars(r.CostNanos)
	}
	s.all += sum
	if !r.Time.Before(s.midnight) {
		s.today += sum
	}
}

// step notes what is set aside for a batch, or that nothing is any more.
func (s *spending) step(e *ledger.ShardEntry) {
	switch e.Step {
	case ledger.ShardIntent:
		if s.pending == nil {
			s.pending = make(map[string]price.Dollars)
		}
		s.pending[e.Shard] = price.Dollars(e.ReservedNanos)
	case ledger.ShardCollected:
		delete(s.pending, e.Shard)
	}
}

// setAside is the sum of what is set aside.
func (s *spending) setAside() (sum price.Dollars) {
	for _, nanos := range s.pending {
		sum += nanos
	}
	return sum
}

// left returns what is left, or nil if there is no budget. more counts as spent in addition;
// moreToday is the part of it since midnight.
func (s *spending) left(path string, more, moreToday price.Dollars) *Budget {
	if s.total == 0 && s.perDay == 0 {
		return nil
	}
	b := &Budget{Ledger: path, Spent: s.all + more, Today: s.today + moreToday}
	of := func(whole, spent price.Dollars) (budget, left *price.Dollars) {
		if whole == 0 {
			return nil, nil
		}
		rest := max(whole-spent, 0)
		return &whole, &rest
	}
	b.Total, b.Left = of(s.total, b.Spent)
	b.Daily, b.LeftToday = of(s.perDay, b.Today)
	return b
}
