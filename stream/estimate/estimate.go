package estimate

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"llmpipe/ledger/price"
	"llmpipe/stream"
	"llmpipe/stream/batch"
	"llmpipe/stream/flow"
	"llmpipe/stream/input"
	"llmpipe/stream/provider"
	"llmpipe/stream/record"
)

// guessedOutput is the completion tokens assumed of an answer without max_tokens or a sample.
const guessedOutput = 256

// Estimate is what prompts would cost, and how long they would take.
type Estimate struct {
	Prompts          int64  `json:"prompts"`           // records that can be asked
	Invalid          int64  `json:"invalid"`           // lines that cannot
	Model            string `json:"model"`             // of most records
	Mode             string `json:"mode,omitempty"`    // batch, where that is the way they would go
	PromptTokens     int64  `json:"prompt_tokens"`     // estimated, corrected by the sample
	CompletionTokens int64  `json:"completion_tokens"` // see Basis
	// Basis says where CompletionTokens come from: a sample, max_tokens (the most there can be), or a
	// guess.
	Basis string `json:"basis"`

	Total    *price.Dollars `json:"total_usd"` // null where no price is known
	Interval *Interval      `json:"interval"`  // null without a sample of ten or more
	Models   []ModelCost    `json:"models"`
	Hours    *float64       `json:"hours"` // at the limits given; null where none bounds it
	Bound    string         `json:"bound"` // which limit that is: requests, tokens or latency
	Sample   *Sample        `json:"sample"`

	sampled price.Dollars // what the sample has cost
}

// Interval holds the true total in 95 of 100 estimates.
type Interval struct {
	Low    price.Dollars `json:"low_usd"`
	High   price.Dollars `json:"high_usd"`
	Level  float64       `json:"level"`
	Method string        `json:"method"`
}

// ModelCost is what the same prompts would cost elsewhere: as many tokens at another price.
type ModelCost struct {
	Model string         `json:"model"`
	Cost  *price.Dollars `json:"cost_usd"`  // null where no price is known
	Batch *price.Dollars `json:"batch_usd"` // null where no batch price is known
}

// Sample is what asking about some of the records showed.
type Sample struct {
	N               int            `json:"n"`
	Failed          int            `json:"failed"`
	Flagged         int            `json:"flagged"`
	FailureRate     float64        `json:"failure_rate"`
	FlagRate        float64        `json:"flag_rate"`
	OutputP50       int64          `json:"output_p50"` // completion tokens, reasoning included
	OutputP95       int64          `json:"output_p95"`
	ReasoningTokens int64          `json:"reasoning_tokens"` // of all the sample's completions
	CostPerRecord   *price.Dollars `json:"cost_per_record_usd"`
	LatencyP50      int64          `json:"latency_p50_ms"`
}

// survey is one pass over the records.
type survey struct {
	prompts, invalid int64
	tokens           int64 // estimated prompt tokens
	bounded          int64 // sum of max_tokens times n
	unbounded        int64 // records without max_tokens
	models           map[string]int64
	sampled          [][]byte // lines
}

// Run reads the records that cfg names and says what asking about them would cost. With cfg.Sample
// so many of them are really asked, through the ledger, so that nothing is paid for twice. models
// are priced beside the one that is asked for; none stands for what else its provider has of the
// family. A sample that could not be asked to its end is an *Ended.
func Run(ctx context.Context, cfg stream.Config, models []string) (*Estimate, error) {
	s, err := surveyRecords(&cfg)
	if err != nil {
		return nil, err
	}
	e := &Estimate{
		Prompts: s.prompts, Invalid: s.invalid, Model: s.model(), PromptTokens: s.tokens,
		CompletionTokens: s.bounded + guessedOutput*s.unbounded, Basis: "max_tokens",
	}
	if s.unbounded > 0 {
		e.Basis = "a guess"
	}
	if cfg.Decode.Endpoint == record.Embeddings {
		e.CompletionTokens, e.Basis = 0, noOutput
	}
	prices := cfg.Money.InForce(time.Now())
	host := provider.NameOf(cfg.Provider.BaseURL)
	batches := cfg.Batch
	cfg.Batch = batch.Config{} // a sample is for now
	var seen *sampleStats
	if cfg.Sample > 0 {
		if seen, err = askSample(ctx, cfg, s.sampled); err != nil {
			return nil, err
		}
		seen.correct(e, s)
	}
	e.price(prices, host, models)
	if seen != nil {
		seen.total(e, s)
	}
	e.time(&cfg, seen)
	if batches.Mode == flow.ModeBatch {
		e.byBatch(prices, host, batches.Window)
	}
	return e, nil
}

// noOutput is the basis of an estimate for an endpoint that completes nothing.
const noOutput = "embeddings have none"

// surveyRecords reads the input once. It holds the sample's lines and nothing else.
func surveyRecords(cfg *stream.Config) (*survey, error) {
	src, err := input.NewSource(cfg.Input())
	if err != nil {
		return nil, err
	}
	decode, err := record.NewDecoder(cfg.Decode)
	if err != nil {
		return nil, err
	}
	s := &survey{models: make(map[string]int64)}
	chosen := input.Sampler[[]byte]{N: cfg.Sample}
	var t flow.Task
	for cfg.Limit == 0 || s.prompts < int64(cfg.Limit) {
		t.Err, t.Outcome, t.Buffer = nil, flow.Unsent, t.Buffer[:0]
		err := src.Next(&t)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if t.Err == nil {
			if err := decode.Decode(&t.Record, t.Buffer); err != nil {
				t.Fail(err)
			}
		}
		if !cfg.Slice.Holds(&t) {
			t.CloseSpill()
			continue
		}
		s.add(&t)
		if t.Spill == nil && cfg.Sample > 0 {
			if rank := input.RankOf(&t, cfg.Seed); chosen.Wants(rank) {
				chosen.Offer(rank, slices.Clone(t.Buffer))
			}
		}
		t.CloseSpill()
	}
	s.sampled = chosen.Chosen()
	return s, nil
}

func (s *survey) add(t *flow.Task) {
	if t.Err != nil {
		s.invalid++
		return
	}
	s.prompts++
	s.models[t.Model]++
	s.tokens += int64(t.EstimateTokens(t.Model))
	if t.MaxTokens > 0 {
		s.bounded += int64(t.MaxTokens) * int64(t.N)
	} else {
		s.unbounded++
	}
}

// model is that of most records.
func (s *survey) model() string {
	best := ""
	for model, n := range s.models {
		if n > s.models[best] || n == s.models[best] && model < best {
			best = model
		}
	}
	return best
}

// price fills in what the tokens cost, here and elsewhere.
func (e *Estimate) price(prices *price.Table, host string, models []string) {
	if len(models) == 0 {
		models = []string{e.Model}
		for _, row := range prices.Family(host, e.Model) {
			models = append(models, row.Model)
		}
	}
	for _, model := range models {
		m := ModelCost{Model: model}
		// One price for all tokens together: no single prompt is as long as their sum.
		if listed, _, ok := prices.Lookup(host, model); ok {
			listed = listed.Flat()
			tokens := price.Tokens{Prompt: e.PromptTokens, Completion: e.CompletionTokens}
			cost := price.Dollars(listed.Cost(tokens))
			m.Cost = &cost
			if nanos, ok := listed.BatchCost(tokens); ok {
				batch := price.Dollars(nanos)
				m.Batch = &batch
			}
			if model == e.Model {
				e.Total = &cost
			}
		}
		e.Models = append(e.Models, m)
	}
	if e.Total == nil && !slices.Contains(models, e.Model) {
		own := Estimate{Model: e.Model, PromptTokens: e.PromptTokens, CompletionTokens: e.CompletionTokens}
		own.price(prices, host, []string{e.Model})
		e.Total = own.Total
	}
}

// time fills in the hours: the largest of what the limits and the latency take.
func (e *Estimate) time(cfg *stream.Config, seen *sampleStats) {
	note := func(bound string, minutes float64) {
		if hours := minutes / 60; e.Hours == nil || hours > *e.Hours {
			e.Hours, e.Bound = &hours, bound
		}
	}
	if rpm := cfg.Pace.RPM; rpm > 0 {
		requests := float64(e.Prompts)
		if cfg.Decode.Endpoint == record.Embeddings && cfg.Pack > 1 {
			requests /= float64(cfg.Pack)
		}
		note("requests", requests/float64(rpm))
	}
	if tpm := cfg.Pace.TPM; tpm > 0 {
		note("tokens", float64(e.PromptTokens+e.CompletionTokens)/float64(tpm))
	}
	if seen != nil && seen.answered > 0 {
		inFlight := cmp.Or(cfg.Pace.Concurrency, cfg.Pace.MaxConcurrency)
		note("latency", float64(e.Prompts)*seen.meanLatencyMS()/60_000/float64(max(inFlight, 1)))
	}
}

// askSample really asks about the sampled records.
func askSample(ctx context.Context, cfg stream.Config, lines [][]byte) (*sampleStats, error) {
	seen := &sampleStats{}
	cfg.Stdin, cfg.Files, cfg.Sample, cfg.Limit = bytes.NewReader(append(bytes.Join(lines, []byte("\n")), '\n')), nil, 0, 0
	cfg.Slice = input.Slice{} // the lines are of it
	cfg.Stdout, cfg.Failed, cfg.Summary, cfg.Ordered = io.Discard, "", "", false
	cfg.Observe = func(_ *flow.Flow, t *flow.Task) { seen.add(t) }
	outcome, err := stream.Run(ctx, cfg)
	if err != nil {
		return nil, err
	}
	switch outcome.ExitCode() {
	case stream.ExitOK, stream.ExitIncomplete: // a failed record is part of what a sample shows
		return seen, nil
	}
	return nil, &stream.Ended{Outcome: outcome}
}
