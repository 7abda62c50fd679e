package flags

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// manGrammar is a command line with what a manual page may meet.
type manGrammar struct {
	Ledger string `short:"l" group:"resume" placeholder:"FILE" env:"LLMPIPE_LEDGER" help:"The ledger."`

	Run struct {
		Files  []string `arg:"" optional:"" help:"Inputs."`
		Prompt string   `short:"p" group:"in" placeholder:"TEMPLATE" help:"'Translate: {{.text}}', \\ and …."`
		Secret bool     `hidden:""`
	} `cmd:"" default:"withargs" help:"The filter."`
	Models struct {
		Names  []string `arg:"" optional:"" help:".names"`
		Prices string   `placeholder:"FILE" help:"Prices."`
	} `cmd:"" help:"List the prices in force."`
	Export struct {
		Prompt string `short:"p" group:"in" placeholder:"TEMPLATE" help:"'Translate: {{.text}}', \\ and …."`
	} `cmd:"" help:"Write results again."`
}

func manPageOf(t *testing.T, build Build) string {
	t.Helper()
	parser := kong.Must(new(manGrammar), kong.Name("llmpipe"), kong.Description("Turns prompts into answers."), kong.ExplicitGroups(Groups))
	var out bytes.Buffer
	if err := WriteManPage(&out, parser.Model, build); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestManPage(t *testing.T) {
	page := manPageOf(t, Build{Version: "v1.2.3", Day: "2026-11-28"})
	for _, want := range []string{
		".TH LLMPIPE 1 \"2026-11-28\" \"llmpipe v1.2.3\" \"User Commands\"\n.SH NAME\nllmpipe \\- turns prompts into answers\n",
		"\n.SS Input\n.TP\n\\fB\\-p\\fR, \\fB\\-\\-prompt\\fR=\\fITEMPLATE\\fR\n\\(aqTranslate: {{.text}}\\(aq, \\(rs and ....\n",
		"\n.SS Resume\n.TP\n\\fB\\-l\\fR, \\fB\\-\\-ledger\\fR=\\fIFILE\\fR\nThe ledger ($LLMPIPE_LEDGER).\n",
		"\n.SS models [<names> ...] [flags]\nList the prices in force.\n.TP\n\\fB[<names> ...]\\fR\n\\&.names\n" +
			".TP\n\\fB\\-\\-prices\\fR=\\fIFILE\\fR\nPrices.\n.PP\n.nf\nllmpipe models claude grok\\-4\n",
		"\n.PP\nIt takes all flags of the filter.\n",
		"\n.TP\n\\fB128+n\\fR\nended by signal n\n.PP\nWhen several apply: 1, signal, 75, 4, 3.\n",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("there is no %q in\n%s", want, page)
		}
	}
	if strings.Contains(page, "secret") {
		t.Error("a hidden flag is shown")
	}
	for _, line := range strings.Split(page, "\n") {
		if strings.HasPrefix(line, "'") || strings.HasPrefix(line, ".") && !strings.HasPrefix(line, ".T") &&
			!strings.HasPrefix(line, ".S") && line != ".PP" && line != ".nf" && line != ".fi" {
			t.Errorf("%q is taken for a request", line)
		}
	}
}

// TestManPageLint asks the programs that show manual pages, where they are there.
func TestManPageLint(t *testing.T) {
	page := manPageOf(t, Build{Version: "v1.2.3", Day: "2026-11-28"})
	for _, lint := range [][]string{{"groff", "-man", "-Tutf8", "-ww", "-z"}, {"mandoc", "-T", "lint", "-W", "warning"}} {
		if _, err := exec.LookPath(lint[0]); err != nil {
			t.Logf("%s is not there", lint[0])
			continue
		}
		cmd := exec.Command(lint[0], lint[1:]...)
		cmd.Stdin = strings.NewReader(page)
		if said, err := cmd.CombinedOutput(); err != nil || len(said) > 0 {
			t.Errorf("%s: %v\n%s", lint[0], err, said)
		}
	}
}
