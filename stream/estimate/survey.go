package estimate

import (
	"cmp"
	"errors"
	"io"
	"math"
	"slices"
	"sort"

	"llmpipe/ledger/price"
	"llmpipe/stream"
	"llmpipe/stream/flow"
	"llmpipe/stream/input"
	"llmpipe/stream/record"
)

// survey is one pass over the records.
type survey struct {
	prices *price.Table
	host   string
	steps  []int64 // the table's price steps: prompts between two of them cost the same a token

	prompts, invalid int64
	unbounded        int64 // records without max_tokens
	embeds           bool
	kinds            []*kind
	byName           map[kindName]*kind
	sampled          [][]byte // lines
}

type kindName struct {
	model string
	tier  price.Tier
}

// kind is what is known about the records for one model at one tier.
type kind struct {
	name    kindName
	price   price.Price // at the tier
	priced  bool
	stratum stratum
	parts   []part // by the steps that their prompts exceed
	seen    *seen  // nil if there is no sample, or no answer in it
}

// part is the records of a kind whose prompts exceed the same steps.
type part struct {
	prompts    int64
	tokens     int64 // of the prompts, estimated
	completion int64 // the most possible, or a guess
	longest    int64 // tokens of the longest prompt
}

// surveyRecords reads the input once. It keeps only the sample's lines in memory.
func surveyRecords(cfg *stream.Config, prices *price.Table, host string, wrong func(*flow.Task)) (*survey, error) {
	src, err := input.NewSource(cfg.Input())
	if err != nil {
		return nil, err
	}
	decode, err := record.NewDecoder(cfg.Decode)
	if err != nil {
		return nil, err
	}
	files, err := cfg.OpenFolder()
	if err != nil {
		return nil, err
	}
	defer files.Close() // nothing is written there
	s := &survey{
		prices: prices, host: host, steps: prices.Steps(), embeds: cfg.Decode.Endpoint == record.Embeddings, byName: make(map[kindName]*kind),
	}
	met := input.NewMet()
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
			err := decode.Decode(&t.Record, t.Buffer)
			if err == nil && files != nil {
				err = files.Look(&t.Record)
			}
			if err != nil {
				t.Fail(err)
			}
		}
		if cfg.Slice.Holds(&t) {
			s.take(&t, met, &chosen, cfg.Seed, wrong)
		}
		t.CloseSpill()
	}
	s.sampled = chosen.Chosen()
	return s, nil
}

// take counts a record and offers it for the sample, or reports what is wrong with it. A record
// that was met before is not counted again.
func (s *survey) take(t *flow.Task, met *input.Met, chosen *input.Sampler[[]byte], seed uint64, wrong func(*flow.Task)) {
	rank := uint64(0)
	if chosen.N > 0 {
		rank = input.RankOf(t, seed) // by its own id, before Again gives it one
	}
	if t.Err == nil && met.Again(t) {
		return
	}
	if t.Err != nil {
		s.invalid++
		wrong(t)
		return
	}
	rank = s.add(t).rank(rank, s.kinds[0])
	if chosen.N > 0 && chosen.Wants(rank) {
		chosen.Offer(rank, slices.Clone(t.Buffer))
	}
}

// rank returns the rank of a record of the kind in the draw of the sample, which takes the lowest
// ranks. If all kinds have the same weight, the ranks' order is that of every sample. A kind with a
// higher weight gets proportionally more records, because it contributes that much more of the
// uncertainty (E. Ohlsson, Sequential Poisson Sampling, 1998).
func (k *kind) rank(rank uint64, first *kind) uint64 {
	const least = 1 << 14 // the first kind counts as less than this many times as dear as k
	return uint64(float64(rank/least) * min(first.stratum.weight/k.stratum.weight, least-1))
}

// add counts a record that can be asked.
func (s *survey) add(t *flow.Task) *kind {
	k := s.kindOf(&t.Record)
	prompt, completion := int64(t.EstimateTokens(t.Model)), s.completion(&t.Record)
	s.prompts++
	if t.MaxTokens == 0 {
		s.unbounded++
	}
	step := sort.Search(len(s.steps), func(i int) bool { return prompt <= s.steps[i] })
	if step >= len(k.parts) {
		k.parts = append(k.parts, make([]part, step+1-len(k.parts))...)
	}
	p := &k.parts[step]
	p.prompts, p.tokens, p.completion = p.prompts+1, p.tokens+prompt, p.completion+completion
	p.longest = max(p.longest, prompt)
	known := k.known(prompt, completion)
	k.stratum.records++
	k.stratum.prompts += known.prompt
	k.stratum.bounds += known.bound
	return k
}

// completion returns the most completion tokens that a record allows, or a guess.
func (s *survey) completion(r *record.Record) int64 {
	if s.embeds {
		return 0
	}
	return int64(cmp.Or(r.MaxTokens, guessedOutput)) * int64(r.N)
}

// kindOf returns the kind of a record.
func (s *survey) kindOf(r *record.Record) *kind {
	name := kindName{r.Model, price.TierOf(r.Tier)}
	k := s.byName[name]
	if k == nil {
		listed, _, ok := s.prices.Lookup(s.host, r.Model)
		k = &kind{name: name, price: listed.At(name.tier), priced: ok}
		k.stratum.weight = k.weight()
		s.byName[name] = k
		s.kinds = append(s.kinds, k)
	}
	return k
}

// weight returns the price of a million output tokens, or of input tokens if output is free. It is
// a dollar if no price is known.
func (k *kind) weight() float64 {
	const million, dollar = 1_000_000, 1e9
	if output := k.price.Cost(price.Tokens{Completion: million}); output > 0 {
		return float64(output)
	}
	if input := k.price.Cost(price.Tokens{Prompt: million}); input > 0 {
		return float64(input)
	}
	return dollar
}

// known returns what is known beforehand about a record's cost.
func (k *kind) known(prompt, completion int64) observed {
	without := k.price.Cost(price.Tokens{Prompt: prompt})
	with := k.price.Cost(price.Tokens{Prompt: prompt, Completion: completion})
	return observed{prompt: float64(without), bound: float64(with - without)}
}

// model returns the model of most records.
func (s *survey) model() string {
	counts := map[string]int64{}
	best := ""
	for _, k := range s.kinds {
		counts[k.name.model] += k.prompts()
		if n := counts[k.name.model]; n > counts[best] || n == counts[best] && k.name.model < best {
			best = k.name.model
		}
	}
	return best
}

// models returns the number of models.
func (s *survey) models() int {
	names := map[string]bool{}
	for _, k := range s.kinds {
		names[k.name.model] = true
	}
	return len(names)
}

func (k *kind) prompts() (n int64) {
	for i := range k.parts {
		n += k.parts[i].prompts
	}
	return n
}

// tokens returns the tokens of all records of a part, corrected by what the sample showed.
func (k *kind) tokens(p *part) price.Tokens {
	t := price.Tokens{Prompt: p.tokens, Completion: p.completion}
	if k.seen != nil {
		t.Prompt = int64(math.Round(float64(p.tokens) * k.seen.promptRatio))
		t.Completion = int64(math.Round(float64(p.prompts) * k.seen.meanOutput))
	}
	return t
}

// total returns all tokens of the kind.
func (k *kind) total() (sum price.Tokens) {
	for i := range k.parts {
		t := k.tokens(&k.parts[i])
		sum.Prompt, sum.Completion = sum.Prompt+t.Prompt, sum.Completion+t.Completion
	}
	return sum
}

// cost returns what the kind costs at a price.
func (k *kind) cost(p price.Price) price.Dollars {
	var sum price.Dollars
	for i := range k.parts {
		if part := &k.parts[i]; part.prompts > 0 {
			sum += price.Dollars(p.SumCost(part.prompts, part.longest, k.tokens(part)))
		}
	}
	return sum
}

// cost returns what all records cost, each at the price that priceOf returns for its kind. It
// returns nil if one has no price.
func (s *survey) cost(priceOf func(*kind) (price.Price, bool)) *price.Dollars {
	var sum price.Dollars
	for _, k := range s.kinds {
		p, ok := priceOf(k)
		if !ok {
			return nil
		}
		sum += k.cost(p)
	}
	return &sum
}

// own is the price of each kind's own model, and inBatch is its batch price.
func own(k *kind) (price.Price, bool)     { return k.price, k.priced }
func inBatch(k *kind) (price.Price, bool) { return k.price.At(price.Batched), k.price.HasBatch }
