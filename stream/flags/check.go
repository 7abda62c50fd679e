package flags

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"llmpipe/stream"
	"llmpipe/stream/flow"
	"llmpipe/stream/journal"
	"llmpipe/stream/record"
	"llmpipe/stream/ui"
)

// checkNumbers refuses what no number of records, requests or tokens can be.
func (f *Flags) checkNumbers(*stream.Config) error {
	for _, flag := range []struct {
		name  string
		value float64
		least float64
	}{
		{"max-line", float64(f.MaxLine), 1}, {"limit", float64(f.Limit), 0}, {"sample", float64(f.Sample), 0},
		{"max-concurrency", float64(f.MaxConcurrency), 1}, {"rpm", float64(f.RPM), 0}, {"tpm", float64(f.TPM), 0},
		{"headroom", f.Headroom, 0}, {"retries", float64(f.Retries), 0}, {"pack", float64(f.Pack), 1},
		{"chunk", float64(f.Chunk), 0}, {"reask", float64(f.Reask), 0},
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
	if f.Deadline != 0 && f.Deadline <= flow.LeastDrain {
		return ui.Usage(fmt.Errorf("--deadline %s leaves no time to ask: %s of it are kept for what is in flight", f.Deadline, flow.LeastDrain))
	}
	if f.Pack > record.MaxInputs {
		return ui.Usage(fmt.Errorf("--pack is more than the %d inputs that a request may hold", record.MaxInputs))
	}
	if f.Chunk == 0 && (f.OnChunk != "" || f.ChunkDelay > 0) {
		return ui.Usage(errors.New("--on-chunk and --chunk-delay need --chunk"))
	}
	return nil
}

// checkUnused refuses flags that say nothing without another one: whoever writes them counts on it.
// path is the ledger's, and usual what the environment says of that.
func (f *Flags) checkUnused(path, usual string) error {
	for _, wrong := range []struct {
		is   bool
		says string
	}{
		{f.Quiet && f.Progress == ui.ProgressJSON, "--progress json says nothing under --quiet"},
		{f.Seed != 0 && f.Sample == 0, "--seed needs --sample"},
		{len(f.Attach) == 0 && (f.AttachRoot != "." || f.AttachHTTP), "--attach-root and --attach-http need --attach"},
		{f.Estimate != "" && !strings.HasSuffix(f.Budget, "%"), "--estimate FILE needs --budget N%"},
		{f.NoLedger && path != "" && path != usual, "--no-ledger and --ledger are not for one run"},
		{f.NoLedger && f.Replay == journal.ReplayNever, "--replay never needs a ledger, which --no-ledger leaves out"},
		{f.NoLedger && f.Seen != nil, "--seen needs a ledger, which --no-ledger leaves out"},
		{f.NoLedger && f.Dedupe, "--dedupe needs a ledger, which --no-ledger leaves out"},
		{f.Dedupe && f.Mode != flow.ModeRealtime, "--dedupe is for realtime: what is in a batch has been sent"},
		{f.NoLedger && f.Match == "id", "--match id needs a ledger, which --no-ledger leaves out"},
	} {
		if wrong.is {
			return ui.Usage(errors.New(wrong.says))
		}
	}
	return nil
}

// CheckInputs refuses a command line that would read what a person has to type, or that names a
// file where a command was meant.
func (f *Flags) CheckInputs(stdin *os.File) error {
	if len(f.Files) == 0 && ui.IsTerminal(stdin) {
		return ui.Usage(&ui.Hinted{
			Err:  errors.New("nothing to read: stdin is a terminal"),
			Hint: "cat prompts.jsonl | llmpipe > out.jsonl, or name files as arguments; llmpipe --help",
		})
	}
	for _, name := range f.Files {
		if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(name, `./\`) && name != "-" {
			return ui.Usage(&ui.Hinted{
				Err: fmt.Errorf("%s is neither a command nor a file", name), Hint: "llmpipe --help lists the commands",
			})
		}
	}
	return nil
}
