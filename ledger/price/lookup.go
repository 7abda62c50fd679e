package price

import (
	"maps"
	"slices"
	"strings"
)

type question struct{ provider, model string }

type answer struct {
	price Price
	name  string
	ok    bool
}

// These bound the memory for remembered answers, because records choose the names of models.
const (
	maxRecent      = 256
	maxRecentBytes = 256 // of a query
)

// Lookup returns the price of a model and the model's name in the table. The provider is the host
// of a base URL or a provider's id.
//
// Lookup tries the name as it is, and then without the date of a snapshot or -latest. A host that
// is not in the table, such as a gateway, has a price for models whose names show who makes them:
// gpt-4o-mini, or openai/gpt-4o-mini. It has none for open models, because each host sets its own
// price for these. A longer name never has the price of a shorter one: gpt-4o-mini-audio has the
// price of its own entry, or that of the row named *, or none.
//
// A lookup with a remembered answer allocates nothing.
func (t *Table) Lookup(provider, model string) (price Price, name string, ok bool) {
	query := question{provider, model}
	recent := t.recent.Load()
	if recent != nil {
		if a, found := (*recent)[query]; found {
			return a.price, a.name, a.ok
		}
	}
	var a answer
	if m := t.find(provider, model); m != nil {
		a = answer{m.priceAt(t.provider(provider), provider), m.name, true}
	}
	t.remember(query, a)
	return a.price, a.name, a.ok
}

// remember adds an answer to a copy of the map, so that readers never wait.
func (t *Table) remember(query question, a answer) {
	if len(query.provider)+len(query.model) > maxRecentBytes {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	next := make(map[question]answer)
	if recent := t.recent.Load(); recent != nil {
		if len(*recent) >= maxRecent {
			return
		}
		maps.Copy(next, *recent)
	}
	// The model's name may be a part of a record, which the map would keep in memory. of a record that
	// would be kept with it.
	next[question{strings.Clone(query.provider), strings.Clone(query.model)}] = a
	t.recent.Store(&next)
}

func (t *Table) find(provider, model string) *listing {
	here := t.provider(provider)
	if m := t.findNamed(here, model); m != nil {
		return m
	}
	return t.findAny(here)
}

func (t *Table) findNamed(here *provider, model string) *listing {
	model = strings.TrimPrefix(model, "models/") // the prefix of Google's own list
	if key, ok := tunedKey(model); ok {
		return t.findTuned(here, key)
	}
	for at := here; at != nil; at = at.like {
		if m := at.find(model); m != nil {
			return m
		}
	}
	for _, at := range t.providers {
		if at.owns(model) && at != here {
			if m := at.find(model); m != nil {
				return m
			}
		}
	}
	return t.findVendor(model)
}

// findVendor finds models by the names that gateways have for them, such as openai/gpt-4o-mini.
func (t *Table) findVendor(model string) *listing {
	end := strings.LastIndexByte(model, '/')
	if end < 0 {
		return nil
	}
	vendor := model[strings.LastIndexByte(model[:end], '/')+1 : end]
	model = model[end+1:]
	if at := t.byID[strings.ToLower(vendor)]; at != nil && at.owns(model) {
		return at.find(model)
	}
	return nil
}

// owns reports whether only this provider has models of this name, so that its price holds at any
// host.
func (at *provider) owns(model string) bool {
	return at.everywhere && !slices.ContainsFunc(at.open, func(prefix string) bool { return strings.HasPrefix(model, prefix) })
}

func (t *Table) findTuned(here *provider, key string) *listing {
	for at := here; at != nil; at = at.like {
		if m := at.models[key]; m != nil {
			return m
		}
	}
	for _, at := range t.providers {
		if m := at.models[key]; m != nil && at.everywhere {
			return m
		}
	}
	return nil
}

func (at *provider) find(model string) *listing {
	key := modelKey(model)
	if m := at.models[key]; m != nil {
		return m
	}
	for i := range at.match {
		if at.match[i].matches(model) {
			return at.match[i].model
		}
	}
	if base, ok := undated(key); ok {
		return at.models[base]
	}
	return nil
}

// provider finds a provider by its id, or by its host with or without a port.
func (t *Table) provider(name string) *provider {
	name = strings.ToLower(name)
	if at := t.byID[name]; at != nil {
		return at
	}
	host, _, _ := strings.Cut(name, ":")
	for _, at := range t.providers {
		for _, h := range at.hosts {
			if h == host || h[0] == '.' && (strings.HasSuffix(host, h) || host == h[1:]) {
				return at
			}
		}
		if at.isRegional(host) {
			return at
		}
	}
	return nil
}
