// Command llmpipe is a Unix filter that turns a stream of prompts into a stream of answers.
//
//	cat prompts.jsonl | llmpipe > out.jsonl
//
// main turns flags and the environment into a configuration, listens for signals and ends with the
// right exit code. Everything else is in the packages below it. stream is the pipeline; start
// reading at its package comment.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"llmpipe/stream"
	"llmpipe/stream/estimate"
	"llmpipe/stream/flags"
	"llmpipe/stream/journal"
	"llmpipe/stream/provider/sim"
	"llmpipe/stream/record"
	"llmpipe/stream/report"
	"llmpipe/stream/ui"
)

// memoryGoal is the memory limit that the garbage collector aims for, in bytes, unless GOMEMLIMIT
// sets another. Near the limit it runs more often. Large answers are bytes without pointers, which
// it need not scan. The ledger's index lies outside.
const memoryGoal = 320 << 20

func main() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryGoal)
	}
	stdin, stdout := ui.Standard(os.Stdin, os.Stdout, os.Stderr)
	code, sig := run(os.Args[1:], stdin, stdout, os.Stderr, listen)
	if sig != nil {
		stream.Die(sig)
	}
	os.Exit(code)
}

// listen makes the program handle signals itself. Commands that never call it are killed by them,
// as other programs are.
func listen() <-chan os.Signal {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, stream.Signals()...)
	return signals
}

// run is main with everything passed in. It returns the exit code, and the signal that ended the
// run, if one did.
func run(args []string, stdin, stdout, stderr *os.File, listen func() <-chan os.Signal) (code int, sig os.Signal) {
	log.SetOutput(io.Discard) // net/http logs what a server sends unasked, and that may hold the key
	app := &app{stdin: stdin, stdout: stdout, stderr: stderr, listen: listen}
	voice := ui.NewVoice(stderr, false, false)
	helped := false
	args, wholeHelp, err := flags.HelpWords(args, commandNames())
	if err != nil {
		voice.Error(err)
		return stream.ExitUsage, nil
	}
	parser := kong.Must(app, append(append(grammars(args), flags.Values...),
		kong.Name("llmpipe"),
		kong.Description("Turns a stream of prompts into a stream of answers: "+
			"within the provider's limits, resumable, paid for once."),
		kong.Vars{"version": flags.ReadBuild().String()},
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { helped = true }),
		kong.Help(flags.HelpPrinter(wholeHelp)),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		kong.ExplicitGroups(flags.Groups),
	)...)
	parser.Model.HelpFlag.Help = "Explain the command. --help all explains every flag."
	var ctx *kong.Context
	args, err = flags.Gather(parser.Model, args)
	if err == nil {
		ctx, err = parser.Parse(args)
	}
	if helped {
		return stream.ExitOK, nil
	}
	if err != nil {
		if ui.HintOf(err) == "" {
			err = ui.WithHint(flags.ParseHint(parser.Model, args, err), err)
		}
		voice.Error(err)
		return stream.ExitUsage, nil
	}
	err = ctx.Run(app)
	if errors.Is(err, fs.ErrClosed) {
		err = cmp.Or(ui.CheckStdout(stdout), err)
	}
	var ended *stream.Ended
	var usage *ui.UsageError
	switch {
	case errors.As(err, &ended):
		for _, e := range []error{ended.Err, ended.Paused, ended.Budget} {
			if e != nil {
				voice.Error(e)
			}
		}
		return ended.ExitCode(), ended.DieOf()
	case errors.As(err, &usage):
		voice.Error(err)
		return stream.ExitUsage, nil
	case err != nil:
		voice.Error(err)
		return stream.ExitFailed, nil
	}
	return stream.ExitOK, nil
}

// app is the command line. It holds the flags that more than one command takes.
type app struct {
	Version kong.VersionFlag `help:"Print the version." hidden:""`
	Ledger  string           `short:"l" group:"resume" placeholder:"FILE" env:"LLMPIPE_LEDGER" help:"The ledger file (llmpipe.ledger.jsonl)."`

	Run runCommand `cmd:"" default:"withargs" help:"The filter, and the default: llmpipe alone runs it."`

	stdin, stdout, stderr *os.File
	listen                func() <-chan os.Signal
}

// commands are the commands other than the filter, in the order of the help.
var commands = []struct {
	name, help string
	grammar    func() any
}{
	{"estimate", "Estimate what prompts will cost and how long a run will take.", func() any { return new(estimateCommand) }},
	{"models", "List models and their prices.", func() any { return new(modelsCommand) }},
	{"export", "Write the results in a ledger to stdout.", func() any { return new(exportCommand) }},
	{"batches", "List, cancel or forget the batches in a ledger.", func() any { return new(batchesCommand) }},
	{"report", "Report what a ledger's records cost, how long they took and what failed.", func() any { return new(reportCommand) }},
	{"repair", "Write a clean copy of a damaged ledger.", func() any { return new(repairCommand) }},
	{"sim", "Run the simulated provider as a server.", func() any { return new(simCommand) }},
	{"completion", "Print the completion script for bash, zsh or fish.", func() any { return new(completionCommand) }},
	{"man", "Print the manual page.", func() any { return new(manCommand) }},
	{"version", "Print the version and the commit it was built from.", func() any { return new(versionCommand) }},
	{"help", "Explain a command; help all explains every flag.", func() any { return new(helpCommand) }},
}

// commandNames are the words that name a command.
func commandNames() []string {
	names := []string{"run"}
	for _, c := range commands {
		names = append(names, c.name)
	}
	return names
}

// wholeModel are the commands that need the flags of all others.
var wholeModel = []string{"completion", "man"}

// grammars returns the commands as kong options. A command that args do not name gets no flags,
// because reading the flags of all commands takes a tenth of the time to the first request.
func grammars(args []string) (options []kong.Option) {
	whole := slices.ContainsFunc(wholeModel, func(name string) bool { return slices.Contains(args, name) })
	for _, c := range commands {
		var grammar any = new(struct{})
		if whole || slices.Contains(args, c.name) {
			grammar = c.grammar()
		}
		options = append(options, kong.DynamicCommand(c.name, c.help, "", grammar))
	}
	return options
}

// version is the module's version, as the Go command recorded it.
func version() string { return flags.ReadBuild().Version }

// config is the configuration from the filter's flags and the environment.
func (a *app) config(f *flags.Flags) (*stream.Config, error) {
	if err := f.CheckInputs(a.stdin, commandNames()); err != nil {
		return nil, err
	}
	cfg, err := f.Config(os.Getenv, a.Ledger, version())
	if err != nil {
		return nil, err
	}
	cfg.Stdin, cfg.Stdout, cfg.Stderr, cfg.Listen = a.stdin, a.stdout, a.stderr, a.listen
	return cfg, nil
}

// runCommand is the filter.
type runCommand struct{ flags.Flags }

// Run runs the filter.
func (c *runCommand) Run(a *app) error {
	cfg, err := a.config(&c.Flags)
	if err != nil {
		return err
	}
	outcome, err := stream.Run(context.Background(), *cfg)
	if err != nil {
		return err
	}
	if outcome.ExitCode() != stream.ExitOK {
		return &stream.Ended{Outcome: outcome}
	}
	return nil
}

// estimateCommand estimates what prompts would cost. It takes the filter's flags, so that the same
// command line can be estimated and run.
type estimateCommand struct {
	flags.Flags
	JSON   bool     `name:"json" help:"Print JSON, for scripts and for --estimate FILE."`
	Models []string `placeholder:"NAME" help:"Models to compare (default: others of the same family)."`
}

// Run prints the estimate.
func (c *estimateCommand) Run(a *app) error {
	cfg, err := a.config(&c.Flags)
	if err != nil {
		return err
	}
	estimate, err := estimate.Run(context.Background(), *cfg, c.Models)
	if err != nil {
		return err
	}
	write := estimate.WriteTable
	if c.JSON {
		write = estimate.WriteJSON
	}
	if err := write(a.stdout); err != nil || estimate.Invalid == 0 {
		return stream.ReaderLeft(err)
	}
	return &stream.Ended{Outcome: &stream.Outcome{Summary: ui.Summary{Failed: estimate.Invalid}}} // as the run would end
}

// modelsCommand lists models and prices.
type modelsCommand struct {
	Names []string `arg:"" optional:"" help:"Models, providers or families to list; a part of a name is enough (default: all)."`

	JSON   bool   `name:"json" help:"Print JSON, for scripts."`
	Prices string `placeholder:"FILE" help:"Override built-in prices, in LiteLLM's or genai-prices' format; or free."`
}

// Run prints the table.
func (c *modelsCommand) Run(a *app) error {
	return report.Models(a.stdout, report.ModelsConfig{
		Names: c.Names, JSON: c.JSON, Prices: c.Prices, Voice: ui.NewVoice(a.stderr, false, false),
	})
}

// ledgers are the ledgers that a command reads: the named ones, or else the default one.
func (a *app) ledgers(named []string) []string {
	if len(named) == 0 {
		return []string{a.ledgerPath()}
	}
	return named
}

// ledgerPath is the ledger that a command reads. If the environment names the simulated provider,
// it is the ledger that a run there would write.
func (a *app) ledgerPath() string {
	return cmp.Or(a.Ledger, journal.DefaultPath(os.Getenv("OPENAI_BASE_URL")))
}

// exportCommand writes results again.
type exportCommand struct {
	Ledgers []string `arg:"" optional:"" help:"Ledgers of one job, which may be compressed (default: the one that --ledger names)."`

	Format record.Format `short:"f" default:"result" placeholder:"result" help:"Output: result, batch, raw, text or text0."`
	Sample int           `placeholder:"N" help:"Write only N results, chosen by a hash of their ids."`
	Seed   uint64        `placeholder:"S" help:"Choose another sample."`
}

// Run writes the results to stdout.
func (c *exportCommand) Run(a *app) error {
	return report.Export(a.stdout, report.ExportConfig{
		Ledgers: a.ledgers(c.Ledgers), Format: c.Format, Sample: c.Sample, Seed: c.Seed,
		Voice: ui.NewVoice(a.stderr, false, false),
	})
}

// reportCommand says what was spent.
type reportCommand struct {
	Ledgers []string `arg:"" optional:"" help:"Ledgers to read, which may be compressed (default: the one that --ledger names)."`
	JSON    bool     `name:"json" xor:"form" help:"Print JSON, for scripts."`
	HTML    string   `name:"html" xor:"form" placeholder:"FILE" help:"Write the report to FILE as an HTML page with charts; - is stdout."`
}

// Run prints the report.
func (c *reportCommand) Run(a *app) error {
	c.Ledgers = a.ledgers(c.Ledgers)
	voice := ui.NewVoice(a.stderr, false, false)
	if c.HTML != "" {
		return report.WriteHTML(a.stdout, voice, c.HTML, c.Ledgers...)
	}
	return report.Write(a.stdout, voice, c.JSON, c.Ledgers...)
}

// batchesCommand shows and ends batches.
type batchesCommand struct {
	Action string   `arg:"" optional:"" default:"list" help:"list (the default), cancel or forget."`
	IDs    []string `arg:"" optional:"" name:"ids" help:"Ids of batches; without any, cancel ends all that are not collected yet."`

	flags.ProviderFlags
	JSON bool `name:"json" help:"Print JSON, for scripts."`
}

// Run does what Action says.
func (c *batchesCommand) Run(a *app) error {
	if err := flags.CheckVerb("batches", c.Action); err != nil {
		return err
	}
	p, err := c.ProviderFlags.Config(os.Getenv, version())
	if err != nil {
		return err
	}
	cfg := report.BatchesConfig{
		Ledger: cmp.Or(a.Ledger, journal.DefaultPath(c.BaseURL)), Provider: p, Version: version(),
		Voice: ui.NewVoice(a.stderr, false, false),
	}
	if c.Action == "forget" { // nobody is asked
		return report.ForgetBatches(cfg, c.IDs)
	}
	for _, text := range c.Remarks(&p, nil, os.Getenv) {
		cfg.Voice.Note("%s", text)
	}
	return a.interruptible(func(ctx context.Context) error {
		if c.Action == "cancel" {
			return report.CancelBatches(ctx, cfg, c.IDs)
		}
		return report.ListBatches(ctx, a.stdout, cfg, c.JSON)
	})
}

// interruptible calls do with a context that ends when a signal comes. After the signal, it waits
// for do, so that nothing that do started, such as the command of --key-cmd, outlives the process.
// Then the process ends by that signal. After a second signal, interruptible does not wait for do.
func (a *app) interruptible(do func(ctx context.Context) error) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	signals, done := a.listen(), make(chan error, 1)
	go func() { done <- do(ctx) }()
	var heard os.Signal
	for {
		select {
		case err := <-done:
			if heard == nil {
				return stream.ReaderLeft(err)
			}
			return &stream.Ended{Outcome: &stream.Outcome{Signal: heard}}
		case sig := <-signals:
			if !stream.Ends(sig) {
				continue
			}
			if stop(); heard != nil {
				return &stream.Ended{Outcome: &stream.Outcome{Signal: heard}}
			}
			heard = sig
		}
	}
}

// repairCommand writes a clean copy.
type repairCommand struct {
	File string `arg:"" optional:"" help:"The ledger (default: the one that --ledger names)."`
	Out  string `placeholder:"FILE" help:"The clean copy (default: the ledger's name with .repaired added)."`
}

// Run repairs.
func (c *repairCommand) Run(a *app) error {
	return report.Repair(cmp.Or(c.File, a.ledgerPath()), c.Out, ui.NewVoice(a.stderr, false, false))
}

// simCommand serves the simulated provider.
type simCommand struct {
	Listen  string `default:"127.0.0.1:8089" placeholder:"ADDR" help:"The address to listen on (default ${default})."`
	Options string `arg:"" optional:"" help:"Options, as after sim:? in a base URL: latency=800ms&rpm=500&fail=0.02."`
}

// Run serves until a signal comes.
func (c *simCommand) Run(a *app) error {
	o, err := sim.ParseOptions(strings.TrimPrefix(strings.TrimPrefix(c.Options, "sim:"), "?"))
	if err != nil {
		return ui.Usage(ui.WithHint("llmpipe sim --help lists the options", err))
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return ui.WithHint("give --listen a host and a free port: 127.0.0.1:8089, or 127.0.0.1:0 for any", fmt.Errorf("--listen: %w", err))
	}
	voice := ui.NewVoice(a.stderr, false, false)
	log.SetFlags(0)
	log.SetOutput(voice.Logger()) // the server reports running out of descriptors, say, only there
	voice.Note("simulated provider at http://%s/v1", l.Addr())
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	signals := a.listen()
	go func() {
		for !stream.Ends(<-signals) {
		}
		stop()
	}()
	return sim.New(o).Serve(ctx, l)
}

// completionCommand prints the script that makes a shell complete llmpipe's words. The script calls
// the command again, with words in place of the shell's name, to get them.
type completionCommand struct {
	Shell string `arg:"" optional:"" help:"bash, zsh or fish."`
}

// Run prints the shell's script, or the words that can complete the line that is being typed.
func (c *completionCommand) Run(a *app, ctx *kong.Context) error {
	if c.Shell == "words" {
		flags.CompleteWords(a.stdout, os.Getenv("COMP_LINE"), ctx.Model)
		return nil
	}
	if err := flags.CheckVerb("completion", c.Shell); err != nil {
		return err
	}
	_, err := fmt.Fprint(a.stdout, flags.CompletionScripts[c.Shell])
	return err
}

// manCommand prints the manual page.
type manCommand struct{}

// Run prints it.
func (manCommand) Run(a *app, ctx *kong.Context) error {
	return flags.WriteManPage(a.stdout, ctx.Model, flags.ReadBuild())
}

// helpCommand only makes help appear in lists of commands: flags.HelpWords has turned it into
// --help.
type helpCommand struct {
	Topic string `arg:"" optional:"" help:"A command, or all."`
}

// versionCommand says what the program is.
type versionCommand struct{}

// Run prints it.
func (versionCommand) Run(a *app) error {
	_, err := fmt.Fprintln(a.stdout, flags.ReadBuild())
	return err
}
