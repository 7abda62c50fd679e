package stream

import (
	"fmt"
	"os"

	"llmpipe/stream/flow"
	"llmpipe/stream/naming"
	"llmpipe/stream/ui"
)

// checkCut returns an error if a flag's file, which the run would empty, is needed for something
// else.
func (c *Config) checkCut(flag, name string) error {
	if name == "" {
		return nil
	}
	if name == "-" {
		hint := "stdout is for results; " + flag + " /dev/stderr works"
		if flag == "--metrics" {
			hint = "stdout is for results; --progress json writes the status to stderr"
		}
		return ui.WithHint(hint, fmt.Errorf("%s - does not name a file", flag))
	}
	for _, input := range c.Files {
		if flow.SameFile(name, input) {
			return taken(flag, name, "an input")
		}
	}
	for _, other := range []struct{ flag, name, what string }{
		{"--ledger", c.Ledger.Path, "the ledger"},
		{"--failed", c.Failed, "the file of --failed"},
		{"--summary", c.Summary, "the file of --summary"},
		{"--metrics", c.Metrics, "the file of --metrics"},
	} {
		if other.flag != flag && flow.SameFile(name, other.name) {
			return taken(flag, name, other.what)
		}
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil // not there yet, or opening it will say what is wrong
	}
	for what, stream := range map[string]any{"the input": c.Stdin, "the output": c.Stdout} {
		if flow.IsFile(stream, info) {
			return taken(flag, name, what)
		}
	}
	return nil
}

// taken returns the error for a file that is in use as something else.
func taken(flag, name, what string) error {
	return ui.WithHint("name another file: this one would be lost", fmt.Errorf("%s %s is %s", flag, naming.Short(name), what))
}

// checkLedger returns an error if the ledger is also the output.
func (c *Config) checkLedger() error {
	info, err := os.Stat(c.Ledger.Path)
	if err != nil {
		return nil // not there yet, or Open will say what is wrong
	}
	if flow.IsFile(c.Stdout, info) {
		return taken("--ledger", c.Ledger.Path, "the output")
	}
	return nil
}
