package spend

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"llmpipe/ledger/price"
	"llmpipe/limiter"
	"llmpipe/stream/flow"
	"llmpipe/stream/naming"
	"llmpipe/stream/record"
	"llmpipe/stream/record/media"
	"llmpipe/stream/ui"
)

// Charge is a request to be priced: a body for a model at a host. Record says what answer it
// allows, and What names it in messages.
type Charge struct {
	Host   *flow.Host
	Model  string
	Body   []byte
	Record *record.Record
	What   fmt.Stringer
}

// Worst returns the most that q can cost, and whether that is known. It is not known if there is
// neither a budget nor a ledger, as nothing needs it then. Under a budget an unknown price is an
// error: the budget could not hold.
func (a *Account) Worst(q Charge) (nanos int64, known bool, err error) {
	if !a.Budgeted() && !a.recorded {
		return 0, false, nil
	}
	var room [1]priced
	bounds := a.bounds(room[:0], q.Host, q.Model)
	if len(bounds) == 0 && !a.Budgeted() {
		return 0, false, nil
	}
	if len(bounds) == 0 {
		return 0, false, ui.WithHint(AddPrice,
			fmt.Errorf("%s: no price is known for the model %q, so the budget cannot hold", q.What, naming.Short(q.Model)))
	}
	var worst int64
	for i := range bounds {
		p := &bounds[i]
		most := a.most(q, p)
		worst = max(worst, p.WorstCost(most))
		if tier := price.TierOf(q.Record.Tier); tier != price.Standard {
			// The request may be answered, and billed, at the standard tier all the same.
			worst = max(worst, p.At(tier).WorstCost(most))
		}
	}
	return a.overruns.of(q.Host, q.Model).cost(worst), true, nil
}

// worst is [Account.Worst] under a budget, where the cost is always known.
func (a *Account) worst(q Charge) (int64, error) {
	worst, _, err := a.Worst(q)
	return worst, err
}

// WorstInBatch returns the most that q can cost in a batch. An unknown batch price is an error: the
// budget could not hold.
func (a *Account) WorstInBatch(q Charge) (int64, error) {
	var worst int64
	var room [1]priced
	bounds := a.bounds(room[:0], q.Host, q.Model)
	known := len(bounds) > 0
	for i := range bounds {
		cost, ok := bounds[i].WorstBatchCost(a.most(q, &bounds[i]))
		worst, known = max(worst, cost), known && ok
	}
	if known {
		return a.overruns.of(q.Host, q.Model).cost(worst), nil
	}
	return 0, ui.WithHint(AddPrice+"; or use --mode realtime",
		fmt.Errorf("%s: no batch price is known for the model %q, so the budget cannot hold", q.What, naming.Short(q.Model)))
}

// most returns the most tokens that q can be billed for by a model's price.
func (a *Account) most(q Charge, p *priced) price.Tokens {
	prompt, open := q.Record.MostTokens(q.Body, q.Model)
	if open {
		prompt += cmp.Or(max(p.Window, 0), largestWindow)
	}
	most := price.Tokens{Prompt: prompt, Completion: a.worstOutput(q)}
	a.overruns.of(q.Host, q.Model).widen(&most, q.Record.N)
	// Anthropic's models, and Alibaba's, write to the cache what the request marks, some for an hour.
	if bytes.Contains(q.Body, []byte(`"cache_control"`)) {
		most.CacheWrite = most.Prompt
		if bytes.Contains(q.Body, []byte(`"1h"`)) {
			most.CacheHour = most.Prompt
		}
	}
	if p.Sounds() && (q.Record.HasMedia(media.Audio) || mentions(q.Body, soundParts...)) {
		most.AudioIn, most.AudioOut = most.Prompt, most.Completion
	}
	most.Context = price.SearchContextOf(q.Record.SearchContext)
	if p.Fees.Search != [3]price.Dollars{} && mentions(q.Body, searchTools...) {
		most.Searches = likelySearches
	}
	return most
}

// likelySearches is how often a request that may search the web is assumed to do so: no provider
// sets a bound by itself.
const likelySearches = 10

// What names, in the bodies of some endpoint, the parts that are not billed as text.
var (
	soundParts  = [][]byte{[]byte(`"input_audio"`), []byte(`"audio"`), []byte(`"audio_url"`)}
	imageParts  = [][]byte{[]byte(`"image_url"`), []byte(`"input_image"`), []byte(`"image"`)}
	searchTools = [][]byte{[]byte(`"web_search`)} // web_search_preview and web_search_20250305 are others
)

// mentions reports whether a body holds one of the parts.
func mentions(body []byte, parts ...[]byte) bool {
	return slices.ContainsFunc(parts, func(part []byte) bool { return bytes.Contains(body, part) })
}

// largestWindow is the context window, in tokens, that is assumed of a model whose own is not
// known: the largest on sale.
const largestWindow = 1 << 20

// worstOutput returns the most completion tokens that q can be billed for, or a likely bound if the
// request sets none.
func (a *Account) worstOutput(q Charge) int64 {
	if q.Record.MaxTokens > 0 || q.Record.Endpoint == record.Embeddings {
		return int64(q.Record.MaxTokens) * int64(q.Record.N)
	}
	a.noBound.Do(func() {
		if !a.Budgeted() {
			return // batches are priced for runs that have a budget
		}
		a.flow.Voice.Warn("%s sets no max_tokens: its worst case is guessed from other answers, so the budget is no guarantee", q.What)
	})
	return a.outputs.likely() * int64(q.Record.N)
}

// Lower returns the cheaper model that r goes to once the budget is yellow, and an empty string
// before that. The ledger still knows r by the model that r names.
func (a *Account) Lower(r *record.Record, what fmt.Stringer) string {
	to := a.cfg.Money.DowngradeTo
	if to == "" || r.Model == to || a.total == nil || a.total.Colour() == limiter.Green || !a.cheaper(to, r, what) {
		return ""
	}
	a.mu.Lock()
	first := a.downgrade == 0
	if first {
		a.downgrade = max(r.Line, 1)
	}
	a.mu.Unlock()
	if first {
		a.flow.Voice.Note("from %s on, new requests go to %s", what, to)
	}
	return to
}

// cheaper reports whether model costs less for r than the one that r names, and warns once if it
// does not. It also reports true if one of the two prices is not known.
func (a *Account) cheaper(model string, r *record.Record, what fmt.Stringer) bool {
	first := a.cfg.Hosts[0]
	from, to := a.price(first, r.Model), a.price(first, model)
	worst := func(p *priced, model string) int64 {
		most := a.most(Charge{Body: r.Body, Model: model, Record: r, What: what}, p)
		most.Completion = max(most.Completion, 1)
		return p.WorstCost(most)
	}
	if !from.ok || !to.ok || worst(&to, model) < worst(&from, r.Model) {
		return true
	}
	a.dearer.Do(func() {
		a.flow.Voice.Warn("--downgrade-to %s does not cost less than %s, so %[2]s stays in use", model, r.Model)
	})
	return false
}
