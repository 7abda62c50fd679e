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
	// KeepFiles leaves the files that batches were made of at the provider.
	KeepFiles bool
	// Window is the time within which the provider is to be done, as it wants it written.
	Window string

	// Shape is what answers are to fit, and Folder where the files are that records name; nil where
	// none do. Ledger is the file of the ledger, Retries how many times a call is made again after
	// failures that may pass, and GiveUp how long a provider is waited for that answers nothing, 0 for
	// as long as it takes. The run sets them.
	Shape   flow.Shape
	Folder  *folder.Folder
	Ledger  string
	Retries int
	GiveUp  time.Duration
}

// urgent are the priorities that hybrid mode asks about at once.
func urgent(priority string) bool { return priority == "high" || priority == "urgent" }

// ShardLabel is the metadata that says which shard of which ledger a batch is.
const ShardLabel = "llmpipe_shard"
