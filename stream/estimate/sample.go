package estimate

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"math"
	"slices"

	"llmpipe/ledger/price"
	"llmpipe/stream"
	"llmpipe/stream/flow"
	"llmpipe/stream/input"
)

// sample has the outcomes of the records that were asked.
type sample struct {
	survey   *survey
	seen     map[*kind]*seen
	observed []observed
	answers  []answer

	failed, flagged int
	reasoning       int64
	unpriced        bool
	simulated       bool // an answer is simulated
}

// answer is an answer in the sample, with the number of records of its kind that it stands for.
type answer struct {
	kind      *kind
	output    int64 // completion tokens
	latencyMS int64
	standsFor float64
}

// seen is what the sample showed of a kind.
type seen struct {
	asked, answered, failed, flagged float64
	guessed, prompt, completion      float64 // tokens: prompts as estimated, prompts as billed, completions

	promptRatio float64 // billed tokens for each estimated one
	meanOutput  float64 // completion tokens a record, with none for failed ones
}

// askSample sends the sampled records.
func askSample(ctx context.Context, cfg stream.Config, s *survey) (*sample, error) {
	all := &sample{survey: s, seen: make(map[*kind]*seen)}
	cfg.Stdin, cfg.Files, cfg.Sample, cfg.Limit = bytes.NewReader(append(bytes.Join(s.sampled, []byte("\n")), '\n')), nil, 0, 0
	cfg.Slice = input.Slice{} // the lines are in the slice already
	cfg.Stdout, cfg.Failed, cfg.Summary, cfg.Ordered = io.Discard, "", "", false
	cfg.Observe = func(_ *flow.Flow, t *flow.Task) { all.add(t) }
	outcome, err := stream.Run(ctx, cfg)
	if err != nil {
		return nil, err
	}
	switch outcome.ExitCode() {
	case stream.ExitOK, stream.ExitIncomplete: // a failed record is part of what a sample shows
		return all, nil
	}
	return nil, &stream.Ended{Outcome: outcome}
}

// add takes in a record's outcome. It is called by one goroutine.
func (s *sample) add(t *flow.Task) {
	if t.Body == nil || t.Outcome == flow.Unsent || t.Attempts == 0 && t.Outcome == flow.Failed {
		return // it was never asked
	}
	s.simulated = s.simulated || t.Simulated()
	cost, known, latency := t.Cost, t.CostKnown, t.Reply.Latency.Milliseconds()
	if t.Outcome == flow.Recalled {
		cost, known, latency = t.RecordedCost(), t.Recorded.CostKnown, t.Recorded.LatencyMS
	}
	k := s.survey.kindOf(&t.Record)
	guess := int64(t.EstimateTokens(t.Model))
	o := k.known(guess, s.survey.completion(&t.Record))
	o.stratum, o.cost = slices.Index(s.survey.kinds, k), float64(cost)
	s.observed = append(s.observed, o)
	of := s.seen[k]
	if of == nil {
		of = new(seen)
		s.seen[k] = of
	}
	of.asked++
	if t.Outcome == flow.Failed {
		of.failed++
		s.failed++
		return
	}
	u := &t.Reply.Answer.Usage
	of.answered++
	of.guessed += float64(guess)
	of.prompt += float64(u.Prompt)
	of.completion += float64(u.Completion)
	s.unpriced = s.unpriced || !known
	s.reasoning += u.Reasoning
	s.answers = append(s.answers, answer{kind: k, output: u.Completion, latencyMS: latency})
	if t.Reply.Answer.Flag() != "" {
		of.flagged++
		s.flagged++
	}
}

// correct replaces e's guesses with what the sample showed.
func (s *sample) correct(e *Estimate) {
	n := len(s.observed)
	e.Sample = &Sample{N: n, Failed: s.failed, Flagged: s.flagged, ReasoningTokens: s.reasoning}
	e.Simulated = e.Simulated || s.simulated
	if n == 0 {
		return
	}
	var all seen
	var records, failed, flagged float64
	for k, of := range s.seen {
		each := k.stratum.records / of.asked
		records, failed, flagged = records+k.stratum.records, failed+each*of.failed, flagged+each*of.flagged
		all.asked, all.answered = all.asked+of.asked, all.answered+of.answered
		all.guessed, all.prompt, all.completion = all.guessed+of.guessed, all.prompt+of.prompt, all.completion+of.completion
	}
	e.Sample.FailureRate, e.Sample.FlagRate = failed/records, flagged/records
	if len(s.answers) == 0 {
		return
	}
	for i := range s.answers {
		k := s.answers[i].kind
		s.answers[i].standsFor = k.stratum.records / s.seen[k].asked
	}
	e.Sample.OutputP50 = s.percentile(50, func(a *answer) int64 { return a.output })
	e.Sample.OutputP95 = s.percentile(95, func(a *answer) int64 { return a.output })
	e.Sample.LatencyP50 = s.percentile(50, func(a *answer) int64 { return a.latencyMS })
	for _, k := range s.survey.kinds {
		k.seen = s.seen[k]
		if k.seen == nil || k.seen.answered < fewInStratum {
			k.seen = &all
		}
		k.seen.promptRatio, k.seen.meanOutput = 1, k.seen.completion/k.seen.asked
		if k.seen.guessed > 0 {
			k.seen.promptRatio = k.seen.prompt / k.seen.guessed
		}
	}
	e.Basis = "a sample"
}

// fewSampled is how many records a sample needs for an interval. In a smaller one, several may cost
// the same by chance.
const fewSampled = 10

// total replaces e's total with an estimate from the sample's costs, and adds its interval.
func (s *sample) total(e *Estimate) {
	if s.unpriced || len(s.answers) == 0 || e.Total == nil {
		return
	}
	var paid, all float64
	for i := range s.observed {
		paid += s.observed[i].cost
	}
	strata := make([]stratum, len(s.survey.kinds))
	for h, k := range s.survey.kinds {
		strata[h] = k.stratum
	}
	r := regress(strata, s.observed)
	atLeast := func(nanos float64) price.Dollars { return price.Dollars(math.Round(max(nanos, paid))) }
	e.sampled = price.Dollars(math.Round(paid))
	total := atLeast(r.total)
	all = float64(*e.Total)
	e.Total = &total
	mean := price.Dollars(math.Round(float64(total) / float64(max(s.survey.prompts, 1))))
	e.Sample.CostPerRecord = &mean
	for i := range e.ByModel { // so that they add up to the total
		if cost := e.ByModel[i].Cost; cost != nil && all > 0 {
			*cost = price.Dollars(math.Round(float64(*cost) / all * float64(total)))
		}
	}
	for i := range e.Models {
		if e.Models[i].Model == e.Model && s.survey.models() == 1 {
			e.Models[i].Cost = &total
		}
	}
	if r.known && len(s.observed) >= fewSampled {
		e.Interval = &Interval{
			Low: atLeast(r.low), High: atLeast(r.high), Level: confidence,
			Method: "regression of cost on prompt size and max_tokens over the sample, by model, Student's t with a correction for skewness",
		}
	}
}

func (s *sample) meanLatencyMS() float64 {
	var sum, of float64
	for i := range s.answers {
		a := &s.answers[i]
		sum, of = sum+a.standsFor*float64(a.latencyMS), of+a.standsFor
	}
	return sum / max(of, 1)
}

// percentile returns the smallest of the answers' values that at least p of 100 records do not
// exceed.
func (s *sample) percentile(p float64, value func(*answer) int64) int64 {
	slices.SortFunc(s.answers, func(a, b answer) int { return cmp.Compare(value(&a), value(&b)) })
	var all, sum float64
	for i := range s.answers {
		all += s.answers[i].standsFor
	}
	for i := range s.answers {
		if sum += s.answers[i].standsFor; sum >= p/100*all*(1-1e-9) {
			return value(&s.answers[i])
		}
	}
	return 0
}
