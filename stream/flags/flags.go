package flags

import (
	"time"

	"llmpipe/ledger"
	"llmpipe/stream/flow"
	"llmpipe/stream/input"
	"llmpipe/stream/journal"
	"llmpipe/stream/record"
	"llmpipe/stream/ui"
)

// Flags are the filter's flags. The tags are for the parser that main runs: names, defaults, the
// group under which --help shows a flag, and its help text.
type Flags struct {
	Files []string `arg:"" optional:"" help:"Files to read instead of stdin, in order; - is stdin."`

	Prompt     string      `short:"p" group:"in" placeholder:"TEMPLATE" help:"Make the prompt from a record's fields: 'Translate: {{.text}}'."`
	System     string      `group:"in" placeholder:"TEXT|@FILE" help:"A system message for records without one."`
	RawInput   bool        `short:"R" group:"in" help:"Read each line as a plain-text prompt, not as JSON."`
	IDField    string      `group:"in" placeholder:"NAME" help:"The field that holds a record's id (default: id or custom_id)."`
	Model      string      `short:"m" group:"in" placeholder:"NAME" env:"LLMPIPE_MODEL" help:"Model for records without one (gpt-4o-mini)."`
	Set        []string    `group:"in" sep:"none" placeholder:"KEY=JSON|@FILE" help:"Set a request field in records without it. Repeatable."`
	MaxLine    Size        `group:"in" default:"64MiB" placeholder:"64MiB" help:"The longest input line; longer ones become error records."`
	Attach     []string    `group:"in" sep:"none" placeholder:"FIELD" help:"A field that names files or URLs to attach. Repeatable."`
	AttachRoot string      `group:"in" default:"." placeholder:"DIR" help:"Attach files only from below this directory (default: here)."`
	AttachHTTP bool        `name:"attach-http" group:"in" help:"Allow http: URLs, which are fetched unencrypted."`
	Limit      Some        `group:"in" placeholder:"N" help:"Send at most N records that have no result yet."`
	Sample     Some        `group:"in" placeholder:"N" help:"Take only N records, chosen by a hash of their ids."`
	Seed       uint64      `group:"in" placeholder:"S" help:"Choose another sample."`
	DryRun     bool        `group:"in" help:"Print the requests instead of sending them."`
	Dedupe     bool        `group:"in" help:"Send equal requests only once, whatever their ids."`
	Slice      input.Slice `group:"in" placeholder:"I/N" help:"Take only slice I of N (I from 0), by a hash of the ids: for N processes."`

	Format    record.Format `short:"f" group:"out" default:"result" placeholder:"result" help:"Output: result, batch, raw, text or text0."`
	Ordered   bool          `group:"out" help:"Write results in input order."`
	KeepInput bool          `group:"out" help:"Add the record to its result, as the member input."`
	Failed    string        `group:"out" placeholder:"FILE" help:"Write the input lines of failed records to FILE, for another run."`
	Summary   string        `group:"out" placeholder:"FILE" help:"Write the summary to FILE, as JSON."`

	Schema      string `group:"out" placeholder:"FILE" help:"Ask for answers that fit a JSON Schema, and check them; parsed holds the value."`
	SchemaCheck string `group:"out" placeholder:"FILE" help:"Only check the answers, for servers that do not support schemas."`
	Reask       int    `group:"out" default:"1" placeholder:"1" help:"How often to ask again when an answer does not fit."`

	ProviderFlags
	Spread   []string `group:"who" sep:"none" placeholder:"SPEC" help:"url=…,model=…,key-env=…: shares the load. Repeatable."`
	Fallback []string `group:"who" sep:"none" placeholder:"SPEC" help:"url=…,model=…,key-env=…: takes over when others are down. Repeatable."`

	Concurrency    string        `short:"c" group:"pace" default:"auto" placeholder:"auto" help:"Requests in flight; auto finds how many."`
	MaxConcurrency int           `group:"pace" default:"256" placeholder:"256" help:"The highest number that auto may choose."`
	RPM            int           `name:"rpm" group:"pace" placeholder:"N" help:"Requests a minute (default: learned). Headers may lower it."`
	TPM            int           `name:"tpm" group:"pace" placeholder:"N" help:"Tokens a minute (default: learned). Headers may lower it."`
	Headroom       float64       `group:"pace" placeholder:"PCT" help:"Leave this percentage of every limit to others."`
	Retries        int           `group:"pace" default:"6" placeholder:"6" help:"How often to retry a record after transient failures."`
	GiveUp         time.Duration `group:"pace" default:"2h" placeholder:"2h" help:"How long to wait for a provider that does not answer."`
	Deadline       time.Duration `group:"pace" placeholder:"DUR" help:"Stop in time to be done within DUR, then exit 75."`
	Pack           int           `group:"pace" default:"1" placeholder:"1" help:"Embeddings: put up to N records into one request."`
	Chunk          int           `group:"pace" placeholder:"N" help:"Work in chunks: after every N records, finish what is in flight."`
	ChunkDelay     time.Duration `group:"pace" placeholder:"DUR" help:"Wait this long after each chunk."`
	OnChunk        string        `group:"pace" placeholder:"CMD" help:"Run CMD after each chunk, status on stdin; stop if it fails."`

	Share            string `group:"pace" placeholder:"URL" help:"redis://HOST/JOB: share quota and budget with all processes that name JOB."`
	SharePasswordEnv string `group:"pace" placeholder:"NAME" help:"The variable with the password for --share."`

	Budget       string `group:"money" placeholder:"USD|N%" help:"Spend at most USD over all runs of the ledger, or N% of --estimate."`
	BudgetPerDay Amount `group:"money" placeholder:"USD" help:"Spend at most USD a day (UTC), then exit 75."`
	DowngradeTo  string `group:"money" placeholder:"MODEL" help:"Send new requests to MODEL once 80% of the budget is spent."`
	Prices       string `group:"money" placeholder:"FILE" help:"Override built-in prices, in LiteLLM's or genai-prices' format; or free."`
	Estimate     string `group:"money" placeholder:"FILE" help:"What llmpipe estimate --json wrote, for --budget N%."`
	Alert        string `group:"money" placeholder:"URL|exec:CMD" help:"Send a message when the budget turns yellow (80% spent) or red."`

	NoLedger bool           `group:"resume" help:"Keep no ledger: nothing is remembered."`
	Replay   journal.Replay `group:"resume" default:"auto" placeholder:"auto" help:"Write recorded results again: auto, always or never."`

	Seen  []string     `group:"resume" sep:"none" placeholder:"GLOB" help:"Other ledgers whose answers count as recorded too. Repeatable."`
	Match string       `group:"resume" default:"request" enum:"request,id" placeholder:"request" help:"Match results by request or id."`
	Fsync ledger.Fsync `group:"resume" default:"always" placeholder:"always" help:"Sync answers to disk: always (at once), 1s or never."`

	Mode          flow.Mode `group:"mode" default:"realtime" placeholder:"realtime" help:"realtime, batch (half the price) or hybrid."`
	Detach        bool      `group:"mode" help:"Collect finished batches, submit the rest, and exit 75 without waiting."`
	BatchMetadata []string  `group:"mode" sep:"none" placeholder:"K=V" help:"Metadata for each batch at the provider. Repeatable."`
	KeepFiles     bool      `group:"mode" help:"Leave the batches' files at the provider."`
	BatchWindow   string    `group:"mode" default:"24h" placeholder:"24h" help:"How long the provider may take for a batch."`

	Progress ui.Progress `group:"say" default:"auto" placeholder:"auto" help:"The status line: auto, always, never or json."`
	Metrics  string      `group:"say" placeholder:"FILE" help:"Keep counters in FILE, in Prometheus' text format."`
	Quiet    bool        `short:"q" group:"say" help:"Print only errors."`
	Verbose  bool        `short:"v" group:"say" help:"Print a line for each retry."`
}

// ProviderFlags are the flags that choose the provider.
type ProviderFlags struct {
	Endpoint  record.Endpoint `group:"in" default:"chat" placeholder:"chat" help:"chat, embeddings, responses, completions or messages."`
	BaseURL   string          `group:"who" placeholder:"URL" help:"The provider's address, up to /v1; sim: simulates one ($OPENAI_BASE_URL)."`
	KeyEnv    string          `group:"who" placeholder:"NAME" help:"The key's variable or none (OPENAI_API_KEY; messages: ANTHROPIC_API_KEY)."`
	KeyCmd    string          `group:"who" placeholder:"CMD" help:"Run CMD to get the key: at the start, before it expires, after a 401."`
	Header    []string        `group:"who" sep:"none" placeholder:"'K: V'" help:"A header for every request. Repeatable."`
	HeaderEnv []string        `group:"who" sep:"none" placeholder:"K=VAR" help:"A header whose value is in the variable VAR. Repeatable."`
	Timeout   time.Duration   `group:"who" default:"10m" placeholder:"10m" help:"How long one attempt may take."`
}
