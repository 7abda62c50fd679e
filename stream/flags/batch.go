package flags

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"llmpipe/stream"
	"llmpipe/stream/batch"
	"llmpipe/stream/flow"
	"llmpipe/stream/provider"
	"llmpipe/stream/record"
	"llmpipe/stream/ui"
)

// Bounds of a batch's metadata, from OpenAI's API reference; one pair is ours.
const (
	maxMetadata      = 15
	maxMetadataKey   = 64
	maxMetadataValue = 512
)

var windowForm = regexp.MustCompile(`^[1-9][0-9]*[hd]$`)

// batch says how records go by batch, and refuses what cannot be meant together with that.
func (f *Flags) batch(cfg *stream.Config) error {
	b := &cfg.Batch
	b.Mode, b.Detach, b.KeepFiles, b.Window = f.Mode, f.Detach, f.KeepFiles, f.BatchWindow
	if f.Mode == flow.ModeRealtime {
		if f.Detach || f.KeepFiles || len(f.BatchMetadata) > 0 {
			return ui.Usage(errors.New("--detach, --keep-files and --batch-metadata need --mode batch or hybrid"))
		}
		return nil
	}
	for _, pair := range f.BatchMetadata {
		key, value, ok := strings.Cut(pair, "=")
		switch {
		case !ok || key == "":
			return ui.Usage(fmt.Errorf("--batch-metadata %q is not of the form K=V", pair))
		case key == batch.ShardLabel:
			return ui.Usage(fmt.Errorf("--batch-metadata: %s is what batches are found again by", key))
		case len(key) > maxMetadataKey || len(value) > maxMetadataValue:
			return ui.Usage(fmt.Errorf("--batch-metadata %s: a key has at most %d bytes and a value %d", key, maxMetadataKey, maxMetadataValue))
		}
		if b.Metadata == nil {
			b.Metadata = make(map[string]string)
		}
		b.Metadata[key] = value
	}
	for _, wrong := range []struct {
		is   bool
		says string
	}{
		{f.NoLedger, "--no-ledger: batches need a ledger, which is how they are found again"},
		{f.Pack > 1, "--pack is for realtime: a batch needs no packing"},
		{f.Chunk > 0, "--chunk is for realtime: a batch is its own chunk"},
		{f.Mode == flow.ModeBatch && len(f.Fallback)+len(f.Spread) > 0,
			"--spread and --fallback are for realtime, or for the urgent records of --mode hybrid"},
		{f.Detach && provider.IsSim(f.BaseURL), "--detach needs a provider that outlives this command: llmpipe sim serves the simulated one"},
		{len(b.Metadata) > 0 && f.Endpoint.Dialect() == record.Anthropic, "--batch-metadata: Anthropic's batches carry none"},
		{len(b.Metadata) > maxMetadata, fmt.Sprintf("--batch-metadata: a batch has at most %d pairs", maxMetadata)},
		{!windowForm.MatchString(f.BatchWindow), fmt.Sprintf("--batch-window %q is not of the form 24h", f.BatchWindow)},
	} {
		if wrong.is {
			return ui.Usage(errors.New(wrong.says))
		}
	}
	return nil
}
