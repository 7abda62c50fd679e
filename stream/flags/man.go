package flags

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"llmpipe/stream"
	"llmpipe/stream/provider"
)

// WriteManPage writes the manual page of all commands, in the macros of man(7), which groff and
// mandoc read. It has the same content as --help.
func WriteManPage(w io.Writer, app *kong.Application, build Build) error {
	p := &manPage{app: app}
	commands := app.Leaves(true)
	p.filter = commands[slices.IndexFunc(commands, func(c *kong.Node) bool { return c.Name == "run" })]
	fmt.Fprintf(&p.out, ".TH LLMPIPE 1 %q %q \"User Commands\"\n", build.Day, "llmpipe "+build.Version)
	p.section("NAME")
	p.text("llmpipe - " + strings.ToLower(app.Help[:1]) + strings.TrimSuffix(app.Help[1:], "."))
	p.section("SYNOPSIS")
	p.preformatted("llmpipe [run] [<files> ...] [flags]\nllmpipe COMMAND [flags]")
	p.section("DESCRIPTION")
	p.text(app.Help + " Each line of the files, or of stdin, is a record; each record has a line on stdout.")
	p.section("OPTIONS")
	p.flags(flagsOf(p.filter))
	p.section("COMMANDS")
	for _, c := range commands {
		if c != p.filter {
			p.command(c)
		}
	}
	p.section("EXAMPLES")
	p.preformatted(Examples[p.filter.Name])
	p.section("WHAT AN ANSWER MEANS")
	p.text("The first row that applies:")
	for _, r := range provider.Rules {
		p.item(roff(r.When), r.Class.Consequence())
	}
	p.section("EXIT STATUS")
	for _, line := range strings.Split(strings.TrimRight(stream.ExitCodes, "\n"), "\n") {
		code, meaning, _ := strings.Cut(strings.TrimSpace(line), " ")
		if exitCode.MatchString(code) {
			p.item(bold(code), strings.TrimSpace(meaning))
			continue
		}
		p.out.WriteString(".PP\n")
		p.text(strings.TrimSpace(line))
	}
	_, err := w.Write(p.out.Bytes())
	return err
}

var exitCode = regexp.MustCompile(`^\d`)

// manPage is a manual page that is being written. Writing to memory cannot fail.
type manPage struct {
	out    bytes.Buffer
	app    *kong.Application
	filter *kong.Node
}

func (p *manPage) section(title string) { fmt.Fprintf(&p.out, ".SH %s\n", title) }

func (p *manPage) text(s string) { fmt.Fprintf(&p.out, "%s\n", roff(s)) }

// preformatted keeps lines as they are, except that it removes their common indentation.
func (p *manPage) preformatted(text string) {
	p.out.WriteString(".nf\n")
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		p.text(strings.TrimPrefix(line, "  "))
	}
	p.out.WriteString(".fi\n")
}

// item writes a tag as it is, followed by its explanation.
func (p *manPage) item(tag, text string) {
	fmt.Fprintf(&p.out, ".TP\n%s\n", tag)
	p.text(cmp.Or(text, "-"))
}

// flags writes the flags of a command, with each group under its heading.
func (p *manPage) flags(all []*kong.Flag) {
	group := ""
	for _, f := range all {
		if f.Hidden {
			continue
		}
		if f.Group != nil && f.Group.Title != group {
			group = f.Group.Title
			fmt.Fprintf(&p.out, ".SS %s\n", roff(strings.TrimSuffix(group, ":")))
		}
		tag := bold("--" + f.Name)
		if f.Short != 0 {
			tag = bold("-"+string(f.Short)) + ", " + tag
		}
		if !f.IsBool() && !f.IsCounter() {
			tag += "=" + italic(f.FormatPlaceHolder())
		}
		p.item(tag, kong.DefaultHelpValueFormatter(f.Value))
	}
}

// command explains a command: its arguments, the flags that the filter does not have, and its
// examples.
func (p *manPage) command(c *kong.Node) {
	fmt.Fprintf(&p.out, ".SS %s\n", roff(strings.TrimPrefix(c.Summary(), "llmpipe ")))
	p.text(c.Help)
	for _, arg := range c.Positional {
		p.item(bold(arg.Summary()), kong.DefaultHelpValueFormatter(arg))
	}
	filters := slices.DeleteFunc(flagsOf(p.filter), unsaid)
	var shared []string
	var own []*kong.Flag
	for _, f := range flagsOf(c) {
		same := func(g *kong.Flag) bool { return g.Name == f.Name && g.Help == f.Help }
		switch {
		case unsaid(f):
		case slices.ContainsFunc(filters, same):
			shared = append(shared, "--"+f.Name)
		default:
			own = append(own, f)
		}
	}
	if len(shared) > 0 {
		p.out.WriteString(".PP\n")
		if len(shared) == len(filters) {
			p.text("It takes all flags of the filter.")
		} else {
			p.text("It also takes these flags of the filter: " + strings.Join(shared, ", ") + ".")
		}
	}
	p.flags(own)
	if examples := Examples[c.Name]; examples != "" {
		p.out.WriteString(".PP\n")
		p.preformatted(examples)
	}
}

// unsaid reports whether a flag is not worth a mention with every command.
func unsaid(f *kong.Flag) bool { return f.Hidden || f.Name == "help" }

func bold(s string) string { return `\fB` + roff(s) + `\fR` }

func italic(s string) string { return `\fI` + roff(s) + `\fR` }

// roffSpecial replaces the characters that roff interprets, or shows as other characters
// (groff_char(7)).
var roffSpecial = strings.NewReplacer(
	`\`, `\(rs`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`, `"`, `\(dq`, "…", "...",
)

var beyondASCII = regexp.MustCompile(`[^\x00-\x7f]`)

// roff returns a line of text so that roff shows it unchanged.
func roff(s string) string {
	s = roffSpecial.Replace(s)
	s = beyondASCII.ReplaceAllStringFunc(s, func(r string) string { return fmt.Sprintf(`\[u%04X]`, []rune(r)[0]) })
	if strings.HasPrefix(s, ".") {
		s = `\&` + s
	}
	return s
}
