package stream

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"

	"llmpipe/ledger/price"
	"llmpipe/limiter"
	"llmpipe/stream/provider"
	"llmpipe/stream/record"
	"llmpipe/stream/ui"
)

// Config turns the flags into a run's configuration, all but the streams and the signals. Secrets and what else the flags name in the
// environment come through getenv. path is the ledger's, empty for the default one. What is wrong with the flags themselves is a
// UsageError.
func (f *Flags) Config(getenv func(string) string, path, version string) (*Config, error) {
	cfg := &Config{
		Files: f.Files, MaxLine: int(f.MaxLine), Limit: f.Limit, Sample: f.Sample, Seed: f.Seed,
		Format: f.Format, Ordered: f.Ordered, KeepInput: f.KeepInput, Failed: f.Failed, Summary: f.Summary,
		Pace: limiter.Config{
			RPM: f.RPM, TPM: f.TPM, Headroom: f.Headroom, MaxConcurrency: f.MaxConcurrency, GiveUp: f.GiveUp,
		},
		Retries: f.Retries, Pack: f.Pack, Chunk: f.Chunk, ChunkDelay: f.ChunkDelay, OnChunk: f.OnChunk,
		Progress: f.Progress, Quiet: f.Quiet, Verbose: f.Verbose,
	}
	if cfg.Progress == ui.ProgressAuto && getenv("TERM") == "dumb" {
		cfg.Progress = ui.ProgressNever
	}
	cfg.KeyEnv = f.KeyEnv
	var err error
	if cfg.Provider, err = f.ProviderFlags.Config(getenv, version); err != nil {
		return nil, err
	}
	for _, step := range []func(*Config) error{
		f.checkNumbers, f.decode, f.concurrency, f.money, f.batch,
		func(c *Config) error { return f.fallbacks(c, getenv) },
	} {
		if err := step(cfg); err != nil {
			return nil, err
		}
	}
	if err := f.checkUnused(path, getenv("LLMPIPE_LEDGER")); err != nil {
		return nil, err
	}
	if !f.NoLedger {
		cfg.Ledger = LedgerConfig{Path: path, Replay: f.Replay, MatchID: f.Match == "id", Fsync: f.Fsync, Version: version}
		if path == "" {
			cfg.Ledger.Path = DefaultLedger(f.BaseURL)
		}
	}
	return cfg, nil
}

// checkNumbers refuses what no number of records, requests or tokens can be.
func (f *Flags) checkNumbers(*Config) error {
	for _, flag := range []struct {
		name  string
		value float64
		least float64
	}{
		{"max-line", float64(f.MaxLine), 1}, {"limit", float64(f.Limit), 0}, {"sample", float64(f.Sample), 0},
		{"max-concurrency", float64(f.MaxConcurrency), 1}, {"rpm", float64(f.RPM), 0}, {"tpm", float64(f.TPM), 0},
		{"headroom", f.Headroom, 0}, {"retries", float64(f.Retries), 0}, {"pack", float64(f.Pack), 1},
		{"chunk", float64(f.Chunk), 0},
		{"chunk-delay", float64(f.ChunkDelay), 0}, {"timeout", float64(f.Timeout), 1}, {"give-up", float64(f.GiveUp), 1},
	} {
		switch {
		case flag.value >= flag.least:
		case flag.least == 0:
			return ui.Usage(fmt.Errorf("--%s is negative", flag.name))
		default:
			return ui.Usage(fmt.Errorf("--%s must be more than zero", flag.name))
		}
	}
	if f.Headroom >= 100 {
		return ui.Usage(errors.New("--headroom leaves nothing: it is less than 100"))
	}
	if f.Pack > record.MaxInputs {
		return ui.Usage(fmt.Errorf("--pack is more than the %d inputs that a request may hold", record.MaxInputs))
	}
	if f.Chunk == 0 && (f.OnChunk != "" || f.ChunkDelay > 0) {
		return ui.Usage(errors.New("--on-chunk and --chunk-delay need --chunk"))
	}
	return nil
}

// checkUnused refuses flags that say nothing without another one: whoever writes them counts on it. path is the ledger's, and usual what
// the environment says of that.
func (f *Flags) checkUnused(path, usual string) error {
	for _, wrong := range []struct {
		is   bool
		says string
	}{
		{f.Quiet && f.Progress == ui.ProgressJSON, "--progress json says nothing under --quiet"},
		{f.Seed != 0 && f.Sample == 0, "--seed needs --sample"},
		{f.Estimate != "" && !strings.HasSuffix(f.Budget, "%"), "--estimate FILE needs --budget N%"},
		{f.NoLedger && path != "" && path != usual, "--no-ledger and --ledger are not for one run"},
		{f.NoLedger && f.Replay == ReplayNever, "--replay never needs a ledger, which --no-ledger leaves out"},
		{f.NoLedger && f.Match == "id", "--match id needs a ledger, which --no-ledger leaves out"},
	} {
		if wrong.is {
			return ui.Usage(errors.New(wrong.says))
		}
	}
	return nil
}

// decode says what a line becomes.
func (f *Flags) decode(cfg *Config) error {
	system, err := textOrFile(f.System)
	if err != nil {
		return fmt.Errorf("--system: %w", err)
	}
	o := record.Options{
		Template: f.Prompt, System: system, Raw: f.RawInput, IDField: f.IDField, Endpoint: f.Endpoint, Model: f.Model,
	}
	for _, s := range f.Set {
		if key, value, ok := strings.Cut(s, "="); ok && strings.HasPrefix(value, "@") {
			text, err := textOrFile(value)
			if err != nil {
				return fmt.Errorf("--set %s: %w", key, err)
			}
			s = key + "=" + text
		}
		field, err := record.ParseField(s)
		if err != nil {
			return ui.Usage(fmt.Errorf("--set: %w", err))
		}
		o.Set = append(o.Set, field)
	}
	namesModel := func(field record.Field) bool { return field.Key == "model" }
	if o.Model == "" && !slices.ContainsFunc(o.Set, namesModel) && (f.BaseURL == "" || isSim(f.BaseURL)) {
		o.Model = defaultModel(f.Endpoint)
	}
	if _, err := record.NewDecoder(o); err != nil {
		return ui.Usage(err)
	}
	cfg.Decode = o
	return nil
}

// defaultModel is OpenAI's smallest for the endpoint.
func defaultModel(e record.Endpoint) string {
	switch e {
	case record.Embeddings:
		return "text-embedding-3-small"
	case record.Completions:
		return "gpt-3.5-turbo-instruct"
	}
	return "gpt-4o-mini"
}

func isSim(baseURL string) bool { return strings.HasPrefix(baseURL, "sim:") }

// Config says who is asked, and takes the secrets from the environment. version is the program's.
func (f *ProviderFlags) Config(getenv func(string) string, version string) (provider.Config, error) {
	p := provider.Config{
		BaseURL: cmp.Or(f.BaseURL, provider.DefaultBaseURL), Key: getenv(f.KeyEnv), Header: http.Header{}, Timeout: f.Timeout,
		UserAgent: "llmpipe/" + version,
	}
	if isSim(p.BaseURL) {
		p.Key = "" // nobody to show it to
	}
	if !isHeaderValue(p.Key) {
		return p, fmt.Errorf("the key in %s holds a line break or another control character", f.KeyEnv)
	}
	for _, h := range f.Header {
		name, value, ok := strings.Cut(h, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok || !isHeaderName(name) {
			return p, ui.Usage(errors.New("--header is not of the form 'Name: value'"))
		}
		if !isHeaderValue(value) {
			return p, ui.Usage(fmt.Errorf("--header %s: the value holds a line break or another control character", name))
		}
		p.Header.Add(name, value)
	}
	for _, h := range f.HeaderEnv {
		if err := addSecretHeader(&p, h, getenv); err != nil {
			// What stands where a variable's name should may be the secret itself.
			name, variable, _ := strings.Cut(h, "=")
			switch {
			case !isHeaderName(name):
				return p, fmt.Errorf("--header-env: %w", err)
			case !ui.IsVariableName(variable):
				return p, fmt.Errorf("--header-env %s: %w", name, err)
			}
			return p, fmt.Errorf("--header-env %s: %w", h, err)
		}
	}
	return p, nil
}

// money says what answers cost and what may be spent.
func (f *Flags) money(cfg *Config) error {
	m := &cfg.Money
	m.PerDay, m.DowngradeTo, m.Alert = price.Dollars(f.BudgetPerDay), f.DowngradeTo, f.Alert
	if f.Budget == "" && (f.DowngradeTo != "" || f.Alert != "") {
		return ui.Usage(errors.New("--downgrade-to and --alert need --budget"))
	}
	var err error
	if err = checkAlert(f.Alert); err != nil {
		return ui.Usage(err)
	}
	if m.Budget, err = f.budget(); err != nil {
		return err
	}
	if m.Prices, err = loadPrices(f.Prices); err != nil {
		return err
	}
	return m.checkDowngrade(provider.NameOf(cmp.Or(f.BaseURL, provider.DefaultBaseURL)))
}

// budget reads --budget, an amount or a share of an estimate; 0 for none.
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
		return 0, ui.Usage(fmt.Errorf("--budget %s is no percentage", f.Budget))
	}
	if f.Estimate == "" {
		return 0, ui.Usage(errors.New("--budget N% needs --estimate FILE, what llmpipe estimate --json wrote"))
	}
	total, err := readEstimate(f.Estimate)
	return price.Dollars(float64(total) * n / 100), err
}

// concurrency reads -c.
func (f *Flags) concurrency(cfg *Config) error {
	cfg.Provider.Connections = f.MaxConcurrency
	if f.Concurrency == "auto" {
		return nil
	}
	n, err := strconv.Atoi(f.Concurrency)
	if err != nil || n < 1 {
		return ui.Usage(fmt.Errorf("--concurrency %q is neither a positive number nor auto", f.Concurrency))
	}
	cfg.Pace.Concurrency, cfg.Provider.Connections = n, n
	return nil
}

// DefaultLedger is where the results of the provider at baseURL are remembered unless --ledger names another file: simulated answers apart
// from those that were paid for.
func DefaultLedger(baseURL string) string {
	if isSim(baseURL) {
		return "llmpipe.sim.jsonl"
	}
	return "llmpipe.ledger.jsonl"
}

// textOrFile is s itself, or what the file holds that s names after an @.
func textOrFile(s string) (string, error) {
	name, ok := strings.CutPrefix(s, "@")
	if !ok {
		return s, nil
	}
	text, err := os.ReadFile(name)
	return string(text), err
}
