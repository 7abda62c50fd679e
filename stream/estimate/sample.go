package estimate

import (
	"math"
	"slices"

	"llmpipe/ledger/price"
	"llmpipe/stream/flow"
)

// sampleStats are what the answers to a sample say of all records.
type sampleStats struct {
	guessed []float64 // each record's estimated prompt tokens
	costs   []float64 // and what it cost, billionths of a dollar
	outputs []int64   // completion tokens of those that were answered

	answered, failed, flagged int
	prompt, completion        int64 // tokens of those that were answered
	reasoning                 int64
	guessedAnswered           float64 // estimated prompt tokens of those that were answered
	latencies                 []int64
	unpriced                  bool
}

// add takes in a record's fate. It is called by one goroutine.
func (s *sampleStats) add(t *flow.Task) {
	if t.Body == nil || t.Outcome == flow.Unsent || t.Attempts == 0 && t.Outcome == flow.Failed {
		return // it was never asked
	}
	guess := float64(t.EstimateTokens(t.Model))
	cost, known, latency := t.Cost, t.CostKnown, t.Reply.Latency.Milliseconds()
	if t.Outcome == flow.Recalled {
		cost, known, latency = t.RecordedCost(), t.Recorded.CostKnown, t.Recorded.LatencyMS
	}
	s.guessed = append(s.guessed, guess)
	s.costs = append(s.costs, float64(cost))
	if t.Outcome == flow.Failed {
		s.failed++
		return
	}
	u := &t.Reply.Answer.Usage
	s.answered++
	s.unpriced = s.unpriced || !known
	s.prompt += u.Prompt
	s.completion += u.Completion
	s.reasoning += u.Reasoning
	s.guessedAnswered += guess
	s.outputs = append(s.outputs, u.Completion)
	s.latencies = append(s.latencies, latency)
	if t.Reply.Answer.Flag() != "" {
		s.flagged++
	}
}

// correct replaces e's guesses by what the sample showed.
func (s *sampleStats) correct(e *Estimate, all *survey) {
	n := s.answered + s.failed
	e.Sample = &Sample{N: n, Failed: s.failed, Flagged: s.flagged, ReasoningTokens: s.reasoning}
	if n == 0 {
		return
	}
	e.Sample.FailureRate, e.Sample.FlagRate = float64(s.failed)/float64(n), float64(s.flagged)/float64(n)
	if s.answered == 0 {
		return
	}
	slices.Sort(s.outputs)
	slices.Sort(s.latencies)
	e.Sample.OutputP50, e.Sample.OutputP95 = percentile(s.outputs, 50), percentile(s.outputs, 95)
	e.Sample.LatencyP50 = percentile(s.latencies, 50)
	if s.guessedAnswered > 0 {
		e.PromptTokens = int64(float64(all.tokens) * float64(s.prompt) / s.guessedAnswered)
	}
	e.CompletionTokens, e.Basis = int64(float64(all.prompts)*float64(s.completion)/float64(n)), "a sample"
}

// fewSampled is how many records a sample needs before it has an interval: of a handful, several
// cost the same by chance.
const fewSampled = 10

// total replaces e's total by what the sample's costs say, with its interval.
func (s *sampleStats) total(e *Estimate, all *survey) {
	if s.unpriced || s.answered == 0 {
		return
	}
	var sum float64
	for _, c := range s.costs {
		sum += c
	}
	e.sampled = price.Dollars(math.Round(sum))
	mean := price.Dollars(math.Round(sum / float64(len(s.costs))))
	e.Sample.CostPerRecord = &mean
	r := regress(s.guessed, s.costs, float64(all.tokens), float64(all.prompts))
	total := price.Dollars(math.Round(max(r.total, sum)))
	e.Total = &total
	for i := range e.Models {
		if e.Models[i].Model == e.Model {
			e.Models[i].Cost = &total
		}
	}
	if r.half >= 0 && len(s.costs) >= fewSampled {
		e.Interval = &Interval{
			Low:  price.Dollars(math.Round(max(r.total-r.half, sum))),
			High: price.Dollars(math.Round(max(r.total+r.half, sum))), Level: confidence,
			Method: "regression of cost on prompt size over the sample, Student's t, finite population",
		}
	}
}

func (s *sampleStats) meanLatencyMS() float64 {
	var sum int64
	for _, l := range s.latencies {
		sum += l
	}
	return float64(sum) / float64(max(len(s.latencies), 1))
}

// percentile returns the smallest of the sorted values that p of 100 do not pass.
func percentile(sorted []int64, p int) int64 {
	return sorted[min(len(sorted)-1, (len(sorted)*p+99)/100-1)]
}
