// Command llmpipe is a Unix filter that turns a stream of prompts into a stream of answers.
//
//	cat prompts.jsonl | llmpipe > out.jsonl
//
// main turns flags and the environment into a configuration, listens for signals and ends with the right exit code. What happens
// between is in the packages below it: stream is the pipeline, and its package comment is where to start reading.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"llmpipe/ledger"
	"llmpipe/limiter"
	"llmpipe/stream"
	"llmpipe/stream/provider"
	"llmpipe/stream/record"
)

func main() {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, stream.Signals()...)
	code, sig := run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, signals)
	if sig != nil {
		stream.Die(sig)
	}
	os.Exit(code)
}

// run is main with everything handed in. It returns the exit code, and the signal to die of, if one ended the run.
func run(args []string, stdin, stdout, stderr *os.File, signals <-chan os.Signal) (code int, sig os.Signal) {
	app := &app{stdin: stdin, stdout: stdout, stderr: stderr, signals: signals}
	voice := stream.NewVoice(stderr, false, false)
	helped := false
	parser := kong.Must(app,
		kong.Name("llmpipe"),
		kong.Description("Turns a stream of prompts into a stream of answers: within the provider's limits, resumable, and never paid for twice."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { helped = true }),
		kong.Help(printHelp),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		kong.ExplicitGroups(groups),
	)
	ctx, err := parser.Parse(args)
	if helped {
		return stream.ExitOK, nil
	}
	if err != nil {
		voice.Error(&stream.Hinted{Err: err, Hint: "llmpipe --help lists the flags"})
		return stream.ExitUsage, nil
	}
	err = ctx.Run(app)
	var ended *endedRun
	var usage usageError
	switch {
	case errors.As(err, &ended):
		for _, e := range []error{ended.Err, ended.Paused} {
			if e != nil {
				voice.Error(e)
			}
		}
		return ended.ExitCode(), ended.dieOf()
	case errors.As(err, &usage):
		voice.Error(err)
		return stream.ExitUsage, nil
	case err != nil:
		voice.Error(err)
		return stream.ExitFailed, nil
	}
	return stream.ExitOK, nil
}

// endedRun is a run of the filter that did not end well, as an error.
type endedRun struct{ *stream.Outcome }

func (e *endedRun) Error() string { return "the run did not end well" }

// dieOf is the signal that the process should end by, nil when an error outranks it.
func (e *endedRun) dieOf() os.Signal {
	if e.Err != nil {
		return nil
	}
	return e.Signal
}

// usageError is a command line that cannot be meant.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// app is the command line. Flags that more than one command takes stand here.
type app struct {
	Version kong.VersionFlag `help:"Print the version." hidden:""`
	Ledger  string           `short:"l" group:"resume" placeholder:"FILE" env:"LLMPIPE_LEDGER" help:"What was answered, so that it is not asked again (default llmpipe.ledger.jsonl; llmpipe.sim.jsonl for sim:)."`

	Run runCommand `cmd:"" default:"withargs" help:"The filter; the default, no word needed."`
	Sim simCommand `cmd:"" help:"Serve the simulated provider."`

	stdin, stdout, stderr *os.File
	signals               <-chan os.Signal
}

// BeforeReset sets what --version prints.
func (a *app) BeforeReset(ctx *kong.Context) error {
	ctx.Model.Vars()["version"] = "llmpipe " + version()
	return nil
}

// version is the module's, as the Go command recorded it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// groups are the headings of --help, in their order.
var groups = []kong.Group{
	{Key: "input", Title: "Input:"},
	{Key: "output", Title: "Output:"},
	{Key: "provider", Title: "Provider:"},
	{Key: "pace", Title: "Pace:"},
	{Key: "resume", Title: "Resume:"},
	{Key: "progress", Title: "Progress:"},
}

// runCommand is the filter.
type runCommand struct {
	Files []string `arg:"" optional:"" help:"Files to read instead of stdin, - for stdin."`

	Prompt   string          `short:"p" group:"input" placeholder:"TEMPLATE" help:"Make the prompt of each record from its fields: -p 'Translate: {{.text}}'. Functions: json, trim, truncate N."`
	System   string          `group:"input" placeholder:"TEXT|@FILE" help:"A system message for records that have none."`
	RawInput bool            `short:"R" group:"input" help:"Every line is a prompt, not JSON."`
	IDField  string          `group:"input" placeholder:"NAME" help:"The field that names a record (default: id or custom_id)."`
	Endpoint record.Endpoint `group:"input" default:"chat" placeholder:"chat" help:"Where prompts go: chat, embeddings, responses or completions (default ${default})."`
	Model    string          `short:"m" group:"input" placeholder:"NAME" env:"LLMPIPE_MODEL" help:"The model of records that name none (at OpenAI gpt-4o-mini, or text-embedding-3-small)."`
	Set      []string        `group:"input" sep:"none" placeholder:"KEY=JSON|@FILE" help:"A body field for records that lack it: --set temperature=0. Repeatable."`
	MaxLine  size            `group:"input" default:"64MiB" placeholder:"BYTES" help:"The longest line that is read (default ${default})."`
	Limit    int             `group:"input" placeholder:"N" help:"At most N records that have no result yet."`
	Sample   int             `group:"input" placeholder:"N" help:"Only N records, chosen by a hash of their ids."`
	Seed     uint64          `group:"input" placeholder:"S" help:"Chooses another sample."`

	Format    record.Format `short:"f" group:"output" default:"result" placeholder:"result" help:"A line out: result, batch (as OpenAI's), raw (the whole response) or text (the content alone); default ${default}."`
	Ordered   bool          `group:"output" help:"Write results in input order."`
	KeepInput bool          `group:"output" help:"Add the record to its result, under input."`
	Failed    string        `group:"output" placeholder:"FILE" help:"Write the failed records' own lines to FILE, ready to be fed in again."`
	Summary   string        `group:"output" placeholder:"FILE" help:"Write the summary to FILE as JSON."`

	BaseURL   string        `group:"provider" placeholder:"URL" env:"OPENAI_BASE_URL" help:"The provider, up to /v1; sim: is a simulated one, with options: 'sim:?latency=1s&rpm=500' (default OpenAI)."`
	KeyEnv    string        `group:"provider" placeholder:"NAME" default:"OPENAI_API_KEY" help:"The environment variable that holds the key (default ${default})."`
	Header    []string      `group:"provider" sep:"none" placeholder:"'K: V'" help:"A header for every request. Repeatable."`
	HeaderEnv []string      `group:"provider" sep:"none" placeholder:"K=VAR" help:"A header whose value is in the environment variable VAR. Repeatable."`
	Timeout   time.Duration `group:"provider" default:"10m" placeholder:"DUR" help:"How long an attempt may take (default ${default})."`

	Concurrency    string        `short:"c" group:"pace" default:"auto" placeholder:"N|auto" help:"Requests in flight at once (default ${default}: as many as the provider takes)."`
	MaxConcurrency int           `group:"pace" default:"256" placeholder:"N" help:"The most that auto tries (default ${default})."`
	RPM            int           `name:"rpm" group:"pace" placeholder:"N" help:"Requests a minute (default: what the provider's headers say)."`
	TPM            int           `name:"tpm" group:"pace" placeholder:"N" help:"Tokens a minute (default: what the provider's headers say)."`
	Headroom       float64       `group:"pace" placeholder:"PCT" help:"Percent of every limit to leave to others."`
	Retries        int           `group:"pace" default:"6" placeholder:"N" help:"Times a record is asked again after failures that may pass (default ${default})."`
	GiveUp         time.Duration `group:"pace" default:"2h" placeholder:"DUR" help:"How long to wait for a provider that answers nothing (default ${default})."`
	Chunk          int           `group:"pace" placeholder:"N" help:"Drain after every N records."`
	ChunkDelay     time.Duration `group:"pace" placeholder:"DUR" help:"Wait that long after each chunk."`
	OnChunk        string        `group:"pace" placeholder:"CMD" help:"Run CMD after each chunk, a JSON status on its stdin; if it fails, the run stops with 75."`

	NoLedger bool          `group:"resume" help:"Remember nothing."`
	Replay   stream.Replay `group:"resume" default:"auto" placeholder:"auto" help:"Write recorded results again: always, never, or auto: all but those that are in the file that >> appends to (default ${default})."`
	Match    string        `group:"resume" default:"request" enum:"request,id" placeholder:"request" help:"What must be the same for a recorded result to count: request (id and request) or id alone (default ${default})."`
	Fsync    ledger.Fsync  `group:"resume" default:"always" placeholder:"always" help:"When results must have reached the disk: always (before they are shown), 1s or never (default ${default})."`

	Quiet   bool `short:"q" group:"progress" help:"Say nothing but errors."`
	Verbose bool `short:"v" group:"progress" help:"Say each retry."`
}

// Run runs the filter.
func (c *runCommand) Run(a *app) error {
	if len(c.Files) == 0 && stream.IsTerminal(a.stdin) {
		return usageError{&stream.Hinted{
			Err:  errors.New("nothing to read: stdin is a terminal"),
			Hint: "cat prompts.jsonl | llmpipe > out.jsonl, or name files as arguments; llmpipe --help",
		}}
	}
	cfg, err := c.config(a)
	if err != nil {
		return err
	}
	outcome, err := stream.Run(context.Background(), *cfg)
	if err != nil {
		return err
	}
	if outcome.ExitCode() != stream.ExitOK {
		return &endedRun{outcome}
	}
	return nil
}

// config turns the flags and what they name in the environment into a run's configuration.
func (c *runCommand) config(a *app) (*stream.Config, error) {
	cfg := &stream.Config{
		Stdin: a.stdin, Files: c.Files, Stdout: a.stdout, Stderr: a.stderr, Signals: a.signals,
		MaxLine: int(c.MaxLine), Limit: c.Limit, Sample: c.Sample, Seed: c.Seed,
		Format: c.Format, Ordered: c.Ordered, KeepInput: c.KeepInput, Failed: c.Failed, Summary: c.Summary,
		Pace: limiter.Config{
			RPM: c.RPM, TPM: c.TPM, Headroom: c.Headroom, MaxConcurrency: c.MaxConcurrency, GiveUp: c.GiveUp,
		},
		Retries: c.Retries, Chunk: c.Chunk, ChunkDelay: c.ChunkDelay, OnChunk: c.OnChunk,
		Quiet: c.Quiet, Verbose: c.Verbose,
	}
	for _, step := range []func(*stream.Config) error{c.checkNumbers, c.decode, c.provider, c.concurrency} {
		if err := step(cfg); err != nil {
			return nil, err
		}
	}
	if !c.NoLedger {
		cfg.Ledger = c.ledger(a.Ledger)
	}
	return cfg, nil
}

// checkNumbers refuses what no number of records, requests or tokens can be.
func (c *runCommand) checkNumbers(*stream.Config) error {
	for _, flag := range []struct {
		name  string
		value float64
		least float64
	}{
		{"max-line", float64(c.MaxLine), 1}, {"limit", float64(c.Limit), 0}, {"sample", float64(c.Sample), 0},
		{"max-concurrency", float64(c.MaxConcurrency), 1}, {"rpm", float64(c.RPM), 0}, {"tpm", float64(c.TPM), 0},
		{"headroom", c.Headroom, 0}, {"retries", float64(c.Retries), 0}, {"chunk", float64(c.Chunk), 0},
		{"chunk-delay", float64(c.ChunkDelay), 0}, {"timeout", float64(c.Timeout), 1}, {"give-up", float64(c.GiveUp), 1},
	} {
		if flag.value < flag.least {
			return usageError{fmt.Errorf("--%s is too small", flag.name)}
		}
	}
	if c.Headroom >= 100 {
		return usageError{errors.New("--headroom leaves nothing: it is less than 100")}
	}
	if c.Chunk == 0 && (c.OnChunk != "" || c.ChunkDelay > 0) {
		return usageError{errors.New("--on-chunk and --chunk-delay need --chunk")}
	}
	return nil
}

// decode says what a line becomes.
func (c *runCommand) decode(cfg *stream.Config) error {
	system, err := textOrFile(c.System)
	if err != nil {
		return fmt.Errorf("--system: %w", err)
	}
	o := record.Options{
		Template: c.Prompt, System: system, Raw: c.RawInput, IDField: c.IDField, Endpoint: c.Endpoint, Model: c.Model,
	}
	for _, s := range c.Set {
		if key, value, ok := strings.Cut(s, "="); ok && strings.HasPrefix(value, "@") {
			text, err := textOrFile(value)
			if err != nil {
				return fmt.Errorf("--set: %w", err)
			}
			s = key + "=" + text
		}
		field, err := record.ParseField(s)
		if err != nil {
			return usageError{fmt.Errorf("--set: %w", err)}
		}
		o.Set = append(o.Set, field)
	}
	if o.Model == "" && (c.BaseURL == "" || isSim(c.BaseURL)) {
		o.Model = defaultModel(c.Endpoint)
	}
	if _, err := record.NewDecoder(o); err != nil {
		return usageError{err}
	}
	cfg.Decode = o
	return nil
}

// defaultModel is OpenAI's smallest for the endpoint.
func defaultModel(e record.Endpoint) string {
	switch e {
	case record.Embeddings:
		return "text-embedding-3-small"
	case record.Completions:
		return "gpt-3.5-turbo-instruct"
	}
	return "gpt-4o-mini"
}

func isSim(baseURL string) bool { return strings.HasPrefix(baseURL, "sim:") }

// provider says who is asked, and takes the secrets from the environment.
func (c *runCommand) provider(cfg *stream.Config) error {
	key := os.Getenv(c.KeyEnv)
	p := provider.Config{BaseURL: c.BaseURL, Key: key, Header: http.Header{}, Timeout: c.Timeout, UserAgent: "llmpipe/" + version()}
	if p.BaseURL == "" {
		p.BaseURL = provider.DefaultBaseURL
		if key == "" {
			return fmt.Errorf("no key: set %s, or --base-url to a server that needs none, or rehearse with --base-url sim:", c.KeyEnv)
		}
	}
	if isSim(p.BaseURL) {
		p.Key = "" // nobody to show it to
	}
	for _, h := range c.Header {
		name, value, ok := strings.Cut(h, ":")
		if !ok || strings.TrimSpace(name) == "" {
			return usageError{errors.New("--header is not of the form 'Name: value'")}
		}
		p.Header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	for _, h := range c.HeaderEnv {
		name, variable, ok := strings.Cut(h, "=")
		if !ok || name == "" || variable == "" {
			return usageError{errors.New("--header-env is not of the form Name=VARIABLE")}
		}
		value := os.Getenv(variable)
		if value == "" {
			return fmt.Errorf("--header-env %s: the variable is not set", h)
		}
		p.Header.Add(name, value)
		p.Secrets = append(p.Secrets, value)
	}
	cfg.Provider = p
	return nil
}

// concurrency reads -c.
func (c *runCommand) concurrency(cfg *stream.Config) error {
	cfg.Provider.Connections = c.MaxConcurrency
	if c.Concurrency == "auto" {
		return nil
	}
	n, err := strconv.Atoi(c.Concurrency)
	if err != nil || n < 1 {
		return usageError{fmt.Errorf("--concurrency %q is neither a positive number nor auto", c.Concurrency)}
	}
	cfg.Pace.Concurrency, cfg.Provider.Connections = n, n
	return nil
}

// ledger says what is remembered.
func (c *runCommand) ledger(path string) stream.LedgerConfig {
	if path == "" {
		path = "llmpipe.ledger.jsonl"
		if isSim(c.BaseURL) {
			path = "llmpipe.sim.jsonl"
		}
	}
	return stream.LedgerConfig{Path: path, Replay: c.Replay, MatchID: c.Match == "id", Fsync: c.Fsync, Version: version()}
}

// textOrFile is s itself, or what the file holds that s names after an @.
func textOrFile(s string) (string, error) {
	name, ok := strings.CutPrefix(s, "@")
	if !ok {
		return s, nil
	}
	text, err := os.ReadFile(name)
	return string(text), err
}

// size is a number of bytes, as in 64MiB or 1000000.
type size int

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *size) UnmarshalText(text []byte) error {
	digits := strings.TrimRight(string(text), "kKMGiB")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 {
		return fmt.Errorf("%q is not a number of bytes: 1000000, 512KiB, 64MiB", text)
	}
	unit, ok := map[string]int{"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "kB": 1e3, "MB": 1e6, "GB": 1e9}[string(text[len(digits):])]
	if !ok {
		return fmt.Errorf("%q has no unit that is known: B, KiB, MiB, GiB, kB, MB, GB", text)
	}
	*s = size(n * unit)
	return nil
}

// simCommand serves the simulated provider.
type simCommand struct {
	Listen  string `default:"127.0.0.1:8089" placeholder:"ADDR" help:"The address to listen on (default ${default})."`
	Options string `arg:"" optional:"" help:"As after sim:? in a base URL, such as latency=800ms&rpm=500&fail=0.02&seed=1."`
}

// Run serves until a signal comes.
func (c *simCommand) Run(a *app) error {
	o, err := provider.ParseSimOptions(strings.TrimPrefix(c.Options, "?"))
	if err != nil {
		return usageError{err}
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return err
	}
	stream.NewVoice(a.stderr, false, false).Note("simulated provider at http://%s/v1", l.Addr())
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() {
		<-a.signals
		stop()
	}()
	return provider.NewSim(o).Serve(ctx, l)
}

// printHelp prints the filter's help for the command as a whole, and what every command has in common behind it.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	if ctx.Selected() != nil {
		return kong.DefaultHelpPrinter(options, ctx)
	}
	filter, err := kong.Trace(ctx.Kong, []string{"run"})
	if err != nil {
		return err
	}
	w := ctx.Stdout
	fmt.Fprintf(w, "Usage: llmpipe [run] [<files> ...] [flags]\n\n%s\n", ctx.Model.Help)
	options.NoAppSummary = true
	if err := kong.DefaultHelpPrinter(options, filter); err != nil {
		return err
	}
	fmt.Fprintln(w, "\nCommands (llmpipe COMMAND --help says more):")
	for _, c := range ctx.Model.Leaves(true) {
		fmt.Fprintf(w, "  %-10s %s\n", c.Name, c.Help)
	}
	fmt.Fprint(w, examples)
	fmt.Fprintln(w, "\nWhat an answer means; the first that applies:")
	for _, r := range provider.Rules {
		fmt.Fprintf(w, "  %-62s %s\n", r.When, r.Class.Consequence())
	}
	fmt.Fprint(w, exitCodes)
	return nil
}

const examples = `
Examples:
  cat prompts.jsonl | llmpipe > out.jsonl
  llmpipe -p 'Is this spam? Answer yes or no: {{.body}}' < mails.jsonl | jq -r '[.id, .content] | @tsv'
  llmpipe --base-url 'sim:?rpm=600' -R questions.txt -f text
`

const exitCodes = `
Exit codes:
  0     every record was answered
  1     the run failed: input or output, configuration, a wrong key, an unknown model, a damaged ledger
  2     the command line is wrong
  3     done, but some records failed
  75    not finished, and the same command continues it
  128+n ended by signal n
  When several apply: 1, signal, 75, 3.
`
