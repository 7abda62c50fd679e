package flags

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"llmpipe/ledger/price"
	"llmpipe/stream"
	"llmpipe/stream/naming"
	"llmpipe/stream/provider"
	"llmpipe/stream/spend"
	"llmpipe/stream/ui"
)

// money configures prices and budgets.
func (f *Flags) money(cfg *stream.Config) error {
	m := &cfg.Money
	m.PerDay, m.DowngradeTo, m.Alert = price.Dollars(f.BudgetPerDay), f.DowngradeTo, f.Alert
	if f.Budget == "" && (f.DowngradeTo != "" || f.Alert != "") {
		return usage("add --budget, such as --budget 5", "--downgrade-to and --alert need --budget")
	}
	var err error
	if err = spend.CheckAlert(f.Alert); err != nil {
		return ui.Usage(err)
	}
	if m.Budget, err = f.budget(); err != nil {
		return err
	}
	if err = m.LoadPrices(f.Prices); err != nil {
		return err
	}
	return m.CheckDowngrade(provider.NameOf(cmp.Or(f.BaseURL, provider.DefaultBaseURL(f.Endpoint.Dialect()))))
}

// budget reads --budget, which is an amount or a share of an estimate. It returns 0 if there is
// none.
func (f *Flags) budget() (price.Dollars, error) {
	percent, isShare := strings.CutSuffix(f.Budget, "%")
	if !isShare {
		var a Amount
		if f.Budget == "" {
			return 0, nil
		}
		if err := a.UnmarshalText([]byte(f.Budget)); err != nil {
			return 0, ui.Usage(fmt.Errorf("--budget: %w", err))
		}
		return price.Dollars(a), nil
	}
	n, err := strconv.ParseFloat(percent, 64)
	if err != nil || n <= 0 {
		return 0, usage("write it as --budget 150%, which spends at most one and a half times the estimate",
			"--budget %s is not a percentage above 0", naming.Short(f.Budget))
	}
	if f.Estimate == "" {
		return 0, usage("make it with llmpipe estimate --json prompts.jsonl > est.json, and add --estimate est.json",
			"--budget N%% needs --estimate FILE")
	}
	total, err := readEstimate(f.Estimate)
	return price.Dollars(float64(total) * n / 100), err
}

const estimateHint = "name a file that llmpipe estimate --json wrote"

// readEstimate returns the total in the file of an estimate.
func readEstimate(name string) (price.Dollars, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return 0, ui.WithHint("llmpipe estimate --json prompts.jsonl > "+naming.Short(name)+" writes it", fmt.Errorf("--estimate: %w", err))
	}
	var e struct {
		Total *price.Dollars `json:"total_usd"`
	}
	if err := json.Unmarshal(data, &e); err != nil {
		return 0, ui.WithHint(estimateHint, fmt.Errorf("--estimate %s: %w", naming.Short(name), err))
	}
	if e.Total == nil || *e.Total <= 0 {
		return 0, ui.WithHint(estimateHint, fmt.Errorf("--estimate %s: it has no total_usd", naming.Short(name)))
	}
	return *e.Total, nil
}
