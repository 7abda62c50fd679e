package estimate

import (
	"cmp"
	"context"
	"time"

	"llmpipe/ledger/price"
	"llmpipe/stream"
	"llmpipe/stream/batch"
	"llmpipe/stream/flow"
	"llmpipe/stream/naming"
	"llmpipe/stream/provider"
	"llmpipe/stream/record"
	"llmpipe/stream/spend"
	"llmpipe/stream/ui"
)

// guessedOutput is the completion tokens assumed for an answer without max_tokens or a sample.
const guessedOutput = 256

// Estimate is what prompts would cost, and how long they would take.
type Estimate struct {
	Prompts          int64  `json:"prompts"`           // records that can be asked
	Invalid          int64  `json:"invalid"`           // lines that cannot
	Model            string `json:"model"`             // of most records; ByModel has all
	Mode             string `json:"mode,omitempty"`    // batch, if they would go by batch
	PromptTokens     int64  `json:"prompt_tokens"`     // estimated, corrected by the sample
	CompletionTokens int64  `json:"completion_tokens"` // see Basis
	// Basis says where CompletionTokens come from: a sample, max_tokens (the most there can be), or a
	// guess.
	Basis string `json:"basis"`

	Total    *price.Dollars `json:"total_usd"` // null if no price is known
	Interval *Interval      `json:"interval"`  // null without a sample of ten or more
	ByModel  []KindCost     `json:"by_model"`
	Models   []ModelCost    `json:"models"`
	Hours    *float64       `json:"hours"` // at the given limits; null if no limit bounds the time
	Bound    string         `json:"bound"` // what bounds Hours: requests, tokens, latency or the window of batches
	Sample   *Sample        `json:"sample"`

	Simulated bool `json:"simulated,omitempty"` // a simulator is asked: the prices are those of the models' own providers

	sampled price.Dollars // what the sample has cost
}

// Interval is a 95 % confidence interval: it contains the true total in 95 of 100 estimates.
type Interval struct {
	Low    price.Dollars `json:"low_usd"`
	High   price.Dollars `json:"high_usd"`
	Level  float64       `json:"level"`
	Method string        `json:"method"`
}

// KindCost is what the prompts for one model at one tier cost.
type KindCost struct {
	Model            string         `json:"model"`
	Tier             string         `json:"service_tier,omitempty"` // if its price is not the standard one
	Prompts          int64          `json:"prompts"`
	PromptTokens     int64          `json:"prompt_tokens"`
	CompletionTokens int64          `json:"completion_tokens"`
	Cost             *price.Dollars `json:"cost_usd"` // null if no price is known
}

// ModelCost is what the same prompts would cost elsewhere: as many tokens at another price.
type ModelCost struct {
	Model string         `json:"model"`
	Cost  *price.Dollars `json:"cost_usd"`  // null if no price is known
	Batch *price.Dollars `json:"batch_usd"` // null if no batch price is known
}

// Sample is what sending some of the records showed.
type Sample struct {
	N               int            `json:"n"`
	Failed          int            `json:"failed"`
	Flagged         int            `json:"flagged"`
	FailureRate     float64        `json:"failure_rate"`
	FlagRate        float64        `json:"flag_rate"`
	OutputP50       int64          `json:"output_p50"` // completion tokens, including reasoning
	OutputP95       int64          `json:"output_p95"`
	ReasoningTokens int64          `json:"reasoning_tokens"` // of all the sample's completions
	CostPerRecord   *price.Dollars `json:"cost_per_record_usd"`
	LatencyP50      int64          `json:"latency_p50_ms"`
}

// Run reads the records that cfg names and estimates what their requests would cost. With
// cfg.Sample, it really sends that many of them, through the ledger, so that nothing is paid for
// twice. models are the models to compare; without any, Run compares the others of the same family.
// If the sample could not be finished, the error is an *Ended.
func Run(ctx context.Context, cfg stream.Config, models []string) (*Estimate, error) {
	voice := ui.NewVoice(cfg.Stderr, cfg.Quiet, cfg.Verbose)
	if cfg.Sample == 0 { // otherwise the run that asks the sample notes it
		cfg.Money.NoteOlder(voice)
	}
	wrong := complaints{voice: voice}
	s, err := surveyRecords(&cfg, cfg.Money.InForce(time.Now()), provider.NameOf(cfg.Provider.BaseURL), wrong.tell)
	if err != nil {
		return nil, err
	}
	wrong.end(s.prompts)
	e := &Estimate{
		Prompts: s.prompts, Invalid: s.invalid, Model: s.model(), Basis: "max_tokens", Simulated: provider.IsSim(cfg.Provider.BaseURL),
	}
	switch {
	case s.embeds:
		e.Basis = noOutput
	case s.unbounded > 0:
		e.Basis = "a guess"
	}
	batches := cfg.Batch
	cfg.Batch = batch.Config{} // the sample's answers are needed now
	var asked *sample
	if cfg.Sample > 0 {
		if asked, err = askSample(ctx, cfg, s); err != nil {
			return nil, err
		}
		asked.correct(e)
	}
	for _, k := range s.kinds {
		t := k.total()
		e.PromptTokens, e.CompletionTokens = e.PromptTokens+t.Prompt, e.CompletionTokens+t.Completion
	}
	e.price(s, models)
	if asked != nil {
		asked.total(e)
	}
	e.time(&cfg, asked)
	if batches.Mode == flow.ModeBatch {
		e.byBatch(s, batches.Window)
	}
	for _, model := range e.unpriced() {
		if model == "" {
			voice.Warn("no model is named, so its price is unknown")
			voice.Hint("name it with -m: only a run asks the server which models it has")
			continue
		}
		voice.Warn("no price is known for the model %q", naming.Short(model))
		voice.Hint("%s", spend.AddPrice)
	}
	return e, nil
}

// noOutput is the basis of an estimate for an endpoint that completes nothing.
const noOutput = "embeddings have none"

// time fills in the hours: the longest of the times that the limits and the latency require.
func (e *Estimate) time(cfg *stream.Config, asked *sample) {
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
	if asked != nil && len(asked.answers) > 0 {
		inFlight := cmp.Or(cfg.Pace.Concurrency, cfg.Pace.MaxConcurrency)
		note("latency", float64(e.Prompts)*asked.meanLatencyMS()/60_000/float64(max(inFlight, 1)))
	}
}
