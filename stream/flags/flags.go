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

// Flags are what the filter can be told on a command line. The tags are for the parser that main
// runs: names, defaults, the group in which --help shows a flag, and what it says there.
type Flags struct {
	Files []string `arg:"" optional:"" help:"Files to read instead of stdin, in order; - is stdin."`

	Prompt     string      `short:"p" group:"in" placeholder:"TEMPLATE" help:"The prompt, from a record's fields: 'Translate: {{.text}}'."`
	System     string      `group:"in" placeholder:"TEXT|@FILE" help:"A system message for records that have none."`
	RawInput   bool        `short:"R" group:"in" help:"Each line is a prompt as it stands, not JSON."`
	IDField    string      `group:"in" placeholder:"NAME" help:"The field that names a record (default: id or custom_id)."`
	Model      string      `short:"m" group:"in" placeholder:"NAME" env:"LLMPIPE_MODEL" help:"For records without one (gpt-4o-mini)."`
	Set        []string    `group:"in" sep:"none" placeholder:"KEY=JSON|@FILE" help:"A body field for records that lack it. Repeatable."`
	MaxLine    Size        `group:"in" default:"64MiB" placeholder:"64MiB" help:"The longest line; longer ones become error records."`
	Attach     []string    `group:"in" sep:"none" placeholder:"FIELD" help:"A field with files, or URLs, for the request. Repeatable."`
	AttachRoot string      `group:"in" default:"." placeholder:"DIR" help:"The directory that files are attached from (here)."`
	AttachHTTP bool        `name:"attach-http" group:"in" help:"Let http URLs go, which are fetched without encryption."`
	Limit      int         `group:"in" placeholder:"N" help:"At most N records that have no result yet."`
	Sample     int         `group:"in" placeholder:"N" help:"Only N records, chosen by the hash of their ids."`
	Seed       uint64      `group:"in" placeholder:"S" help:"Chooses another sample."`
	DryRun     bool        `group:"in" help:"Write the requests, and ask nobody."`
	Dedupe     bool        `group:"in" help:"Ask equal requests under several ids once."`
	Slice      input.Slice `group:"in" placeholder:"I/N" help:"Only slice I of N, from 0, by the hash of the ids: for N processes."`

	Format    record.Format `short:"f" group:"out" default:"result" placeholder:"result" help:"A line out: result, batch, raw or text."`
	Ordered   bool          `group:"out" help:"Write results in input order."`
	KeepInput bool          `group:"out" help:"Add the record to its result, under input."`
	Failed    string        `group:"out" placeholder:"FILE" help:"Write the failed records' own lines to FILE, to be fed in again."`
	Summary   string        `group:"out" placeholder:"FILE" help:"Write the summary to FILE, as JSON."`

	Schema      string `group:"out" placeholder:"FILE" help:"A JSON Schema to ask for and to check; values go under parsed."`
	SchemaCheck string `group:"out" placeholder:"FILE" help:"Only check, for servers that know no schemas."`
	Reask       int    `group:"out" default:"1" placeholder:"1" help:"How often to ask again for an answer that does not fit."`

	ProviderFlags
	Spread   []string `group:"who" sep:"none" placeholder:"SPEC" help:"url=…,model=…,key-env=…: asked beside the first. Repeatable."`
	Fallback []string `group:"who" sep:"none" placeholder:"SPEC" help:"url=…,model=…,key-env=…: where records go when it is down."`

	Concurrency    string        `short:"c" group:"pace" default:"auto" placeholder:"auto" help:"Requests in flight; auto finds out how many."`
	MaxConcurrency int           `group:"pace" default:"256" placeholder:"256" help:"The most that auto goes to."`
	RPM            int           `name:"rpm" group:"pace" placeholder:"N" help:"Requests a minute (default: found). Steady headers lower it."`
	TPM            int           `name:"tpm" group:"pace" placeholder:"N" help:"Tokens a minute (default: found). Steady headers lower it."`
	Headroom       float64       `group:"pace" placeholder:"PCT" help:"Percent of every limit to leave to others."`
	Retries        int           `group:"pace" default:"6" placeholder:"6" help:"How often a record is asked again after transient failures."`
	GiveUp         time.Duration `group:"pace" default:"2h" placeholder:"2h" help:"How long to wait for a provider that answers nothing."`
	Deadline       time.Duration `group:"pace" placeholder:"DUR" help:"Stop asking in time to be done after DUR; then exit 75."`
	Pack           int           `group:"pace" default:"1" placeholder:"1" help:"Embeddings: ask about up to N records in one request."`
	Chunk          int           `group:"pace" placeholder:"N" help:"Drain after every N records."`
	ChunkDelay     time.Duration `group:"pace" placeholder:"DUR" help:"Wait that long after each chunk."`
	OnChunk        string        `group:"pace" placeholder:"CMD" help:"Run CMD after each chunk, status on its stdin; stop if it fails."`

	Budget       string `group:"money" placeholder:"USD|N%" help:"The most that all in the ledger may cost; N% of --estimate."`
	BudgetPerDay Amount `group:"money" placeholder:"USD" help:"The most that may be spent from 00:00 UTC on; then exit 75."`
	DowngradeTo  string `group:"money" placeholder:"MODEL" help:"Where new requests go once 80 % of the budget are spent."`
	Prices       string `group:"money" placeholder:"FILE" help:"Prices over the built-in ones, in LiteLLM's or genai-prices' form; or free."`
	Estimate     string `group:"money" placeholder:"FILE" help:"What llmpipe estimate --json said, for --budget N%."`
	Alert        string `group:"money" placeholder:"URL|exec:CMD" help:"Told when the budget turns yellow (80 %) or red."`

	NoLedger bool           `group:"resume" help:"Remember nothing."`
	Replay   journal.Replay `group:"resume" default:"auto" placeholder:"auto" help:"Write recorded results again: auto, always, never."`

	Seen  []string     `group:"resume" sep:"none" placeholder:"GLOB" help:"Ledgers whose answers count as recorded too. Repeatable."`
	Match string       `group:"resume" default:"request" enum:"request,id" placeholder:"request" help:"A result counts by request, or id."`
	Fsync ledger.Fsync `group:"resume" default:"always" placeholder:"always" help:"Results reach the disk: always (first), 1s, never."`

	Mode          flow.Mode `group:"mode" default:"realtime" placeholder:"realtime" help:"realtime; batch, at half the price; or hybrid."`
	Detach        bool      `group:"mode" help:"Collect batches that are ready, submit the rest, wait for nothing; exit 75."`
	BatchMetadata []string  `group:"mode" sep:"none" placeholder:"K=V" help:"What the provider shows with each batch. Repeatable."`
	KeepFiles     bool      `group:"mode" help:"Leave the files that batches were made of at the provider."`
	BatchWindow   string    `group:"mode" default:"24h" placeholder:"24h" help:"Within which the provider is to be done."`

	Progress ui.Progress `group:"say" default:"auto" placeholder:"auto" help:"The status line: auto, always, never, or json."`
	Metrics  string      `group:"say" placeholder:"FILE" help:"Keep counters in FILE, in the text format of Prometheus."`
	Quiet    bool        `short:"q" group:"say" help:"Say nothing but errors."`
	Verbose  bool        `short:"v" group:"say" help:"Say each retry."`
}

// ProviderFlags say who is asked.
type ProviderFlags struct {
	Endpoint  record.Endpoint `group:"in" default:"chat" placeholder:"chat" help:"chat, embeddings, responses, completions or messages."`
	BaseURL   string          `group:"who" placeholder:"URL" help:"The provider, up to /v1; sim: for a simulated one ($OPENAI_BASE_URL)."`
	KeyEnv    string          `group:"who" placeholder:"NAME" help:"The variable with the key (OPENAI_API_KEY; messages: ANTHROPIC_API_KEY)."`
	KeyCmd    string          `group:"who" placeholder:"CMD" help:"Prints the key; run again before it expires, and at a 401."`
	Header    []string        `group:"who" sep:"none" placeholder:"'K: V'" help:"A header for every request. Repeatable."`
	HeaderEnv []string        `group:"who" sep:"none" placeholder:"K=VAR" help:"A header whose value is in the variable VAR. Repeatable."`
	Timeout   time.Duration   `group:"who" default:"10m" placeholder:"10m" help:"How long one attempt may take."`
}
