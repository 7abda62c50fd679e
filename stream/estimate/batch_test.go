package estimate

import (
	"testing"
	"time"

	"llmpipe/ledger/price"
	"llmpipe/stream/spend"
)

// surveyOf is a survey of so many tokens for a model.
func surveyOf(model string, prompt, completion int64) *survey {
	s := &survey{prices: (&spend.Config{}).InForce(time.Now()), host: "api.openai.com", byName: make(map[kindName]*kind)}
	listed, _, ok := s.prices.Lookup(s.host, model)
	s.kinds = []*kind{{name: kindName{model: model}, price: listed, priced: ok, parts: []part{{1, prompt, completion, 1}}}}
	return s
}

// What a sample has cost is paid at the full price, and the rest at half of it.
func TestEstimateByBatchAfterASample(t *testing.T) {
	total, own := price.Dollars(1_000_000), price.Dollars(1_000_000)
	e := &Estimate{
		Model: "gpt-4o-mini", sampled: 200_000, Total: &total,
		Interval: &Interval{Low: 800_000, High: 1_200_000}, ByModel: []KindCost{{Cost: &own}},
	}
	e.byBatch(surveyOf("gpt-4o-mini", 1_000_000, 500_000), "7d")
	if *e.Total != 600_000 || e.Interval.Low != 500_000 || e.Interval.High != 700_000 || *e.Hours != 168 || *e.ByModel[0].Cost != 500_000 {
		t.Errorf("total %d, interval %+v, %f hours", *e.Total, e.Interval, *e.Hours)
	}
	unknown := &Estimate{Model: "none such", Total: &total, Interval: &Interval{}}
	if unknown.byBatch(surveyOf("none such", 1, 0), "24h"); unknown.Total != nil || unknown.Interval != nil || *unknown.Hours != 24 {
		t.Errorf("without a batch price the estimate is %+v", unknown)
	}
}
