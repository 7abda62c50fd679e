package batch

import (
	"time"

	"llmpipe/stream/flow"
	"llmpipe/stream/folder"
)

// Config says how records go by batch.
type Config struct {
	Mode flow.Mode
	// Detach collects what is ready, submits the rest, and waits for nothing.
	Detach bool
	// Metadata is shown with each batch by the provider.
	Metadata map[string]string
	// KeepFiles leaves the input files of batches at the provider.
	KeepFiles bool
	// Window is the time within which the provider is to finish a batch, in the provider's format.
	Window string

	// The run sets these. Shape is what answers must fit. Folder holds the files that records name,
	// nil if none do. Ledger is the name of the ledger file. Retries is how many times a call is
	// retried after failures that may pass. GiveUp is how long the run waits for a provider that
	// answers nothing, 0 for as long as it takes.
	Shape   flow.Shape
	Folder  *folder.Folder
	Ledger  string
	Retries int
	GiveUp  time.Duration
}

// urgent reports whether hybrid mode sends records of this priority at once.
func urgent(priority string) bool { return priority == "high" || priority == "urgent" }

// ShardLabel is the metadata key whose value is the id of the batch's shard in the ledger.
const ShardLabel = "llmpipe_shard"
