package flags

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"llmpipe/stream"
	"llmpipe/stream/naming"
	"llmpipe/stream/provider"
	"llmpipe/stream/provider/sim"
	"llmpipe/stream/ui"
)

// Groups are the headings of --help, in their order.
var Groups = []kong.Group{
	{Key: "in", Title: "Input:"},
	{Key: "out", Title: "Output:"},
	{Key: "who", Title: "Provider:"},
	{Key: "pace", Title: "Pace:"},
	{Key: "money", Title: "Money:"},
	{Key: "resume", Title: "Resume:"},
	{Key: "mode", Title: "Mode:"},
	{Key: "say", Title: "Progress:"},
}

// HelpWords turns help, help COMMAND and help all into arguments that the parser knows. all asks to
// explain also the flags that a command shares with the filter, and the filter's less common flags.
func HelpWords(args, commands []string) (rest []string, all bool, err error) {
	if len(args) > 0 && args[0] == "help" {
		topics := slices.DeleteFunc(slices.Clone(args[1:]), isHelp)
		for _, topic := range topics {
			if topic != "all" && !slices.Contains(commands, topic) {
				hint := "llmpipe help lists the commands"
				if near := naming.Nearest(topic, commands); near != "" {
					hint = "did you mean llmpipe help " + near + "?"
				}
				return nil, false, ui.WithHint(hint, fmt.Errorf("llmpipe has no command %s", naming.Short(topic)))
			}
		}
		args = append(topics, "--help")
	}
	if at := slices.Index(args, "all"); at >= 0 && slices.ContainsFunc(args, isHelp) {
		return slices.Delete(slices.Clone(args), at, at+1), true, nil
	}
	return args, false, nil
}

func isHelp(arg string) bool { return arg == "--help" || arg == "-h" }

// HelpPrinter returns a printer of a command's help, or of the filter's if there is no command.
// With all, the filter's help is complete, and longer than a screen.
func HelpPrinter(all bool) kong.HelpPrinter {
	return func(options kong.HelpOptions, ctx *kong.Context) error {
		selected := ctx.Selected()
		if selected == nil {
			filter, err := kong.Trace(ctx.Kong, []string{"run"})
			if err != nil {
				return err
			}
			ctx, selected = filter, filter.Selected()
		}
		switch {
		case selected.Name != "run":
			return printCommand(options, ctx, selected, all)
		case all:
			return printWhole(options, ctx, selected)
		}
		return printShort(ctx, selected)
	}
}

// firstFlags are the flags that people need first.
var firstFlags = []string{
	"prompt", "raw-input", "model", "set", "base-url", "key-env", "format", "failed", "limit", "budget", "ledger", "dry-run",
}

// printShort prints the filter's help on one screen.
func printShort(ctx *kong.Context, filter *kong.Node) error {
	w := ctx.Stdout
	fmt.Fprintf(w, "Usage: llmpipe [FILE ...] [flags]\n\n%s\n\n  %s\n", ctx.Model.Help, firstExample)
	fmt.Fprintln(w, "\nThe flags to begin with (llmpipe --help all explains every one):")
	for _, f := range flagsOf(filter) {
		if !slices.Contains(firstFlags, f.Name) {
			continue
		}
		name := "    --" + f.Name
		if f.Short != 0 {
			name = "-" + string(f.Short) + ", --" + f.Name
		}
		if !f.IsBool() {
			name += "=" + f.FormatPlaceHolder()
		}
		fmt.Fprintf(w, "  %-28s %s\n", name, kong.DefaultHelpValueFormatter(f.Value))
	}
	fmt.Fprintln(w, "\nCommands (llmpipe help COMMAND explains one):")
	var others []string
	for _, c := range ctx.Model.Leaves(true) {
		switch {
		case slices.Contains(firstCommands, c.Name):
			fmt.Fprintf(w, "  %-10s %s\n", c.Name, c.Help)
		case c != filter:
			others = append(others, c.Name)
		}
	}
	_, err := fmt.Fprintf(w, "  and %s\n", strings.Join(others, ", "))
	return err
}

var firstCommands = []string{"estimate", "report", "export", "models", "batches", "sim"}

// firstExample shows what the filter is for.
const firstExample = `llmpipe -p 'Is this spam? Answer yes or no: {{.body}}' < mails.jsonl > out.jsonl`

// printCommand prints the help of any command except the filter.
func printCommand(options kong.HelpOptions, ctx *kong.Context, command *kong.Node, all bool) error {
	own, shared := command.Flags, ""
	if command.Flags = flagsOf(command); command.Name == "estimate" && !all {
		command.Flags = slices.DeleteFunc(slices.Concat(ctx.Model.Flags, own), func(f *kong.Flag) bool { return f.Group != nil })
		shared = "\nIt also takes all flags of the filter (llmpipe --help all), so the same flags serve the estimate and the run.\n"
	}
	command.Parent.Flags = nil
	if err := kong.DefaultHelpPrinter(options, ctx); err != nil {
		return err
	}
	fmt.Fprint(ctx.Stdout, shared)
	if command.Name == "sim" {
		fmt.Fprint(ctx.Stdout, "\nOptions, joined with &:\n", sim.OptionsHelp())
	}
	if examples := Examples[command.Name]; examples != "" {
		fmt.Fprint(ctx.Stdout, "\nExamples:\n", examples)
	}
	return nil
}

// printWhole prints all of the filter's help, followed by the commands, the meaning of answers and
// the exit codes.
func printWhole(options kong.HelpOptions, ctx *kong.Context, filter *kong.Node) error {
	w := ctx.Stdout
	fmt.Fprintf(w, "Usage: llmpipe [run] [<files> ...] [flags]\n\n%s\n", ctx.Model.Help)
	options.NoAppSummary = true
	filter.Flags, filter.Parent.Flags = flagsOf(filter), nil
	about := filter.Help
	filter.Help = ""
	if err := kong.DefaultHelpPrinter(options, ctx); err != nil {
		return err
	}
	filter.Help = about
	fmt.Fprintln(w, "\nCommands (llmpipe COMMAND --help says more):")
	for _, c := range ctx.Model.Leaves(true) {
		fmt.Fprintf(w, "  %-10s %s\n", c.Name, c.Help)
	}
	fmt.Fprint(w, "\nExamples:\n", Examples[filter.Name])
	fmt.Fprintln(w, "\nWhat an answer means (the first row that applies):")
	for _, r := range provider.Rules {
		fmt.Fprintf(w, "  %-62s %s\n", r.When, r.Class.Consequence())
	}
	fmt.Fprint(w, "\nExit codes:\n", stream.ExitCodes)
	return nil
}

// flagsOf returns the flags of a command in the order of the headings, including those that it
// shares with others.
func flagsOf(command *kong.Node) []*kong.Flag {
	place := func(f *kong.Flag) int {
		return slices.IndexFunc(Groups, func(g kong.Group) bool { return f.Group != nil && g.Key == f.Group.Key })
	}
	flags := slices.Concat(command.Parent.Flags, command.Flags)
	if slices.Contains(withoutLedger, command.Name) {
		flags = slices.DeleteFunc(flags, func(f *kong.Flag) bool { return f.Name == "ledger" })
	}
	slices.SortStableFunc(flags, func(a, b *kong.Flag) int { return cmp.Compare(place(a), place(b)) })
	return flags
}

// withoutLedger are the commands that use no ledger.
var withoutLedger = []string{"models", "sim", "completion", "man", "version", "help"}
