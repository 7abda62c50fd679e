package batchapi

import (
	"context"
	"io"
	"iter"

	"llmpipe/stream/record"
)

// Driver speaks one dialect. The error of a call that failed wraps a *[provider.CallError].
type Driver interface {
	// Bounds returns the bounds of one batch.
	Bounds() Bounds
	// Check says why the provider has no batches for the endpoint and the model. It returns nil if it
	// has them. It sends nothing.
	Check(endpoint record.Endpoint, model string) error
	// AppendHead appends the part of a line of a shard's file that comes before a request's body, for
	// a batch that uses the endpoint. Tail returns the part that comes after the body. The body must
	// be on one line.
	AppendHead(dst []byte, customID string, endpoint record.Endpoint) []byte
	Tail() string
	// Create creates a batch. It sends the request once, and again only if the provider refuses the
	// API key with 401 and there is another. The request has no idempotency key, so a repetition
	// would create a second batch, and both would be billed. If the error says Sent, there may be a
	// batch; Batches shows whether there is.
	Create(ctx context.Context, n *NewBatch) (Batch, error)
	// Batch asks for the present state of a batch.
	Batch(ctx context.Context, id string) (Batch, error)
	// Cancel asks the provider to cancel a batch. The batch ends later, and what is answered until
	// then is billed.
	Cancel(ctx context.Context, id string) (Batch, error)
	// Batches lists all batches, newest first, page after page. An error ends the list.
	Batches(ctx context.Context) iter.Seq2[Batch, error]
	// Download writes a file of answers to w. The name is a Batch's OutputFile or ErrorFile. An error
	// of w is wrapped, and is not a CallError.
	Download(ctx context.Context, name string, w io.Writer) error
	// Files returns the files that batches read. It returns nil if the call that creates a batch
	// carries its requests. Such a batch has neither a label nor a file that tells it from others.
	Files() Files
}

// Files handles the files that are uploaded for batches to read.
type Files interface {
	// Upload uploads the first size bytes of content as a file called name. An error of content is
	// wrapped, and is not a CallError. After an error, content may still be read for a moment.
	Upload(ctx context.Context, name string, content io.ReaderAt, size int64) (File, error)
	// File asks for what the provider knows about a file. The error's Status is 404 if there is no
	// such file, or not yet.
	File(ctx context.Context, id string) (File, error)
	// List lists the files, page after page. Some providers list only files for batches, and others
	// all files. An error ends the list.
	List(ctx context.Context) iter.Seq2[File, error]
	// Delete deletes a file.
	Delete(ctx context.Context, id string) error
}

// Bounds are what one batch may hold.
type Bounds struct {
	Requests int64
	Bytes    int64 // of the file
	Inputs   int64 // of all its requests for embeddings together; 0 for no bound
}

// NewBatch describes a batch to create.
type NewBatch struct {
	// InputFile is the id of an uploaded file. If the driver has no Files, the batch carries the first
	// Size bytes of Content instead, which may still be read for a moment after an error.
	InputFile string
	Content   io.ReaderAt
	Size      int64

	Endpoint record.Endpoint
	Model    string // of all its requests
	Window   string // how long it may take; "" means 24h, the only window that OpenAI offers
	// Metadata may hold 16 pairs, with keys of at most 64 characters and values of at most 512
	// (platform.openai.com/docs/api-reference/batch/create). Anthropic and Together do not get it.
	Metadata map[string]string
}
