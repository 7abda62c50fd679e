package estimate

import (
	"slices"

	"llmpipe/ledger/price"
)

// price fills in what the tokens cost with the records' own models and with others.
func (e *Estimate) price(s *survey, models []string) {
	e.Total = s.cost(own)
	for _, k := range s.kinds {
		m := KindCost{Model: k.name.model, Tier: tierNames[k.name.tier], Prompts: k.prompts()}
		t := k.total()
		m.PromptTokens, m.CompletionTokens = t.Prompt, t.Completion
		if k.priced {
			cost := k.cost(k.price)
			m.Cost = &cost
		}
		e.ByModel = append(e.ByModel, m)
	}
	if len(models) == 0 {
		models = []string{e.Model}
		for _, row := range s.prices.Family(s.host, e.Model) {
			models = append(models, row.Model)
		}
	}
	for _, model := range models {
		listed, _, ok := s.prices.Lookup(s.host, model)
		e.Models = append(e.Models, ModelCost{
			Model: model,
			Cost:  s.cost(func(k *kind) (price.Price, bool) { return listed.At(k.name.tier), ok }),
			Batch: s.cost(func(*kind) (price.Price, bool) { return listed.At(price.Batched), listed.HasBatch }),
		})
	}
}

// tierNames are the names of the tiers with prices of their own.
var tierNames = map[price.Tier]string{price.Flex: "flex", price.Priority: "priority", price.Batched: "batch"}

// unpriced returns the models in the input that have no known price.
func (e *Estimate) unpriced() (models []string) {
	for i := range e.ByModel {
		if m := &e.ByModel[i]; m.Cost == nil && !slices.Contains(models, m.Model) {
			models = append(models, m.Model)
		}
	}
	return models
}
