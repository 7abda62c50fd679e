package price

import "strings"

// anyModel is the name of a row for the models that no other row is for.
const anyModel = "*"

// Free is a table in which everything costs nothing: for servers of one's own.
func Free() *Table {
	t := &Table{byID: make(map[string]*provider), free: true}
	at := t.add("")
	at.everywhere = true
	price := one(Rates{})
	price.complete(batchTerms{percent: 100, cached: true}, false)
	at.set(&listing{name: anyModel, price: price})
	return t
}

// Free reports whether the table is that of [Free], in which nothing costs anything, whatever a
// provider says.
func (t *Table) Free() bool { return t.free }

// findAny finds the row for all other models: the provider's, or else everybody's.
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

// Own reports whether a model's price at a host is a row of somebody's own, for a name that no
// provider's list has; and so does a host where who rents it names the models. What such a name
// stands for the provider's answers say.
func (t *Table) Own(provider, model string) bool {
	if at := t.provider(provider); at != nil && at.renames {
		return true
	}
	m := t.find(provider, model)
	return m == nil || m.provider == "" || m.name == anyModel
}

// Names reports whether a row names a model at a host, be it a provider's or somebody's own, and
// not all that no other row is for.
func (t *Table) Names(provider, model string) bool {
	m := t.find(provider, model)
	return m != nil && m.name != anyModel
}

// isRouter reports whether a name is a router's, or a gateway's of which a table may not know what
// it costs: there 0 is no price. What OpenRouter has for nothing it calls so.
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

// says0 reports whether a price is 0 for whatever it is asked.
func (p *Price) says0() bool {
	return len(p.Bands) == 1 && p.Bands[0].Rates[Standard].free() && p.Fees == (Fees{Usual: p.Fees.Usual})
}
