package stream

import (
	"fmt"
	"os"

	"llmpipe/stream/flow"
	"llmpipe/stream/ui"
)

// checkCut refuses to cut the file of a flag to nothing when the run needs it for something else.
func (c *Config) checkCut(flag, name string) error {
	if name == "" {
		return nil
	}
	if name == "-" {
		hint := "stdout is for results; " + flag + " /dev/stderr works"
		if flag == "--metrics" {
			hint = "stdout is for results; --progress json writes the status to stderr"
		}
		return ui.WithHint(hint, fmt.Errorf("%s - names no file", flag))
	}
	for _, input := range c.Files {
		if flow.SameFile(name, input) {
			return fmt.Errorf("%s %s is an input", flag, name)
		}
	}
	for _, other := range []struct{ flag, name, what string }{
		{"--ledger", c.Ledger.Path, "the ledger"},
		{"--failed", c.Failed, "the file of --failed"},
		{"--summary", c.Summary, "the file of --summary"},
		{"--metrics", c.Metrics, "the file of --metrics"},
	} {
		if other.flag != flag && flow.SameFile(name, other.name) {
			return fmt.Errorf("%s %s is %s", flag, name, other.what)
		}
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil // not there yet, or opening it will say what is wrong
	}
	for what, stream := range map[string]any{"the input": c.Stdin, "the output": c.Stdout} {
		if flow.IsFile(stream, info) {
			return fmt.Errorf("%s %s is %s", flag, name, what)
		}
	}
	return nil
}

// checkLedger refuses a ledger that is the output too.
func (c *Config) checkLedger() error {
	info, err := os.Stat(c.Ledger.Path)
	if err != nil {
		return nil // not there yet, or Open will say what is wrong
	}
	if flow.IsFile(c.Stdout, info) {
		return fmt.Errorf("--ledger %s is the output", c.Ledger.Path)
	}
	return nil
}
