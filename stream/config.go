package stream

import (
	"fmt"
	"io"
	"os"
	"time"

	"llmpipe/limiter"
	"llmpipe/stream/batch"
	"llmpipe/stream/flow"
	"llmpipe/stream/folder"
	"llmpipe/stream/input"
	"llmpipe/stream/journal"
	"llmpipe/stream/lane"
	"llmpipe/stream/provider"
	"llmpipe/stream/provider/share"
	"llmpipe/stream/record"
	"llmpipe/stream/spend"
	"llmpipe/stream/ui"
)

// Config is all that a run is told. The zero value of a field switches off what it asks for, unless
// its comment says otherwise.
type Config struct {
	// Stdin is read if Files is empty or names "-".
	Stdin io.Reader
	// Files are the inputs, in order.
	Files []string
	// Stdout gets the results and nothing else.
	Stdout io.Writer
	// Stderr gets everything for people.
	Stderr io.Writer
	// Listen returns a channel that delivers the signals that the process gets from then on. It is nil
	// if the run handles no signals.
	Listen func() <-chan os.Signal

	// Decode says what a line becomes.
	Decode record.Options
	// Reask is how often an answer that does not fit Decode's schema is asked for again.
	Reask int
	// MaxLine bounds a line, and a file that is attached, in bytes.
	MaxLine int
	// AttachRoot is the directory that files are attached from.
	AttachRoot string
	// Limit ends reading after this many records that have no result yet.
	Limit int
	// Sample asks only about this many records: those with the smallest hash of Seed and id.
	Sample int
	Seed   uint64
	// Slice asks only about the records of one part of the input, or of the sample.
	Slice input.Slice

	// Format is the shape of a line out.
	Format record.Format
	// Ordered writes results in input order.
	Ordered bool
	// KeepInput adds the record to its result.
	KeepInput bool
	// Failed names the file that gets the failed records' own lines.
	Failed string
	// Summary names the file that gets the summary as JSON.
	Summary string

	// Provider is the provider that is asked.
	Provider provider.Config
	// Lanes are the other providers that are asked: first those beside Provider, then those that stand
	// in for them, in order.
	Lanes []lane.Target
	// Pace configures Provider's limiter.
	Pace limiter.Config
	// Share is where the processes of a job share its quota and its budget. If it names no job,
	// nothing is shared.
	Share share.Address
	// Retries is how many times a record is asked again after failures that may pass.
	Retries int
	// Money is what answers cost and what may be spent.
	Money spend.Config
	// Batch says whether and how records go by batch.
	Batch batch.Config
	// Ledger says what the run remembers, and how.
	Ledger journal.Config
	// Pack is how many records on the embeddings endpoint are asked about in one request; 0 counts as
	// 1.
	Pack int
	// Chunk is after how many records without a recorded result the run drains, waits ChunkDelay and
	// runs OnChunk in a shell. It also does so at the end.
	Chunk      int
	ChunkDelay time.Duration
	OnChunk    string

	// DryRun writes the requests instead of sending them. Nothing is read from the ledger or written
	// to it, and nobody is asked.
	DryRun bool
	// Deadline is how long the run may take, 0 for as long as it takes. The run stops asking in time
	// to be over by then.
	Deadline time.Duration

	// Remarks are printed at the start. They are about settings that have no effect, and about secrets
	// that others can see.
	Remarks []string

	// KeyEnv is the name of the variable that should hold the key, for messages.
	KeyEnv string

	// Progress says how the run shows how far it is.
	Progress ui.Progress
	// Metrics names the file that gets the run's counters in the text format of Prometheus.
	Metrics string
	// Quiet leaves out everything but errors, Verbose adds a line for each retry.
	Quiet, Verbose bool

	// Observe, if set, is called for every record once its fate is known, with the Flow that the run's
	// stages share. All calls come from one goroutine.
	Observe func(*flow.Flow, *flow.Task)
}

// translated reports whether the run speaks to Anthropic in OpenAI's form, although Anthropic has a
// form of its own.
func (c *Config) translated() bool {
	return c.Decode.Endpoint == record.Chat &&
		provider.NameOf(c.Provider.BaseURL) == provider.NameOf(provider.DefaultBaseURL(record.Anthropic))
}

// checkKey returns an error if the run is to ask OpenAI or Anthropic without a key.
func (c *Config) checkKey() error {
	p := &c.Provider
	if p.BaseURL != provider.DefaultBaseURL(p.Dialect) || p.Key != "" || p.KeyCommand != "" || p.Header.Get("Authorization") != "" ||
		p.Dialect == record.Anthropic && p.Header.Get("X-Api-Key") != "" {
		return nil
	}
	return ui.WithHint("export "+c.KeyEnv+"=…, or name another server with --base-url URL, or rehearse with --base-url sim:",
		fmt.Errorf("no key: %s is not set", c.KeyEnv))
}

// shape is what answers must fit.
func (c *Config) shape() flow.Shape { return flow.Shape{Schema: c.Decode.Schema, Reask: c.Reask} }

// OpenFolder opens the directory that files are attached from. It returns nil if none are attached.
func (c *Config) OpenFolder() (*folder.Folder, error) {
	if len(c.Decode.Attach) == 0 {
		return nil, nil
	}
	f, err := folder.Open(c.AttachRoot, int64(c.MaxLine))
	if err != nil {
		return nil, ui.WithHint("--attach-root names the directory that files are attached from", fmt.Errorf("--attach-root: %w", err))
	}
	f.Limits = provider.FileLimitsOf(c.Provider.BaseURL, c.Provider.Dialect)
	for i := range c.Lanes {
		f.Limits = f.Limits.Loosest(provider.FileLimitsOf(c.Lanes[i].Provider.BaseURL, c.Lanes[i].Provider.Dialect))
	}
	return f, nil
}

// Input says what is read. It does not depend on a run.
func (c *Config) Input() input.Config {
	return input.Config{
		Stdin: c.Stdin, Files: c.Files, Stdout: c.Stdout, MaxLine: c.MaxLine, Spill: c.Failed != "", Limit: c.Limit, Sample: c.Sample,
		Seed: c.Seed, Slice: c.Slice, DryRun: c.DryRun, Chunk: c.Chunk, ChunkDelay: c.ChunkDelay, OnChunk: c.OnChunk, Stderr: c.Stderr,
	}
}
