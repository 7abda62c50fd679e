package price

import "strings"

// anyModel is the name of the row for all models without a row of their own.
const anyModel = "*"

// Free returns a table in which nothing costs anything, for a user's own servers.
func Free() *Table {
	t := &Table{byID: make(map[string]*provider), free: true}
	at := t.add("")
	at.everywhere = true
	price := one(Rates{})
	price.complete(batchTerms{percent: 100, cached: true}, false)
	at.set(&listing{name: anyModel, price: price})
	return t
}

// Free reports whether the table is that of the function [Free].
func (t *Table) Free() bool { return t.free }

// findAny finds the row for all other models: the provider's, or else the one for all providers.
func (t *Table) findAny(here *provider) *listing {
	for at := here; at != nil; at = at.like {
		if m := at.models[anyModel]; m != nil {
			return m
		}
	}
	if at := t.byID[""]; at != nil {
		return at.models[anyModel]
	}
	return nil
}

// Own reports whether a model's name may be a customer's own at a host, so that only an answer says
// which model it stands for. This is so if customers name the models at that host, or if no
// provider's list has the name. A row without a provider, and the row named *, are in no provider's
// list.
func (t *Table) Own(provider, model string) bool {
	if at := t.provider(provider); at != nil && at.renames {
		return true
	}
	m := t.find(provider, model)
	return m == nil || m.provider == "" || m.name == anyModel
}

// Names reports whether the table has a row for this very model at a host, with or without a
// provider. The row named * does not count.
func (t *Table) Names(provider, model string) bool {
	m := t.find(provider, model)
	return m != nil && m.name != anyModel
}

// isRouter reports whether a model belongs to a router or a gateway, whose price a table may not
// know. For such a model a price of 0 is no price. OpenRouter's free models are an exception: their
// names end in ":free".
func isRouter(provider, name string) bool {
	if strings.HasSuffix(name, ":free") {
		return false
	}
	switch provider {
	case "openrouter", "vercel_ai_gateway", "litellm_proxy", "requesty", "kilo", "nano-gpt", "aiml":
		return true
	}
	last := modelKey(name[strings.LastIndexByte(name, '/')+1:])
	for word := range strings.FieldsFuncSeq(last, func(r rune) bool { return r == '-' || r == '_' }) {
		switch word {
		case "auto", "router", "default":
			return true
		}
	}
	return false
}

// says0 reports whether the price is 0 for any request.
func (p *Price) says0() bool {
	return len(p.Bands) == 1 && p.Bands[0].Rates[Standard].free() && p.Fees == (Fees{Usual: p.Fees.Usual})
}
