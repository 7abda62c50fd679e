package batchapi

import (
	"context"
	"io"
	"iter"

	"llmpipe/stream/record"
)

// Driver speaks one dialect. The error of a call that failed wraps a *[provider.CallError].
type Driver interface {
	// Bounds are those of one batch.
	Bounds() Bounds
	// Check says, before anything is sent, why the provider has no batches that ask the endpoint and
	// the model; nil where it has.
	Check(endpoint record.Endpoint, model string) error
	// AppendHead appends what stands before a request's body in the line of a shard's file that asks
	// for it at the endpoint, and Tail is what stands behind it. The body is on one line.
	AppendHead(dst []byte, customID string, endpoint record.Endpoint) []byte
	Tail() string
	// Create makes a batch. It sends one request and never the same again, for there is no key by
	// which the provider would know it: of two requests each makes a batch, and both are billed. Where
	// the error says Sent there may be a batch, and Batches shows whether there is.
	Create(ctx context.Context, n *NewBatch) (Batch, error)
	// Batch asks how a batch is doing.
	Batch(ctx context.Context, id string) (Batch, error)
	// Cancel asks for the end of a batch, which comes later; what is answered until then is billed.
	Cancel(ctx context.Context, id string) (Batch, error)
	// Batches lists all batches, newest first, page after page. An error is the last that it yields.
	Batches(ctx context.Context) iter.Seq2[Batch, error]
	// Download writes a file of answers to w, by the name that a [Batch] has for it. Errors of w are
	// as they are.
	Download(ctx context.Context, name string, w io.Writer) error
	// Files are those that batches read; nil where a batch is made with its requests in it, and has
	// neither a label nor a file by which it could be told from others.
	Files() Files
}

// Files are what was uploaded for batches to read.
type Files interface {
	// Upload makes a file called name of the first size bytes of content. Errors of content are as
	// they are; it may be read for a moment after one.
	Upload(ctx context.Context, name string, content io.ReaderAt, size int64) (File, error)
	// File asks for what is known of a file. The error's Status is 404 while, or when, there is no
	// such file.
	File(ctx context.Context, id string) (File, error)
	// List lists the files, page after page. An error is the last that it yields.
	List(ctx context.Context) iter.Seq2[File, error]
	// Delete deletes a file.
	Delete(ctx context.Context, id string) error
}

// Bounds are what one batch may hold.
type Bounds struct {
	Requests int64
	Bytes    int64 // of the file
	Inputs   int64 // of all its requests for embeddings together; 0 for any number
}

// NewBatch is a batch to be made.
type NewBatch struct {
	// InputFile is the id of a file that was uploaded. Where there are no Files it is the first Size
	// bytes of Content, which may be read for a moment after an error.
	InputFile string
	Content   io.ReaderAt
	Size      int64

	Endpoint record.Endpoint
	Model    string // of all its requests
	Window   string // how long it may take; "" stands for 24h, the only one that OpenAI offers
	// Metadata may hold 16 pairs, of 64 and 512 characters at most
	// (platform.openai.com/docs/api-reference/batch/create).
	Metadata map[string]string
}
