package report

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"llmpipe/ledger"
	"llmpipe/ledger/price"
)

// tally adds up one report's figures.
type tally struct {
	flag        func(*ledger.Result) string
	first, last time.Time
	runCount    int64
	runs        *runs // of the real and of the simulated side
	records     *records
	attempts    Attempts
	sums        sums
	errors      map[errorKind]*ErrorCount
	schema      schemaTally
	batches     batchTally
	unsettled   Unsettled
	timeline    timeline

	// Of the ledger that is being read:
	risk     ledger.RiskTally
	spending spending
	budgets  []Budget // of those before, and of it at its end
}

// sums are the rows of the tables.
type sums struct {
	total     *tallyRow
	models    map[string]*tallyRow
	providers map[string]*tallyRow
}

func (s *sums) rows(model, provider string) [3]*tallyRow {
	return [3]*tallyRow{s.total, named(s.models, model), named(s.providers, provider)}
}

func named(rows map[string]*tallyRow, name string) *tallyRow {
	row := rows[name]
	if row == nil {
		row = &tallyRow{Row: Row{Name: name}}
		rows[name] = row
	}
	return row
}

type tallyRow struct {
	Row
	lines   int64 // of records
	cost    price.Dollars
	priced  int64 // how many have a cost that is known
	latency histogram
}

func newTally(o *Options, runs *runs) *tally {
	return &tally{
		flag:    o.Flag,
		runs:    runs,
		records: newRecords(),
		sums:    sums{new(tallyRow), make(map[string]*tallyRow), make(map[string]*tallyRow)},
		errors:  make(map[errorKind]*ErrorCount),
	}
}

// lines is how many lines of records there were.
func (t *tally) lines() int64 { return t.sums.total.lines }

// begin turns to a ledger.
func (t *tally) begin(midnight time.Time) {
	t.risk, t.spending = ledger.RiskTally{Since: midnight}, spending{midnight: midnight}
}

// finishLedger takes in what is known of a ledger once it is read.
func (t *tally) finishLedger(path string) {
	live, lost := t.risk.Sum(path)
	t.unsettled.AtRisk.add(live.All)
	t.unsettled.Lost.add(lost.All)
	aside := t.spending.setAside()
	t.batches.Pending += int64(len(t.spending.pending))
	t.batches.SetAside += aside
	more := price.Dollars(live.All.Nanos+lost.All.Nanos) + aside
	if b := t.spending.left(path, more, price.Dollars(live.Since.Nanos+lost.Since.Nanos)); b != nil {
		t.budgets = append(t.budgets, *b)
	}
}

func (t *tally) add(e *ledger.Entry) {
	t.risk.Add(e)
	switch {
	case e.Run != nil:
		t.runCount++
		t.runs.add(e.Run)
		t.spending.run(e.Run)
	case e.End != nil:
		t.runs.end(e.End)
	case e.Shard != nil:
		t.spending.step(e.Shard)
		t.unsettled.Kept += t.batches.step(e.Shard)
	case e.Result != nil:
		t.addResult(e.Result)
	case e.Failure != nil:
		t.addFailure(e.Failure)
	}
}

func (t *tally) addResult(r *ledger.Result) {
	t.addRecord(&r.Record, true)
	t.schema.addResult(r)
	t.timeline.addResult(r)
	if r.SameAs == nil {
		t.attempts.Answers++
	}
	for _, row := range t.sums.rows(r.Model, r.Provider) {
		row.addResult(r)
	}
	if r.Shard != "" && r.CostKnown {
		t.batches.Cost += price.Dollars(r.CostNanos)
	}
	key := ledger.KeyOf(r.ID, &r.Request)
	if r.Misfit != "" { // until it is asked again, or said to have failed
		t.records.misfits(key)
		kind := errorKind{class: "schema"}
		t.records.end(key, ending{
			outcome: failed, model: r.Model, provider: r.Provider, kind: kind, misfit: t.schema.placeOf(r.Misfit), turn: true,
		})
		t.records.failed(key, &r.Record, OpenFailure{Type: kind.class, Message: "the answer does not fit the schema"})
		return
	}
	e := ending{outcome: answered, model: r.Model, provider: r.Provider, traits: traits{
		same: r.SameAs != nil, attached: len(r.Attachments) > 0, downgraded: r.DowngradedFrom != "",
		batch: r.Shard != "", partial: r.CostPartial || r.Earlier.CostPartial,
	}}
	if t.flag != nil {
		e.flag = t.flag(r)
	}
	t.records.end(key, e)
}

func (t *tally) addFailure(f *ledger.Failure) {
	t.addRecord(&f.Record, false)
	t.timeline.addFailure(f)
	t.attempts.Failures++
	for _, row := range t.sums.rows(f.Model, f.Provider) {
		row.addFailure(f)
	}
	kind := errorKind{class: f.Type, code: f.Code, status: f.Status}
	count := t.errorOf(kind)
	if count.Count++; count.Count == 1 {
		count.Message = cutText(f.Message, maxMessage)
	}
	key := ledger.KeyOf(f.ID, &f.Request)
	t.records.end(key, ending{outcome: failed, model: f.Model, provider: f.Provider, kind: kind, misfit: t.schema.placeOf(f.Misfit)})
	t.records.failed(key, &f.Record, OpenFailure{Type: f.Type, Code: f.Code, Status: f.Status, Message: f.Message})
}

// addRecord adds what answers and failures have in common.
func (t *tally) addRecord(r *ledger.Record, answer bool) {
	t.sums.total.lines++
	t.unsettled.Kept += price.Dollars(r.MayCostNanos)
	t.spending.spend(r)
	t.runs.wrote(r, answer)
	if r.Time.IsZero() {
		return
	}
	if t.first.IsZero() || r.Time.Before(t.first) {
		t.first = r.Time
	}
	if r.Time.After(t.last) {
		t.last = r.Time
	}
}

// errorOf is the count of a kind of failure.
func (t *tally) errorOf(kind errorKind) *ErrorCount {
	e := t.errors[kind]
	if e == nil {
		e = &ErrorCount{Type: kind.class, Code: kind.code, Status: kind.status}
		t.errors[kind] = e
	}
	return e
}

// report finishes the sums, of the simulated side or of the real one.
func (t *tally) report(simulated bool) *Report {
	r := &Report{
		First: t.first, Last: t.last, Runs: t.runCount,
		Records:   t.records.sum(t),
		Attempts:  t.attempts,
		Unsettled: t.unsettled,
		Budgets:   append([]Budget{}, t.budgets...),
		Batches:   t.batches.finish(),
		Figures: Figures{
			Total: t.sums.total.finish(), Models: sortedRows(t.sums.models), Providers: sortedRows(t.sums.providers),
			Errors: make([]ErrorCount, 0, len(t.errors)),
		},
		Schema:           t.schema.finish(),
		Open:             t.records.stillOpen(),
		LastRuns:         t.runs.list(simulated),
		LatencyHistogram: t.sums.total.latency.occupied(),
	}
	r.Attempts.addRuns(r.LastRuns)
	r.Timeline = t.timeline.finish(mostSteps, t.timeline.idle(r.LastRuns))
	for _, e := range t.errors {
		r.Errors = append(r.Errors, *e)
	}
	slices.SortFunc(r.Errors, func(a, b ErrorCount) int {
		return cmp.Or(cmp.Compare(b.Open, a.Open), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Type, b.Type),
			cmp.Compare(a.Code, b.Code), cmp.Compare(a.Status, b.Status))
	})
	return r
}

func (row *tallyRow) addResult(r *ledger.Result) {
	row.PromptTokens += r.PromptTokens
	row.CompletionTokens += r.CompletionTokens
	row.CachedTokens += r.CachedTokens
	row.ReasoningTokens += r.ReasoningTokens
	row.addCost(r.CostNanos, r.CostKnown)
	if r.SameAs == nil && r.Shard == "" { // else it is another's, or nobody waited for it
		row.latency.add(r.LatencyMS)
	}
}

func (row *tallyRow) addFailure(f *ledger.Failure) {
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
