package line

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Record is what results and failures have in common: the request, who was asked, and the price.
type Record struct {
	ID       []byte   // the record's id, a JSON token as it was read
	Request  [32]byte // the request's fingerprint
	Endpoint string   // chat, embeddings, …
	Model    string   // the model that was asked
	Provider string   // the provider that was asked
	Shard    string   // the id of the shard that it was asked in, "" if it was not in one

	PromptTokens     int64
	CompletionTokens int64

	CostNanos   int64 // billionths of a US dollar, never negative
	CostKnown   bool  // false: no price is known, and CostNanos means nothing
	CostPartial bool  // the provider bills more than CostNanos, for something without a known price
	// MayCostNanos is the most that attempts with an unknown outcome can have cost, if a price is
	// known.
	MayCostNanos int64
	// Run is the id of the run that wrote the line, and that has nothing at risk for the record any
	// more. It is set when the line is read. For writing, the ledger supplies it.
	Run string

	Attempts  int   // requests sent
	LatencyMS int64 // of the last attempt, milliseconds
	Time      time.Time
	Simulated bool // from the simulated provider; a real run never uses it as an answer
}

// IDText is the id as people know it: a string is without its quotes.
func (r *Record) IDText() string {
	if len(r.ID) == 0 || r.ID[0] != '"' {
		return string(r.ID)
	}
	text, err := jsontext.AppendUnquote(nil, r.ID)
	if err != nil {
		return string(r.ID)
	}
	return string(text)
}

// ErrUnwritable is in the error for what cannot be written: an id or a response that is not JSON on
// one line, a negative cost, a year beyond 9999, a line beyond 256 MiB, a step of a shard without
// an intent before it.
var ErrUnwritable = errors.New("record cannot be written")

// check refuses a record that could not be read back.
func (r *Record) check() error {
	switch year := r.Time.UTC().Year(); {
	case !oneLineOfJSON(r.ID):
		return fmt.Errorf("%w: its id %q is not JSON on one line", ErrUnwritable, r.ID)
	case r.CostNanos < 0:
		return fmt.Errorf("%w: the cost of id %s is negative", ErrUnwritable, r.ID)
	case year < 0 || year > 9999:
		return fmt.Errorf("%w: the time of id %s is in the year %d", ErrUnwritable, r.ID, year)
	}
	return nil
}

// oneLineOfJSON checks the parts of a line that come from elsewhere, so that every line can be read
// back.
func oneLineOfJSON(value jsontext.Value) bool {
	return bytes.IndexByte(value, '\n') < 0 && value.IsValid(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
}

// appendHead writes the fixed members, and the first of the others up to the provider.
func (r *Record) appendHead(dst []byte, start, run string, simulated bool) []byte {
	dst = append(dst, start...)
	dst = appendHex(dst, KeyOf(r.ID, &r.Request).ID)
	dst = append(dst, requestStart...)
	dst = hex.AppendEncode(dst, r.Request[:])
	dst = append(dst, timeStart...)
	dst = r.Time.UTC().AppendFormat(dst, TimeLayout)
	dst = append(dst, costStart...)
	dst = appendCost(dst, r.CostNanos, r.CostKnown)
	if simulated {
		dst = append(dst, simulatedFlag...)
	}
	if r.MayCostNanos > 0 {
		dst = appendCost(append(dst, mayCostMember...), r.MayCostNanos, true)
	}
	if run != "" {
		dst = append(append(append(dst, runMember...), run...), '"')
	}
	dst = append(dst, `,"id":`...)
	dst = append(dst, r.ID...)
	dst = appendText(dst, "endpoint", r.Endpoint)
	dst = appendText(dst, "model", r.Model)
	return appendText(dst, "provider", r.Provider)
}

// appendTokens writes the shard and the tokens.
func (r *Record) appendTokens(dst []byte) []byte {
	dst = appendFlag(dst, "cost_partial", r.CostPartial)
	dst = appendText(dst, "shard", r.Shard)
	dst = appendNumber(dst, "prompt_tokens", r.PromptTokens)
	return appendNumber(dst, "completion_tokens", r.CompletionTokens)
}

// appendAttempts writes the number of attempts and the latency.
func (r *Record) appendAttempts(dst []byte) []byte {
	dst = appendNumber(dst, "attempts", int64(r.Attempts))
	return appendNumber(dst, "latency_ms", r.LatencyMS)
}

// finish seals the line that begins at from, unless it is too long.
func (r *Record) finish(dst []byte, from int) ([]byte, error) {
	if len(dst)-from > MaxLen-SumLen {
		return dst[:from], fmt.Errorf("%w: id %s: %w", ErrUnwritable, r.ID, ErrTooLong)
	}
	return Seal(dst, from), nil
}

// names are the texts of a record that are mostly the same as in the record before.
type names struct{ endpoint, model, provider, shard, run string }

func (r *Record) names() names { return names{r.Endpoint, r.Model, r.Provider, r.Shard, r.Run} }

// set takes over the member that f is at, if it is one of a Record's. It is false if the value is
// not valid.
func (r *Record) set(f *field, before *names) bool {
	switch string(f.name) {
	case "id":
		r.ID = f.value
	case "r":
		return f.request(&r.Request)
	case "time":
		return f.time(&r.Time)
	case "cost_usd":
		return f.cost(&r.CostNanos, &r.CostKnown)
	case "may_cost_usd":
		return f.cost(&r.MayCostNanos, new(bool))
	case "simulated":
		return f.bool(&r.Simulated)
	case "cost_partial":
		return f.bool(&r.CostPartial)
	case "endpoint":
		return f.string(&r.Endpoint, before.endpoint)
	case "model":
		return f.string(&r.Model, before.model)
	case "provider":
		return f.string(&r.Provider, before.provider)
	case "run":
		return f.string(&r.Run, before.run)
	case "shard":
		return f.string(&r.Shard, before.shard)
	case "prompt_tokens":
		return f.integer(&r.PromptTokens)
	case "completion_tokens":
		return f.integer(&r.CompletionTokens)
	case "attempts":
		return f.count(&r.Attempts)
	case "latency_ms":
		return f.integer(&r.LatencyMS)
	}
	return true
}
