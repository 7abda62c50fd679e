package flags

import (
	"strconv"

	"llmpipe/limiter"
	"llmpipe/stream"
	"llmpipe/stream/journal"
	"llmpipe/stream/naming"
	"llmpipe/stream/ui"
)

// Config turns the flags into a run's configuration, except for the streams and the signals. It
// reads secrets and other environment variables through getenv. path is the ledger's path, and
// empty for the default. An error in the flags themselves is a UsageError.
func (f *Flags) Config(getenv func(string) string, path, version string) (*stream.Config, error) {
	cfg := &stream.Config{
		Files: f.Files, MaxLine: int(f.MaxLine), Limit: int(f.Limit), Sample: int(f.Sample), Seed: f.Seed, Slice: f.Slice, DryRun: f.DryRun,
		AttachRoot: f.AttachRoot,
		Format:     f.Format, Ordered: f.Ordered, KeepInput: f.KeepInput, Failed: f.Failed, Summary: f.Summary,
		Pace: limiter.Config{
			RPM: f.RPM, TPM: f.TPM, Headroom: f.Headroom, MaxConcurrency: f.MaxConcurrency, GiveUp: f.GiveUp,
		},
		Retries: f.Retries, Pack: f.Pack, Chunk: f.Chunk, ChunkDelay: f.ChunkDelay, OnChunk: f.OnChunk, Deadline: f.Deadline,
		Progress: f.Progress, Metrics: f.Metrics, Quiet: f.Quiet, Verbose: f.Verbose,
	}
	if cfg.Progress == ui.ProgressAuto && (getenv("TERM") == "dumb" || isSet(getenv("CI"))) {
		cfg.Progress = ui.ProgressLog // CI systems store output as text, even if they provide a terminal
	}
	var err error
	if cfg.Provider, err = f.ProviderFlags.Config(getenv, version); err != nil {
		return nil, err
	}
	cfg.KeyEnv = f.KeyEnv
	for _, step := range []func(*stream.Config) error{
		f.checkNumbers, f.decode, f.schema, f.concurrency, f.money, f.batch,
		func(c *stream.Config) error { return f.lanes(c, getenv) },
		func(c *stream.Config) error { return f.share(c, getenv) },
	} {
		if err := step(cfg); err != nil {
			return nil, err
		}
	}
	if err := f.checkUnused(path, getenv("LLMPIPE_LEDGER")); err != nil {
		return nil, err
	}
	if !f.DryRun {
		var shown []string
		for i := range cfg.Lanes {
			shown = append(shown, cfg.Lanes[i].Provider.Key)
		}
		cfg.Remarks = f.Remarks(&cfg.Provider, shown, getenv)
	}
	if !f.NoLedger && !f.DryRun {
		cfg.Ledger = journal.Config{Path: path, Replay: f.Replay, Seen: f.Seen, Dedupe: f.Dedupe,
			MatchID: f.Match == "id", Fsync: f.Fsync, Version: version}
		if path == "" {
			cfg.Ledger.Path = journal.DefaultPath(f.BaseURL)
		}
	}
	return cfg, nil
}

// isSet reports whether a variable that serves as a switch is on.
func isSet(value string) bool { return value != "" && value != "0" && value != "false" }

// concurrency reads -c.
func (f *Flags) concurrency(cfg *stream.Config) error {
	cfg.Provider.Connections = f.MaxConcurrency
	if f.Concurrency == "auto" {
		return nil
	}
	n, err := strconv.Atoi(f.Concurrency)
	if err != nil || n < 1 {
		return usage("write -c 20, for example, or -c auto, which finds the best number up to --max-concurrency",
			"--concurrency %q is not auto or a number above 0", naming.Short(f.Concurrency))
	}
	cfg.Pace.Concurrency, cfg.Provider.Connections = n, n
	return nil
}
