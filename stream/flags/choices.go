package flags

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"llmpipe/stream/naming"
	"llmpipe/stream/ui"
)

// choices are the values that a flag or an argument can have, or the most common ones. The keys are
// flags, and commands for their arguments.
var choices = map[string][]string{
	"--format":      {"result", "batch", "raw", "text", "text0"},
	"--endpoint":    {"chat", "embeddings", "responses", "completions", "messages"},
	"--mode":        {"realtime", "batch", "hybrid"},
	"--replay":      {"auto", "always", "never"},
	"--match":       {"request", "id"},
	"--fsync":       {"always", "1s", "never"},
	"--progress":    {"auto", "always", "never", "json"},
	"--base-url":    {"sim:"},
	"--prices":      {"free"},
	"--concurrency": {"auto"},
	"batches":       {"list", "cancel", "forget"},
	"completion":    {"bash", "zsh", "fish"},
}

// wrongFlag matches the flag at the beginning of the parser's error about its value, and quoted
// matches what that error quotes.
var (
	wrongFlag = regexp.MustCompile(`^--[\w-]+`)
	quoted    = regexp.MustCompile(`"([^"]*)"`)
)

// ParseHint returns what to do about an error from parsing args.
func ParseHint(model *kong.Application, args []string, err error) string {
	command := ""
	nodes := model.Leaves(false)
	selected := nodes[slices.IndexFunc(nodes, func(n *kong.Node) bool { return n.Name == "run" })]
	for _, node := range nodes {
		if len(args) > 0 && node.Name == args[0] && node != selected {
			command, selected = " "+node.Name, node
			break
		}
	}
	name := wrongFlag.FindString(err.Error())
	if name == "" {
		return "llmpipe" + command + " --help shows what it takes"
	}
	for _, m := range quoted.FindAllStringSubmatch(err.Error(), -1) {
		if near := naming.Nearest(m[1], choices[name]); near != "" && near != m[1] {
			return "did you mean " + name + " " + near + "?"
		}
	}
	if command == "" {
		return "llmpipe --help all explains " + name
	}
	return "llmpipe" + command + " --help explains " + name
}

// CheckVerb refuses a word that a command does not take.
func CheckVerb(command, word string) error {
	known := choices[command]
	if slices.Contains(known, word) {
		return nil
	}
	last := len(known) - 1
	hint := "llmpipe " + command + " takes " + strings.Join(known[:last], ", ") + " or " + known[last]
	if near := naming.Nearest(word, known); near != "" {
		hint = "did you mean llmpipe " + command + " " + near + "?"
	}
	err := fmt.Errorf("llmpipe %s does not know %q", command, naming.Short(word))
	if word == "" {
		err = fmt.Errorf("llmpipe %s needs an argument", command)
	}
	return ui.Usage(ui.WithHint(hint, err))
}
