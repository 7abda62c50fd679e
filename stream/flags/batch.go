package flags

import (
	"fmt"
	"regexp"
	"strings"

	"llmpipe/stream"
	"llmpipe/stream/batch"
	"llmpipe/stream/flow"
	"llmpipe/stream/naming"
	"llmpipe/stream/provider"
	"llmpipe/stream/record"
)

// Bounds of a batch's metadata, from OpenAI's API reference. One of its 16 pairs is ours.
const (
	maxMetadata      = 15
	maxMetadataKey   = 64
	maxMetadataValue = 512
)

var windowForm = regexp.MustCompile(`^[1-9][0-9]*[hd]$`)

// batch configures how records go by batch, and refuses flags that contradict the mode.
func (f *Flags) batch(cfg *stream.Config) error {
	b := &cfg.Batch
	b.Mode, b.Detach, b.KeepFiles, b.Window = f.Mode, f.Detach, f.KeepFiles, f.BatchWindow
	if f.Mode == flow.ModeRealtime {
		if f.Detach || f.KeepFiles || len(f.BatchMetadata) > 0 {
			return usage("add --mode batch", "--detach, --keep-files and --batch-metadata need --mode batch or hybrid")
		}
		return nil
	}
	for _, pair := range f.BatchMetadata {
		key, value, ok := strings.Cut(pair, "=")
		switch {
		case !ok || key == "":
			return usage("write it as KEY=VALUE: --batch-metadata team=search", "--batch-metadata %q is not of the form KEY=VALUE",
				naming.Short(pair))
		case key == batch.ShardLabel:
			return usage("choose another key", "--batch-metadata: llmpipe uses the key %s to find its batches again", key)
		case len(key) > maxMetadataKey || len(value) > maxMetadataValue:
			return usage("shorten it", "--batch-metadata %s: a key has at most %d bytes and a value %d", naming.Short(key), maxMetadataKey,
				maxMetadataValue)
		}
		if b.Metadata == nil {
			b.Metadata = make(map[string]string)
		}
		b.Metadata[key] = value
	}
	return firstWrong([]wrong{
		{f.NoLedger, "--mode batch needs a ledger, in which it finds its batches again", "leave --no-ledger out"},
		{f.Pack > 1, "--pack works only with --mode realtime: a batch needs no packing", "leave --pack out"},
		{f.Chunk > 0, "--chunk works only with --mode realtime: a batch is a chunk of its own", "leave --chunk out"},
		{f.Mode == flow.ModeBatch && len(f.Fallback)+len(f.Spread) > 0,
			"--spread and --fallback work only with --mode realtime, or hybrid for its urgent records", "leave them out, or use --mode hybrid"},
		{f.Detach && provider.IsSim(f.BaseURL), "--detach needs a provider that outlives this command",
			"start llmpipe sim in another terminal, and add --base-url http://127.0.0.1:8089/v1"},
		{len(b.Metadata) > 0 && f.Endpoint.Dialect() == record.Anthropic, "--batch-metadata: Anthropic's batches have none", "leave it out"},
		{len(b.Metadata) > maxMetadata, fmt.Sprintf("--batch-metadata: a batch has at most %d pairs", maxMetadata), "leave some out"},
		{!windowForm.MatchString(f.BatchWindow), fmt.Sprintf("--batch-window %q is not of the form 24h", naming.Short(f.BatchWindow)),
			"write it as --batch-window 24h or 7d"},
	})
}
