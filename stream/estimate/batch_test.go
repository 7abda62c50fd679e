package estimate

import (
	"testing"
	"time"

	"llmpipe/ledger/price"
	"llmpipe/stream/spend"
)

// What a sample has cost is paid at the full price, and the rest at half of it.
func TestEstimateByBatchAfterASample(t *testing.T) {
	prices := (&spend.Config{}).InForce(time.Now())
	total := price.Dollars(1_000_000)
	e := &Estimate{
		Model: "gpt-4o-mini", PromptTokens: 1_000_000, CompletionTokens: 500_000, sampled: 200_000, Total: &total,
		Interval: &Interval{Low: 800_000, High: 1_200_000},
	}
	e.byBatch(prices, "api.openai.com", "7d")
	if *e.Total != 600_000 || e.Interval.Low != 500_000 || e.Interval.High != 700_000 || *e.Hours != 168 {
		t.Errorf("total %d, interval %+v, %f hours", *e.Total, e.Interval, *e.Hours)
	}
	unknown := &Estimate{Model: "none such", PromptTokens: 1, Total: &total, Interval: &Interval{}}
	if unknown.byBatch(prices, "api.openai.com", "24h"); unknown.Total != nil || unknown.Interval != nil || *unknown.Hours != 24 {
		t.Errorf("without a batch price the estimate is %+v", unknown)
	}
}
