package report

import (
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

	// Simulated says that the figures are the simulated provider's, because there are no others. If
	// there are others, its records are not in the figures; SimulatedLeftOut counts them.
	Simulated        bool  `json:"simulated"`
	SimulatedLeftOut int64 `json:"simulated_left_out"`

	Records  Records  `json:"records"`
	Attempts Attempts `json:"attempts"`
	Unsettled
	Budgets []Budget `json:"budgets"` // of ledgers whose latest run had one
	Batches *Batches `json:"batches,omitempty"`
	Figures
	Schema *Schema `json:"schema,omitempty"`

	Open     []OpenFailure `json:"open"`      // the first of the records without an answer
	LastRuns []Run         `json:"last_runs"` // earliest first

	// What charts are drawn from: what happened when, and the latencies of all answers.
	Timeline         Timeline        `json:"-"`
	LatencyHistogram []LatencyBucket `json:"-"`
}

// Unsettled is what may have been spent, or may still be. It is in no cost of a Report.
type Unsettled struct {
	// AtRisk is what requests in flight may cost in living processes. Lost is what requests in flight
	// may have cost in processes that are gone.
	AtRisk Exposure `json:"at_risk,omitzero"`
	// Kept is the most that attempts with an unknown outcome, and batches that were given up, may have
	// cost. A budget counts it and Lost as spent.
	Kept price.Dollars `json:"kept_usd,omitempty"`
	Lost Exposure      `json:"lost,omitzero"`
}

// Figures are sums over everything, by model, by provider and by error.
type Figures struct {
	Total     Row          `json:"total"`
	Models    []Row        `json:"models"`    // most records first
	Providers []Row        `json:"providers"` // most records first
	Errors    []ErrorCount `json:"errors"`    // most frequent first
}

// Row is the figures of all records, of one model, or of one provider. Records count by their last
// outcome; tokens and costs include every attempt.
type Row struct {
	Name             string         `json:"name,omitempty"`
	Results          int64          `json:"results"`  // records that are answered
	Failures         int64          `json:"failures"` // records that are not
	PromptTokens     int64          `json:"prompt_tokens"`
	CompletionTokens int64          `json:"completion_tokens"`
	CachedTokens     int64          `json:"cached_tokens"`
	ReasoningTokens  int64          `json:"reasoning_tokens"`
	Cost             *price.Dollars `json:"cost_usd"`     // of those whose cost is known; nil if none is
	UnknownCost      int64          `json:"unknown_cost"` // how many have an unknown cost
	Latency          Latencies      `json:"latency_ms"`   // of the answers, except those from batches
}

// Schema is the outcome of answers that had to fit a schema.
type Schema struct {
	Misfits  int64          `json:"misfits"`          // answers that do not fit; they are not among the results
	Reasked  int64          `json:"reasked"`          // answers to a further turn, fitting or not
	Cost     *price.Dollars `json:"reasked_cost_usd"` // of those whose cost is known; null if none is
	Failures []MisfitCount  `json:"failures"`         // records that failed so, by the place where answers do not fit; most first
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

// Exposure is the most that requests without a recorded outcome may cost.
type Exposure struct {
	Requests int64         `json:"requests"`
	Unknown  int64         `json:"unknown_cost"` // how many have no known price
	MayCost  price.Dollars `json:"may_cost_usd"` // of the others
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
	Count  int64  `json:"count"` // each time
	Open   int64  `json:"open"`  // records without an answer, whose last failure it is

	// Message is the message of the first of them, cut to maxMessage bytes.
	Message string `json:"message,omitempty"`
}

// maxMessage bounds what is kept of a message, in bytes. Some providers send whole pages of HTML.
const maxMessage = 500

// cutText returns at most that many bytes of a text, in memory of its own.
func cutText(text string, most int) string {
	return strings.Clone(strings.ToValidUTF8(text[:min(len(text), most)], ""))
}

// Options says how ledgers are added up.
type Options struct {
	Now  time.Time                   // the daily budgets are of this day
	Flag func(*ledger.Result) string // says what is wrong with an answer, "" for nothing; nil for no such word
	Warn func(string)                // gets messages for a person; nil for nobody
}

// New reads ledgers, compressed or not, as [ledger.Scan] does. Memory grows with the number of
// models, providers and kinds of error, and by about 30 bytes a record.
func New(o Options, paths ...string) (*Report, error) {
	runs := new(runs)
	real, simulated := newTally(&o, runs), newTally(&o, runs)
	for _, path := range paths {
		midnight := o.Now.UTC().Truncate(24 * time.Hour)
		real.begin(midnight)
		simulated.begin(midnight)
		runs.latest = nil
		err := ledger.Scan(path, o.Warn, func(e ledger.Entry) error {
			tally := real
			if isSimulated(&e) {
				tally = simulated
			}
			tally.add(&e)
			// A run may learn late that it asks a simulator.
			switch {
			case tally == simulated && e.Risk == nil:
				real.risk.Add(&e)
			case tally == real && e.Run != nil:
				simulated.spending.run(e.Run)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		runs.living(path)
		real.finishLedger(path)
		simulated.finishLedger(path)
	}
	if real.lines() == 0 && simulated.lines() > 0 {
		r := simulated.report(true)
		r.Simulated = true
		r.Runs += real.runCount // those of a simulator over the network, which is known only by its answers
		return r, nil
	}
	r := real.report(false)
	r.SimulatedLeftOut = simulated.records.total()
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
	case e.End != nil:
		return e.End.Simulated
	case e.Risk != nil:
		return e.Risk.Simulated
	case e.Shard != nil:
		return e.ShardSimulated
	}
	return false
}
