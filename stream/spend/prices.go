package spend

import (
	"fmt"
	"os"
	"sync"
	"time"

	"llmpipe/ledger/price"
	"llmpipe/stream/flow"
	"llmpipe/stream/naming"
	"llmpipe/stream/record"
	"llmpipe/stream/record/rawjson"
	"llmpipe/stream/ui"
)

// freePrices is the word that --prices takes instead of a file if nothing costs anything.
const freePrices = "free"

// LoadPrices puts the prices of the named file over the built-in ones. An empty name changes
// nothing. With the word free, nothing costs anything.
func (c *Config) LoadPrices(name string) error {
	switch name {
	case "":
		return nil
	case freePrices:
		c.Prices = price.Free()
		return nil
	}
	file, err := os.Open(name)
	if err != nil {
		return ui.WithHint(pricesForms, fmt.Errorf("--prices: %w", err))
	}
	defer file.Close()
	about, err := file.Stat()
	if err != nil {
		return fmt.Errorf("--prices: %w", err)
	}
	c.Prices, err = price.Load(file, time.Now())
	if err != nil {
		return ui.WithHint(pricesForms, fmt.Errorf("--prices %s: %w", name, err))
	}
	c.PricesFile, c.PricesWritten = name, about.ModTime()
	return nil
}

// pricesForms is the hint that says what --prices takes.
const pricesForms = "give --prices a table in the format of LiteLLM (model_prices_and_context_window.json) or genai-prices, or free"

// prices are the prices in force, and what was looked up in them.
type prices struct {
	table   *price.Table
	given   bool       // by the user, not the built-in ones alone
	known   []sync.Map // by host: model -> priced
	untold  sync.Map   // modelAt -> nil: models without a price that the user was told of
	local   sync.Once
	aliases aliases
}

// priced is a model's price, if there is one.
type priced struct {
	price.Price
	ok  bool
	own bool // the name is a customer's own, and answers say what it stands for
}

// price returns what a model costs at a host. It notes once if a server on this machine is taken to
// cost what a provider lists.
func (a *Account) price(h *flow.Host, model string) priced {
	known := &a.prices.known[h.Index]
	if p, ok := known.Load(model); ok {
		return p.(priced)
	}
	host := h.Client.Name()
	listed, _, ok := a.prices.table.Lookup(host, model)
	p := priced{listed, ok, a.prices.table.Own(host, model)}
	known.Store(model, p)
	if ok && !p.own && !a.prices.given && h.Client.Local() && !h.Client.Simulated() {
		a.prices.local.Do(func() {
			a.flow.Voice.Note("%q at %s is assumed to cost what its provider lists (if the server is your own, add --prices free)",
				naming.Short(model), host)
		})
	}
	return p
}

// answered returns what an answer's model costs. If the requested name is a customer's own, it is
// the price of the model that the answer names.
func (a *Account) answered(h *flow.Host, model string, answer *record.Answer) priced {
	p := a.price(h, model)
	if !p.own || answer.Model == nil {
		return p
	}
	behind := string(rawjson.Unquote(nil, answer.Model))
	if behind == model || !a.prices.table.Names(h.Client.Name(), behind) {
		return p
	}
	a.prices.aliases.learn(h, model, behind)
	return a.price(h, behind)
}

// unknownPrice notes once for each model that its price is not known.
func (a *Account) unknownPrice(h *flow.Host, model string) {
	if _, told := a.prices.untold.LoadOrStore(modelAt{h.Index, model}, nil); !told && !a.Budgeted() {
		a.flow.Voice.Note("no price is known for %q: its cost_usd is null (--prices FILE adds prices)", naming.Short(model))
	}
}

// aliases are the models that names stand for, as answers showed. A deployment stands for one
// model, a router's name for several.
type aliases struct {
	mu    sync.Mutex
	known map[modelAt][]string
}

// maxAliases bounds the models that are remembered for one name.
const maxAliases = 64

func (s *aliases) learn(h *flow.Host, model, behind string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := modelAt{h.Index, model}
	for _, known := range s.known[name] {
		if known == behind {
			return
		}
	}
	if s.known == nil {
		s.known = make(map[modelAt][]string)
	}
	if len(s.known[name]) < maxAliases {
		s.known[name] = append(s.known[name], behind)
	}
}

// of returns the models that a name was seen to stand for.
func (s *aliases) of(h *flow.Host, model string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known[modelAt{h.Index, model}]
}

// bounds appends to all the prices that a request for a model may be billed at. For a customer's
// own name these are the prices of the models that it was seen to stand for; until one is seen, it
// is the name's own price. It appends nothing if no price is known. all is empty, but may have
// room: most requests have one price, and then need no new memory.
func (a *Account) bounds(all []priced, h *flow.Host, model string) []priced {
	p := a.price(h, model)
	if p.own {
		for _, behind := range a.prices.aliases.of(h, model) {
			all = append(all, a.price(h, behind))
		}
	}
	if len(all) == 0 && p.ok {
		all = append(all, p)
	}
	return all
}
