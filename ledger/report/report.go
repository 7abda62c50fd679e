package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"llmpipe/ledger"
	"llmpipe/ledger/price"
)

// Report is what ledgers say was spent, on what, with which errors and latencies.
type Report struct {
	First time.Time `json:"first,omitzero"` // of the records' times
	Last  time.Time `json:"last,omitzero"`
	Runs  int64     `json:"runs"`

	// Simulated says that the figures are the simulated provider's, since there are no others.
	// Where there are, SimulatedLeftOut of its records are not in the figures.
	Simulated        bool  `json:"simulated"`
	SimulatedLeftOut int64 `json:"simulated_left_out"`

	// AtRisk is what requests may cost that are under way in processes that live, and Lost what those
	// may have cost that were under way in processes that are gone. Neither is in the figures.
	AtRisk Exposure `json:"at_risk,omitzero"`
	// Kept is what attempts may have cost at most of which nobody said what they did, and batches that
	// were given up. A budget counts it, and Lost, as spent; no cost here has it.
	Kept price.Dollars `json:"kept_usd,omitempty"`
	Lost Exposure      `json:"lost,omitzero"`

	Total     Row          `json:"total"`
	Models    []Row        `json:"models"`    // most results first
	Providers []Row        `json:"providers"` // most results first
	Errors    []ErrorCount `json:"errors"`    // most frequent first
	Schema    *Schema      `json:"schema,omitempty"`

	// What charts are drawn from: what happened when, and the latencies of all results.
	Timeline         Timeline        `json:"-"`
	LatencyHistogram []LatencyBucket `json:"-"`
}

// Row is the figures of all records, of a model's, or of a provider's.
type Row struct {
	Name             string         `json:"name,omitempty"`
	Results          int64          `json:"results"`
	Failures         int64          `json:"failures"`
	PromptTokens     int64          `json:"prompt_tokens"`
	CompletionTokens int64          `json:"completion_tokens"`
	CachedTokens     int64          `json:"cached_tokens"`
	ReasoningTokens  int64          `json:"reasoning_tokens"`
	Cost             *price.Dollars `json:"cost_usd"`     // of those whose cost is known; nil if none is
	UnknownCost      int64          `json:"unknown_cost"` // how many have a cost that is not
	Latency          Latencies      `json:"latency_ms"`   // of the results
}

// Schema is what became of answers that were to fit a schema.
type Schema struct {
	Misfits  int64          `json:"misfits"`          // answers that do not fit; they are not among the results
	Reasked  int64          `json:"reasked"`          // answers to a further turn, fitting or not
	Cost     *price.Dollars `json:"reasked_cost_usd"` // of those whose cost is known
	Failures []MisfitCount  `json:"failures"`         // records that failed so, by where their answers do not fit; most first
}

// MisfitCount is how many records have answers that do not fit at a place.
type MisfitCount struct {
	Place string `json:"place"`
	Count int64  `json:"count"`
}

// Latencies are percentiles in milliseconds, each within 2 %.
type Latencies struct {
	P50 int64 `json:"p50"`
	P90 int64 `json:"p90"`
	P95 int64 `json:"p95"`
	P99 int64 `json:"p99"`
}

// Exposure is what requests whose outcome is not recorded may cost at most.
type Exposure struct {
	Requests int64         `json:"requests"`
	Unknown  int64         `json:"unknown_cost"` // of them, without a known price
	MayCost  price.Dollars `json:"may_cost_usd"` // the others
}

func (e *Exposure) add(more ledger.Exposure) {
	e.Requests += more.Records
	e.Unknown += more.Unknown
	e.MayCost += price.Dollars(more.Nanos)
}

// ErrorCount is how often records failed in one way.
type ErrorCount struct {
	Type   string `json:"type"`
	Code   string `json:"code,omitempty"`
	Status int    `json:"status,omitempty"`
	Count  int64  `json:"count"`

	// Message is that of the first of them, cut to maxMessage bytes.
	Message string `json:"message,omitempty"`
}

// maxMessage bounds what is kept of a message, in bytes. Some providers send whole pages of HTML.
const maxMessage = 500

// New reads ledgers, compressed or not, as [ledger.Scan] does. A record that was asked for more
// than once was paid for more than once, and counts so. Memory grows with the number of models,
// providers and kinds of error only. warn, if there is one, gets what a person should read.
func New(warn func(string), paths ...string) (*Report, error) {
	real, simulated := newTally(), newTally()
	for _, path := range paths {
		realRisk, simulatedRisk := new(ledger.RiskTally), new(ledger.RiskTally)
		err := ledger.Scan(path, warn, func(e ledger.Entry) error {
			tally, risk := real, realRisk
			if isSimulated(&e) {
				tally, risk = simulated, simulatedRisk
			}
			tally.add(&e)
			risk.Add(&e)
			if risk == simulatedRisk && e.Risk == nil {
				realRisk.Add(&e) // a run may learn late that it asks a simulator
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		real.addRisk(realRisk.Sum(path))
		simulated.addRisk(simulatedRisk.Sum(path))
	}
	if real.records() == 0 && simulated.records() > 0 {
		r := simulated.report()
		r.Simulated = true
		r.Runs += real.runs // those of a simulator over the network, which is known only by its answers
		return r, nil
	}
	r := real.report()
	r.SimulatedLeftOut = simulated.records()
	return r, nil
}

func isSimulated(e *ledger.Entry) bool {
	switch {
	case e.Result != nil:
		return e.Result.Simulated
	case e.Failure != nil:
		return e.Failure.Simulated
	case e.Run != nil:
		return e.Run.Simulated
	case e.Risk != nil:
		return e.Risk.Simulated
	case e.Shard != nil:
		return e.ShardSimulated
	}
	return false
}

// tally adds up one report's figures.
type tally struct {
	first, last time.Time
	runs        int64
	total       *tallyRow
	models      map[string]*tallyRow
	providers   map[string]*tallyRow
	errors      map[errorKind]*ErrorCount
	schema      schemaTally
	timeline    timeline

	atRisk, lost Exposure
	kept         price.Dollars
	givenUp      map[string]price.Dollars // of kept, by shard: its last step counts
}

func (t *tally) addRisk(live, lost ledger.Exposure) {
	t.atRisk.add(live)
	t.lost.add(lost)
}

// errorKind is what failures have in common that are counted as one.
type errorKind struct {
	class, code string
	status      int
}

type tallyRow struct {
	Row
	cost    price.Dollars
	priced  int64 // how many have a cost that is known
	latency histogram
}

func newTally() *tally {
	return &tally{
		total:     new(tallyRow),
		models:    make(map[string]*tallyRow),
		providers: make(map[string]*tallyRow),
		errors:    make(map[errorKind]*ErrorCount),
	}
}

func (t *tally) records() int64 { return t.total.Results + t.total.Failures }

func (t *tally) add(e *ledger.Entry) {
	switch {
	case e.Run != nil:
		t.runs++
	case e.Shard != nil:
		t.addShard(e.Shard)
	case e.Result != nil:
		r := e.Result
		t.kept += price.Dollars(r.MayCostNanos)
		t.schema.addResult(r)
		t.at(r.Time)
		t.timeline.addResult(r)
		for _, row := range t.rows(r.Model, r.Provider) {
			row.addResult(r)
		}
	case e.Failure != nil:
		f := e.Failure
		t.kept += price.Dollars(f.MayCostNanos)
		t.schema.addFailure(f)
		t.at(f.Time)
		t.timeline.addFailure(f)
		t.addError(f)
		for _, row := range t.rows(f.Model, f.Provider) {
			row.addFailure(f)
		}
	}
}

// addShard adds what a batch that was given up may have cost.
func (t *tally) addShard(s *ledger.ShardEntry) {
	if s.MayCostNanos == 0 && t.givenUp[s.Shard] == 0 {
		return
	}
	if t.givenUp == nil {
		t.givenUp = make(map[string]price.Dollars)
	}
	t.kept += price.Dollars(s.MayCostNanos) - t.givenUp[s.Shard]
	t.givenUp[s.Shard] = price.Dollars(s.MayCostNanos)
}

func (t *tally) addError(f *ledger.Failure) {
	kind := errorKind{class: f.Type, code: f.Code, status: f.Status}
	e := t.errors[kind]
	if e == nil {
		message := strings.ToValidUTF8(f.Message[:min(len(f.Message), maxMessage)], "")
		e = &ErrorCount{Type: f.Type, Code: f.Code, Status: f.Status, Message: strings.Clone(message)}
		t.errors[kind] = e
	}
	e.Count++
}

func (t *tally) at(when time.Time) {
	if when.IsZero() {
		return
	}
	if t.first.IsZero() || when.Before(t.first) {
		t.first = when
	}
	if when.After(t.last) {
		t.last = when
	}
}

func (t *tally) rows(model, provider string) [3]*tallyRow {
	return [3]*tallyRow{t.total, named(t.models, model), named(t.providers, provider)}
}

func named(rows map[string]*tallyRow, name string) *tallyRow {
	row := rows[name]
	if row == nil {
		row = &tallyRow{Row: Row{Name: name}}
		rows[name] = row
	}
	return row
}

func (row *tallyRow) addResult(r *ledger.Result) {
	if r.Misfit == "" {
		row.Results++
	}
	row.PromptTokens += r.PromptTokens
	row.CompletionTokens += r.CompletionTokens
	row.CachedTokens += r.CachedTokens
	row.ReasoningTokens += r.ReasoningTokens
	row.addCost(r.CostNanos, r.CostKnown)
	row.latency.add(r.LatencyMS)
}

func (row *tallyRow) addFailure(f *ledger.Failure) {
	row.Failures++
	row.PromptTokens += f.PromptTokens
	row.CompletionTokens += f.CompletionTokens
	if f.Billed {
		row.addCost(f.CostNanos, f.CostKnown)
	}
}

func (row *tallyRow) addCost(nanos int64, known bool) {
	if known {
		row.cost += price.Dollars(nanos)
		row.priced++
	} else {
		row.UnknownCost++
	}
}

func (t *tally) report() *Report {
	r := &Report{
		First: t.first, Last: t.last, Runs: t.runs,
		AtRisk:    t.atRisk,
		Kept:      t.kept,
		Lost:      t.lost,
		Total:     t.total.finish(),
		Models:    sortedRows(t.models),
		Providers: sortedRows(t.providers),
		Schema:    t.schema.finish(),
		Errors:    make([]ErrorCount, 0, len(t.errors)),

		Timeline:         t.timeline.finish(),
		LatencyHistogram: t.total.latency.occupied(),
	}
	for _, e := range t.errors {
		r.Errors = append(r.Errors, *e)
	}
	slices.SortFunc(r.Errors, func(a, b ErrorCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Type, b.Type),
			cmp.Compare(a.Code, b.Code), cmp.Compare(a.Status, b.Status))
	})
	return r
}

func (row *tallyRow) finish() Row {
	row.Latency = Latencies{
		P50: row.latency.percentile(50), P90: row.latency.percentile(90),
		P95: row.latency.percentile(95), P99: row.latency.percentile(99),
	}
	if row.priced > 0 || row.UnknownCost == 0 {
		row.Cost = &row.cost
	}
	return row.Row
}

func sortedRows(rows map[string]*tallyRow) []Row {
	sorted := make([]Row, 0, len(rows))
	for row := range maps.Values(rows) {
		sorted = append(sorted, row.finish())
	}
	slices.SortFunc(sorted, func(a, b Row) int {
		return cmp.Or(cmp.Compare(b.Results, a.Results), cmp.Compare(b.Failures, a.Failures), cmp.Compare(a.Name, b.Name))
	})
	return sorted
}
