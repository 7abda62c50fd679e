package flags

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/alecthomas/kong"

	"llmpipe/stream"
	"llmpipe/stream/provider"
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

// PrintHelp prints a command's help: without a command the filter's, and what the commands have in
// common behind it.
func PrintHelp(options kong.HelpOptions, ctx *kong.Context) error {
	selected := ctx.Selected()
	if selected == nil {
		filter, err := kong.Trace(ctx.Kong, []string{"run"})
		if err != nil {
			return err
		}
		ctx, selected = filter, filter.Selected()
	}
	selected.Flags, selected.Parent.Flags = flagsOf(selected), nil
	whole := selected.Name == "run"
	w := ctx.Stdout
	short := selected.Help
	if whole {
		fmt.Fprintf(w, "Usage: llmpipe [run] [<files> ...] [flags]\n\n%s\n", ctx.Model.Help)
		options.NoAppSummary, selected.Help = true, ""
	}
	if err := kong.DefaultHelpPrinter(options, ctx); err != nil {
		return err
	}
	selected.Help = short
	if whole {
		fmt.Fprintln(w, "\nCommands (llmpipe COMMAND --help says more):")
		for _, c := range ctx.Model.Leaves(true) {
			fmt.Fprintf(w, "  %-10s %s\n", c.Name, c.Help)
		}
	}
	if examples := Examples[selected.Name]; examples != "" {
		fmt.Fprint(w, "\nExamples:\n", examples)
	}
	if !whole {
		return nil
	}
	fmt.Fprintln(w, "\nWhat an answer means; the first that applies:")
	for _, r := range provider.Rules {
		fmt.Fprintf(w, "  %-62s %s\n", r.When, r.Class.Consequence())
	}
	fmt.Fprint(w, "\nExit codes:\n", stream.ExitCodes)
	return nil
}

// flagsOf are the flags of a command, those that it shares with others among them, in the order of
// the headings.
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

// withoutLedger are the commands that have none.
var withoutLedger = []string{"models", "sim", "completion", "man", "version"}
