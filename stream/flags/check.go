package flags

import (
	"fmt"
	"strings"

	"llmpipe/stream"
	"llmpipe/stream/flow"
	"llmpipe/stream/journal"
	"llmpipe/stream/record"
	"llmpipe/stream/ui"
)

// checkNumbers refuses values that cannot be a number of records, requests or tokens.
func (f *Flags) checkNumbers(*stream.Config) error {
	for _, flag := range []struct {
		name  string
		value float64
		least float64
	}{
		{"max-line", float64(f.MaxLine), 1},
		{"max-concurrency", float64(f.MaxConcurrency), 1}, {"rpm", float64(f.RPM), 0}, {"tpm", float64(f.TPM), 0},
		{"headroom", f.Headroom, 0}, {"retries", float64(f.Retries), 0}, {"pack", float64(f.Pack), 1},
		{"chunk", float64(f.Chunk), 0}, {"reask", float64(f.Reask), 0},
		{"chunk-delay", float64(f.ChunkDelay), 0}, {"timeout", float64(f.Timeout), 1}, {"give-up", float64(f.GiveUp), 1},
	} {
		switch {
		case flag.value >= flag.least:
		case flag.least == 0:
			return usage("leave it out for the default", "--%s is negative", flag.name)
		default:
			return usage("leave it out for the default", "--%s must be more than zero", flag.name)
		}
	}
	if f.Headroom >= 100 {
		return usage("try --headroom 20, which leaves a fifth to others", "--headroom leaves nothing to llmpipe: it must be less than 100")
	}
	if f.Deadline != 0 && f.Deadline <= flow.LeastDrain {
		return usage("give it more time, such as --deadline 10m", "--deadline %s leaves no time to send: %s of it is kept for what is in flight",
			f.Deadline, flow.LeastDrain)
	}
	if f.Pack > record.MaxInputs {
		return usage(fmt.Sprintf("use --pack %d or less", record.MaxInputs), "--pack is above %d, the most inputs that a request can have",
			record.MaxInputs)
	}
	if f.Chunk == 0 && (f.OnChunk != "" || f.ChunkDelay > 0) {
		return usage("add --chunk N, the number of records in a chunk", "--on-chunk and --chunk-delay need --chunk")
	}
	return nil
}

// usage returns an error of the command line, with what to type instead.
func usage(hint, format string, args ...any) error {
	return ui.Usage(ui.WithHint(hint, fmt.Errorf(format, args...)))
}

// checkUnused refuses flags that have no effect without another flag, because the user expects an
// effect. It also refuses flags that contradict each other. path is the ledger's path, and usual is
// the path from the environment.
func (f *Flags) checkUnused(path, usual string) error {
	const oneOfThem = "leave out one of the two"
	return firstWrong([]wrong{
		{f.Quiet && f.Progress == ui.ProgressJSON, "--progress json prints nothing with --quiet", oneOfThem},
		{f.Seed != 0 && f.Sample == 0, "--seed needs --sample", "add --sample N to choose a sample; the model's own seed is --set seed=S"},
		{len(f.Attach) == 0 && (f.AttachRoot != "." || f.AttachHTTP), "--attach-root and --attach-http need --attach",
			"add --attach FIELD, the field that names the files"},
		{f.Estimate != "" && !strings.HasSuffix(f.Budget, "%"), "--estimate FILE needs --budget N%",
			"add a budget in percent: --budget 150% spends at most one and a half times the estimate"},
		{f.NoLedger && path != "" && path != usual, "--no-ledger and --ledger contradict each other", oneOfThem},
		{f.NoLedger && f.Replay == journal.ReplayNever, "--replay never needs a ledger, and --no-ledger keeps none", oneOfThem},
		{f.NoLedger && f.Seen != nil, "--seen needs a ledger, and --no-ledger keeps none", oneOfThem},
		{f.NoLedger && f.Dedupe, "--dedupe needs a ledger, and --no-ledger keeps none", oneOfThem},
		{f.NoLedger && f.Match == "id", "--match id needs a ledger, and --no-ledger keeps none", oneOfThem},
	})
}

// wrong is a mistake that a command line may have, and what to type instead.
type wrong struct {
	is         bool
	says, hint string
}

// firstWrong returns an error for the first of the mistakes that the command line has.
func firstWrong(mistakes []wrong) error {
	for _, w := range mistakes {
		if w.is {
			return usage(w.hint, "%s", w.says)
		}
	}
	return nil
}
